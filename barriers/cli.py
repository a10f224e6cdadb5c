"""The command line: parse, call, print."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from jobflow import Flow

    from barriers.dispatch.local import LocalRun
    from barriers.documents import BarrierDoc, StudyDoc

NOT_CONVERGED, WRONG_INPUT, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="barriers",
    help="Li⁺ migration barriers at cathode surfaces, bare and with polymer fragments on them.\n\n"
    "Start with `barriers init`, look at the plan with `barriers check STUDY`, then `barriers run STUDY`. "
    "Exit codes: 0 done, 1 not converged or failed calculation, 2 wrong input.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
StudyFile = Annotated[Path, typer.Argument(help="Study file (YAML); `barriers init` writes some.", metavar="STUDY")]
Results = Annotated[Path, typer.Option("--results", help="Folder that holds the results folders.", metavar="DIR")]
ResultsFolder = Annotated[Path, typer.Argument(help="Results folder of a study.", metavar="RESULTS")]


_state = {"debug": False}


@app.callback()
def _options(debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False) -> None:
    _state["debug"] = debug


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.", metavar="DIR")] = Path(),
) -> None:
    """Write study files with every setting explained, and flows in Python, to start from."""
    from barriers.shipping import write_examples

    for path in write_examples(folder):
        typer.echo(path)


@app.command()
def check(study_file: StudyFile, as_json: Json = False) -> None:
    """Validate a study and print its plan: systems, atoms, hops, jobs, expected time. Computes nothing."""
    from barriers.plan import make_plan
    from barriers.report.plan import plan_table
    from barriers.study_file import load_study

    plan = make_plan(load_study(study_file))
    _print(plan.as_json() if as_json else plan_table(plan))


@app.command()
def build(
    study_file: StudyFile,
    folder: Annotated[Path | None, typer.Option("--out", help="Where to write the structures.", metavar="DIR")] = None,
    as_json: Json = False,
) -> None:
    """Write the structures of a study as built, before any relaxation: slab, placements, endpoints (POSCAR)."""
    from barriers.plan import built_structures, make_plan
    from barriers.structure_files import stem, write_structure
    from barriers.study_file import load_study

    study = load_study(study_file)
    target = folder or Path("results") / study.name / "built"
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, structure in built_structures(make_plan(study)).items():
        path = target / f"{stem(name)}.vasp"
        write_structure(structure, path)
        written.append({"file": str(path), "formula": structure.composition.formula, "atoms": len(structure)})
    if as_json:
        _print(written)
    else:
        typer.echo("\n".join(f"{item['file']}  {item['formula']}  {item['atoms']} atoms" for item in written))


@app.command()
def run(study_file: StudyFile, results: Results = Path("results"), as_json: Json = False) -> None:
    """Run a study here, or go on where an earlier run stopped.

    Jobs whose result is in the results folder are not run again; a killed band continues from its last iteration.
    """
    from barriers.engines import build_engine
    from barriers.makers import StudyMaker
    from barriers.report.folder import write_results
    from barriers.report.tables import study_json
    from barriers.study_file import load_study

    study = load_study(study_file)
    build_engine(study.engine).check()
    folder = results / study.name
    outcome = _watch(StudyMaker().make(study), folder)
    document: StudyDoc | None = outcome.output
    if document is None:
        _fail(outcome, folder)
        return
    write_results(document, folder)
    (folder / "study.yaml").write_text(study_file.read_text("utf-8"), "utf-8")
    if as_json:
        _print(study_json(document) | {"force_calls_this_run": outcome.force_calls, "results": str(folder)})
    else:
        _show(document, folder)
    _exit(document.barriers)


@app.command()
def neb(
    initial: Annotated[Path, typer.Argument(help="Structure file of the initial state, in any format ASE reads.")],
    final: Annotated[Path, typer.Argument(help="Structure file of the final state.")],
    images: Annotated[int, typer.Option(help="Intermediate images.", min=1, max=50)] = 5,
    model: Annotated[str, typer.Option(help="Model (`barriers models`) or ASE calculator as module:Class.")] = "chgnet",
    weights: Annotated[str | None, typer.Option(help="File with the model's weights.", metavar="FILE")] = None,
    fmax: Annotated[
        float, typer.Option(help="Largest force at the end, endpoints and band (eV/Å).", min=1e-4, max=0.5)
    ] = 0.03,
    max_steps: Annotated[
        int, typer.Option(help="Most iterations in this run; the next run continues.", min=1, max=100_000)
    ] = 500,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Find the barrier between two structures: relax both ends, then climbing-image NEB.

    The final state's atoms are put into the initial state's order where that is unambiguous. Frozen atoms come from
    the files. Frozen or not, the cell stays fixed.
    """
    from barriers.report.folder import write_results
    from barriers.report.tables import barrier_json
    from barriers.single import single_barrier

    job = single_barrier(initial, final, images, model, weights, fmax, max_steps)
    folder = results / job.name
    outcome = _watch(job.flow, folder)
    document: StudyDoc | None = outcome.output
    if document is None:
        _fail(outcome, folder)
        return
    barrier = document.barriers[0]
    barrier.warnings = [*job.warnings, *barrier.warnings]
    write_results(document, folder)
    if as_json:
        extra = {"force_calls_this_run": outcome.force_calls, "results": str(folder)}
        _print(barrier_json(barrier) | extra)
    else:
        _show(document, folder)
    _exit([barrier])


