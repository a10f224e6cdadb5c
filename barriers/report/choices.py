"""Tables of what a study can choose from: the hops of its slab, the terminations of its facet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from barriers.structures.hop.hop import Hop
from barriers.structures.surface.terminations import Termination


def hop_rows(hops: Sequence[Hop]) -> list[dict[str, Any]]:
    """Describe hops, a row each.

    Returns
    -------
    list[dict[str, Any]]
        ``label``, ``kind``, ``mechanism``, ``length`` and ``depth`` (Å), ``layers`` (0 is the topmost), ``from`` and
        ``to``: the surroundings of both sites.
    """
    return [
        {
            "label": hop.label,
            "kind": hop.kind,
            "mechanism": hop.mechanism,
            "length": round(hop.distance, 3),
            "depth": None if hop.depth is None else round(hop.depth, 3),
            "layers": hop.layers,
            "from": hop.environments[0],
            "to": hop.environments[1],
        }
        for hop in hops
    ]


def hop_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`hop_rows`."""
    caption = "length and depth of the middle below the topmost atom in Å; a site's nearest anions; its nearest metals"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    table.add_column("Label", min_width=max((len(row["label"]) for row in rows), default=0))
    for heading in ("Kind", "Mechanism"):
        table.add_column(heading)
    for heading in ("Length", "Depth"):
        table.add_column(heading, justify="right")
    for heading in ("From", "To"):
        table.add_column(heading)
    for row in rows:
        depth = "—" if row["depth"] is None else f"{row['depth']:.2f}"
        table.add_row(
            row["label"], row["kind"], row["mechanism"], f"{row['length']:.2f}", depth, row["from"], row["to"]
        )
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
