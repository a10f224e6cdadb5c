"""What binds the ions of a matrix: shells, pairing, residence times, and what they move with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from barriers.analysis.trajectory.boxes import FollowedBox
from barriers.analysis.trajectory.contacts import Contacts, PairingDoc, ResidenceDoc, contacts, pairing, residence
from barriers.analysis.trajectory.frames import Floats, Ints, Trajectory
from barriers.analysis.trajectory.kinds import atoms_of
from barriers.analysis.trajectory.mechanism import MechanismDoc, mechanism, partner
from barriers.analysis.trajectory.shells import ShellDoc, shell

BINDING = ("O", "F", "N", "S", "P", "Cl")
"""Elements whose shells around the ion are looked at."""

BINDS = ("O", "F", "N", "Cl")
"""Elements whose atoms bind it: negative ones. Sulphur and phosphorus stand behind their oxygen and fluorine."""

CHAINS = "chains"


def bind(
    boxes: Sequence[FollowedBox], lag: int, step: float, msd: tuple[Ints, Floats]
) -> tuple[list[ShellDoc], PairingDoc | None, list[ResidenceDoc], MechanismDoc]:
    """Find shells, pairing, residence times and the mechanism.

    Parameters
    ----------
    boxes : sequence of FollowedBox
        Independent boxes of one matrix.
    lag : int
        Over which displacements are compared, in frames.
    step : float
        Between frames (ps).
    msd : ((L,), (L,))
        Lags in frames, and the ion's mean squared displacement (Å²).
    """
    shells = _shells(boxes)
    cutoffs = {each.element: each.cutoff for each in shells if each.element in BINDS and each.cutoff is not None}
    names = [*boxes[0].kinds.anions, *[CHAINS] * bool(boxes[0].kinds.chains.size)]
    partners, residences, touched = [], [], []
    each = [_found(box, names, cutoffs) for box in boxes]
    for name in names:
        with_groups = [(box.paths, found, groups[name]) for box, (found, groups) in zip(boxes, each, strict=True)]
        touches = [found.touching(groups) for _, found, groups in with_groups]
        stride = int(each[0][0].frames[1])
        if (stay := residence(name, touches, step * stride)) is not None:
            residences.append(_with_distance(stay, msd, step))
        if (moves := partner(name, with_groups, lag)) is not None:
            partners.append(moves)
        if name != CHAINS:
            touched.append(touches)
    pairs = [np.concatenate(list(of_box), axis=2) for of_box in zip(*touched, strict=True)]
    moved = float(msd[1][np.searchsorted(msd[0], lag)])
    return (
        shells,
        pairing(pairs, cutoffs) if pairs and cutoffs else None,
        residences,
        mechanism(boxes[0].kinds.ion, lag * step, moved, partners),
    )


def _shells(boxes: Sequence[FollowedBox]) -> list[ShellDoc]:
    there = set(boxes[0].trajectory.species)
    return [
        shell([(box.trajectory, box.kinds.ions, _of_element(box.trajectory, element)) for box in boxes], element)
        for element in BINDING
        if element in there and element != boxes[0].kinds.ion
    ]


def _of_element(trajectory: Trajectory, element: str) -> Ints:
    return np.flatnonzero(np.array(trajectory.species) == element)


def _found(box: FollowedBox, names: Sequence[str], cutoffs: dict[str, float]) -> tuple[Contacts, dict[str, Ints]]:
    """Give a box's contacts, and by partner which of its molecules each of their atoms is in."""
    trajectory = box.trajectory
    molecules = {name: box.kinds.chains if name == CHAINS else box.kinds.anions[name] for name in names}
    atoms = atoms_of(trajectory, np.concatenate([*molecules.values(), np.empty(0, dtype=int)]))
    found = contacts(trajectory, box.kinds.ions, atoms, cutoffs)
    groups = {}
    for name, numbers in molecules.items():
        places = {number: place for place, number in enumerate(numbers.tolist())}
        groups[name] = np.array(
            [places.get(number, -1) for number in trajectory.molecules[found.atoms].tolist()], dtype=int
        )
    return found, groups


def _with_distance(stay: ResidenceDoc, msd: tuple[Ints, Floats], step: float) -> ResidenceDoc:
    lags = msd[0] * step
    if stay.time is not None and lags[0] <= stay.time <= lags[-1]:
        stay.moved = float(np.sqrt(np.interp(stay.time, lags, msd[1])))
    return stay
