"""Terminations: the symmetry-distinct ways to end a cathode at a facet, each with a label and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from pymatgen.core import Lattice, Structure

from barriers.structures.rounding import round_off
from barriers.structures.surface.cutter import Cutter
from barriers.structures.surface.cutting import (
    Floats,
    charges,
    composition,
    coordination,
    dipole,
    planes,
    surface_area,
)

DIPOLE_FREE = 1e-3
"""A dipole along the normal below this is none (e/Å)."""

THICKNESS = 12.0
"""Slabs that terminations are judged on are at least this thick (Å): one face does not see the other."""


@dataclass(frozen=True)
class Termination:
    """One way to end a cathode at a facet, of a type after P. W. Tasker, J. Phys. C: Solid State Phys. 12, 4977 (1979).

    Attributes
    ----------
    label : str
        Composition of the outermost plane of the upper face, M for any metal (``Li``, ``LiMO2``), with a number where
        several share it (``O-1``, ``O-2``, the one named first being the better).
    planes : tuple[str, ...]
        Compositions of the planes of one layer, the outermost of the upper face first.
    stoichiometry : str
        Reduced formula of a slab of whole layers.
    dipole : float
        Dipole of the formal charges (Li 1, M 3, O −2) along the outward normal per area (e/Å), for each layer of the
        slab: it grows with the thickness.
    tasker : int
        1: neutral planes; 2: charged planes without a dipole; 3: charged planes with a dipole.
    broken_bonds : float
        Cation–oxygen bonds cut, per area of one face (1/Å²); the two faces of a cut share them.
    broken_strength : float
        The same, each bond weighted with Pauling's strength, the cation's charge over its coordination (1/Å²).
    coordination : dict[str, int]
        Least number of oxygen neighbours of the cations at the upper face: ``{"Li": 5, "M": 5}``. Six in the bulk.
    shift : float
        Where the crystal is cut, see :class:`~barriers.structures.surface.cutter.Cutter`.
    """

    label: str
    planes: tuple[str, ...]
    stoichiometry: str
    dipole: float
    tasker: int
    broken_bonds: float
    broken_strength: float
    coordination: dict[str, int]
    shift: float

    @property
    def polar(self) -> bool:
        """Whether a slab ended like this carries a dipole."""
        return self.tasker == 3


def terminations(bulk: Structure, facet: Sequence[int]) -> list[Termination]:
    """List the symmetry-distinct terminations of a facet.

    Two are the same if an operation of the crystal that keeps the normal's direction carries one to the other: the
    upper face counts. A polar cut therefore appears twice, once with either side of it as the upper face.

    Parameters
    ----------
    bulk : Structure
        Conventional cell of the cathode, metals not yet ordered.
    facet : Sequence[int]
        Miller indices (h, k, l) in the conventional (hexagonal) cell.

    Returns
    -------
    list[Termination]
        Non-polar ones first, then those with fewest broken bonds, then with the weakest ones, then by label.

    Raises
    ------
    ValueError
        If the indices are so high that the facet's planes cannot be told apart.
    """
    cutter = Cutter(bulk, facet, 1)
    cutter = Cutter(bulk, facet, int(np.ceil(THICKNESS / cutter.spacing)))
    found: list[tuple[Termination, Structure]] = []
    from pymatgen.analysis.structure_matcher import StructureMatcher

    matcher = StructureMatcher(primitive_cell=False, scale=False)
    for shift in cutter.shifts:
        slab, continuation = cutter.slab(shift)
        termination = _describe(slab, continuation, cutter, shift)
        if not any(_alike(termination, known) and matcher.fit(slab, other) for known, other in found):
            found.append((termination, slab))
    return _numbered(sorted((termination for termination, _ in found), key=_rank))


def known_termination(bulk: Structure, facet: Sequence[int], label: str | None) -> Termination:
    """Look a termination up by its label; the first of :func:`terminations` where there is none.

    Raises
    ------
    ValueError
        If the facet has no termination of that label.
    """
    found = terminations(bulk, facet)
    for termination in found:
        if label in (None, termination.label):
            return termination
    labels = ", ".join(termination.label for termination in found)
    raise ValueError(f"termination: {label!r} is none of facet {tuple(facet)}; allowed: {labels}")


def crystal_of(slab: Structure, continuation: Floats) -> Structure:
    """Make a fresh slab the crystal it was cut from: same atoms and positions, periodic along ``continuation``."""
    lattice = Lattice([*slab.lattice.matrix[:2], continuation])
    return Structure(lattice, slab.species, slab.cart_coords, coords_are_cartesian=True)


def _describe(slab: Structure, continuation: Floats, cutter: Cutter, shift: float) -> Termination:
    charge, area, layers = charges(slab), surface_area(slab), cutter.layers
    inside, outside = coordination(crystal_of(slab, continuation)), coordination(slab)
    cation = charge > 0
    missing = (inside - outside) * cation
    upper = cation & (slab.cart_coords[:, 2] > slab.cart_coords[:, 2].mean())
    stacked = planes(slab)
    moment = dipole(slab) / layers
    neutral = all(abs(charge[plane].sum()) < 1e-6 for plane in stacked)
    least: dict[str, int] = {}
    for atom in map(int, np.flatnonzero(upper)):
        element = composition(slab, [atom])
        least[element] = min(int(outside[atom]), least.get(element, 6))
    top_down = [composition(slab, plane) for plane in reversed(stacked)]
    return Termination(
        label=top_down[0],
        planes=tuple(top_down[: len(stacked) // layers]),
        stoichiometry=composition(slab, range(len(slab))),
        dipole=round_off(moment, 6),
        tasker=3 if abs(moment) > DIPOLE_FREE else 1 if neutral else 2,
        broken_bonds=round_off(missing.sum() / area, 6),
        broken_strength=round_off((missing * charge / np.maximum(inside, 1)).sum() / area, 6),
        coordination=dict(sorted(least.items())),
        shift=shift,
    )


def _alike(one: Termination, other: Termination) -> bool:
    return replace(one, shift=0) == replace(other, shift=0)


def _rank(termination: Termination) -> tuple[bool, float, float, str, tuple[str, ...]]:
    return (
        termination.polar,
        termination.broken_bonds,
        termination.broken_strength,
        termination.label,
        termination.planes,
    )


def _numbered(ranked: list[Termination]) -> list[Termination]:
    """Add numbers to the labels that several terminations share."""
    labels = [termination.label for termination in ranked]
    return [
        replace(one, label=f"{one.label}-{labels[: place + 1].count(one.label)}")
        if labels.count(one.label) > 1
        else one
        for place, one in enumerate(ranked)
    ]
