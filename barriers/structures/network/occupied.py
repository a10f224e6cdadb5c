"""Which sites of an ion are held by an atom in one ordering of a crystal, relaxed or not, and which are empty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.structures.cathode.electrostatics import unit_matrix
from barriers.structures.hop.ions import anions, formal_charge
from barriers.structures.network.network import Network

ON_SITE = 1.0
"""An ion further than this (Å) from all sites holds none."""

CLOSED = 1.2
"""A site that is nearer than this (Å) to an atom which does not hold it is no empty one."""

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Occupied:
    """The sites of a crystal in one ordering of it.

    Attributes
    ----------
    network : Network
        Sites of the ion, all of them, and jumps between them: those of the crystal as its file has it.
    structure : Structure
        The ordering, relaxed or not.
    sites : tuple[int, ...]
        For each of its atoms the site of ``network.structure`` that it was put on.
    ions : ndarray of int, shape (n,)
        Which sites of ``network.structure`` are the ion's, one for each row of ``network.fractions``.
    atoms : ndarray of int, shape (n,)
        Atom that holds each of these; −1 where it is empty, −2 where it is neither held nor empty.
    astray : list[int]
        Ions that hold no site of their own.
    """

    network: Network
    structure: Structure
    sites: tuple[int, ...]
    ions: Integers
    atoms: Integers
    astray: list[int]

    def changes(self) -> NDArray[np.float64]:
        """Change of the Ewald energy of formal charges by each jump of the network (eV), all atoms where they are.

        Where the site that is reached is held, that of a vacancy in the other direction. Shape (k,).
        """
        whole = self.network.structure
        symbols = [site.specie.symbol for site in whole]
        negative = {symbol for symbol, found in zip(symbols, anions(whole), strict=True) if found}
        charges, places = np.zeros(len(whole)), whole.frac_coords.copy()
        own = formal_charge(self.network.ion, False)
        held = self.atoms >= 0
        charges[self.ions[held]], places[self.ions[held]] = own, self.structure.frac_coords[self.atoms[held]]
        for atom in set(range(len(self.sites))) - set(self.atoms.tolist()):
            symbol, site = self.structure[atom].specie.symbol, self.sites[atom]
            if charges[site] == 0:
                charges[site] = formal_charge(symbol, symbol in negative)
                places[site] = self.structure[atom].frac_coords
        matrix = unit_matrix(Structure(self.structure.lattice, symbols, places))
        gone = -2 * own * (matrix @ charges) + own**2 * matrix.diagonal()  # an ion is taken out
        first, last = self.ions[self.network.first], self.ions[self.network.last]
        come = own**2 * matrix[last, last] + 2 * own * (matrix @ charges)[last] - 2 * own**2 * matrix[first, last]
        into = self.atoms[self.network.last] == -1
        return np.where(into, gone[first] + come, gone[first] - gone[last])


def occupied(network: Network, structure: Structure, sites: tuple[int, ...]) -> Occupied:
    """Find which atom holds each site of the ion: the only one that is nearer to it than to any other.

    Parameters
    ----------
    network : Network
        Of the crystal as its file has it, in the cell of the ordering before that was relaxed.
    structure : Structure
        The ordering, its atoms in the order of ``sites``.
    sites : tuple[int, ...]
        For each atom the site of ``network.structure`` that it was put on.
    """
    whole, lattice = network.structure, structure.lattice
    ions = np.array(whole.indices_from_symbol(network.ion))
    steps = structure.frac_coords - whole.frac_coords[list(sites)]
    steps -= np.rint(steps)
    is_ion = np.array([site.specie.symbol == network.ion for site in structure])
    drift = steps[~is_ion].mean(axis=0) if (~is_ion).any() else steps.mean(axis=0)
    apart = lattice.get_all_distances(network.fractions, structure.frac_coords - drift)
    atoms = np.where(apart.min(axis=1) < CLOSED, -2, -1)
    nearest = apart.argmin(axis=0)
    for row in range(len(atoms)):
        here = np.flatnonzero(is_ion & (nearest == row) & (apart[row] < ON_SITE))
        if len(here) == 1:
            atoms[row] = here[0]
    astray = sorted(set(np.flatnonzero(is_ion & np.isin(np.array(sites), ions)).tolist()) - set(atoms.tolist()))
    return Occupied(network, structure, sites, ions, atoms, astray)
