"""The command that screens a folder of crystals."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barriers.cli.app import NOT_CONVERGED, Config, Json, Results, Workers, agree, app, emit, state, watch, working
from barriers.cli.terminal import say, this_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jobflow import Flow

    from barriers.analysis.screen import ScreenDoc, ScreenRow
    from barriers.dispatch.local import LocalRun
    from barriers.dispatch.screen import ScreenRun
    from barriers.documents import StudyDoc
    from barriers.study.forms import CrystalStudy
    from barriers.workflow.screen import Screen

RENEWED = 10.0
"""Least time between two writings of the page and the tables (s): what they cost grows with the rows."""


@app.command()
def screen(
    folder: Annotated[Path, typer.Argument(help="Folder of structure files (CIF, POSCAR …).", metavar="DIR")],
    ion: Annotated[str, typer.Option(help="Element that moves.", metavar="ELEMENT")] = "Li",
    best: Annotated[
        int, typer.Option(help="Structures that get bands, those with the lowest estimates; 0: none.", min=0)
    ] = 10,
    settings: Annotated[
        Path | None,
        typer.Option(help="YAML file with engine, relax, path, neb … as in the study of a crystal.", metavar="FILE"),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Model (`barriers models`) or ASE calculator as module:Class; chgnet if left out."),
    ] = None,
    weights: Annotated[str | None, typer.Option(help="File with the model's weights.", metavar="FILE")] = None,
    results: Results = Path("results"),
    workers: Workers = 1,
    send: Annotated[
        bool,
        typer.Option(
            "--submit",
            help="Through FireWorks: bring home what is there, and add the jobs that come next. `barriers launch` with "
            "the results folder sends them.",
        ),
    ] = False,
    config: Config = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --submit: withdraw what this screen does not hold, without asking.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Rank a folder of crystals by the barrier over which an ion gets through, then compute those of the best.

    Each structure is a study of a crystal: every distinct hop of a vacancy. The first pass evaluates the model once
    on each interpolated image, which gives an estimate and no barrier. The structures with the lowest estimates then
    are relaxed and get converged bands, percolating barriers and D at 300 K.

    A file that cannot be used is a row with the reason. What is done is not done again: the same command goes on.
    """
    from barriers.dispatch.lock import only_run
    from barriers.dispatch.screen import ScreenRun
    from barriers.report.screen import write_screen, write_tables
    from barriers.workflow.screen import read_screen

    engine = {key: value for key, value in (("model", model), ("weights", weights)) if value is not None}
    screened = read_screen(folder, ion, settings, **engine)
    place = results / screened.name

    def estimate(flow: Flow) -> LocalRun:
        from barriers.dispatch.local import run as run_flow

        return run_flow(flow, place / "estimates")

    if send:
        document, calls = _sent(screened, place, best, config, yes), 0
        _show(document, place, calls, as_json)
        return
    with only_run(place):
        running = ScreenRun(screened, place, estimate, lambda study, own: _study(study, own, workers))
        try:
            _follow(running, best)
        except BaseException:  # stopped, too: what is there is written
            write_tables(running.document(best), place)
            raise
        document = running.document(best)
        write_screen(document, place)
    _show(document, place, running.force_calls, as_json)


def _show(document: ScreenDoc, place: Path, force_calls: int, as_json: bool) -> None:
    """Print what came out, and exit with 1 if something of it failed or has not converged."""
    from barriers.report.screen import screen_table, sentences

    if as_json:
        emit(document.model_dump() | {"force_calls_this_run": force_calls, "results": str(place)})
    else:
        emit(screen_table(document))
        say("\n".join([*sentences(document), f"results in {place}, the page is screen.html"]))
    unfinished = [row.name for row in document.rows if row.state in ("failed", "not converged")]
    if unfinished:
        say(f"not there: {', '.join(unfinished)}; this continues it: {this_command()}", err=True)
        raise typer.Exit(NOT_CONVERGED)


def _sent(screened: Screen, place: Path, best: int, config: Path | None, yes: bool) -> ScreenDoc:
    """Add the jobs of a screen to the LaunchPad that come next, and write what is there."""
    from barriers.cli.lattice import settled
    from barriers.dispatch.fireworks.config import find_cluster
    from barriers.dispatch.fireworks.screen import DispatchedScreen
    from barriers.dispatch.fireworks.submit import Submitted, WithdrawalError, submit
    from barriers.dispatch.marker import write_marker
    from barriers.report.dispatch import submitted_lines
    from barriers.report.folder import write_results
    from barriers.report.screen import write_screen

    cluster = find_cluster(config)
    sent = DispatchedScreen(screened, place, cluster, settled, write_results)

    def add(withdraw: bool) -> Submitted:
        with working("looking for results and adding jobs") as shown:
            parts = sent.parts(best, lambda name: shown.update(f"looking at {name} …"))
            return submit(parts, screened.name, cluster, withdraw)

    try:
        done = add(yes)
    except WithdrawalError as error:
        agree(str(error))
        sent = DispatchedScreen(screened, place, cluster, settled, write_results)
        done = add(True)
    write_marker(place, cluster.folder)
    document = sent.run.document(best)
    write_screen(document, place)
    if any(row.state == "waiting" for row in document.rows):
        say("\n".join(submitted_lines(done, place)), err=True)
        say(f"then {this_command()} again", err=True)
    return document


def _follow(running: ScreenRun, best: int) -> None:
    """Screen all structures, tell of each as it is there, and renew tables and page from time to time."""
    _told(running, running.estimates(), len(running.screen.files), best, "estimates")
    number = min(best, sum(row.estimate.one is not None for row in running.rows.values()))
    _told(running, running.barriers(best), number, best, "barriers")


def _told(running: ScreenRun, rows: Iterator[tuple[ScreenRow, bool]], total: int, best: int, what: str) -> None:
    from barriers.report.forecast import in_words
    from barriers.report.screen import said_of, write_tables

    started, computed, renewed = time.monotonic(), 0, 0.0
    for number, (row, is_new) in enumerate(rows, 1):
        computed += is_new
        spent = time.monotonic() - started
        left = spent / computed * (total - number) if computed else 0.0
        when = f"; {in_words(left)} left" if left >= 1 else ""
        if not state["quiet"]:
            before = "" if is_new else " (done before)"
            say(f"{what} [{number}/{total}] {row.name}: {said_of(row)}{before}{when}", err=True)
        if time.monotonic() - renewed > RENEWED:
            renewed = time.monotonic()
            write_tables(running.document(best), running.folder)


def _study(study: CrystalStudy, folder: Path, workers: int) -> LocalRun:
    """Run the study of one structure, with its progress on the terminal, and write its results."""
    from barriers.cli.lattice import settled
    from barriers.dispatch.local import LocalRun
    from barriers.engines import build_engine
    from barriers.report.folder import write_results
    from barriers.workflow.study import StudyMaker

    try:
        settled_study, lattice = settled(study, folder)
        flow = StudyMaker(lattice=lattice).make(settled_study)
    except (ValueError, RuntimeError) as error:  # one structure is not the screen
        return LocalRun(failures={"lattice": str(error)})
    outcome = watch(flow, folder, workers, folder / "study.yaml", build_engine(study.engine))
    document: StudyDoc | None = outcome.output
    if document is not None:
        write_results(document, folder)
    return outcome
