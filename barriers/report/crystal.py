"""A crystal with all of its hops, as pictures show it: which atoms, polyhedra and arrows, each image in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from pymatgen.core import Structure

from barriers.documents import BarrierDoc, StudyDoc
from barriers.report.elements import ARROW
from barriers.report.numbers import energy, shown, written_uncertainty
from barriers.report.polyhedra import polyhedra
from barriers.report.style import COLOURS
from barriers.report.views import HopEnds, Points, arranged
from barriers.structures.hop.hop import Hop, hop_ends
from barriers.structures.hop.kinds import ADDED
from barriers.structures.network.network import Network, find_added_network, find_network

HOP_COLOURS = (ARROW, *(colour for colour in COLOURS if colour != ARROW))
"""Colours of the distinct hops of a crystal; of more than these, a scale of as many."""

SAME = 0.1
"""An end of a hop this near to an ion (Å) is where that stands."""


@dataclass(frozen=True)
class CrystalScene:
    """What a picture of a crystal shows. Positions are Cartesian (Å).

    Attributes
    ----------
    structure : Structure
        The crystal: elements and cell.
    positions : ndarray, shape (n, 3)
        Where its atoms are drawn, in the cell around the first hop.
    corner : ndarray, shape (3,)
        Lower corner of that cell.
    images : list of (int, ndarray)
        Periodic images beyond the cell that are drawn too: corners of polyhedra, and ions where hops end.
    polyhedra : list[dict[str, Any]]
        See :func:`~barriers.report.polyhedra.polyhedra`.
    arrows : dict[str, ndarray of shape (2, 3)]
        Start and end of each distinct hop, its middle in the cell.
    ways : dict[str, list of ndarray]
        The like of it by symmetry, in the same way.
    """

    structure: Structure
    positions: Points
    corner: Points
    images: list[tuple[int, Points]]
    polyhedra: list[dict[str, Any]]
    arrows: dict[str, Points]
    ways: dict[str, list[Points]]

    @property
    def colours(self) -> dict[str, str]:
        """Colour of each distinct hop."""
        count = len(self.arrows)
        if count <= len(HOP_COLOURS):
            return dict(zip(self.arrows, HOP_COLOURS, strict=False))
        scale = mpl.colormaps["turbo"](np.linspace(0.05, 0.95, count))
        return dict(zip(self.arrows, map(to_hex, scale), strict=True))


def crystal_scene(
    structure: Structure, hop_ends: Mapping[str, HopEnds], ways: Mapping[str, Sequence[Points]], ion: str
) -> CrystalScene:
    """Arrange a crystal, its polyhedra and its hops for a picture.

    Parameters
    ----------
    structure : Structure
        The crystal.
    hop_ends : Mapping[str, HopEnds]
        Cartesian start and end of each distinct hop (Å) by its name; one at least.
    ways : Mapping[str, sequence of ndarray of shape (2, 3)]
        By the same names, those of all that symmetry makes the same; see :func:`ways_of`.
    ion : str
        Element that moves.
    """
    numbered: dict[str, HopEnds] = {
        f"{name} {number}": list(ends) for name, likes in ways.items() for number, ends in enumerate(likes)
    }
    positions, moved, corner = arranged(structure, {**hop_ends, **numbered})
    placed = {name: [moved[f"{name} {number}"] for number in range(len(likes))] for name, likes in ways.items()}
    shapes = polyhedra(structure, positions, ion)
    beyond = {
        (atom, *np.round(positions[atom] + way, 2).tolist())
        for shape in shapes
        for atom, *way in shape["corners"]
        if any(way)
    }
    ions = np.array(structure.indices_from_symbol(ion))
    ends = np.concatenate(list(moved.values()))
    for place in ends[np.linalg.norm(ends[:, None] - positions[ions], axis=2).min(axis=1) > SAME]:
        fractions = structure.lattice.get_fractional_coords([place])
        apart = structure.lattice.get_all_distances(fractions, structure.frac_coords[ions])[0]
        if apart.min() < SAME:
            beyond.add((int(ions[apart.argmin()]), *np.round(place, 2).tolist()))
    images = [(int(atom), np.array(place)) for atom, *place in sorted(beyond)]
    return CrystalScene(structure, positions, corner, images, shapes, {name: moved[name] for name in hop_ends}, placed)


def ways_of(network: Network) -> dict[str, list[Points]]:
    """Give Cartesian start and end (Å) of all jumps of each distinct hop by its label, a way and its way back once."""
    found: dict[str, list[Points]] = {hop.label: [] for hop in network.hops}
    starts = network.structure.lattice.get_cartesian_coords(network.fractions[network.first])
    jumps = zip(network.first.tolist(), network.last.tolist(), network.images.tolist(), strict=True)
    for row, (first, last, image) in enumerate(jumps):
        if (first, last, image) <= (last, first, [-step for step in image]):
            found[network.hops[network.hop[row]].label].append(
                np.array([starts[row], starts[row] + network.vectors[row]])
            )
    return found


def study_scene(study: StudyDoc) -> tuple[CrystalScene, dict[str, str]] | None:
    """Arrange the crystal of a study with the hops that were computed, and say each one's barrier.

    Returns
    -------
    tuple or None
        The scene, and words for each hop of it; None of a study of no crystal, or of one without a hop.
    """
    crystal = study.crystal
    hops = {each.hop_name: each.hop for each in study.barriers if each.hop is not None}
    if crystal is None or crystal.structure is None or not hops:
        return None
    likes = _likes(crystal.structure, crystal.ion, list(hops.values()))
    ways = {name: likes.get(hop.label, []) for name, hop in hops.items()}
    ends = {name: hop_ends(crystal.structure, hop) for name, hop in hops.items()}
    words = {each.hop_name: _said(each) for each in study.barriers if each.hop is not None}
    return crystal_scene(crystal.structure, ends, ways, crystal.ion), words


def _likes(structure: Structure, ion: str, hops: Sequence[Hop]) -> dict[str, list[Points]]:
    """Give all that is like each hop by symmetry, by its label; nothing in an ordering, which has no symmetry."""
    likes: dict[str, list[Points]] = {}
    if any(hop.empty for hop in hops):
        return likes
    for find, carriers in ((find_network, ("vacancy",)), (find_added_network, ADDED)):
        if any(hop.kind in carriers for hop in hops):
            with suppress(ValueError):  # no jump is short enough to be in the network
                likes |= ways_of(find(structure, ion))
    return likes


def _said(barrier: BarrierDoc) -> str:
    if barrier.forward is None:
        return f"{barrier.hop_name}: no barrier"
    digits = barrier.plus_minus()
    return f"{barrier.hop_name}: {energy(barrier.forward, digits)} ± {shown(written_uncertainty(digits))} eV"
