"""Force field of one kind of molecule, as arrays: what a run, GROMACS and LAMMPS files are all made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

CUTOFF = 9.0
"""Of interactions in real space (Å), as the force field was fitted with."""

SWITCH = 8.0
"""Where the Lennard-Jones potential begins to be switched off (Å)."""

EWALD = 1e-4
"""Tolerance of the particle mesh Ewald forces."""


@dataclass(frozen=True)
class Parameters:
    """Parameters of a molecule; lengths in nm, energies in kJ/mol, angles in rad, as OpenMM and GROMACS have them.

    Attributes
    ----------
    species : tuple of str
        Elements.
    masses : tuple of float
        In u.
    charges : tuple of float
        Of the free molecule (e), not scaled.
    scale : float
        Factor on the charges where the molecule meets another.
    lennard_jones : tuple of (sigma, epsilon)
        Of each atom.
    bonds : tuple of (i, j, length, k)
        k/2 (r - length)²; those of hydrogen are constraints in a run.
    angles : tuple of (i, j, k, angle, k)
        k/2 (θ - angle)².
    torsions : tuple of (i, j, k, l, n, phase, k)
        k (1 + cos(nφ - phase)), proper and improper.
    pairs : tuple of (i, j, charge product, sigma, epsilon)
        1-4 terms, of charges that are not scaled: what holds the molecule's shape was fitted with them. Where charges
        are scaled, all terms within the molecule.
    excluded : tuple of (i, j)
        1-2 and 1-3 pairs, which have no terms.
    """

    species: tuple[str, ...]
    masses: tuple[float, ...]
    charges: tuple[float, ...]
    scale: float
    lennard_jones: tuple[tuple[float, float], ...]
    bonds: tuple[tuple[int, int, float, float], ...]
    angles: tuple[tuple[int, int, int, float, float], ...]
    torsions: tuple[tuple[int, int, int, int, int, float, float], ...]
    pairs: tuple[tuple[int, int, float, float, float], ...]
    excluded: tuple[tuple[int, int], ...]

    @property
    def scaled(self) -> list[float]:
        """Charges as they stand in a run (e)."""
        return [charge * self.scale for charge in self.charges]

    @property
    def constrained(self) -> list[tuple[int, int, float]]:
        """Bonds to hydrogen and their lengths (nm)."""
        return [(i, j, length) for i, j, length, _ in self.bonds if "H" in (self.species[i], self.species[j])]


def to_json(kinds: Mapping[str, Parameters]) -> str:
    """Write the parameters of each kind of molecule."""
    return json.dumps({name: asdict(kind) for name, kind in kinds.items()}, separators=(",", ":"))


def from_json(text: str) -> dict[str, Parameters]:
    """Read what :func:`to_json` wrote."""

    def row(value: object) -> object:
        return tuple(row(each) for each in value) if isinstance(value, list) else value

    return {
        name: Parameters(**{key: row(value) for key, value in kind.items()})  # type: ignore[arg-type]
        for name, kind in json.loads(text).items()
    }
