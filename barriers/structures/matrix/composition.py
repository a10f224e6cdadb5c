"""What a matrix is made of: chains with their eliminations, and salt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from rdkit import Chem

from barriers.structures.data import load_data
from barriers.structures.polymer.chain import Stereo, Tacticity, backbone, cap, join
from barriers.structures.polymer.elimination import eliminated, places
from barriers.structures.polymer.fragment import find_polymer
from barriers.words import closest

PER_CUBE = 1.66053907
"""Density (g/cm³) of 1 u in 1 Å³."""


@dataclass(frozen=True)
class Matrix:
    """A polymer matrix with salt.

    Attributes
    ----------
    name : str
        In tables and figures.
    polymer : str
        On file, or a repeat unit, see :func:`~barriers.structures.polymer.fragment.find_polymer`.
    units, chains : int
        Repeat units of a chain, chains of a box.
    salt : str
        On file: LiFSI, LiTFSI, LiPF6.
    pairs : int
        Formula units of it.
    eliminate : str or None
        Molecule that chains have lost.
    fraction : float
        Share of the places of each chain that lost it; which, is drawn for each chain.
    tacticity : str or None
        None: atactic where the backbone has stereocentres.
    stereo : str
        Of each C=C made.
    charge_scale : float
        Factor on the charges of the salt in the interactions between molecules.
    density : float
        That it is packed at (g/cm³).
    """

    name: str
    polymer: str
    units: int
    chains: int
    salt: str
    pairs: int
    eliminate: str | None = None
    fraction: float = 1.0
    tacticity: Tacticity | None = None
    stereo: Stereo = "trans"
    charge_scale: float = 0.75
    density: float = 0.5


@dataclass(frozen=True)
class Chain:
    """One chain, drawn.

    Attributes
    ----------
    kind : str
        Chains of one kind have the same bonds in the same order of atoms.
    drawn : Mol
        Without hydrogen; caps are hydrogen.
    eliminated : tuple[int, ...]
        Bonds of the backbone that became C=C, 1 between its first two atoms.
    """

    kind: str
    drawn: Chem.Mol
    eliminated: tuple[int, ...]

    @property
    def backbone(self) -> list[int]:
        """Numbers of the backbone's atoms, head first."""
        return backbone(self.drawn)


@cache
def salts() -> dict[str, dict[str, Any]]:
    """Salts on file, by name."""
    return load_data("salts")


def find_salt(name: str) -> dict[str, Any]:
    """Find a salt on file; ``ValueError`` if it is not there."""
    if name not in salts():
        raise ValueError(f"salt: {name!r} is not on file; allowed: {', '.join(salts())}{closest(name, salts())}")
    return salts()[name]


def tacticity_of(matrix: Matrix) -> Tacticity | None:
    """Tacticity of the chains, None where the backbone has no stereocentres."""
    units = find_polymer(matrix.polymer).units
    if matrix.tacticity is not None:
        return matrix.tacticity
    try:
        join(units, len(units), "atactic", 0)
    except ValueError:
        return None
    return "atactic"


def draw_chains(matrix: Matrix, seed: int) -> list[Chain]:
    """Draw the chains of a box.

    Parameters
    ----------
    matrix : Matrix
        What it is made of.
    seed : int
        Seed of stereocentres and places of elimination.

    Raises
    ------
    ValueError
        If the polymer does not allow what is asked.
    """
    polymer = find_polymer(matrix.polymer)
    if matrix.eliminate is not None and matrix.eliminate not in polymer.eliminations:
        allowed = ", ".join(polymer.eliminations) or "none"
        raise ValueError(f"eliminate: {matrix.eliminate!r} is no elimination of {polymer.name}; allowed: {allowed}")
    tacticity = tacticity_of(matrix) or "isotactic"
    generator = np.random.default_rng(seed)
    drawn = [
        join(polymer.units, matrix.units, tacticity, int(own))
        for own in generator.integers(2**31 - 1, size=matrix.chains)
    ]
    if matrix.eliminate is None:
        return [Chain("whole", cap(chain, "H", matrix.stereo), ()) for chain in drawn]
    step = polymer.eliminations[matrix.eliminate]
    possible = places(drawn[0], step)
    lost = round(matrix.fraction * len(possible))
    chains = []
    for chain in drawn:
        bonds = tuple(sorted(map(int, generator.choice(possible, lost, replace=False))))
        product = eliminated(chain, step, bonds)[0] if bonds else chain
        chains.append(Chain(",".join(map(str, bonds)) or "whole", cap(product, "H", matrix.stereo), bonds))
    return chains
