"""End states whose surroundings were relaxed to different patterns far from the hop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ase import Atoms

from barriers.analysis.band import minimum_image_displacements
from barriers.analysis.motion import JUMPS_TOO

FAR = 4.5
"""Atoms that are farther than this from both ends of the jump (Å) are not pushed aside by it."""

APART = 0.25
"""Far atoms that are farther apart than this between the ends (Å) have another place, not the same one strained."""

WORTH = 0.05
"""Ends in one frame may be so much higher in all (eV); beyond it the frame changes because the ion does."""


class Frames(NamedTuple):
    """What two ends differ in: atoms that jump, how (Å), and how far the farthest other one moves far from them (Å)."""

    jumping: np.ndarray
    jumps: np.ndarray
    apart: float


def frames_of(initial: Atoms, final: Atoms) -> Frames:
    """Compare the ends of a hop far from it."""
    (moves,) = minimum_image_displacements([initial.positions, final.positions], initial.cell.array, initial.pbc)
    lengths = np.linalg.norm(moves, axis=1)
    jumping = np.flatnonzero(lengths >= JUMPS_TOO * lengths.max())
    near = np.zeros(len(initial), dtype=bool)
    for end in (initial, final):
        for atom in jumping:
            near |= end.get_distances(atom, range(len(end)), mic=True) < FAR
    return Frames(jumping, moves[jumping], float(lengths[~near].max(initial=0.0)))


def jumped(frame: Atoms, frames: Frames, back: bool = False) -> Atoms:
    """Let the atoms that jump do so in the surroundings of one end, or back in those of the other."""
    atoms: Atoms = frame.copy()
    atoms.positions[frames.jumping] += -frames.jumps if back else frames.jumps
    return atoms


def lowest(own: Sequence[Atoms], others: Sequence[Sequence[Atoms]], apart: float) -> Sequence[Atoms] | None:
    """Choose among pairs of ends in one frame; None where none is closer together than the own one and worth it."""
    closer = [pair for pair in others if frames_of(*pair).apart < min(apart, APART)]
    best = min(closer, key=_sum, default=None)
    return best if best is not None and _sum(best) < _sum(own) + WORTH else None


def _sum(pair: Sequence[Atoms]) -> float:
    return float(sum(end.get_potential_energy() for end in pair))
