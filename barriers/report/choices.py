"""Tables of what a study can choose from: the hops of its slab, the terminations of its facet."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

from rich.table import Table

from barriers.analysis.network import dimension
from barriers.report.numbers import MINUS, NONE
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.spoken import spoken_labels
from barriers.structures.network.network import Network
from barriers.structures.surface.terminations import Termination

WAYS = (
    "per site: such jumps that lead away from a site, on average; window: radius between the anions that are passed, "
    "less their own; "
)


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
        sites, from 0 on (None for an added ion and an empty site), ``from`` and ``to``: the surroundings of both sites.
        Name and label both choose the hop in a study file, and so do the atoms as its ``from`` and ``to``.
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


def with_network(rows: Sequence[dict[str, Any]], network: Network) -> list[dict[str, Any]]:
    """Add to the rows of a crystal's hops how many such jumps lead away from a site, on average, and the window (Å).

    ``jumps_per_site`` and ``window`` are None for hops that are not of a single vacancy, the window also where no
    anions enclose the way.
    """
    per_site = 2 * network.multiplicities / len(network.fractions)
    known = {
        hop.label: (round(float(number), 3), None if isnan(width) else round(float(width), 3))
        for hop, number, width in zip(network.hops, per_site, network.windows, strict=True)
    }
    of_row = [known.get(row["label"], (None, None)) for row in rows]
    return [row | {"jumps_per_site": per, "window": width} for row, (per, width) in zip(rows, of_row, strict=True)]


def network_words(network: Network, carrier: str = "a vacancy") -> str:
    """Say what the hops of a crystal's vacancies make, or those of its ions where sites are held in part."""
    extends = dimension(network.first, network.last, network.images, len(network.fractions))
    sites = len(network.fractions)
    hops = f"{len(network.hops)} distinct {'hop' if len(network.hops) == 1 else 'hops'}"
    return f"{carrier} has {hops} between {sites} {network.ion} sites of the supercell: a {extends}-dimensional network"


def hop_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`hop_rows`."""
    of_slab = any(row["z"] is not None for row in rows)
    ways = any(row.get("jumps_per_site") for row in rows)
    height = (
        "z: middle of the jump against the topmost atom (Å), below it negative, as in the label; the depth of a study "
        "file is −z; "
    )
    caption = (
        "name or label choose a hop in a study file, and so do the numbers of its atoms, from 0 on, as from and to; "
        f"{height if of_slab else ''}{WAYS if ways else ''}From, To: atom, its site's nearest anions; nearest metals"
    )
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    table.add_column("#", justify="right")
    table.add_column("Name", no_wrap=True)
    if of_slab:
        table.add_column("z (Å)", justify="right")
    for heading in ("Per site", "Window (Å)") if ways else ():
        table.add_column(heading, justify="right")
    for heading in ("From", "To", "Kind", "Label"):
        table.add_column(heading)
    for row in rows:
        z = [NONE if row["z"] is None else f"{row['z']:+.2f}".replace("-", MINUS)] if of_slab else []
        atoms = row["atoms"] or (None, None)
        ends = [
            row[end] if atom is None else f"{atom}: {row[end]}" for atom, end in zip(atoms, ("from", "to"), strict=True)
        ]
        of_network = [row["jumps_per_site"], row["window"]] if ways else []
        numbers = [NONE if value is None else f"{value:.3g}".replace("-", MINUS) for value in of_network]
        table.add_row(str(row["number"]), row["name"], *z, *numbers, *ends, row["kind"], row["label"])
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
