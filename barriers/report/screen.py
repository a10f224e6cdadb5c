"""A screen of many crystals: as a table, as CSV and JSON, as a page that follows it, and in words."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.table import Table

from barriers.analysis.screen import FEWEST, Percolating, ScreenDoc, ScreenRow
from barriers.disk import writes_folder
from barriers.report.figures.screen import draw_screen
from barriers.report.forecast import in_words
from barriers.report.numbers import NONE, energy, written_uncertainty
from barriers.report.style import save_figure
from barriers.report.tables import write_rows

NAME = "screen"
"""Name of the files."""

ESTIMATED = 0.1
"""An estimate is written with the digits that this uncertainty (eV) leaves, one more for its order."""

DIMENSIONS = ("one", "two", "three")


def screen_table(document: ScreenDoc) -> Table:
    """Lay out the structures that were screened, a row each."""
    caption = (
        f"eV, the lowest barrier over which {document.ion} gets through in 1, 2, 3 dimensions; ±: of the bands alone; "
        f"estimate: of single evaluations, in 1-D, no barrier; {document.model}"
    )
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    table.add_column("Structure", no_wrap=True)
    for heading in ("Dim", "Hops", "Estimate", "1-D", "±", "2-D", "3-D", "D 300 K"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("State")
    for row in document.rows:
        table.add_row(row.name, *cells(row))
    return table


def cells(row: ScreenRow) -> list[str]:
    """Write the numbers of a row for people, and how far it got."""
    sure = row.uncertainty
    heights = [energy(getattr(row.barrier, each), sure) for each in DIMENSIONS]
    return [
        NONE if row.dimension is None else str(row.dimension),
        NONE if row.hops is None else str(row.hops),
        energy(row.estimate.one, ESTIMATED / 10),
        heights[0],
        written_uncertainty(sure) or NONE,
        *heights[1:],
        NONE if row.diffusion is None else f"{row.diffusion:.1e}",
        state_of(row),
    ]


def state_of(row: ScreenRow) -> str:
    """Say how far a structure got, and why no further."""
    if row.reason is None:
        return row.state
    return row.reason if row.state in row.reason else f"{row.state}: {row.reason}"


def screen_rows(document: ScreenDoc) -> list[dict[str, Any]]:
    """Write the structures as rows of a file: energies in eV, D in cm²/s, times in s, None where there is nothing."""

    def flat(row: ScreenRow) -> dict[str, Any]:
        plain = row.model_dump(exclude={"estimate", "barrier", "notes"})
        plain |= _named("estimate", row.estimate) | _named("barrier", row.barrier)
        return plain | {"notes": "; ".join(row.notes)}

    return [flat(row) for row in document.rows]


def _named(what: str, found: Percolating) -> dict[str, float | None]:
    return {f"{what}_{number}d": getattr(found, each) for number, each in enumerate(DIMENSIONS, 1)}


def said_of(row: ScreenRow) -> str:
    """Say in a line what came out of a structure."""
    if row.state == "barrier":
        return f"barrier {energy(row.barrier.one, row.uncertainty)} eV, {row.band_calls} evaluations"
    if row.state == "estimated" and row.estimate.one is not None:
        return f"estimate {energy(row.estimate.one, ESTIMATED / 10)} eV, {row.calls} evaluations"
    return state_of(row)


def sentences(document: ScreenDoc) -> list[str]:
    """Say in words what was looked at, and how good the order of the estimates was."""
    states = [row.state for row in document.rows]
    counted = [f"{states.count(state)} {state}" for state in dict.fromkeys(states)]
    lines = [f"{len(document.rows)} structures: {', '.join(counted)}"]
    if document.left:
        lines.append(f"{document.left} are not looked at yet")
    if document.correlation is not None:
        lines.append(
            f"estimates and barriers of {document.compared} structures: rank correlation {document.correlation:+.2f} "
            "(Spearman; 1: the same order, 0: none)"
        )
    elif document.best:
        lines.append(
            f"how good the order of the estimates is, is not known: {document.compared} structures have both an "
            f"estimate and a barrier, {FEWEST} that differ are needed"
        )
    return lines


@writes_folder
def write_tables(document: ScreenDoc, folder: Path) -> list[Path]:
    """Write ``screen.json``, ``screen.csv`` and the page of a screen, as far as it is."""
    whole, table = folder / f"{NAME}.json", folder / f"{NAME}.csv"
    _replace(whole, document.model_dump_json(indent=1))
    if document.rows:
        write_rows(screen_rows(document), table)
    return [whole, table, write_page(document, folder)]


@writes_folder
def write_screen(document: ScreenDoc, folder: Path) -> list[Path]:
    """Write all files of a screen: tables, figure (PNG, SVG, PDF) and page, which then asks for no news."""
    drawn = save_figure(draw_screen(document), folder / NAME) if _is_drawn(document) else []
    paths = write_tables(document, folder)
    return [*paths[:2], *drawn, write_page(document, folder, is_over=True)]


def write_page(document: ScreenDoc, folder: Path, left: float | None = None, is_over: bool = False) -> Path:
    """Write the page of a screen, which holds all it shows; as long as the screen is not over, it renews itself."""
    environment = Environment(
        loader=PackageLoader("barriers.report", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawing = folder / f"{NAME}.svg"
    total = len(document.rows) + document.left
    text = environment.get_template("screen.html.j2").render(
        screen=document,
        rows=[(row, cells(row), (folder / row.name / "study.json").exists()) for row in document.rows],
        sentences=sentences(document),
        done=len(document.rows),
        total=total,
        left=in_words(left) if left else "",
        is_over=is_over,
        figure=Markup(_inner_svg(drawing)) if is_over and _is_drawn(document) and drawing.exists() else "",
        style=Markup((files("barriers.report.html") / "page.css").read_text("utf-8")),
    )
    path = folder / f"{NAME}.html"
    _replace(path, text)
    return path


def _is_drawn(document: ScreenDoc) -> bool:
    return any(row.estimate.one is not None for row in document.rows)


def _inner_svg(path: Path) -> str:
    """Give a drawing as a part of a page, without what only a file of its own has."""
    text = path.read_text("utf-8")
    return text[text.index("<svg") :]


def _replace(path: Path, text: str) -> None:
    """Write a file in one step: who looks sees the old one or the new one."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, "utf-8")
    partial.replace(path)
