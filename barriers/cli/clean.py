"""The command that removes what a study has left behind."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from barriers.cli.app import Config, Json, Results, StudyFile, agree, app, emit, working
from barriers.cli.terminal import say


@app.command()
def clean(
    study_file: StudyFile,
    config: Config = None,
    results: Results = Path("results"),
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what a study, run here or submitted, needs no more, after showing it; --json alone shows it only.

    Folders and results of earlier versions of the study, once all jobs of the present one have converged, and error
    files of jobs that have ended well since. Nothing that the same command would go on from, and nothing of a
    series that `barriers converge` was asked for.
    """
    from barriers.cli.lattice import settled
    from barriers.dispatch.leftovers import local_leftovers, remove
    from barriers.dispatch.lock import only_run
    from barriers.dispatch.source import cluster_of
    from barriers.report.leftovers import leftovers_lines, leftovers_table
    from barriers.report.series import read_asked
    from barriers.study.file import load_study
    from barriers.workflow.series import flows_of

    study = load_study(study_file)
    folder = (results / study.name).resolve()
    study, _ = settled(study, folder)
    cluster = cluster_of(folder, config)
    with only_run(folder):
        with working("looking at folders and results"):
            if cluster is not None:
                from barriers.dispatch.fireworks.clean import dispatched_leftovers, withdraw_ended

                left, store = dispatched_leftovers(study, cluster), cluster.store()
            else:
                series = [flow for asked in read_asked(folder) for flow in flows_of(study, asked)]
                left, store = local_leftovers(study, folder, series)
        if not as_json:
            if left.found:
                emit(leftovers_table(left))
            say("\n".join(leftovers_lines(left)))
            if left.found and not yes:
                agree(f"{study_file}: --yes removes them for good")
        if yes or not as_json:
            if cluster is not None:
                withdraw_ended(cluster.launchpad(), left.found)
            remove(left.found, store)
    if as_json:
        emit(asdict(left) | {"removed": yes})
