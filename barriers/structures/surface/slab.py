"""Slabs: a cathode cut along a facet, with frozen bottom layers and the normal along c."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from barriers.structures.rounding import on_grid, round_off
from barriers.structures.surface.cutter import Cutter
from barriers.structures.surface.cutting import FRAGMENT, LAYER, dipole
from barriers.structures.surface.reconstruction import Plan, Polar, cap, chosen_atoms, move, plan_caps, plan_move
from barriers.structures.surface.terminations import Termination, crystal_of, known_termination

AT_EDGE = 1e-4
"""Atoms this near (Å) to the edge of the frozen part belong to it."""

LEAST_VACUUM = 6.0
"""A slab has at least this much empty height (Å)."""

BOTTOM_GAP = 1.0
"""Height of the lowest atom above the cell's floor (Å)."""

LARGER = "a larger surface (min_lengths of a slab that is cut)"
"""What refusals ask for: the slab of a file has no such field."""


@dataclass(frozen=True)
class Cut:
    """A slab, and the crystal it was cut from.

    Attributes
    ----------
    slab : Structure
        Slab with c along the normal, metals not yet ordered. Site properties ``layer`` (0 at the bottom) and
        ``selective_dynamics``. Caps come last and have the layer of the face they sit on.
    crystal : Structure
        The slab's oxide atoms, in the same order at the same positions but for ions that a reconstruction moved, as
        the periodic crystal without surfaces: ordering, exchange and delithiation are decided here and carried to the
        slab by index (:func:`~barriers.structures.surface.edits.with_species`).
    termination : Termination
        How the slab ends.
    warnings : list[str]
        What a polar termination is and what was done about it, with the dipole before and after.
    image_distance : float
        Shortest in-plane lattice vector (Å): how far an atom is from its own image.
    layer_height : float
        What a layer adds to the thickness (Å).
    """

    slab: Structure
    crystal: Structure
    termination: Termination
    warnings: list[str]
    image_distance: float
    layer_height: float


def cut_slab(
    bulk: Structure,
    facet: Sequence[int],
    layers: int,
    min_lengths: Sequence[float],
    vacuum: float,
    frozen_layers: int,
    termination: str | None = None,
    polar: Polar = "move",
    symmetric: bool = False,
) -> Cut:
    """Cut a slab, repeat it in the plane, make a polar one neutral and freeze a part of it.

    Parameters
    ----------
    bulk : Structure
        Conventional cell of the cathode, metals not yet ordered.
    facet : Sequence[int]
        Miller indices (h, k, l) in the conventional cell.
    layers : int
        Number of layers: repeats of the lattice along the normal.
    min_lengths : Sequence[float]
        Least length of the two surface vectors (Å).
    vacuum : float
        Empty height above the topmost atom (Å).
    frozen_layers : int
        Layers held fixed, 0 for none: the lowest ones, or the middle ones of a symmetric slab.
    termination : str, optional
        Label of the upper face; the first of
        :func:`~barriers.structures.surface.terminations.terminations` if left out.
    polar : {"move", "hydroxyl", "fluorine", "keep"}
        For a polar termination: move half of the outermost ions to the other face, cap with OH and H, cap with F and
        H, or leave the dipole.
    symmetric : bool
        Whether both faces have to be the same.

    Raises
    ------
    ValueError
        If the facet has no such termination, the dipole cannot be removed as asked, the faces of a symmetric slab
        differ, or its frozen layers cannot lie in the middle.
    """
    end = known_termination(bulk, facet, termination)
    cutter = Cutter(bulk, facet, layers)
    mesh, continuation = cutter.slab(end.shift)
    name = f"facet {tuple(facet)}, termination {end.label}"
    plan = _plan(mesh, layers * cutter.spacing, name, polar, end)
    repeats = _repeats(mesh, min_lengths, plan is not None and plan.alternate)
    made = plain = _repeated(mesh, repeats)
    if plan is not None:
        change = move if polar == "move" else partial(cap, polar=polar)
        made = change(plain, chosen_atoms(repeats, plan), plan.up, continuation)
    slab = set_vacuum(made, vacuum)
    if symmetric and not has_equal_faces(slab):
        raise ValueError(
            f"symmetric: the two faces of {name} differ; "
            "allowed: false, or another termination, polar or number of layers"
        )
    crystal = crystal_of(plain, continuation)
    crystal.translate_sites(range(len(crystal)), [0, 0, _rise(made)], frac_coords=False, to_unit_cell=False)
    crystal = on_grid(crystal)
    warnings = _warnings(plain, slab, name, polar) if end.polar else []
    made = freeze_layers(slab, frozen_layers, symmetric)
    return Cut(made, crystal, end, warnings, image_distance(slab.lattice), cutter.spacing)


def freeze_layers(slab: Structure, layers: int, core: bool = False) -> Structure:
    """Hold the lowest layers fixed, or the middle ones; all other atoms are free.

    Raises
    ------
    ValueError
        If that number of layers cannot lie in the middle.
    """
    numbers = np.array(slab.site_properties[LAYER])
    total = int(numbers.max()) + 1
    first, odd = divmod(total - layers, 2) if core and layers else (0, 0)
    if odd:
        allowed = "an even number" if total % 2 == 0 else "an odd number"
        raise ValueError(f"frozen_layers: {layers} of {total} layers cannot be the middle; allowed: {allowed}")
    return _frozen(slab, (first <= numbers) & (numbers < first + layers))


