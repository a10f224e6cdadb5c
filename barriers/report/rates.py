"""What barriers mean for transport: jump rates, diffusion coefficients and their ratios, as a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from barriers.analysis.kinetics import arrhenius, ratio
from barriers.disk import writes_folder
from barriers.documents import BarrierDoc, StudyDoc
from barriers.files.structures import kind_of_hop
from barriers.report.figures import draw_arrhenius
from barriers.report.figures.labels import say_how_many
from barriers.report.numbers import NONE
from barriers.report.style import save_figure
from barriers.workflow.result_jobs import motion_of


def rate_rows(
    study: StudyDoc,
    temperatures: Sequence[float],
    attempt_frequency: float,
    directions: int,
    dimensions: Literal[1, 2, 3],
) -> list[dict[str, Any]]:
    """Tabulate rates over temperature, a row for each barrier and temperature.

    Parameters
    ----------
    study : StudyDoc
        The outcome of a study.
    temperatures : Sequence[float]
        In K.
    attempt_frequency : float
        The same for all systems (Hz).
    directions, dimensions : int
        Network of sites, as for :func:`barriers.analysis.kinetics.diffusivity`.

    Returns
    -------
    list[dict[str, Any]]
        ``system``, ``hop``, ``temperature`` (K), ``rate`` (1/s), ``diffusivity`` (cm²/s) and the ``jump_length`` (Å)
        in it, both None where several ions jump together, ``factor`` by which rate and diffusivity may be larger or
        smaller, and ``ratio`` to the reference with ``ratio_low`` and ``ratio_high``; None without a barrier, or where
        the two must not be compared.

    Raises
    ------
    ValueError
        If a number is out of its limits.
    """
    references = {row.hop: barrier for row, barrier in study.paired() if row.system == study.reference}
    rows = []
    for compared, barrier in study.paired():
        if barrier is None or barrier.forward is None or (spread := barrier.plus_minus()) is None:
            continue
        length = _jump_length(barrier)
        numbers = arrhenius(
            max(barrier.forward, 0.0),
            spread,
            temperatures,
            jump_length=length,
            directions=directions,
            dimensions=dimensions,
            attempt_frequency=attempt_frequency,
        )
        reference = None if compared.difference is None else references.get(compared.hop)
        for number in numbers:
            row = {"system": barrier.system, "hop": compared.hop, "temperature": number.temperature}
            row |= {"rate": number.rate, "diffusivity": number.diffusivity, "jump_length": length}
            row |= {"factor": number.factor}
            rows.append(row | _ratio(barrier, reference, number.temperature))
    return rows


def rate_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`rate_rows`."""
    caption = "rate in 1/s, D in cm²/s; both may be larger or smaller by the factor; ratio to the reference's rate"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    for heading in ("System", "Hop"):
        table.add_column(heading)
    for heading in ("T (K)", "Rate", "D", "Factor", "Ratio", "from", "to"):
        table.add_column(heading, justify="right")
    for row in rows:
        numbers = [row["rate"], row["diffusivity"]]
        ratios = [row[key] for key in ("ratio", "ratio_low", "ratio_high")]
        table.add_row(
            row["system"],
            row["hop"],
            f"{row['temperature']:g}",
            *(NONE if number is None else f"{number:.2e}" for number in numbers),
            f"{row['factor']:.3g}",
            *(NONE if number is None else f"{number:.3g}" for number in ratios),
        )
    return table


@writes_folder
def write_arrhenius(rows: Sequence[dict[str, Any]], study: StudyDoc, folder: Path) -> list[Path]:
    """Draw the rates of each hop over the inverse temperature (PNG, SVG and PDF).

    Parameters
    ----------
    rows : Sequence[dict[str, Any]]
        What :func:`rate_rows` gives of the study.
    study : StudyDoc
        The study; a figure says where systems of it have no rate.
    folder : Path
        Where the figures go.
    """
    written = []
    for hop in dict.fromkeys(row["hop"] for row in rows):
        of_hop = [row for row in rows if row["hop"] == hop]
        temperatures = list(dict.fromkeys(row["temperature"] for row in of_hop))
        systems = dict.fromkeys(row["system"] for row in of_hop)
        rates, factors = (
            {system: [row[key] for row in of_hop if row["system"] == system] for system in systems}
            for key in ("rate", "factor")
        )
        wanted = sum(compared.hop == hop for compared in study.rows)
        axes = say_how_many(draw_arrhenius(temperatures, rates, factors), len(rates), wanted)
        written += save_figure(axes, folder / kind_of_hop("arrhenius", hop))
    return written


def _jump_length(barrier: BarrierDoc) -> float | None:
    """Length of the jump (Å): the hop's, or the ion's where none is named. None where several ions jump together."""
    if not len(barrier.band.structure):
        return None  # a band of others whose files tell no atoms
    moved = motion_of(barrier.band, barrier.hop)
    if moved.with_it:
        return None
    return moved.ion_jump if barrier.hop is None else barrier.hop.distance


def _ratio(barrier: BarrierDoc, reference: BarrierDoc | None, temperature: float) -> dict[str, float | None]:
    if reference is None or reference.forward is None or barrier.forward is None:
        return {"ratio": None, "ratio_low": None, "ratio_high": None}
    barriers = (max(barrier.forward, 0.0), max(reference.forward, 0.0))
    same = barrier is reference
    uncertainties = (0.0, 0.0) if same else (barrier.plus_minus() or 0.0, reference.plus_minus() or 0.0)
    found = ratio(barriers, uncertainties, temperature)
    return {"ratio": found.value, "ratio_low": found.low, "ratio_high": found.high}
