"""Taking outputs of runs by hand into a study's results, as if the study's own jobs had left them."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobflow import JobStore

from barriers.by_hand.compare import check_inputs
from barriers.by_hand.outputs import check_espresso, check_vasp, espresso_version, has_outputs
from barriers.by_hand.walk import Calculation, walk
from barriers.by_hand.write import ABOUT, check_reads_files, open_results
from barriers.dispatch.execution import execute, slug
from barriers.dispatch.identity import key_of
from barriers.dispatch.lock import only_run
from barriers.engines.espresso.base import EspressoMaker
from barriers.engines.vasp.potcars import find_potcars
from barriers.study.forms import AnyStudy
from barriers.workflow.study import StudyMaker


@dataclass
class Adopted:
    """What became of the folders with outputs.

    Attributes
    ----------
    taken : list[str]
        Jobs whose result was taken in.
    refused : dict[str, str]
        Why not, by job.
    missing : list[str]
        Calculations that still have no result.
    """

    taken: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def adopt(study: AnyStudy, source: Path, results: Path, tell: Callable[[str], None] = lambda _name: None) -> Adopted:
    """Take in what runs by hand left in the folders of ``barriers inputs``.

    Parameters
    ----------
    study : Study, CrystalStudy or EndpointStudy
        The study that the inputs were written for.
    source : Path
        Folder of all calculations, or of one.
    results : Path
        The study's results folder.
    tell : callable
        Told the name of each calculation that is looked at.

    Raises
    ------
    ValueError
        One line, if no folder there is of a calculation of this study, or the engine reads no files.
    """
    check_reads_files(study)
    folders = _folders(source)
    flow = StudyMaker().make(study)
    results = results.resolve()
    done, known = Adopted(), set[str]()
    results.mkdir(parents=True, exist_ok=True)
    with only_run(results):
        store = open_results(results, make=True)
        assert store is not None

        def give(calculation: Calculation) -> tuple[Any, bool] | None:
            name = calculation.job.name
            known.add(name)
            folder = folders.get(name)
            if folder is not None and has_outputs(folder):
                tell(name)
                try:
                    output = _take_in(calculation, folder, store, results)
                except (ValueError, OSError) as error:
                    done.refused[name] = " ".join(str(error).split())
                else:
                    done.taken.append(name)
                    return output, True
            done.missing.append(name)
            return None

        walk(flow, store, give)
    if not done.taken and not done.refused:
        strange = sorted(folders.keys() - known)
        told = (
            f"{strange[0]!r} is no calculation of this study without a result"
            if strange
            else "no outputs yet (pw.1.out, neb.1.out, OUTCAR)"
        )
        raise ValueError(f"{source}: {told}")
    return done


def _folders(source: Path) -> dict[str, Path]:
    """Folders of calculations by the name of their job."""
    found = {}
    for path in sorted([source / ABOUT, *source.glob(f"*/{ABOUT}")]):
        if path.is_file():
            found[str(json.loads(path.read_text("utf-8"))["job"])] = path.parent.resolve()
    if not found:
        raise ValueError(f"{source}: no folder that `barriers inputs` wrote (with {ABOUT})")
    return found


def _take_in(calculation: Calculation, folder: Path, store: JobStore, results: Path) -> Any:
    """Check outputs, copy them to where the job looks for them, and let the job read them."""
    if calculation.rests_on:
        waits = f"it rests on {calculation.rests_on[-1]!r}, which has no result: its inputs were stand-ins"
        raise ValueError(f"{folder}: {waits}; adopt that, then write the inputs again")
    job, maker = calculation.job, calculation.job.maker
    if isinstance(maker, EspressoMaker):
        maker = maker.elsewhere(espresso_version(folder))
    with tempfile.TemporaryDirectory() as expected:
        maker.write_inputs(Path(expected), *calculation.arguments)
        check_inputs(Path(expected), folder)
        if isinstance(maker, EspressoMaker):
            check_espresso(folder, calculation.starts, maker.case(calculation.structure))
        else:
            symbols, physics = calculation.structure.symbol_set, maker.input_set_generator.physics
            check_vasp(folder, Path(expected), find_potcars(symbols, physics))
    own = maker.make(*calculation.arguments)
    own.name, own.metadata = job.name, dict(job.metadata)
    own.set_uuid(job.uuid)
    with tempfile.TemporaryDirectory(dir=results) as scratch:
        place = Path("jobs", f"{slug(job.name)}-{key_of(calculation.content)}")
        (scratch / place).mkdir(parents=True)
        with contextlib.chdir(scratch / place):
            if not maker.take_in(folder, *calculation.arguments):
                raise ValueError(f"{folder}: not converged")
        read = execute(own, store, Path(scratch))
        if read.state != "done":
            raise ValueError(f"{folder}: {read.message}")
        if not (results / place).exists():  # else an unfinished run of the study's own keeps its files
            shutil.copytree(scratch / place, results / place)
    return store.get_output(own.uuid, load=True)
