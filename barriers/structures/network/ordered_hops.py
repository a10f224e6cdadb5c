"""Hops in one ordering of a crystal whose sites are held in part: from a held site to an empty one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pymatgen.core import Structure

from barriers.structures.crystal import shortest_vector
from barriers.structures.hop.between import NEAR, End
from barriers.structures.hop.hop import Hop, Image, Site, hop_ends
from barriers.structures.hop.neighbours import IMAGE_MARGIN
from barriers.structures.hop.surroundings import Surroundings, surroundings, whole
from barriers.structures.network.network import Network, find_network
from barriers.structures.network.occupied import Occupied, occupied
from barriers.structures.network.settled import in_any_frame
from barriers.structures.rounding import GRID, digest, round_off, rounded

DIGITS = 3
"""Changes of energy are compared to so many digits (eV)."""


@dataclass(frozen=True)
class OrderedHops:
    """The hops of an ordering, those that are the same in the average crystal together.

    Attributes
    ----------
    network : Network
        Of the average crystal: its distinct hops are the classes.
    classes : list[list[Hop]]
        For each class its hops in the ordering, the representative first; empty where the ordering has none.
    rows : dict[str, int]
        Which jump of the network each hop is, by its label.
    notes : list[str]
        What is to be known of them, a line each.
    """

    network: Network
    classes: list[list[Hop]]
    rows: dict[str, int]
    notes: list[str]

    @property
    def found(self) -> list[Hop]:
        """All hops, class by class."""
        return [hop for members in self.classes for hop in members]

    @property
    def representatives(self) -> list[Hop]:
        """The first hop of each class."""
        return [members[0] for members in self.classes if members]

    def class_of(self, hop: Hop) -> list[Hop]:
        """All hops of the class of one."""
        return next(members for members in self.classes if hop in members)

    def between(self, structure: Structure, first: End, last: End) -> Hop:
        """Give the hop from an atom, or the place of one, to the place of an empty site, or to an atom.

        Raises
        ------
        ValueError
            One line, if there is no such hop in the ordering.
        """
        for hop in self.found:
            start, end = structure.lattice.get_fractional_coords(np.array(hop_ends(structure, hop)))
            if _is_at(structure, first, hop.moving, start) and _is_at(structure, last, hop.target, end):
                return hop
        moving = sorted({hop.moving for hop in self.found if hop.moving is not None})
        raise ValueError(
            f"no hop from {_said(first)} to {_said(last)} in this ordering; allowed: from an ion beside an empty site, "
            f"such as {moving[0]}, to the fractional coordinates of that"
        )

    def known(self, hops: Sequence[Hop]) -> dict[str, tuple[int, bool]]:
        """Say of hops, by label, which class each is of, and whether it goes the way of that."""
        rows = {hop.label: self.rows[hop.label] for hop in hops}
        return {label: (int(self.network.hop[row]), bool(self.network.forward[row])) for label, row in rows.items()}


def ordered_hops(average: Structure, structure: Structure, sites: tuple[int, ...], ion: str = "Li") -> OrderedHops:
    """Find the hops of an ordering, and choose one for each class of the average crystal.

    An ion jumps from its site to an empty one, and nothing is taken out. Where a class has no such jump in the
    ordering, both its sites being held, the ion at the end is taken out. Of a class the hop comes first whose two ends
    differ least in the Ewald energy of formal charges: both are as likely sites of an ion as they can be, so that
    neither relaxes away if that can be helped. Neither the order of atoms nor the origin matters.

    Parameters
    ----------
    average : Structure
        The crystal with its sites held in part, those that are split merged, in the cell that was ordered.
    structure : Structure
        The ordering, relaxed or not.
    sites : tuple[int, ...]
        For each of its atoms the site of ``average`` that it was put on.
    ion : str
        Element that moves.

    Raises
    ------
    ValueError
        If the average crystal has no jump, or the ordering has none that can be computed.
    """
    network = find_network(average, ion)
    state = occupied(network, structure, sites)
    around = surroundings(network.structure, network.fractions, ion)
    changes = np.abs(rounded(state.changes(), DIGITS))
    place = np.argsort(in_any_frame(average))
    order = np.lexsort((place[state.ions[network.last]], place[state.ions[network.first]], changes))
    room = shortest_vector(structure.lattice)
    classes: list[list[Hop]] = []
    rows: dict[str, int] = {}
    here, of = _words(state), digest(structure)
    for number, like in enumerate(network.hops):
        members: list[Hop] = []
        of_class = [row for row in order if network.hop[row] == number and state.atoms[network.first[row]] >= 0]
        into_empty = [row for row in of_class if state.atoms[network.last[row]] == -1]
        for row in into_empty or [row for row in of_class if state.atoms[network.last[row]] >= 0]:
            hop = _hop(state, around, here, int(row), like)
            if network.first[row] != network.last[row] and 2 * hop.distance < room - IMAGE_MARGIN:
                label = f"{like.label}_{len(members) + 1}" if members else like.label
                members.append(hop.model_copy(update={"name": label, "label": label, "slab": of}))
                rows[label] = int(row)
        classes.append(members)
    if not rows:
        raise ValueError(f"no hop of {ion} in the ordering; allowed: a larger supercell")
    return OrderedHops(network, classes, rows, _notes(state, classes))


def _is_at(structure: Structure, end: End, atom: int | None, place: np.ndarray) -> bool:
    if isinstance(end, int):
        return end == atom
    return bool(structure.lattice.get_all_distances(np.array(end), place).min() <= NEAR)


def _said(end: End) -> str:
    return str(end if isinstance(end, int) else list(end))


def _words(state: Occupied) -> list[Surroundings]:
    """Say what is around each site in the ordering."""
    fractions = state.network.fractions.copy()
    for row, atom in enumerate(state.atoms):
        if atom >= 0:
            fractions[row] = state.structure[int(atom)].frac_coords
    return surroundings(state.structure, fractions, state.network.ion)


def _hop(state: Occupied, around: list[Surroundings], here: list[Surroundings], row: int, like: Hop) -> Hop:
    network, structure = state.network, state.structure
    first, last = int(network.first[row]), int(network.last[row])
    moving, target = int(state.atoms[first]), int(state.atoms[last])
    reached = structure[moving].frac_coords + network.fractions[last] + network.images[row] - network.fractions[first]
    ends: dict[str, int | Site | Image] = {"moving": moving}
    if target >= 0:
        ends |= {"target": target, "image": whole(reached - structure[target].frac_coords)}
    else:
        ends["empty"] = _empty(state, around[last], last, moving, reached, here[last].text)
    hop = Hop(
        **ends,
        name="",
        ion=network.ion,
        distance=0.0,
        mechanism=like.mechanism,
        environments=(here[first].text, here[last].text),
    )
    length = float(np.linalg.norm(np.subtract(*hop_ends(structure, hop))))
    return hop.model_copy(update={"distance": round_off(length, GRID)})


def _empty(state: Occupied, around: Surroundings, row: int, moving: int, reached: np.ndarray, text: str) -> Site:
    """Define an empty site near a place by the anions around it; by the moving ion where there are none."""
    crystal, structure, ideal = state.network.structure, state.structure, state.network.fractions[row]
    atom_on = {site: atom for atom, site in enumerate(state.sites)}
    near = [(site, image) for site, image in sorted(around.anions) if site in atom_on]
    held = [(atom_on[site], crystal.frac_coords[site] + image - ideal) for site, image in near]
    if not held:
        held = [(moving, structure[moving].frac_coords - reached)]
    atoms, steps = [atom for atom, _ in held], np.array([step for _, step in held])
    images = np.rint(reached + steps - structure.frac_coords[atoms])
    x, y, z = rounded(-structure.lattice.get_cartesian_coords(steps.mean(axis=0)), GRID).tolist()
    place = " ".join(f"{value:.2f}" for value in rounded(reached, 2) % 1.0)
    return Site(
        anchors=tuple((atom, whole(image)) for atom, image in zip(atoms, images, strict=True)),
        offset=(x, y, z),
        name=f"{text.partition(';')[0]} {place}",
    )


def _notes(state: Occupied, classes: list[list[Hop]]) -> list[str]:
    """Say what of the ordering stands for what of the crystal."""
    ion, labels = state.network.ion, [hop.label for hop in state.network.hops]
    notes = [
        "one hop of each class in one ordering is a sample, not the distribution: rank 2, 3, ... of hops take others"
    ]
    for label, members in zip(labels, classes, strict=True):
        if not members:
            notes.append(f"{label}: no {ion} beside a site that it could jump to, in this ordering")
        elif members[0].empty is None:
            notes.append(f"{label}: all its sites are held in this ordering, so a vacancy is made for it")
    if state.astray:
        many = f"{len(state.astray)} of {int((state.atoms >= 0).sum()) + len(state.astray)} {ion}"
        notes.append(f"{many} have left their sites in the relaxed ordering, and start no hop")
    return notes
