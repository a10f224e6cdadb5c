"""Networks whose diffusion is known: sites of a lattice, with jumps to all neighbours within a distance."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np

from barriers.analysis.network import Jumps

CUBE = np.eye(3)
FCC = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
HEXAGONAL = np.array([[1, 0, 0], [-0.5, 3**0.5 / 2, 0], [0, 0, 9.0]])
CLOSE_PACKED = np.array([*HEXAGONAL[:2], [0, 0, (8 / 3) ** 0.5]])


def neighbours(cell: np.ndarray, fractions: list[list[float]], within: float) -> Jumps:
    """All jumps up to a distance (Å), as one hop, both ways."""
    positions = np.array(fractions, dtype=float)
    found = [
        (first, last, image, vector)
        for first, last in product(range(len(positions)), repeat=2)
        for image in product(range(-2, 3), repeat=3)
        if 1e-6 < np.linalg.norm(vector := (positions[last] + image - positions[first]) @ cell) < within
    ]
    first, last, images, vectors = (np.array(column) for column in zip(*found, strict=True))
    lines = len(found)
    return Jumps(
        len(positions), first, last, images, vectors, np.array(cell), np.zeros(lines, int), np.ones(lines, bool)
    )


LATTICES = {
    "chain": neighbours(np.diag([9, 1, 9.0]), [[0, 0, 0]], 1.01),
    "ladder": neighbours(np.diag([9, 1, 9.0]), [[0, 0, 0], [1 / 9, 0, 0]], 1.01),
    "square": neighbours(np.diag([1, 1, 9.0]), [[0, 0, 0]], 1.01),
    "triangular": neighbours(HEXAGONAL, [[0, 0, 0]], 1.01),
    "honeycomb": neighbours(HEXAGONAL, [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0]], 0.6),
    "simple cubic": neighbours(CUBE, [[0, 0, 0]], 1.01),
    "bcc": neighbours(CUBE, [[0, 0, 0], [0.5, 0.5, 0.5]], 0.9),
    "fcc": neighbours(FCC, [[0, 0, 0]], 0.75),
    "diamond": neighbours(FCC, [[0, 0, 0], [0.25, 0.25, 0.25]], 0.45),
    "hcp": neighbours(CLOSE_PACKED, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]], 1.01),
}


def supercell(jumps: Jumps, times: tuple[int, int, int]) -> Jumps:
    """Repeat a network along its cell vectors."""
    cells = {cell: number for number, cell in enumerate(product(*map(range, times)))}
    rows = []
    for cell, number in cells.items():
        for jump in range(len(jumps.first)):
            image, inside = np.divmod(np.array(cell) + jumps.images[jump], times)
            last = cells[tuple(inside.tolist())] * jumps.sites + jumps.last[jump]
            rows.append((number * jumps.sites + jumps.first[jump], last, image, jump))
    first, last, images, of = (np.array(column) for column in zip(*rows, strict=True))
    lattice = jumps.lattice * np.array(times)[:, None]
    return replace(
        jumps.only(of), sites=len(cells) * jumps.sites, first=first, last=last, images=images, lattice=lattice
    )


def shuffled(jumps: Jumps, seed: int) -> Jumps:
    """Give sites other numbers and other cells, and jumps another order."""
    random = np.random.default_rng(seed)
    numbers, cells = random.permutation(jumps.sites), random.integers(-3, 4, (jumps.sites, 3))
    images = jumps.images + cells[jumps.last] - cells[jumps.first]
    other = replace(jumps, first=numbers[jumps.first], last=numbers[jumps.last], images=images)
    return other.only(random.permutation(len(jumps.first)))
