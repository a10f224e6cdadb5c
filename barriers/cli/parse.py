"""The command on bands that others made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barriers.cli.app import NOT_CONVERGED, Json, Results, app, emit, show_study
from barriers.cli.terminal import say

if TYPE_CHECKING:
    from barriers.documents import StudyDoc

Endpoints = Annotated[
    tuple[str, str] | None,
    typer.Option(help="Energies of the endpoints: for each a folder or file, or a number (eV).", metavar="A B"),
]


@app.command()
def parse(
    places: Annotated[
        list[Path] | None,
        typer.Argument(help="NEB folder, or its file; several are compared, or joined.", metavar="DIR…"),
    ] = None,
    endpoints: Endpoints = None,
    band: Annotated[str | None, typer.Option(help="Which band, where a folder holds several.", metavar="NAME")] = None,
    fmax: Annotated[
        float | None,
        typer.Option(help="Largest force across the path (eV/Å) that is accepted, whatever its code says.", min=0.0),
    ] = None,
    names: Annotated[
        str | None, typer.Option(help="Names of several bands, with commas: they are compared.", metavar="A,B,…")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the results folder.", metavar="NAME")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only show what was checked, and what was seen.")] = False,
    codes: Annotated[bool, typer.Option("--codes", help="List the codes whose bands are read, and from what.")] = False,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Read the barrier off a NEB folder that anyone made: checks, profile and plot. Computes nothing.

    Several folders are compared (`--names bare,coated`). Without names, bands that end where the next begins are
    segments of one path.
    """
    from barriers.parsing import READERS, parse_folders
    from barriers.report.parsed import checks_json, checks_table, codes_json, codes_table

    if codes:
        emit(codes_json(READERS) if as_json else codes_table(READERS))
        return
    if not places:
        raise ValueError("no folder given; allowed: NEB folders or files, or --codes")
    named = None if names is None else [text.strip() for text in names.split(",")]
    for option, texts in (("--names", named or []), ("--name", [] if name is None else [name])):
        if any("/" in text or text in {".", ".."} for text in texts):
            raise ValueError(f"{option}: {','.join(texts)}; allowed: names without /, which become those of folders")
    document = parse_folders(places, named, endpoints, band, fmax)
    if check:
        emit(checks_json(document) if as_json else checks_table(document))
    else:
        _write(document, results, name, as_json)
    if not all(barrier.converged for barrier in document.barriers):
        raise typer.Exit(NOT_CONVERGED)


def _write(document: StudyDoc, results: Path, name: str | None, as_json: bool) -> None:
    """Write and show results, as far as there is a barrier."""
    from barriers.report.folder import write_results
    from barriers.report.html.page import write_report
    from barriers.report.parsed import files_lines, parsed_json, place_for
    from barriers.report.tables import study_notes

    target = None
    if any(barrier.converged for barrier in document.barriers):
        target = place_for(document, results, name)
        write_results(document, target)
        if len(document.barriers) > 1:
            write_report(document, target)
    if as_json:
        emit(parsed_json(document) | {"results": target and str(target)})
    elif target is None:
        say("\n".join([*study_notes(document), *files_lines(document)]))
    else:
        show_study(document, target)
        say("\n".join(files_lines(document)))
