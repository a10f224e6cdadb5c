"""Whether a slab is thick enough for a hop: bulk below its surface, and no frozen atom beside the moving ion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.structures.hop.hop import Hop, hop_ends
from barriers.structures.rounding import round_off
from barriers.structures.surface.cutting import FRAGMENT, LAYER
from barriers.structures.surface.slab import frozen_atoms

LEAST_THICKNESS = 8.0
"""A slab thinner than this (Å) has no bulk in its middle."""

LEAST_TO_FROZEN = 4.0
"""A moving ion with a frozen atom nearer than this (Å) pushes against atoms that would give way."""

MOST_LAYERS = 20
"""Layers that a study may ask for."""

STEP = 0.1
"""Distance of the points that stand for a path (Å)."""


@dataclass(frozen=True)
class Soundness:
    """How thick a slab is, and how far its hops are from what is frozen.

    Attributes
    ----------
    thickness : float
        Height of the topmost atom above the lowest one, fragments left out (Å).
    to_frozen : dict[str, float]
        For each hop the least distance between the moving ion, anywhere on its straight path, and a frozen atom (Å).
        Empty where nothing is frozen.
    warnings : list[str]
        A line with the number, the limit and what mends it, for each limit that is not kept.
    """

    thickness: float
    to_frozen: dict[str, float] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def soundness(
    slab: Structure, hops: Sequence[Hop], layer_height: float, core: bool = False, given: bool = False
) -> Soundness:
    """Measure a slab and its hops, and say in a line each what is too thin or too near.

    Parameters
    ----------
    slab : Structure
        The bare slab with the site property ``layer``, as the hops were found on it.
    hops : Sequence[Hop]
        The hops.
    layer_height : float
        What a further layer adds to the thickness (Å).
    core : bool
        Whether the middle layers are frozen: two further layers are one more above it.
    given : bool
        Whether the slab is that of a file, which its owner has to change.
    """
    heights = slab.cart_coords[np.array(slab.site_properties[LAYER]) != FRAGMENT, 2]
    thickness = round_off(float(np.ptp(heights)), 3)
    apart = {hop.name: distance for hop in hops if (distance := distance_to_frozen(slab, hop)) is not None}
    to_frozen = {name: round_off(distance, 3) for name, distance in apart.items()}
    more = ceil(max(0.0, LEAST_THICKNESS - thickness) / layer_height)
    if core:
        more += more % 2
    for hop in hops:
        if to_frozen.get(hop.name, LEAST_TO_FROZEN) < LEAST_TO_FROZEN:
            more = max(more, _deeper(slab, hop, layer_height) * (2 if core else 1))
    mend = f"a slab of {_layers(slab) + more} layers mends it" if given else _mend(_layers(slab) + more)
    return Soundness(thickness, to_frozen, [*_thin(thickness, mend), *_too_near(to_frozen, mend)])


def distance_to_frozen(slab: Structure, hop: Hop) -> float | None:
    """Least distance (Å) from the moving ion's straight path to a frozen atom; None where nothing is frozen.

    The ion itself and those that are taken out for the hop do not count.
    """
    held = _without_gone(frozen_atoms(slab), hop)
    return _nearest(slab, hop, held) if held else None


def _nearest(slab: Structure, hop: Hop, atoms: list[int]) -> float:
    path = slab.lattice.get_fractional_coords(_path(slab, hop))
    return float(slab.lattice.get_all_distances(path, slab.frac_coords[atoms]).min())


def _without_gone(atoms: Iterable[int], hop: Hop) -> list[int]:
    gone = {hop.moving, *hop.initial.removed, *hop.final.removed}
    return [atom for atom in atoms if atom not in gone]


def _path(slab: Structure, hop: Hop) -> NDArray[np.float64]:
    """Points on the path, from end to end over the place that the ion passes (Å), shape (n, 3)."""
    first, last = hop_ends(slab, hop)
    corners = [first, *([] if hop.through is None else [hop.through.position(slab)]), last]
    legs = [
        np.linspace(start, end, ceil(float(np.linalg.norm(end - start)) / STEP) + 1) for start, end in pairwise(corners)
    ]
    return np.concatenate(legs)


def _deeper(slab: Structure, hop: Hop, layer_height: float) -> int:
    """Count the layers by which the frozen part has to go down: what lies there now stands for what will."""
    layers = np.array(slab.site_properties[LAYER])
    frozen = _without_gone(frozen_atoms(slab), hop)
    gap = float(_path(slab, hop)[:, 2].min() - slab.cart_coords[frozen, 2].max())
    for deeper in range(1, MOST_LAYERS):
        held = _without_gone(np.flatnonzero(layers <= layers[frozen].max() - deeper).tolist(), hop)
        if (_nearest(slab, hop, held) if held else gap + deeper * layer_height) >= LEAST_TO_FROZEN:
            return deeper
    return MOST_LAYERS


def _layers(slab: Structure) -> int:
    return int(max(slab.site_properties[LAYER])) + 1


def _mend(layers: int) -> str:
    if layers > MOST_LAYERS:
        return f"no {MOST_LAYERS} layers mend it, a facet with higher ones does"
    return f"surface.layers: {layers} mends it"


def _thin(thickness: float, mend: str) -> list[str]:
    if thickness >= LEAST_THICKNESS:
        return []
    return [f"slab: {thickness:.2f} Å thick, less than {LEAST_THICKNESS:g} Å, so its middle is no bulk; {mend}"]


def _too_near(to_frozen: Mapping[str, float], mend: str) -> list[str]:
    near = {name: distance for name, distance in to_frozen.items() if distance < LEAST_TO_FROZEN}
    if not near:
        return []
    name = min(near, key=lambda hop: near[hop])
    others = f" and {len(near) - 1} more" if len(near) > 1 else ""
    return [
        f"hop {name}{others}: {near[name]:.2f} Å from a frozen atom, less than {LEAST_TO_FROZEN:g} Å, "
        f"so what should give way is held; {mend}"
    ]
