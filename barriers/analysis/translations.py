"""Ways round in a periodic network, and the lattices of translations that they make."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int_]

Floats = NDArray[np.float64]


class Forest:
    """Spanning trees that grow jump by jump.

    Attributes
    ----------
    part : (n,)
        Lowest number of a site that each is connected with.
    places : (n, d)
        Where each site is, so that the jumps of a tree have no length.
    """

    def __init__(self, sites: int, steps: NDArray) -> None:
        self.part, self.places = np.arange(sites), np.zeros((sites, steps.shape[1]), dtype=steps.dtype)

    def join(self, here: int, there: int, step: NDArray) -> bool:
        """Let a jump into the tree; False if its sites are connected already."""
        if self.part[here] == self.part[there]:
            return False
        joined = self.part == self.part[there]
        self.places[joined] += self.places[here] + step - self.places[there]
        both = joined | (self.part == self.part[here])
        self.part[both] = min(self.part[here], self.part[there])
        return True


def potentials(
    sites: int, first: Ints, last: Ints, steps: NDArray, order: ArrayLike | None = None
) -> tuple[Ints, NDArray]:
    """Give each site a place, so that the jumps of a spanning tree have no length, and the part it is connected with.

    Parameters
    ----------
    sites : int
        Number n of sites.
    first, last, steps : (k,), (k,), (k, d)
        Jumps, and how far they go: in Å, or lattice translations.
    order : (k,), optional
        In which order jumps join the tree.

    Returns
    -------
    part : (n,)
        Lowest number of a site that each is connected with.
    places : (n, d)
        steps + places[first] − places[last] is zero for the tree, and a closed way round for each other jump.
    """
    forest = Forest(sites, steps)
    for jump in range(len(first)) if order is None else np.asarray(order):
        forest.join(first[jump], last[jump], steps[jump])
    return forest.part, forest.places


def lattice_basis(translations: Ints) -> Ints:
    """Basis of the lattice that translations make, in rows, by Euclid's algorithm: as many as its dimension.

    Parameters
    ----------
    translations : (k, 3)
        Whole numbers of cells.
    """
    rows = [row for row in np.unique(translations, axis=0) if row.any()]
    basis = []
    for axis in range(3):
        while len(having := [row for row in rows if row[axis]]) > 1:
            pivot = min(having, key=lambda row: (abs(int(row[axis])), row.tolist()))
            rest = [row if row is pivot else row - row[axis] // pivot[axis] * pivot for row in rows]
            rows = [np.array(row) for row in sorted({tuple(row.tolist()) for row in rest if row.any()})]
        basis += having
        rows = [row for row in rows if not row[axis]]
    return np.array(basis, dtype=int).reshape(-1, 3)


def shortened(basis: Ints, cell: Floats) -> Ints:
    """Make the vectors of a basis shorter by each other, until none can be.

    Parameters
    ----------
    basis : (d, 3)
        Whole numbers of cells.
    cell : (3, 3)
        Cell vectors (Å), in rows.
    """
    short = basis.copy()
    changed = True
    while changed:
        changed = False
        for one in range(len(short)):
            for other in range(len(short)):
                vector, by = short[one] @ cell, short[other] @ cell
                times = round(float(vector @ by / (by @ by)) - 1e-6) if one != other else 0
                shorter = short[one] - times * short[other]
                if np.linalg.norm(shorter @ cell) < np.linalg.norm(vector) - 1e-6:
                    short[one], changed = shorter, True
    return short
