"""Everything that a study will run as files: inputs and a job script for each calculation. Runs no code."""

from __future__ import annotations

import filecmp
import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from jobflow import JobStore

from barriers.by_hand.script import script_text
from barriers.by_hand.walk import Calculation, walk
from barriers.dispatch.execution import execute, slug
from barriers.dispatch.identity import contents, key_of
from barriers.dispatch.store import DOCUMENTS, config_folder, configured_store, results_store
from barriers.engines import build_engine
from barriers.engines.base import NotHereError
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.espresso.command import code_version
from barriers.engines.mlip import MlipEngine
from barriers.study.models import EndpointStudy, Study
from barriers.workflow.study import StudyMaker

ABOUT, SCRIPT = "job.json", "job.sh"

NEWEST = "7.2"
"""Version of Quantum ESPRESSO that inputs are for where neither the user nor a code here says one."""


@dataclass(frozen=True)
class Written:
    """A calculation's input files.

    Attributes
    ----------
    job : str
        Name of its job.
    folder : str
        Where they are.
    kind : str
        ``static``, ``relax`` or ``neb``.
    atoms : int
        Number of atoms.
    rests_on : list[str]
        Calculations without a result, in whose place it has stand-ins; empty if it can run as it is.
    kept : str
        Where files of the same name went that held outputs of other inputs.
    """

    job: str
    folder: str
    kind: str
    atoms: int
    rests_on: list[str]
    kept: str = ""


@dataclass(frozen=True)
class Inputs:
    """What was written, for which version of the code, and how many calculations have their result already."""

    written: list[Written]
    version: str
    done: int
    stand_ins: str


def write_inputs(
    study: Study | EndpointStudy,
    folder: Path,
    results: Path,
    version: str | None = None,
    embedded: bool = False,
    tell: Callable[[str], None] = lambda _name: None,
) -> Inputs:
    """Write input files and a job script for every calculation of a study that has no result yet.

    Parameters
    ----------
    study : Study or EndpointStudy
        With an engine whose code reads files.
    folder : Path
        Where each calculation gets a folder.
    results : Path
        The study's results folder; results in it take the place of stand-ins.
    version : str or None
        Version of Quantum ESPRESSO that reads the files; that of the code here if None, else :data:`NEWEST`.
    embedded : bool
        Relax with the embedded engine what has no result, instead of taking it unrelaxed.
    tell : callable
        Told the name of each calculation before its files are written.

    Raises
    ------
    ValueError
        One line, if the engine reads no files, or a setting or structure is wrong.
    """
    check_reads_files(study)
    flow = StudyMaker().make(study)
    store = open_results(results, make=embedded)
    written: list[Written] = []
    said = version

    def give(calculation: Calculation) -> tuple[Any, bool] | None:
        nonlocal said
        tell(calculation.job.name)
        maker = calculation.job.maker
        if not hasattr(maker, "write_inputs"):  # of the embedded engine, which reads no files
            return _embedded(calculation, maker, store, results) if embedded and store is not None else None
        if isinstance(maker, EspressoMaker):
            said = said or _version_here(maker)
            maker = maker.elsewhere(said)
        written.append(_write(calculation, maker, folder))
        if embedded and store is not None and calculation.kind == "relax":
            return _embedded(calculation, MlipEngine().relax(maker.fmax, maker.max_steps), store, results, own=False)
        return None

    number = walk(flow, store, give)
    content = Inputs(written, said or "", number - len(written), "the embedded engine's" if embedded else "unrelaxed")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "inputs.json").write_text(json.dumps(asdict(content), indent=1), "utf-8")
    return content


def open_results(results: Path, *, make: bool = False) -> JobStore | None:
    """Open the store of a study's results; None where there is none and none is to be made."""
    if not make and not (results / DOCUMENTS).exists():
        return configured_store(config_folder())
    results.mkdir(parents=True, exist_ok=True)
    return results_store(results)


def check_reads_files(study: Study | EndpointStudy) -> None:
    """Raise ``ValueError`` for a study whose engine reads no files, or has a wrong setting."""
    kind, neb = study.engine.kind, study.engine.neb
    if kind == "mlip":
        raise ValueError("engine.kind: 'mlip' computes inside this program and reads no files; allowed: espresso, vasp")
    if neb != "band":
        raise ValueError(f"engine.neb: {neb!r} chooses each structure by the results before it; allowed: band")
    with suppress(NotHereError):  # the files are written for another machine
        build_engine(study.engine).check(n_images=study.path.n_images)


def _version_here(maker: EspressoMaker) -> str:
    try:
        return code_version(maker.command)[1]
    except ValueError:  # no code here
        return NEWEST


def _write(calculation: Calculation, maker: Any, folder: Path) -> Written:
    name = slug(calculation.job.name)
    place = folder / f"{calculation.number:02d}-{name}"
    fresh = place.with_name(f"{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    script = maker.write_inputs(fresh, *calculation.arguments)
    files = sorted(str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file())
    text = script_text(name, script, next(file for file in files if "/" not in file), calculation.rests_on)
    (fresh / SCRIPT).write_text(text, "utf-8")
    rests_on = list(calculation.rests_on)
    written = Written(calculation.job.name, place.name, calculation.kind, len(calculation.structure), rests_on)
    about = asdict(written) | {"files": files, "key": None if rests_on else key_of(calculation.content)}
    (fresh / ABOUT).write_text(json.dumps(about, indent=1), "utf-8")
    kept = _replace(fresh, place)
    return replace(written, kept=kept)


def _replace(fresh: Path, place: Path) -> str:
    """Put a folder in its place; what was there goes, or is kept beside it if it holds more than inputs.

    Returns
    -------
    str
        Name of the folder that is kept; empty for none, and where the same inputs were there.
    """
    if not place.exists():
        fresh.rename(place)
        return ""
    ours = [path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()]
    if all((place / path).exists() and filecmp.cmp(fresh / path, place / path, shallow=False) for path in ours):
        shutil.rmtree(fresh)
        return ""
    about = json.loads((place / ABOUT).read_text("utf-8")) if (place / ABOUT).exists() else {"files": []}
    listed = {*about["files"], ABOUT, SCRIPT}
    if {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()} <= listed:
        shutil.rmtree(place)
        fresh.rename(place)
        return ""
    number = 1
    while (kept := place.with_name(f"{place.name}.before-{number}")).exists():
        number += 1
    place.rename(kept)
    fresh.rename(place)
    return kept.name


def _embedded(
    calculation: Calculation, maker: Any, store: JobStore, results: Path, own: bool | None = None
) -> tuple[Any, bool] | None:
    """Run a calculation with the embedded engine; its result is kept with the study's, so that it runs once."""
    job = maker.make(*calculation.arguments)
    job.name = f"embedded: {calculation.job.name}"
    job.metadata = dict(calculation.job.metadata)
    job.set_uuid(key_of(contents(job)))
    done = execute(job, store, results)
    if done.state == "failed":
        raise RuntimeError(f"{job.name}: {done.message}; files in {done.folder}")
    return store.get_output(job.uuid, load=True), not calculation.rests_on if own is None else own
