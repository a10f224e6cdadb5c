"""Who moves along a band: the hopping ion, and how much everything else with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from barriers.analysis.band import PERIODIC, Images, minimum_image_displacements

JUMPS_TOO = 0.5
"""An atom whose ends are this part of the ion's jump apart jumps as well."""


@dataclass(frozen=True)
class Motion:
    """Lengths of the ways that atoms go along a band, in Å.

    Attributes
    ----------
    ion : int
        Which atom the moving ion is.
    ion_path : float
        Way of the moving ion.
    ion_jump : float
        Straight distance between its ends, summed over its steps: a jump of half a cell and more has its length.
    with_it : list[int]
        Other atoms whose ends are at least half as far apart: they jump too.
    others_farthest : float
        Farthest that any other atom gets from where it is in the initial state.
    farthest_atom : int or None
        Which atom that is; None where no other moves.
    others_share : float
        Part of the squared path length that is not the ion's, 0 to 1: near 0 the ion hops alone.
    """

    ion: int
    ion_path: float
    ion_jump: float
    with_it: list[int]
    others_farthest: float
    farthest_atom: int | None
    others_share: float


def motion(positions: Images, cell: ArrayLike, moving: int | None = None, pbc: Sequence[bool] = PERIODIC) -> Motion:
    """Measure how far the moving ion and all other atoms go along a band.

    Parameters
    ----------
    positions : (n, N, 3)
        Images, endpoints included (Å), wrapped or not.
    cell : (3, 3)
        Lattice vectors as rows (Å).
    moving : int or None
        Index of the moving ion; where it is not known, the atom whose ends are farthest apart.
    pbc : three booleans
        Periodic directions.

    Raises
    ------
    ValueError
        If there is no such atom.
    """
    steps = minimum_image_displacements(positions, cell, pbc)
    away = np.linalg.norm(steps.cumsum(axis=0), axis=2)
    if moving is None:
        moving = int(away[-1].argmax())
    if not 0 <= moving < steps.shape[1]:
        raise ValueError(f"moving: {moving} is no atom of the band; allowed: 0 to {steps.shape[1] - 1}")
    squares = (steps**2).sum(axis=(0, 2))
    farthest = np.delete(away.max(axis=0), moving)
    others = np.delete(np.arange(steps.shape[1]), moving)
    jump = float(away[-1, moving])
    most = float(farthest.max(initial=0.0))
    return Motion(
        ion=moving,
        ion_path=float(np.linalg.norm(steps[:, moving], axis=1).sum()),
        ion_jump=jump,
        with_it=[int(atom) for atom in others if away[-1, atom] >= jump * JUMPS_TOO],
        others_farthest=most,
        farthest_atom=int(others[farthest.argmax()]) if most > 0 else None,
        others_share=float(1 - squares[moving] / squares.sum()),
    )
