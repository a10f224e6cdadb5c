"""What all commands share: the app, their common options, and how they print and exit."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barriers.cli.terminal import say, this_command
from barriers.distribution import versions

if TYPE_CHECKING:
    from jobflow import Flow
    from rich.status import Status

    from barriers.dispatch.local import LocalRun
    from barriers.documents import StudyDoc
    from barriers.engines.protocol import Engine

NOT_CONVERGED, WRONG_INPUT, SIGNALLED = 1, 2, 128
"""Exit codes; the number of the signal that stopped the command comes on top of the last."""

app = typer.Typer(
    name="barriers",
    help="Li⁺ migration barriers at cathode surfaces, bare and with polymer fragments on them.\n\n"
    "Start with `barriers init`, look at the plan with `barriers check STUDY`, then `barriers run STUDY`. "
    "Exit codes: 0 done, 1 not converged or failed calculation, 2 wrong input, 128 + number of the signal if stopped.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
StudyFile = Annotated[Path, typer.Argument(help="Study file (YAML); `barriers init` writes some.", metavar="STUDY")]
Results = Annotated[Path, typer.Option("--results", help="Folder that holds the results folders.", metavar="DIR")]
Workers = Annotated[int, typer.Option(help="Most jobs at once; they share the cores of this machine.", min=1, max=1024)]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Configuration folder; else $BARRIERS_CONFIG, else ~/.barriers. `barriers setup fireworks` writes it.",
        metavar="DIR",
        show_default=False,
    ),
]
ResultsFolder = Annotated[Path, typer.Argument(help="Results folder of a study.", metavar="RESULTS")]


state = {"debug": False, "quiet": False}


def _version(asked: bool) -> None:
    if asked:
        say(f"barriers {versions()['barriers']}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress: results and mistakes alone.")] = False,
    _: Annotated[bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)] = False,
) -> None:
    state.update(debug=debug, quiet=quiet)


def watch(
    flow: Flow, folder: Path, workers: int = 1, study_file: Path | None = None, engine: Engine | None = None
) -> LocalRun:
    """Run a flow in a results folder, with its progress on the terminal; what its structures lack is said first."""
    from barriers.dispatch.local import run as run_flow
    from barriers.report.progress import RunView
    from barriers.workflow.labels import most_atoms, notes_of

    for line in notes_of(flow):
        say(f"! {line}", err=True)
    atoms = most_atoms(flow)
    seconds = engine.seconds_per_call(atoms, 1) if engine is not None and atoms else 0.0
    with RunView(seconds, state["quiet"]) as view:
        return run_flow(flow, folder, view, workers, study_file=study_file)


def working(what: str) -> Status:
    """Show that something goes on, on a terminal; use as a context manager."""
    from rich.console import Console

    return Console(stderr=True, quiet=state["quiet"]).status(f"{what} …", spinner="line")


def emit(content: Any) -> None:
    """Print a table, or anything else as JSON."""
    from rich.console import Console, Group
    from rich.table import Table

    from barriers.report.fitting import fitted

    if isinstance(content, Table | Group):
        width = Console().width if sys.stdout.isatty() else None  # a file or a pipe has no width to fit into
        shown = fitted(content, width)
        wide = width or max(120, Console(width=1000).measure(shown).maximum)
        Console(highlight=False, width=wide).print(shown)
    else:
        in_full = (sys.stdout.encoding or "").lower().startswith("utf")  # else JSON's own escapes lose nothing
        say(json.dumps(content, indent=2, ensure_ascii=not in_full))


def agree(words: str) -> None:
    """Go on only if whoever sits at the terminal agrees; where nobody does, the words are those of an error."""
    if not sys.stdin.isatty():
        raise ValueError(words)
    typer.confirm(f"{words}\nGo on?", abort=True, err=True)


def show_study(study: StudyDoc, folder: Path) -> None:
    """Print a study's table, what the reader has to know, and its sentences."""
    from barriers.report.beside import beside_notes, beside_tables
    from barriers.report.ensemble import ensemble_table
    from barriers.report.lattice import crystal_line, lattice_lines
    from barriers.report.network import network_sentence
    from barriers.report.tables import study_notes, study_table

    emit(study_table(study))
    if study.ensemble and study.ensemble.distributions:
        emit(ensemble_table(study.ensemble, study.which))
    for table in beside_tables(study):
        emit(table)
    for note in [*study_notes(study), *beside_notes(study)]:
        say(f"! {note}")
    for system, bonds in {barrier.system: barrier.bonds for barrier in study.barriers if barrier.bonds}.items():
        say(f"{system}: bonds between fragment and surface at the start of the hop: {', '.join(bonds)}")
    if study.crystal is not None:
        say(crystal_line(study.crystal))
    if study.network is not None:
        say(network_sentence(study.network))
    if study.lattice is not None:
        say("\n".join(lattice_lines(study.lattice)))
    if len(study.rows) > 1:
        say("\n".join(study.sentences))
    say(f"results in {folder}")


def exit_incomplete(study: StudyDoc, mend: str = "") -> None:
    """Exit with 1 if a barrier is missing, and say how to go on: with ``mend``, or else the same command again."""
    missing = len(study.gaps)
    unconverged = [barrier for barrier in study.barriers if not barrier.converged]
    if missing or unconverged:
        counted = [f"{missing} of {len(study.rows)} barriers not there"] if missing else []
        what = ", ".join(counted + ["not converged"] * bool(unconverged))
        settled = not missing and all(barrier.points for barrier in unconverged)  # a correction has all of its points
        again = "the reason says how to go on" if settled else f"this continues it: {this_command()}"
        how = f"`{mend}` says why" if mend else again
        say(f"{what}; {how}", err=True)
        raise typer.Exit(NOT_CONVERGED)


def fail(outcome: LocalRun, folder: Path) -> None:
    """Name the jobs that failed, and exit with 1."""
    say_failures(outcome, folder)
    raise typer.Exit(NOT_CONVERGED)


def say_failures(outcome: LocalRun, folder: Path) -> None:
    """Name the jobs that failed, if any did."""
    for name, message in outcome.failures.items():
        say(f"failed: {name}: {message}", err=True)
    if outcome.failures:
        say(f"files and error.txt are in {folder / 'jobs'}; the same command goes on from there", err=True)
