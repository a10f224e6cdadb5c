"""The command that writes results for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barriers.cli.app import Json, ResultsFolder, app, emit
from barriers.cli.terminal import say


@app.command()
def export(
    folder: ResultsFolder,
    to: Annotated[
        Path | None, typer.Option("--to", help="Where to write; else export-NAME.", metavar="DIR", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the results for other programs, for a manuscript and for a data repository.

    Profiles as CSV; initial state, saddle and final state as CIF and POSCAR; bands as extended XYZ; tables as CSV,
    LaTeX (siunitx) and Markdown; figures; a methods paragraph with BibTeX; and an archive of all that with the study
    file and checksums.
    """
    from barriers.report.folder import read_results
    from barriers.report.handover import write_export

    study = read_results(folder)
    target = to or Path(f"export-{study.name}")
    written = write_export(study, folder if folder.is_dir() else folder.parent, target)
    if as_json:
        emit([str(path) for path in written])
    else:
        say(f"{len(written)} files in {target}, all of them in {written[-1]}")