def freeze_thickness(slab: Structure, thickness: float, core: bool = False) -> Structure:
    """Hold the atoms up to a height above the lowest one fixed, or those of the slab's middle.

    Parameters
    ----------
    slab : Structure
        Slab, with or without a fragment, which stays free.
    thickness : float
        Thickness of the frozen part (Å).
    core : bool
        Whether it lies in the middle of the slab.
    """
    of_slab = np.array(slab.site_properties[LAYER]) != FRAGMENT
    heights = slab.cart_coords[:, 2]
    low, high = heights[of_slab].min(), heights[of_slab].max()
    floor = (low + high - thickness) / 2 if core else low
    inside = (heights > floor - AT_EDGE) & (heights < floor + thickness + AT_EDGE)
    return _frozen(slab, inside & of_slab)


def has_equal_faces(slab: Structure) -> bool:
    """Whether an inversion, a mirror or a two-fold axis in the plane carries one face of a slab to the other."""
    from pymatgen.core.surface import Slab

    return Slab(slab.lattice, slab.species, slab.frac_coords, (0, 0, 1), slab, 0, np.eye(3)).is_symmetric()


def image_distance(lattice: Lattice) -> float:
    """Shortest lattice vector in the surface plane (Å)."""
    steps = np.array([step for step in product(range(-4, 5), repeat=2) if any(step)])
    return float(np.linalg.norm(steps @ lattice.matrix[:2], axis=1).min())


def set_vacuum(structure: Structure, vacuum: float) -> Structure:
    """Give a slab a new cell height: ``vacuum`` Å above its topmost atom, fragment included.

    The in-plane vectors and all Cartesian positions keep their values, to 1e-6 Å, but for one shift that puts the
    lowest atom :data:`BOTTOM_GAP` above the floor of the cell.
    """
    positions = structure.cart_coords + np.array([0, 0, _rise(structure)])
    matrix = structure.lattice.matrix.copy()
    matrix[2] = [0, 0, positions[:, 2].max() - BOTTOM_GAP + vacuum]
    return on_grid(
        Structure(
            Lattice(matrix),
            structure.species,
            positions,
            coords_are_cartesian=True,
            site_properties=structure.site_properties,
        )
    )


def frozen_atoms(structure: Structure) -> list[int]:
    """Indices of the atoms whose three coordinates are held fixed."""
    flags = structure.site_properties.get("selective_dynamics", [])
    return [index for index, free in enumerate(flags) if free is not None and not any(free)]


def _rise(structure: Structure) -> float:
    """How far :func:`set_vacuum` lifts a structure (Å)."""
    return float(BOTTOM_GAP - structure.cart_coords[:, 2].min())


def _frozen(slab: Structure, held: NDArray[np.bool_]) -> Structure:
    frozen = slab.copy()
    frozen.add_site_property("selective_dynamics", [[not fixed] * 3 for fixed in held.tolist()])
    return frozen


def _plan(mesh: Structure, thickness: float, name: str, polar: Polar, end: Termination) -> Plan | None:
    """What is done about the dipole; nothing without one, or where it is kept."""
    if polar not in get_args(Polar):
        raise ValueError(f"polar: {polar!r} is unknown; allowed: {', '.join(get_args(Polar))}")
    if not end.polar or polar == "keep":
        return None
    return plan_move(mesh, thickness, name) if polar == "move" else plan_caps(mesh, thickness, name, polar)


def _repeated(mesh: Structure, repeats: tuple[int, int]) -> Structure:
    """Repeat a mesh in the plane: copies of one atom follow each other, along the second vector first."""
    copies = np.array(list(product(*map(range, repeats)))) @ mesh.lattice.matrix[:2]
    a, b, c = mesh.lattice.matrix
    atoms = np.repeat(np.arange(len(mesh)), len(copies))
    return on_grid(
        Structure(
            Lattice([repeats[0] * a, repeats[1] * b, c]),
            [mesh[int(atom)].specie for atom in atoms],
            (mesh.cart_coords[:, None] + copies).reshape(-1, 3),
            coords_are_cartesian=True,
            site_properties={LAYER: [mesh[int(atom)].properties[LAYER] for atom in atoms]},
        )
    )


def _repeats(mesh: Structure, min_lengths: Sequence[float], even: bool) -> tuple[int, int]:
    """Meshes along both surface vectors, an even number along the first where every second one is to be chosen."""
    first, second = (
        max(1, int(np.ceil(least / length - 1e-6)))
        for least, length in zip(min_lengths, mesh.lattice.abc[:2], strict=True)
    )
    return first + first % 2 * even, second


def _warnings(plain: Structure, slab: Structure, name: str, polar: Polar) -> list[str]:
    caps = Counter(site.specie.symbol for site in slab[len(plain) :])
    done = {
        "move": "half of the ions of an outermost plane moved to the other face",
        "hydroxyl": f"capped with {caps['O']} OH and as many H",
        "fluorine": f"capped with {caps['F']} F and as many H",
        "keep": "left as it is, so results depend on the thickness",
    }[polar]
    before, after = (round_off(dipole(structure), 3) for structure in (plain, slab))
    return [f"{name}: polar, Tasker type 3; {done}; dipole along the normal {before} → {after} e/Å"]
