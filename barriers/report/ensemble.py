"""The distribution of an ensemble as a table of its pairs."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from barriers.analysis.ensemble import DistributionDoc, EnsembleDoc
from barriers.report.numbers import energy, signed
from barriers.report.tables import write_rows


def ensemble_table(ensemble: EnsembleDoc, which: str) -> Table:
    """Lay out the differences of each hop and ordering, a column for each system, and their distribution below."""
    found = ensemble.distributions
    columns = headings(found)
    caption = f"Δ of the {which} barrier (eV) against {found[0].reference}"
    table = Table(header_style="bold", show_footer=True, caption=caption)
    table.add_column("Seed", justify="right")
    table.add_column("Hop", footer="mean\n± standard error\nspread\nhops that fall\np of the sign test")
    for name, distribution in columns.items():
        table.add_column(name, footer="\n".join(_summary(distribution)), justify="right")
    rows = sorted({(pair.seed, pair.of_hop) for distribution in found for pair in distribution.pairs})
    for seed, hop in rows:
        table.add_row(str(seed), hop, *(_cell(distribution, seed, hop) for distribution in found))
    return table


def headings(found: list[DistributionDoc]) -> dict[str, DistributionDoc]:
    """Name distributions by the system, and by what else tells them apart."""
    contents, models = ({getattr(one, name) for one in found} for name in ("lithium", "model"))
    return {
        "\n".join(
            [one.system, *([f"x = {one.lithium:g}"] if len(contents) > 1 else []), *([one.model] * (len(models) > 1))]
        ): one
        for one in found
    }


def write_pairs(ensemble: EnsembleDoc, path: Path) -> list[Path]:
    """Write one row for each pair as CSV (eV); nothing where there is none."""
    rows = [
        {
            "system": one.system,
            "reference": one.reference,
            "lithium": one.lithium,
            "model": one.model,
            "seed": pair.seed,
            "hop": pair.of_hop,
            "delta": pair.delta,
            "uncertainty": pair.uncertainty,
            "placements": "; ".join(f"{number}: {delta}" for number, delta in pair.placements.items()),
        }
        for one in ensemble.distributions
        for pair in one.pairs
    ]
    if rows:
        write_rows(rows, path)
    return [path] if rows else []


def _cell(distribution: DistributionDoc, seed: int, hop: str) -> str:
    pair = next((pair for pair in distribution.pairs if (pair.seed, pair.of_hop) == (seed, hop)), None)
    return signed(pair.delta if pair else None, pair.uncertainty if pair else None)


def _summary(one: DistributionDoc) -> list[str]:
    return [
        signed(one.mean, one.standard_error),
        energy(one.standard_error, one.standard_error),
        energy(one.spread, one.standard_error),
        f"{one.falls} of {len(one.pairs)}",
        "—" if one.p_value is None else f"{one.p_value:.2g}",
    ]
