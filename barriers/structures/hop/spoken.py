"""Names of hops that people can say: ``sub-surface dumbbell 2.87 Å a``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from string import ascii_lowercase

from barriers.structures.hop.hop import Hop
from barriers.structures.hop.kinds import ADDED, Mechanism
from barriers.words import in_ascii

PASSED: dict[Mechanism, str] = {
    "oxygen dumbbell": "dumbbell",
    "single oxygen": "one oxygen",
    "anion dumbbell": "dumbbell",
    "single anion": "one anion",
    "anion triangle": "triangle",
    "surface": "adatom",
}
"""Shorter words for some mechanisms; the others are said as they are."""

NAMED_LAYERS = ("surface", "sub-surface")


def spoken_labels(hops: Sequence[Hop]) -> list[str]:
    """Name all hops of a slab by layer, mechanism and length, and a letter that tells apart those that agree in these.

    Hops of a crystal have a letter only where two agree. Letters follow the order of the hops, so that names are the
    same for the same slab, and those of that slab alone: the label with its code is what names a hop on any.

    Parameters
    ----------
    hops : Sequence[Hop]
        What :func:`~barriers.structures.hop.search.find_hops` gives, all of them.
    """
    alike = [
        " ".join([*_where(hop), PASSED.get(hop.mechanism, hop.mechanism), f"{hop.distance:.2f} Å"]) for hop in hops
    ]
    often, seen = Counter(alike), Counter[str]()
    names = []
    for hop, name in zip(hops, alike, strict=True):
        alone = hop.depth is None and often[name] == 1
        names.append(name if alone else f"{name} {_letters(seen[name])}")
        seen[name] += 1
    return names


def by_any_label(hops: Sequence[Hop]) -> dict[str, Hop]:
    """Give the hops of a slab by label and by spoken label, with Å and with A, which is easier to type."""
    spoken = spoken_labels(hops)
    by_name = [dict(zip(names, hops, strict=True)) for names in (map(in_ascii, spoken), spoken)]
    return by_name[0] | by_name[1] | {hop.label: hop for hop in hops}


def _where(hop: Hop) -> list[str]:
    """Name the layers of both sites, the upper first; in a crystal the kind where an ion is added, else nothing."""
    if hop.depth is None:
        return [hop.kind] if hop.kind in ADDED else []
    numbers = sorted(set(hop.layers or ()))
    named = [NAMED_LAYERS[number] if number < len(NAMED_LAYERS) else f"layer {number + 1}" for number in numbers]
    return ["/".join(named)] if named else []


def _letters(number: int) -> str:
    """Count with letters: a to z, then aa, ab and so on."""
    letters = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, len(ascii_lowercase))
        letters = ascii_lowercase[letter] + letters
    return letters
