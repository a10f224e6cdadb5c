"""What a fragment does on a surface: adsorption energy, bonds, height, moments; and energies of reactions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pymatgen.core import Structure

from barriers.analysis.band import SPIN_FLIP
from barriers.structures.interface.contacts import SurfaceBond, surface_bonds


@dataclass(frozen=True)
class BondChange:
    """Bonds between fragment and surface, before and after.

    Attributes
    ----------
    formed : list[SurfaceBond]
        After only, with their lengths then.
    broken : list[SurfaceBond]
        Before only, with their lengths then.
    kept : list[SurfaceBond]
        In both, with their lengths after.
    """

    formed: list[SurfaceBond]
    broken: list[SurfaceBond]
    kept: list[SurfaceBond]


@dataclass(frozen=True)
class Height:
    """How far above the surface a fragment is (Å), from the topmost slab atom along the normal.

    Attributes
    ----------
    lowest, centre : float
        Of the fragment's lowest atom, and of its centroid.
    """

    lowest: float
    centre: float


class MomentChange(NamedTuple):
    """Magnetic moment of an atom before and after (µB)."""

    atom: int
    before: float
    after: float


def adsorption_energy(interface: float, slab: float, fragment: float, fragments: int = 1) -> float:
    """Adsorption energy of one fragment (eV): negative where it binds.

    E_ads = (E_interface - E_slab - n E_fragment) / n. All three are energies of relaxed structures of one engine.

    Parameters
    ----------
    interface, slab, fragment : float
        Energies of the slab with the fragments, of the bare slab and of one fragment alone (eV).
    fragments : int
        Number n of fragments on the slab.

    Raises
    ------
    ValueError
        If there is no fragment.
    """
    if fragments < 1:
        raise ValueError(f"fragments: {fragments}; allowed: at least 1")
    return (interface - slab) / fragments - fragment


def reaction_energy(reactants: Mapping[str, int], products: Mapping[str, int], energies: Mapping[str, float]) -> float:
    """Energy of a reaction (eV): products minus reactants, negative where energy is given off.

    Parameters
    ----------
    reactants, products : Mapping[str, int]
        How many of each species.
    energies : Mapping[str, float]
        Energy of one of each species (eV).
    """
    sides = [sum(count * energies[name] for name, count in side.items()) for side in (reactants, products)]
    return sides[1] - sides[0]


def bond_change(before: Structure, after: Structure, n_slab: int) -> BondChange:
    """Compare the bonds between fragment and surface in two states of an interface.

    Parameters
    ----------
    before, after : Structure
        Same atoms in the same order, slab atoms first; for example as placed, and relaxed.
    n_slab : int
        Number of slab atoms.

    Raises
    ------
    ValueError
        If the atoms differ.
    """
    if before.species != after.species:
        raise ValueError("the two states of the interface do not have the same atoms in the same order")
    old, new = (
        {(bond.fragment_atom, bond.slab_atom): bond for bond in surface_bonds(state, n_slab)}
        for state in (before, after)
    )
    return BondChange(
        formed=[bond for pair, bond in new.items() if pair not in old],
        broken=[bond for pair, bond in old.items() if pair not in new],
        kept=[bond for pair, bond in new.items() if pair in old],
    )


def fragment_height(interface: Structure, n_slab: int) -> Height:
    """Measure how far above the topmost slab atom a fragment is.

    Parameters
    ----------
    interface : Structure
        Slab atoms first, positions unwrapped along the normal.
    n_slab : int
        Number of slab atoms.

    Raises
    ------
    ValueError
        If there is no fragment.
    """
    if not 0 < n_slab < len(interface):
        raise ValueError(f"n_slab: {n_slab} of {len(interface)} atoms leave no fragment or no slab")
    normal = np.cross(interface.lattice.matrix[0], interface.lattice.matrix[1])
    up = interface.cart_coords @ (normal / np.linalg.norm(normal))
    top = up[:n_slab].max()
    return Height(lowest=float(up[n_slab:].min() - top), centre=float(up[n_slab:].mean() - top))


def moment_changes(
    before: Sequence[float | None] | ArrayLike, after: Sequence[float | None] | ArrayLike
) -> list[MomentChange]:
    """Find atoms whose magnetic moment is another one after.

    Parameters
    ----------
    before, after : (N,) and (M,)
        Moments (µB), None or NaN where an atom has none; the first atoms of both are the same, as slab and interface.

    Returns
    -------
    list[MomentChange]
        Those that changed by more than :data:`~barriers.analysis.band.SPIN_FLIP`, in the order of the atoms.
    """
    old, new = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    shared = min(len(old), len(new))
    changed = np.flatnonzero(np.abs(np.nan_to_num(new[:shared] - old[:shared])) > SPIN_FLIP)
    return [MomentChange(int(atom), float(old[atom]), float(new[atom])) for atom in changed]
