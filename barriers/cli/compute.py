"""Commands that compute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barriers.cli.app import (
    Json,
    Results,
    StudyFile,
    Workers,
    app,
    emit,
    exit_incomplete,
    fail,
    say_failures,
    show_study,
    watch,
    working,
)

if TYPE_CHECKING:
    from barriers.documents import StudyDoc


@app.command()
def run(
    study_file: StudyFile,
    results: Results = Path("results"),
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Run a study here, or go on where an earlier run stopped.

    Jobs whose result is in the results folder are not run again; a killed band continues from its last iteration.
    """
    from barriers.cli.lattice import settled
    from barriers.cli.matrix_runs import run_matrices
    from barriers.engines import build_engine
    from barriers.report.folder import write_results
    from barriers.report.tables import study_json
    from barriers.study.file import load_form
    from barriers.study.forms import MatrixStudy
    from barriers.workflow.plan import check_engine
    from barriers.workflow.study import StudyMaker

    study = load_form(study_file)
    if isinstance(study, MatrixStudy):
        run_matrices(study, results / study.name, workers, study_file, as_json)
        return
    check_engine(study)
    folder = results / study.name
    study, lattice = settled(study, folder)
    with working("building slab, hops and placements"):
        flow = StudyMaker(lattice=lattice).make(study)
    outcome = watch(flow, folder, workers, study_file, build_engine(study.engine))
    document: StudyDoc | None = outcome.output
    if document is None:
        fail(outcome, folder)
        return
    write_results(document, folder)
    if as_json:
        emit(study_json(document) | {"force_calls_this_run": outcome.force_calls, "results": str(folder)})
    else:
        show_study(document, folder)
    say_failures(outcome, folder)
    exit_incomplete(document)


@app.command()
def neb(
    initial: Annotated[Path, typer.Argument(help="Structure file of the initial state, in any format ASE reads.")],
    final: Annotated[Path, typer.Argument(help="Structure file of the final state.")],
    images: Annotated[
        int | None, typer.Option(help="Intermediate images; 4 if left out, as in a study.", min=1, max=50)
    ] = None,
    model: Annotated[str, typer.Option(help="Model (`barriers models`) or ASE calculator as module:Class.")] = "chgnet",
    weights: Annotated[str | None, typer.Option(help="File with the model's weights.", metavar="FILE")] = None,
    fmax: Annotated[
        float | None,
        typer.Option(
            help="Largest force at the end (eV/Å), of endpoints and band; as in a study if left out: 0.03 and 0.05.",
            min=1e-4,
            max=0.5,
        ),
    ] = None,
    max_steps: Annotated[
        int | None,
        typer.Option(
            help="Most iterations in this run, of endpoints and band, the next run continues; as in a study if left "
            "out: 500 and 300.",
            min=1,
            max=100_000,
        ),
    ] = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Find the barrier between two structures: relax both ends, then climbing-image NEB.

    The final state's atoms are put into the initial state's order where that is unambiguous. Frozen atoms come from
    the files. Frozen or not, the cell stays fixed.
    """
    from barriers.report.folder import write_results
    from barriers.report.tables import barrier_json, gap_json
    from barriers.workflow.pair import single_barrier

    job = single_barrier(initial, final, images, model, weights, fmax, max_steps)
    folder = results / job.name
    outcome = watch(job.flow, folder, engine=job.engine)
    document: StudyDoc | None = outcome.output
    if document is None:
        fail(outcome, folder)
        return
    (said,) = [*map(barrier_json, document.barriers), *map(gap_json, document.gaps)]
    write_results(document, folder)
    if as_json:
        extra = {"force_calls_this_run": outcome.force_calls, "results": str(folder)}
        emit(said | {"warnings": [*document.notes, *said["warnings"]]} | extra)
    else:
        show_study(document, folder)
    say_failures(outcome, folder)
    exit_incomplete(document)
