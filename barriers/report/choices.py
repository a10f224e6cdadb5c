"""Tables of what a study can choose from: the hops of its slab, the terminations of its facet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from barriers.report.numbers import MINUS, NONE
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.spoken import spoken_labels
from barriers.structures.surface.terminations import Termination


def hop_rows(hops: Sequence[Hop], chosen: Sequence[Hop] | None = None) -> list[dict[str, Any]]:
    """Describe hops, a row each.

    Parameters
    ----------
    hops : Sequence[Hop]
        All hops of a slab, in their order: it gives the letters of the names.
    chosen : Sequence[Hop] or None
        Those of them that get a row; all if None.

    Returns
    -------
    list[dict[str, Any]]
        ``number``, ``name``, which people can say, ``label``, ``kind``, ``mechanism``, ``length``, ``depth`` and the
        height ``z``, which is minus that (Å), ``layers`` (0 is the topmost), ``atoms``, the numbers of the ions on both
        sites, from 0 on (None for an added ion), ``from`` and ``to``: the surroundings of both sites. Name and label
        both choose the hop in a study file, and so do the atoms as its ``from`` and ``to``.
    """
    names = dict(zip((hop.label for hop in hops), spoken_labels(hops), strict=True))
    return [
        {
            "number": number,
            "name": names[hop.label],
            "label": hop.label,
            "kind": hop.kind,
            "mechanism": hop.mechanism,
            "length": round(hop.distance, 3),
            "depth": None if hop.depth is None else round(hop.depth, 3),
            "z": None if hop.depth is None else round(-hop.depth + 0.0, 3),
            "layers": hop.layers,
            "atoms": None if hop.moving is None else [hop.moving, hop.target],
            "from": hop.environments[0],
            "to": hop.environments[1],
        }
        for number, hop in enumerate(hops if chosen is None else chosen, 1)
    ]


def hop_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`hop_rows`."""
    of_slab = any(row["z"] is not None for row in rows)
    height = (
        "z: middle of the jump against the topmost atom (Å), below it negative, as in the label; the depth of a study "
        "file is −z; "
    )
    caption = (
        "name or label choose a hop in a study file, and so do the numbers of its atoms, from 0 on, as from and to; "
        f"{height if of_slab else ''}From, To: atom, its site's nearest anions; nearest metals"
    )
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    table.add_column("#", justify="right")
    table.add_column("Name", no_wrap=True)
    if of_slab:
        table.add_column("z (Å)", justify="right")
    for heading in ("From", "To", "Kind", "Label"):
        table.add_column(heading)
    for row in rows:
        z = [NONE if row["z"] is None else f"{row['z']:+.2f}".replace("-", MINUS)] if of_slab else []
        ends = [
            row[end] if row["atoms"] is None else f"{row['atoms'][number]}: {row[end]}"
            for number, end in enumerate(("from", "to"))
        ]
        table.add_row(str(row["number"]), row["name"], *z, *ends, row["kind"], row["label"])
    return table


def termination_rows(terminations: Sequence[Termination]) -> list[dict[str, Any]]:
    """Describe terminations, a row each.

    Returns
    -------
    list[dict[str, Any]]
        ``label``, ``planes`` from the outermost in, ``stoichiometry``, ``polar``, Tasker type, ``dipole`` for each
        layer (e/Å), ``broken_bonds`` (1/Å²) and the least ``coordination`` of the cations.
    """
    return [
        {
            "label": termination.label,
            "planes": list(termination.planes),
            "stoichiometry": termination.stoichiometry,
            "polar": termination.polar,
            "tasker": termination.tasker,
            "dipole": termination.dipole,
            "broken_bonds": termination.broken_bonds,
            "coordination": termination.coordination,
        }
        for termination in terminations
    ]


def termination_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`termination_rows`; the first is what a study takes unless it names another."""
    caption = "M is any metal; dipole along the normal for each layer (e/Å); broken bonds of one face (1/Å²)"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    for heading in ("Label", "Planes, outermost first", "Slab", "Polar"):
        table.add_column(heading)
    for heading in ("Tasker type", "Dipole", "Broken bonds"):
        table.add_column(heading, justify="right")
    table.add_column("Least coordination")
    for row in rows:
        least = " ".join(f"{element} {number}" for element, number in row["coordination"].items())
        numbers = (str(row["tasker"]), f"{row['dipole']:.3f}", f"{row['broken_bonds']:.3f}")
        planes, polar = " · ".join(row["planes"]), "yes" if row["polar"] else "no"
        table.add_row(row["label"], planes, row["stoichiometry"], polar, *numbers, least)
    return table
