"""Tables of what a study can choose from: the hops of its slab, the terminations of its facet."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, isnan
from typing import Any

from rich.table import Table

from barriers.analysis.network import dimension
from barriers.report.numbers import MINUS, NONE
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.spoken import spoken_labels
from barriers.structures.hop.voids import Voids
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
        sites, from 0 on (None for an added ion and an empty site), ``sites``, the names of a crystal's empty sites
        with their fractional coordinates (None for other hops), ``from`` and ``to``: the surroundings of both sites.
        Name and label both choose the hop in a study file, and so do atoms or coordinates as its ``from`` and ``to``.
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
            "sites": [site.name for site in hop.sites] if hop.sites and hop.depth is None else None,
            "from": hop.environments[0],
            "to": hop.environments[1],
        }
        for number, hop in enumerate(hops if chosen is None else chosen, 1)
    ]


def with_networks(rows: Sequence[dict[str, Any]], networks: Sequence[Network]) -> list[dict[str, Any]]:
    """Add to the rows of a crystal's hops how many such jumps lead away from a site, on average, and the window (Å).

    ``jumps_per_site`` and ``window`` are None for hops that are in none of the networks, the window also where no
    anions enclose the way, and where one ion pushes another.
    """
    known: dict[str, tuple[float | None, float | None]] = {}
    for network in networks:
        per_site = 2 * network.multiplicities / len(network.fractions)
        for hop, number, width in zip(network.hops, per_site, network.windows, strict=True):
            known[hop.label] = round(float(number), 3), None if isnan(width) else round(float(width), 3)
    of_row = [known.get(row["label"], (None, None)) for row in rows]
    return [row | {"jumps_per_site": per, "window": width} for row, (per, width) in zip(rows, of_row, strict=True)]


def network_words(network: Network, in_part: bool = False) -> str:
    """Say what the hops of vacancies make, of an ion added to a crystal, or of ions whose sites are held in part."""
    extends = dimension(network.first, network.last, network.images, len(network.fractions))
    carrier = f"an ion of {network.ion}" if in_part else "a vacancy"
    who, where = ("an added ion", "empty") if network.of_added else (carrier, network.ion)
    hops = f"{len(network.hops)} distinct {'hop' if len(network.hops) == 1 else 'hops'}"
    sites = f"{len(network.fractions)} {where} sites"
    return f"{who} has {hops} between {sites} of the supercell: a {extends}-dimensional network"


def void_words(voids: Voids) -> list[str]:
    """Say where an added ion may stand in a crystal, a line for each kind of site, the likeliest first."""
    lines = []
    for number, kind in enumerate(voids.kinds):
        valence = "" if kind.valence is None else f", bond valence {kind.valence:.2f} of that of the ion's own sites"
        apart = [("nearest atom of the void", kind.radius), ("ion", kind.to_ion), ("other cation", kind.to_cation)]
        far = ", ".join(f"{what} {length:.2f} Å" for what, length in apart if isfinite(length))
        lines.append(f"empty site {kind.name}: {voids.kind.count(number)} in the supercell; {far}{valence}")
    return lines


def hop_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`hop_rows`."""
    of_slab = any(row["z"] is not None for row in rows)
    of_added = any(row["sites"] for row in rows)
    ways = any(row.get("jumps_per_site") for row in rows)
    height = (
        "z: middle of the jump against the topmost atom (Å), below it negative, as in the label; the depth of a study "
        "file is −z; "
    )
    caption = (
        "name or label choose a hop in a study file, and so do the numbers of its atoms, from 0 on, as from and to"
        f"{', of an added ion with its kind the coordinates of its sites' if of_added else ''}; "
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
        named = row["atoms"] or row["sites"] or (None, None)
        ends = [
            row[end] if name is None else f"{name}: {row[end]}" for name, end in zip(named, ("from", "to"), strict=True)
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
