"""Independent boxes of one matrix: their atoms followed, and the particles whose motion is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from barriers.analysis.trajectory.frames import Floats, Ints, Trajectory, centres
from barriers.analysis.trajectory.kinds import Kinds, atoms_of

BACKBONE = "backbone"
"""Name of the atoms along the chains."""

SAME_STEP = 1e-3
"""Boxes are written equally often if the times between their frames differ by no more than this share."""


@dataclass(frozen=True)
class FollowedBox:
    """A trajectory, its atoms without jumps and drift (Å), and what they are."""

    trajectory: Trajectory
    paths: Floats
    kinds: Kinds


def check_alike(boxes: Sequence[FollowedBox]) -> None:
    """Refuse boxes that are not of one matrix, in one line."""
    first = boxes[0].trajectory
    for box in boxes[1:]:
        other = box.trajectory
        if Counter(other.species) != Counter(first.species):
            raise ValueError(f"{other.name}: other atoms than {first.name}; allowed: independent boxes of one matrix")
        if abs(other.step / first.step - 1) > SAME_STEP:
            raise ValueError(
                f"{other.name}: frames {other.step:g} ps apart, {first.name} {first.step:g}; allowed: equal"
            )


def families(boxes: Sequence[FollowedBox]) -> list[Ints]:
    """Give for each backbone atom of each box the number of its chain."""
    return [box.trajectory.molecules[box.kinds.backbone] for box in boxes]


def particles(boxes: Sequence[FollowedBox]) -> dict[str, list[Floats]]:
    """Paths of each kind of particles in each box: the ion first, then anions, chains, backbone, other molecules."""
    found: dict[str, list[Floats]] = {boxes[0].kinds.ion: [box.paths[:, box.kinds.ions] for box in boxes]}
    for name in boxes[0].kinds.anions:
        found[name] = [centres_of(box, box.kinds.anions[name]) for box in boxes]
    if boxes[0].kinds.chains.size:
        found["chains"] = [centres_of(box, box.kinds.chains) for box in boxes]
        found[BACKBONE] = [box.paths[:, box.kinds.backbone] for box in boxes]
    if boxes[0].kinds.others.size:
        found["other molecules"] = [centres_of(box, box.kinds.others) for box in boxes]
    return found


def centres_of(box: FollowedBox, molecules: Ints) -> Floats:
    """Give how the centres of mass of these molecules moved (Å), (T, M, 3)."""
    atoms = atoms_of(box.trajectory, molecules)
    return centres(box.paths[:, atoms], box.trajectory.masses[atoms], box.trajectory.molecules[atoms])
