"""What a trajectory's molecules are: ions, anions, chains with their backbones, and the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from barriers.analysis.trajectory.frames import Ints, Trajectory
from barriers.words import closest

CHARGES = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Ca": 2, "Zn": 2, "Al": 3}
"""Charges of ions (e)."""

ANIONS = {
    "F2NO4S2": "FSI⁻",
    "C2F6NO4S2": "TFSI⁻",
    "CF3O3S": "TfO⁻",
    "F6P": "PF6⁻",
    "BF4": "BF4⁻",
    "ClO4": "ClO4⁻",
    "NO3": "NO3⁻",
    "F": "F⁻",
    "Cl": "Cl⁻",
    "Br": "Br⁻",
    "I": "I⁻",
}
"""Anions by formula, elements in the order of their symbols; all of charge −1."""

NEGATIVE = -0.4
"""Small molecules of a charge (e) below this are anions, whatever their formula: charges of force fields are scaled."""

CHAIN = 40
"""Molecules of so many atoms are chains."""


@dataclass(frozen=True)
class Kinds:
    """Atoms of each kind; molecules are numbers in ``Trajectory.molecules``.

    Attributes
    ----------
    ion : str
        Its element.
    charge : int
        Its charge (e).
    ions, backbone : (M,), (N,)
        Numbers of atoms.
    anions : dict[str, (M,)]
        Molecules of each anion.
    chains, others : (M,)
        Molecules.
    """

    ion: str
    charge: int
    ions: Ints
    anions: dict[str, Ints]
    chains: Ints
    others: Ints
    backbone: Ints


def kinds(trajectory: Trajectory, ion: str) -> Kinds:
    """Sort a trajectory's molecules by their formulas.

    Raises
    ------
    ValueError
        One line, if there is no such ion.
    """
    there = set(trajectory.species)
    if ion not in CHARGES or ion not in there:
        allowed = sorted(there & set(CHARGES)) or sorted(CHARGES)
        raise ValueError(
            f"ion: {ion!r} is not in {trajectory.name}; allowed: {', '.join(allowed)}{closest(ion, allowed)}"
        )
    symbols = np.array(trajectory.species)
    anions: dict[str, list[int]] = {}
    chains: list[int] = []
    others: list[int] = []
    for number in np.unique(trajectory.molecules):
        atoms = symbols[trajectory.molecules == number]
        if set(atoms) == {ion}:
            continue
        if (name := _anion(trajectory, atoms, number)) is not None:
            anions.setdefault(name, []).append(number)
        else:
            (chains if len(atoms) >= CHAIN else others).append(number)
    backbone = [_backbone(trajectory, symbols, number) for number in chains]
    return Kinds(
        ion,
        CHARGES[ion],
        np.flatnonzero(symbols == ion),
        {name: np.array(numbers) for name, numbers in anions.items()},
        np.array(chains, dtype=np.int64),
        np.array(others, dtype=np.int64),
        np.concatenate([*backbone, np.empty(0, dtype=np.int64)]),
    )


def _anion(trajectory: Trajectory, symbols: np.ndarray, molecule: int) -> str | None:
    """Name a molecule if it is an anion, by its formula or by its charges."""
    written = formula(symbols.tolist())
    if written in ANIONS or trajectory.charges is None or len(symbols) >= CHAIN:
        return ANIONS.get(written)
    charged = trajectory.charges[trajectory.molecules == molecule].sum() < NEGATIVE
    return f"{written}⁻" if charged else None


def formula(symbols: list[str]) -> str:
    """Write a formula with its elements in the order of their symbols: ``F2NO4S2``."""
    return "".join(f"{symbol}{count if count > 1 else ''}" for symbol, count in sorted(Counter(symbols).items()))


def atoms_of(trajectory: Trajectory, molecules: Ints) -> Ints:
    """Numbers of all atoms of these molecules."""
    return np.flatnonzero(np.isin(trajectory.molecules, molecules))


def _backbone(trajectory: Trajectory, symbols: np.ndarray, molecule: int) -> Ints:
    """Longest line of bonded atoms heavier than hydrogen; all of them where bonds are not known."""
    heavy = np.flatnonzero((trajectory.molecules == molecule) & (symbols != "H"))
    bonds = trajectory.bonds[np.isin(trajectory.bonds, heavy).all(axis=1)]
    if not len(bonds):
        return heavy
    first, last = np.searchsorted(heavy, bonds).T
    graph = coo_array((np.ones(len(bonds)), (first, last)), shape=(len(heavy),) * 2).tocsr()
    end = breadth_first_order(graph, 0, directed=False)[0][-1]  # the farthest atom from any is an end of the line
    order, before = breadth_first_order(graph, end, directed=False)
    line = [order[-1]]
    while before[line[-1]] >= 0:
        line.append(before[line[-1]])
    return heavy[np.sort(line)]
