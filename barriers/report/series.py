"""Series of a barrier over settings: as a table, as JSON and CSV, and the files of a results folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich.table import Table

from barriers.analysis.series import ConvergenceDoc, PointDoc, SeriesAsked, SeriesDoc
from barriers.disk import writes_folder
from barriers.report.figures.series import draw_series
from barriers.report.numbers import MINUS, NONE, energy, written_uncertainty
from barriers.report.style import save_figure
from barriers.report.tables import write_rows

NAME = "converge"
"""Folder of the series in a study's results folder, and name of their files."""

ASKED = "asked.json"
"""File beside them."""


def series_table(document: ConvergenceDoc) -> Table:
    """Lay out the values of all series, a row each."""
    columns = (f"{document.which.capitalize()} (eV)", "From finest (meV)")
    caption = "\n".join(
        ["*: the study's own value; reached: from there on within 10 meV of the finest", *document.models]
    )
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    table.add_column("Setting", no_wrap=True)
    for heading in ("Value", "Atoms", *columns):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("10 meV", no_wrap=True)
    for series in document.series:
        for number, point in enumerate(series.points):
            unit = f" ({series.unit})" if series.unit else ""
            table.add_row("" if number else f"{series.setting}{unit}", *_cells(series, point))
        table.add_section()
    return table


def series_rows(document: ConvergenceDoc) -> list[dict[str, Any]]:
    """Write the values of all series as rows: barriers and differences in eV, None where there is none."""
    return [
        {"setting": series.setting, "unit": series.unit, **point.model_dump()}
        for series in document.series
        for point in series.points
    ]


def sentences(document: ConvergenceDoc) -> list[str]:
    """Say the result in words, all series below each other."""
    return [line for series in document.series for line in series.sentences]


def read_asked(folder: Path) -> list[SeriesAsked]:
    """Read which series have ever been asked for in a study's results folder."""
    place = folder / NAME / ASKED
    return [SeriesAsked(**each) for each in json.loads(place.read_text("utf-8"))] if place.exists() else []


@writes_folder
def note_asked(asked: SeriesAsked, folder: Path) -> None:
    """Keep in a study's results folder that series were asked for: what they compute is not to be cleaned away."""
    before = read_asked(folder)
    if asked not in before:
        place = folder / NAME / ASKED
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps([each.model_dump() for each in [*before, asked]], indent=1), "utf-8")


@writes_folder
def write_series(document: ConvergenceDoc, folder: Path) -> list[Path]:
    """Write a study's series into its results folder.

    Parameters
    ----------
    document : ConvergenceDoc
        The series there are.
    folder : Path
        The study's results folder.

    Returns
    -------
    list[Path]
        What was written, in ``converge``: ``converge.json``, ``.csv`` and the figure (PNG, SVG, PDF).
    """
    place = folder / NAME
    place.mkdir(parents=True, exist_ok=True)
    whole, table = place / f"{NAME}.json", place / f"{NAME}.csv"
    whole.write_text(document.model_dump_json(indent=1), "utf-8")
    write_rows(series_rows(document), table)
    return [whole, table, *save_figure(draw_series(document), place / NAME)]


def _cells(series: SeriesDoc, point: PointDoc) -> list[str]:
    said = "none" if point.reason else "reached" if point.value == series.reached else ""
    apart = point.from_finest
    return [
        f"{point.value}{'*' if point.own else ''}",
        NONE if point.atoms is None else str(point.atoms),
        barrier_text(point),
        "finest" if point.value == series.finest else NONE if apart is None else _milli(apart),
        said,
    ]


def _milli(energy: float) -> str:
    return f"{energy * 1000:+z.0f}".replace("-", MINUS)


def barrier_text(point: PointDoc) -> str:
    """Write the barrier of a value with its uncertainty: ``0.512 ± 0.004``."""
    doubt = written_uncertainty(point.uncertainty)
    shown = energy(point.barrier, point.uncertainty)
    return shown if point.barrier is None or doubt is None else f"{shown} ± {doubt}"
