"""The command that says whether a study's settings are fine enough."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barriers.cli.app import NOT_CONVERGED, Json, Results, StudyFile, Workers, app, emit, say_failures, watch
from barriers.cli.terminal import say, this_command

if TYPE_CHECKING:
    from jobflow import Flow

    from barriers.analysis.series import ConvergenceDoc
    from barriers.dispatch.local import LocalRun
    from barriers.dispatch.series import SeriesRun


@app.command()
def converge(
    study_file: StudyFile,
    over: Annotated[
        str,
        typer.Option(
            help="Settings with commas between them: layers, vacuum, size, images, fmax; alone, or with the values to "
            "try: layers=4,5,6,fmax=0.05,0.02.",
            metavar="SETTING,…",
        ),
    ],
    system: Annotated[str | None, typer.Option(help="System; else the reference.", metavar="NAME")] = None,
    hop: Annotated[
        str | None, typer.Option(help="Name of a hop of the study, or its label; else the first.", metavar="HOP")
    ] = None,
    results: Results = Path("results"),
    workers: Workers = 1,
    as_json: Json = False,
) -> None:
    """Say whether a study's settings are fine enough: one hop's barrier over each.

    Each value is the study with one setting changed. Where no values are given
    they follow from the study's: layers (one fewer to two more), vacuum (4 Å
    less to 8 Å more), size (its slab repeated, 1x1 to 2x2), images (one fewer
    to four more), fmax (halved twice).

    All slabs of a series have the same metals at the same places, and the hop
    stays at its own. A value is fine enough if its barrier, and those of all
    finer values, are within 10 meV of the finest one's.

    What is in the results folder is not computed again: the same command goes
    on where it stopped, and the study's own barrier is that of `barriers run`.
    """
    from barriers.cli.lattice import settled
    from barriers.dispatch.series import SeriesRun
    from barriers.report.series import note_asked, sentences, series_table, write_series
    from barriers.study.file import load_study
    from barriers.workflow.plan import check_engine
    from barriers.workflow.series import plan_series

    study = load_study(study_file)
    check_engine(study)
    folder = results / study.name
    plan = plan_series(settled(study, folder)[0], over, system, hop)
    note_asked(plan.asked, folder)

    def compute(flow: Flow) -> LocalRun:
        say(f"{flow.name}:", err=True)
        return watch(flow, folder, workers, study_file)

    running = SeriesRun(plan, compute)
    document = _followed(running)
    place = write_series(document, folder)[0].parent
    if as_json:
        extra = {"force_calls_this_run": running.total.force_calls, "results": str(place)}
        emit(document.model_dump() | extra)
    else:
        emit(series_table(document))
        for note in document.notes:
            say(f"! {note}")
        say("\n".join([*sentences(document), f"results in {place}"]))
    say_failures(running.total, folder)
    if running.missing:
        say(f"no barrier: {', '.join(running.missing)}; this continues it: {this_command()}", err=True)
        raise typer.Exit(NOT_CONVERGED)


def _followed(running: SeriesRun) -> ConvergenceDoc:
    """Compute all series, and tell of each value as it is there."""
    from barriers.analysis.series import ConvergenceDoc, series_document
    from barriers.dispatch.series import named
    from barriers.report.series import barrier_text
    from barriers.report.trust import in_short, model_lines

    plan = running.plan
    (hop,) = plan.own.hops
    document = ConvergenceDoc(
        name=plan.study.name,
        system=plan.system,
        hop=hop.name,
        label=hop.label,
        which=plan.study.comparison.barrier,
        notes=list(plan.own.slab.warnings),
    )
    for setting in plan.choices:
        points = []
        for point in running.points(setting):
            said = point.reason or f"{barrier_text(point)} eV"
            say(f"{named(setting, point.value)}: {said}", err=True)
            points.append(point)
        document.series.append(series_document(setting, points))
        document.notes += [f"{named(setting, one.value)}: no barrier, {one.reason}" for one in points if one.reason]
    barriers = list(running.barriers.values())
    document.models, document.model = model_lines(barriers), in_short(barriers)
    for name, barrier in running.barriers.items():
        document.notes += [f"{name}: {warning}" for warning in barrier.warnings]
    return document
