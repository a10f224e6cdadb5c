"""Ends of a path that are not where the path leads down to.

Ions that exchange charges give one site of the moving ion many minima, tens of meV apart. Which of them an end falls
into is chance; the path beside it belongs to one, and that is often lower.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from pymatgen.core import Element

from barriers.analysis.band import highest_image
from barriers.analysis.paths import farthest
from barriers.engines.band import BandTask
from barriers.structures.hop.ions import is_anion

SEVERAL_CHARGES = frozenset({"Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu"})
"""Metals whose ions exchange charges, and distort what is around them, where anions are there."""

LOWER = 0.002
"""A minimum that lies so much below an end (eV) takes its place: about what both are left above theirs."""

LEFT = 0.8
"""An atom that is this far from its place in the end (Å) has another site: a minimum on the way, not its foot."""

SAME = 1e-6
"""An end no coordinate of which differs by more than this (Å) is the same."""


def may_be_ordered(atoms: Atoms) -> bool:
    """Whether two or more ions of a structure may exchange charges."""
    symbols = atoms.get_chemical_symbols()
    has_anions = any(is_anion(Element(symbol)) for symbol in set(symbols))
    return has_anions and sum(symbol in SEVERAL_CHARGES for symbol in symbols) > 1


def beside(images: list[Atoms]) -> list[tuple[int, int]]:
    """Give the ends of a band, 0 or −1, each with the image beside it; none whose neighbour is the highest image."""
    top = highest_image([image.get_potential_energy() for image in images])
    return [(end, image) for end, image in ((0, 1), (-1, -2)) if image % len(images) != top]


def is_foot(minimum: Atoms, end: Atoms) -> bool:
    """Whether a minimum is lower than an end and has every atom on the same site."""
    below = end.get_potential_energy() - minimum.get_potential_energy()
    return below > LOWER and farthest([minimum.positions], [end.positions], end.cell.array) < LEFT


def other_ends(task: BandTask) -> list[Atoms] | None:
    """Give the ends of a known band between the endpoints of a task, where it has ended elsewhere."""
    known = next(iter(task.known.values()))
    own = [task.images[0], task.images[-1]]
    ends = [end.copy() for end in own]
    for place, end in zip((0, -1), ends, strict=True):
        end.positions = known.positions[place]
        end.calc = SinglePointCalculator(end, energy=known.energies[place], forces=known.forces[place])
    moved = max(np.abs(end.positions - before.positions).max() for end, before in zip(ends, own, strict=True))
    return ends if moved > SAME else None
