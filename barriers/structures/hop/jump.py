"""Jumps between numbered places, and the hops they become: depth, mechanism, surroundings and label."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.structures.hop.hop import Hop, Image, Site
from barriers.structures.hop.kinds import ADDED, Kind, Mechanism
from barriers.structures.hop.surroundings import Surroundings, surroundings
from barriers.structures.rounding import GRID, digest, round_off, rounded
from barriers.structures.surface.slab import FRAGMENT, LAYER

HERE: Image = (0, 0, 0)

Place = tuple[int, Image]


@dataclass(frozen=True)
class Jump:
    """A jump between numbered places.

    Attributes
    ----------
    kind : Kind
        What makes room for it.
    first : int
        Place it starts from, in the cell.
    last : Place
        Place that is reached.
    third : Place or None
        Place of a second vacancy, or of the ion that an added one pushes.
    mechanism : Mechanism
        What is passed.
    anchors : tuple[Place, ...]
        Atoms around the place passed on the way.
    """

    kind: Kind
    first: int
    last: Place
    third: Place | None = None
    mechanism: Mechanism = "open"
    anchors: tuple[Place, ...] = ()

    @property
    def places(self) -> list[Place]:
        """First, last and, where there is one, third place."""
        return [(self.first, HERE), self.last, *([self.third] if self.third else [])]


@dataclass(frozen=True)
class Places:
    """Places between which ions jump.

    Attributes
    ----------
    structure : Structure
        Slab, crystal or interface.
    ion : str
        Element that jumps.
    members : list[int] or list[Site]
        Atoms of the structure, or places for an added ion.
    fractions : ndarray, shape (n, 3)
        Fractional coordinates, not wrapped.
    around : list[Surroundings]
        What surrounds each.
    layers : list[int]
        Number of the atomic layer of each atom; empty for a crystal.
    top : float or None
        Height of the topmost atom of the slab (Å); None for a crystal.
    """

    structure: Structure
    ion: str
    members: Sequence[int | Site]
    fractions: NDArray[np.float64]
    around: list[Surroundings]
    layers: list[int]
    top: float | None

    def position(self, place: Place) -> NDArray[np.float64]:
        """Cartesian position (Å), shape (3,)."""
        point: NDArray[np.float64] = self.structure.lattice.get_cartesian_coords(self.fractions[place[0]] + place[1])
        return point

    def vector(self, jump: Jump) -> NDArray[np.float64]:
        """From first to last place (Å), shape (3,)."""
        return self.position(jump.last) - self.position((jump.first, HERE))


def places_in(structure: Structure, members: Sequence[int | Site], fractions: NDArray[np.float64], ion: str) -> Places:
    """Describe places of an ion in a structure."""
    layers = list(structure.site_properties.get(LAYER, []))
    heights = [z for z, layer in zip(structure.cart_coords[:, 2], layers, strict=False) if layer != FRAGMENT]
    around = surroundings(structure, fractions, ion)
    return Places(structure, ion, members, fractions, around, layers, max(heights, default=None))


def rank(places: Places, jump: Jump) -> tuple[float, ...]:
    """Order of jumps: the shortest first, then the highest, then by position."""
    first, last, *third = (places.position(place) for place in jump.places)
    middle = (first + last) / 2
    length = np.linalg.norm(last - first)
    return (
        round_off(length, 2),
        -round_off(middle[2], 1),
        *rounded(middle[:2], 2),
        *rounded(first, 2),
        *(rounded(third[0], 2) if third else []),
    )


def as_hops(found: list[tuple[Places, Jump]], ion: str) -> list[Hop]:
    """Turn jumps, in order, into hops.

    A label has what is passed, length, height and a code of the surroundings; hops of a crystal have the code where it
    tells two apart. Where two still have one label, later ones get a number.
    """
    if not found:
        return []
    structure = found[0][0].structure
    points = np.array([[_middle(*entry), _passed(*entry)] for entry in found]).reshape(-1, 3)
    passed = surroundings(structure, structure.lattice.get_fractional_coords(points))
    made = [
        _hop(*entry, middle.fingerprint + centre.fingerprint)
        for entry, middle, centre in zip(found, passed[::2], passed[1::2], strict=True)
    ]
    alike = Counter(words for words, *_ in made)
    seen: Counter[str] = Counter()
    hops = []
    for words, code, hop in made:
        # In a crystal the words alone name most hops; those of a slab are told apart from hops of other slabs too.
        label = words if hop.depth is None and alike[words] == 1 else f"{words}_{code}"
        seen[label] += 1
        if seen[label] > 1:
            label = f"{label}_{seen[label]}"
        hops.append(hop.model_copy(update={"name": label, "label": label, "ion": ion, "slab": digest(structure)}))
    return hops


def _hop(places: Places, jump: Jump, passed: str) -> tuple[str, str, Hop]:
    """Give the words and the code of a label, and the hop without it."""
    ends = (jump.first, jump.last[0])
    here = [places.around[end] for end in ends]
    length = round_off(np.linalg.norm(places.vector(jump)), GRID)
    depth = _depth(places, jump)
    code = "".join([*sorted(around.fingerprint for around in here), passed])
    height = [] if depth is None else [f"z{-depth + 0.0:+.1f}"]
    kind = [jump.kind] if depth is None and jump.kind in ADDED else []
    words = [*kind, jump.mechanism.replace(" ", "-"), f"{length:.2f}", *height]
    first, last = (places.members[end] for end in ends)
    who = {"sites": (first, last)} if isinstance(first, Site) else {"moving": first, "target": last}
    hop = Hop(
        **who,
        name="",
        kind=jump.kind,
        image=jump.last[1],
        **_third(places, jump),
        through=Site(anchors=jump.anchors) if jump.anchors else None,
        distance=length,
        depth=depth,
        layers=None if depth is None else (_layer(places, first), _layer(places, last)),
        mechanism=jump.mechanism,
        environments=(here[0].text, here[1].text),
    )
    return "_".join(words), hashlib.sha256(code.encode()).hexdigest()[:6], hop


def _third(places: Places, jump: Jump) -> dict[str, Any]:
    """Name the ion on the third place: taken out, or pushed."""
    if jump.third is None:
        return {}
    number, image = jump.third
    atom = places.members[number]
    if jump.kind != "interstitialcy":
        return {"removed": (atom,)}
    leg = np.linalg.norm(places.position(jump.third) - places.position((jump.first, HERE)))
    return {"pushed": (atom, image), "leg": round_off(leg, GRID)}


def _middle(places: Places, jump: Jump) -> NDArray[np.float64]:
    """Middle of a jump (Å)."""
    return places.position((jump.first, HERE)) + places.vector(jump) / 2


def _passed(places: Places, jump: Jump) -> NDArray[np.float64]:
    """Centre of the atoms around the place passed (Å); the middle of a jump that passes none."""
    if not jump.anchors:
        return _middle(places, jump)
    return Site(anchors=jump.anchors).position(places.structure)


def _depth(places: Places, jump: Jump) -> float | None:
    """Depth of the middle of a jump below the topmost atom of the slab (Å)."""
    if places.top is None:
        return None
    return round_off(places.top - _middle(places, jump)[2], GRID)


def _layer(places: Places, member: int | Site) -> int:
    """Atomic layer counted from the topmost; an ion above the surface counts to that, or to the fragment below it."""
    layer = places.layers[member.anchors[0][0] if isinstance(member, Site) else member]
    if layer == FRAGMENT:
        return FRAGMENT
    return 0 if isinstance(member, Site) else max(places.layers) - layer
