"""Lattices of translations by whole numbers of cells: a basis, and a short one."""

from __future__ import annotations

import numpy as np

from barriers.analysis.diffusion import Floats
from barriers.analysis.network import Ints


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