@app.command()
def show(folder: ResultsFolder, as_json: Json = False) -> None:
    """Print the barriers of a results folder."""
    from barriers.report.folder import read_results
    from barriers.report.tables import study_json

    document = read_results(folder)
    if as_json:
        _print(study_json(document))
    else:
        _show(document, folder)


@app.command()
def plot(folder: ResultsFolder, as_json: Json = False) -> None:
    """Draw the profiles of a results folder again (PNG and SVG)."""
    from barriers.report.folder import read_results, write_figures

    written = [str(path) for path in write_figures(read_results(folder), folder)]
    if not written:
        raise ValueError(f"{folder}: no converged band to draw")
    _print(written) if as_json else typer.echo("\n".join(written))


@app.command()
def parse(
    folder: Annotated[Path, typer.Argument(help="NEB folder made with VASP, Quantum ESPRESSO or ASE.", metavar="DIR")],
    endpoints: Annotated[
        tuple[str, str] | None,
        typer.Option(help="Energies of the endpoints: for each a folder or file, or a number (eV).", metavar="A B"),
    ] = None,
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Read the barrier off a NEB folder that anyone made: profile, checks and plot. Computes nothing."""
    from barriers.parsing import parse_folder
    from barriers.report.folder import write_results
    from barriers.report.tables import notes, parsed_json

    document = parse_folder(folder, endpoints)
    barrier = document.barriers[0]
    target = results / document.name
    if barrier.converged:
        write_results(document, target)
    if as_json:
        _print(parsed_json(barrier) | {"results": str(target) if barrier.converged else None})
    elif barrier.converged:
        _show(document, target)
    else:
        typer.echo("\n".join(notes(barrier)))
    if not barrier.converged:
        raise typer.Exit(NOT_CONVERGED)


@app.command()
def models(as_json: Json = False) -> None:
    """List the embedded engine's models, and which are ready here."""
    from barriers.engines.mlip.models import list_models
    from barriers.report.plan import models_table

    rows = list_models()
    _print(rows if as_json else models_table(rows))


def main() -> None:
    """Run the command line; no traceback reaches a user without ``--debug``."""
    signal.signal(signal.SIGINT, _interrupt)
    warnings.simplefilter("ignore")  # libraries' asides; ours are in the results
    sys.path.insert(0, "")  # a calculator of the user's own, --model mine:Class, stands in the current folder
    try:
        app()
    except _Interrupted:
        if pool := sys.modules.get("barriers.engines.mlip.pool"):
            pool.stop_workers()
        typer.echo("stopped; the same command continues", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        if _state["debug"]:
            raise
        wrong = isinstance(error, ValueError | OSError)
        text = str(error) if wrong else f"{type(error).__name__}: {error}"
        for line in text.splitlines():
            typer.echo(f"{'wrong input' if wrong else 'failed'}: {line}", err=True)
        sys.exit(WRONG_INPUT if wrong else NOT_CONVERGED)


def _interrupt(*_: object) -> None:
    raise _Interrupted


class _Interrupted(BaseException):
    """Ctrl-C, under a name that neither Typer nor a library takes for its own."""


def _watch(flow: Flow, folder: Path) -> LocalRun:
    from barriers.dispatch.local import run as run_flow
    from barriers.report.progress import RunView

    with RunView() as view:
        return run_flow(flow, folder, view)


def _print(content: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    if isinstance(content, Table):
        Console(highlight=False, width=None if sys.stdout.isatty() else 120).print(content)
    else:
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _show(study: StudyDoc, folder: Path) -> None:
    from barriers.report.tables import notes, study_table

    _print(study_table(study))
    for barrier in study.barriers:
        for line in notes(barrier):
            typer.echo(f"! {line}")
    if len(study.barriers) > 1:
        typer.echo("\n".join(study.sentences))
    typer.echo(f"results in {folder}")


def _exit(barriers: list[BarrierDoc]) -> None:
    if not all(barrier.converged for barrier in barriers):
        typer.echo(f"not converged; this continues it: {shlex.join(['barriers', *sys.argv[1:]])}", err=True)
        raise typer.Exit(NOT_CONVERGED)


def _fail(outcome: LocalRun, folder: Path) -> None:
    for name, message in outcome.failures.items():
        typer.echo(f"failed: {name}: {message}", err=True)
    typer.echo(f"files and error.txt are in {folder / 'jobs'}; the same command goes on from there", err=True)
    raise typer.Exit(NOT_CONVERGED)
