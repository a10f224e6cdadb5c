"""Choosing among the hops that were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from barriers.structures.hop.hop import Hop
from barriers.structures.hop.kinds import Kind, Mechanism
from barriers.structures.hop.spoken import by_any_label
from barriers.words import closest

Range = tuple[float, float]

SLACK = 5e-3
"""Lengths and depths are compared as they are printed, to two digits (Å)."""

LAYERS = {"surface": 0, "sub-surface": 1}
"""Numbers of the atomic layers that have a name."""


def select_hops(
    hops: Sequence[Hop],
    *,
    layer: Literal["surface", "sub-surface"] | None = None,
    mechanism: Mechanism | None = None,
    kind: Kind | None = None,
    length: Range | None = None,
    depth: Range | None = None,
    label: str | None = None,
) -> list[Hop]:
    """Choose hops by what they are; whatever is left out does not matter.

    Parameters
    ----------
    hops : Sequence[Hop]
        What :func:`~barriers.structures.hop.search.find_hops` gives.
    layer : {"surface", "sub-surface"}
        Atomic layer that holds both sites: the topmost one, or the one below.
    mechanism : str
        What the ion passes.
    kind : {"vacancy", "divacancy", "interstitial", "interstitialcy"}
        What makes room for it.
    length, depth : tuple[float, float]
        Least and largest length, and depth of the middle below the topmost atom (Å); above it is negative.
    label : str
        Label of one hop, with its code or as people say it, see :func:`~barriers.structures.hop.spoken.spoken_labels`.

    Returns
    -------
    list[Hop]
        In the order given: the shortest first.

    Raises
    ------
    ValueError
        If there is no such hop, or no such layer, mechanism or kind; the message says what there is.
    """
    for name, value, allowed in (
        ("layer", layer, tuple(LAYERS)),
        ("mechanism", mechanism, get_args(Mechanism)),
        ("kind", kind, get_args(Kind)),
    ):
        if value is not None and value not in allowed:
            raise ValueError(f"{name}: unknown {value!r}; allowed: {', '.join(allowed)}{closest(value, allowed)}")

    known = by_any_label(hops) if label is not None else {}
    if label is not None and label not in known:
        raise ValueError(f"no hop with label {label!r}; there are: {_summary(hops)}{closest(label, list(known))}")
    named = known.get(label or "")

    def is_chosen(hop: Hop) -> bool:
        return (
            (layer is None or hop.layers == (LAYERS[layer],) * 2)
            and mechanism in {None, hop.mechanism}
            and kind in {None, hop.kind}
            and _inside(hop.distance, length)
            and _inside(hop.depth, depth)
            and (named is None or hop.label == named.label)
        )

    chosen = [hop for hop in hops if is_chosen(hop)]
    if chosen:
        return chosen
    asked = {"layer": layer, "mechanism": mechanism, "kind": kind, "length": length, "depth": depth, "label": label}
    words = ", ".join(f"{name} {value!r}" for name, value in asked.items() if value is not None) or "anything"
    raise ValueError(f"no hop with {words}; there are: {_summary(hops)}")


def _inside(value: float | None, limits: Range | None) -> bool:
    if limits is None:
        return True
    return value is not None and limits[0] - SLACK <= value <= limits[1] + SLACK


def _summary(hops: Sequence[Hop]) -> str:
    """Hops by kind and mechanism, with their lengths and depths."""
    groups: dict[str, list[Hop]] = {}
    for hop in hops:
        groups.setdefault(f"{hop.kind} ({hop.mechanism})", []).append(hop)
    parts = []
    for group, found in groups.items():
        depths = [hop.depth for hop in found if hop.depth is not None]
        deep = f", {_span(depths)} Å deep" if depths else ""
        parts.append(f"{len(found)} {group}, {_span([hop.distance for hop in found])} Å long{deep}")
    return "; ".join(parts) or "none at all"


def _span(values: list[float]) -> str:
    return " to ".join(dict.fromkeys(f"{value:.2f}" for value in (min(values), max(values))))
