"""Commands for calculations that are run by hand."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from barriers.cli.app import NOT_CONVERGED, Json, Results, StudyFile, app, emit, working
from barriers.cli.terminal import say


@app.command()
def inputs(
    study_file: StudyFile,
    folder: Annotated[
        Path | None, typer.Option("--to", help="Where to write; else inputs-NAME.", metavar="DIR", show_default=False)
    ] = None,
    results: Results = Path("results"),
    code_version: Annotated[
        str | None,
        typer.Option(
            help="Version of Quantum ESPRESSO that will read them, e.g. 6.7: from 7.1 on, U stands in a card of "
            "its own. Else that of the code here, else 7.2.",
            metavar="VERSION",
            show_default=False,
        ),
    ] = None,
    embedded: Annotated[
        bool,
        typer.Option(
            "--embedded",
            help="Relax with the embedded engine what has no result yet; run what the study leaves to it, too.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Write the input files of everything that a study will run, and a job script each. Runs no code and needs none.

    Each calculation gets a folder: pw.x and neb.x inputs, or POSCAR, INCAR, KPOINTS and the list of POTCARs (00 … NN
    of a band), and job.sh for Slurm or any shell. What starts from results that are not there yet, such as relaxed
    end states, is written from unrelaxed structures (--embedded: from the embedded engine's), and job.sh says so.
    The first ones can run as they are. Their outputs are taken in by `barriers adopt STUDY DIR`; then this command
    again writes what comes next.
    """
    from barriers.by_hand.write import write_inputs
    from barriers.report.by_hand import inputs_lines, inputs_table
    from barriers.study.file import load_study

    study = load_study(study_file)
    target = folder or Path(f"inputs-{study.name}")
    with working("building the study") as shown:
        content = write_inputs(
            study, target, results / study.name, code_version, embedded, lambda name: shown.update(f"{name} …")
        )
    if as_json:
        emit(asdict(content) | {"folder": str(target)})
    else:
        emit(inputs_table(content))
        say("\n".join([*inputs_lines(content), f"files in {target}"]))


@app.command()
def adopt(
    study_file: StudyFile,
    source: Annotated[Path, typer.Argument(help="Folder that `barriers inputs` wrote, with outputs.", metavar="DIR")],
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Take outputs that were computed by hand, from what `barriers inputs` wrote, into the study's results.

    Bring each folder back whole, wavefunctions and charge densities aside. Results are kept under the keys that the
    study's own jobs would have, so `barriers run`, `inputs` and `report` go on from there. Refused, in one line each:
    other settings, another structure, a run that is not converged, or inputs that rested on stand-ins.
    Exit code 1 if any was refused.
    """
    from barriers.by_hand.adopt import adopt as take_in
    from barriers.report.by_hand import adopted_lines
    from barriers.study.file import load_study

    study = load_study(study_file)
    folder = results / study.name
    with working("reading outputs") as shown:
        done = take_in(study, source, folder, lambda name: shown.update(f"{name} …"))
    if as_json:
        emit(asdict(done) | {"results": str(folder)})
    else:
        say("\n".join([*adopted_lines(done), f"results in {folder}"]))
    for job, reason in done.refused.items():
        say(f"refused: {job}: {reason}", err=True)
    if done.refused:
        raise typer.Exit(NOT_CONVERGED)
