"""Commands that send a study to a queue through FireWorks, and bring it home."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barriers.cli.app import (
    NOT_CONVERGED,
    Config,
    Json,
    Results,
    StudyFile,
    agree,
    app,
    emit,
    exit_incomplete,
    show_study,
    working,
)
from barriers.cli.terminal import say

if TYPE_CHECKING:
    from jobflow import Flow

    from barriers.dispatch.fireworks.submit import Submitted


def name_of(place: Path) -> str:
    """Name of the study in a file, or of the screen whose results folder is given."""
    from barriers.study.file import load_form

    return place.resolve().name if (place / "screen.json").is_file() else load_form(place).name


@app.command()
def submit(
    study_file: StudyFile,
    config: Config = None,
    results: Results = Path("results"),
    yes: Annotated[bool, typer.Option("--yes", help="Withdraw what this study does not hold, without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Add a study to the LaunchPad; one that is there already is not added again.

    Computes nothing but the lattice of a study that relaxes it (cathode.relax): here, in minutes, before slab and hops.

    After an edit only what the edit touches is added, and jobs that it replaces are withdrawn if you say so: they may
    be those of another study of that name. `barriers launch` then sends the jobs to the queue.
    """
    from barriers.cli.lattice import settled
    from barriers.dispatch.fireworks.config import find_cluster
    from barriers.dispatch.fireworks.submit import WithdrawalError
    from barriers.dispatch.fireworks.submit import submit as submit_parts
    from barriers.dispatch.marker import write_marker
    from barriers.report.dispatch import submitted_lines
    from barriers.study.file import load_form
    from barriers.study.forms import MatrixStudy
    from barriers.workflow.matrix_runs import MatrixMaker
    from barriers.workflow.study import StudyMaker

    study, cluster = load_form(study_file), find_cluster(config)
    parts: Callable[[], Iterable[Flow]]
    if isinstance(study, MatrixStudy):
        parts = partial(MatrixMaker().parts, study)
    else:
        study, _ = settled(study, results / study.name)
        with working("building the study"):
            about = StudyMaker().about(study)
        for line in about.notes:
            say(f"! {line}", err=True)
        parts = partial(StudyMaker().parts, study, about=about)

    def add(withdraw: bool) -> Submitted:
        with working("adding jobs"):
            return submit_parts(parts(), study.name, cluster, withdraw)

    try:
        done = add(yes)
    except WithdrawalError as error:
        agree(str(error))
        done = add(True)
    write_marker(results / study.name, cluster.folder)
    emit(asdict(done)) if as_json else say("\n".join(submitted_lines(done, study_file)))


@app.command()
def launch(
    study_file: StudyFile,
    config: Config = None,
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.5, max=3600)] = 30.0,
    as_json: Json = False,
) -> None:
    """Keep a submitted study going from this machine until nothing of it is under way.

    What is cheap (building, reading off) runs here, calculations go to the queue, as many at a time as resources.yaml
    allows. Jobs that got lost (walltime, node failure) are put back and continue; failed ones wait for `barriers
    recover`. Stop it and start it as you like: the queue goes on alone with what it has.
    """
    from barriers.dispatch.fireworks.config import find_cluster
    from barriers.dispatch.fireworks.launch import launch as keep_going
    from barriers.report.dispatch import RoundView

    cluster = find_cluster(config)
    view = RoundView()
    last = keep_going(cluster, cluster.scope(name_of(study_file)), every, view, view.trouble)
    if as_json:
        emit(last.states)
    else:
        how = (
            "the screen's own command goes on"
            if study_file.is_dir()
            else f"`barriers collect {study_file}` writes results"
        )
        say(f"nothing under way; {how}")
    if failed := last.states.get("FIZZLED"):
        say(f"{failed} jobs failed; `barriers status {study_file}` says why", err=True)
        raise typer.Exit(NOT_CONVERGED)


@app.command()
def status(
    study_file: StudyFile,
    config: Config = None,
    results: Results = Path("results"),
    watch: Annotated[bool, typer.Option("--watch", help="Show it live until nothing is under way.")] = False,
    as_json: Json = False,
) -> None:
    """Show where a study stands, run here or submitted: each system and hop, how far its job is, and last words.

    Looks at the LaunchPad with --config, or if the study was submitted after it last ran here.
    """
    from barriers.cli.live import show_live
    from barriers.dispatch.source import status_source
    from barriers.report.status import status_json, status_view

    name = name_of(study_file)
    read = status_source(results / name, config)
    if watch:
        show_live(name, read)
    else:
        jobs = read()
        emit(status_json(name, jobs) if as_json else status_view(name, jobs))


@app.command()
def recover(
    study_file: StudyFile,
    config: Config = None,
    into: Annotated[
        Path | None,
        typer.Option(help="Folder for the jobs, where the disk of theirs is full or gone.", metavar="DIR"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put back a submitted study's jobs that were lost, have failed or have not converged.

    Each continues from its checkpoint. What is alive is left alone. `barriers launch` then goes on.
    """
    from barriers.dispatch.fireworks.config import find_cluster
    from barriers.dispatch.fireworks.recover import recover as put_right
    from barriers.report.dispatch import recovered_table

    cluster = find_cluster(config)
    scope = cluster.scope(name_of(study_file))
    with working("looking at jobs and queue"):
        jobs = put_right(cluster, scope, into and into.expanduser().absolute())
    if as_json:
        emit([asdict(job) for job in jobs])
    elif jobs:
        emit(recovered_table(jobs))
        say(f"next: `barriers launch {study_file}`, or FireWorks' own qlaunch")
    else:
        say("nothing to recover")


@app.command(name="list")
def list_studies(config: Config = None, as_json: Json = False) -> None:
    """List the studies on the LaunchPad: whose, since when, and how far."""
    from barriers.dispatch.fireworks.config import find_cluster
    from barriers.dispatch.fireworks.listing import studies
    from barriers.report.dispatch import studies_table

    found = studies(find_cluster(config).launchpad())
    emit([asdict(study) for study in found] if as_json else studies_table(found))


@app.command()
def collect(
    study_file: StudyFile, config: Config = None, results: Results = Path("results"), as_json: Json = False
) -> None:
    """Write the results of a submitted study, as far as they are there, as `barriers run` would."""
    from barriers.cli.lattice import settled
    from barriers.cli.matrix_runs import finish_matrices
    from barriers.dispatch.fireworks.collect import collect as bring_home
    from barriers.dispatch.fireworks.collect import collect_matrices
    from barriers.dispatch.fireworks.config import find_cluster
    from barriers.report.folder import write_results
    from barriers.report.tables import study_json
    from barriers.study.file import load_form
    from barriers.study.forms import MatrixStudy
    from barriers.study.kept import keep_study

    study = load_form(study_file)
    folder = results / study.name
    if isinstance(study, MatrixStudy):
        finish_matrices(collect_matrices(study, find_cluster(config)), folder, as_json)
        return
    study, lattice = settled(study, folder)
    with working("reading barriers off the bands"):
        document = bring_home(study, find_cluster(config), lattice)
        write_results(document, folder)
    keep_study(study_file, folder)
    if as_json:
        emit(study_json(document) | {"results": str(folder)})
    else:
        show_study(document, folder)
    exit_incomplete(document, f"barriers status {study_file}")
