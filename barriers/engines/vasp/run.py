"""Running VASP under custodian, continuing from what is there, and telling how it ended."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from custodian.custodian import Custodian, CustodianError, ErrorHandler
from custodian.vasp.jobs import VaspJob, VaspNEBJob
from pymatgen.io.vasp import Incar

from barriers.engines.dft import Corrections, Outcome
from barriers.engines.processes import RUNNING, end_orphan, note_running
from barriers.engines.vasp.folder import Goal, archive, evaluated, places, steps_done
from barriers.engines.vasp.outputs import SENTENCE, image_folders
from barriers.engines.vasp.restart import newest_structure

POLL = 2.0
"""Seconds between looks at whether VASP still runs."""

WATCH = 15
"""Looks between readings of its output."""

MOST_CORRECTIONS = 8


class VaspError(RuntimeError):
    """A calculation that failed; one line in VASP's own words, with the folder of its files."""


class _Continuing:
    """Makes each start of custodian's VASP jobs go on from the newest whole step of every place.

    Attributes
    ----------
    last : int
        Steps after which the calculation stops, those of earlier runs included.
    """

    last: int

    def run(self, directory: str = "./") -> Any:
        """Start VASP."""
        folder = Path(directory)
        (folder / "STOPCAR").unlink(missing_ok=True)
        done = steps_done(folder)
        for place in places(folder):
            if (structure := newest_structure(place)) is not None:
                structure.to(filename=str(place / "POSCAR"), fmt="poscar")
            archive(place)
        incar = Incar.from_file(folder / "INCAR")
        if incar.get("NSW", 0):
            incar["NSW"] = max(1, self.last - done)
        incar.update(Corrections.load(folder).keywords)
        incar.write_file(folder / "INCAR")
        process = super().run(directory)  # type: ignore[misc]
        note_running(folder, process.pid)
        return process


class SingleJob(_Continuing, VaspJob):
    """A static calculation or a relaxation."""

    def __init__(self, vasp_cmd: Sequence[str], last: int = 1) -> None:
        super().__init__(vasp_cmd, output_file="vasp.out", backup=False, auto_npar=False, auto_gamma=False)
        self.last = last


class BandJob(_Continuing, VaspNEBJob):
    """A band: custodian's job for one, which starts VASP above the image folders."""

    def __init__(self, vasp_cmd: Sequence[str], last: int = 1) -> None:
        super().__init__(vasp_cmd, output_file="vasp.out", backup=False, auto_npar=False, auto_gamma=False)
        self.last = last


def run_vasp(
    folder: Path,
    command: Sequence[str],
    last: int,
    handlers: Sequence[ErrorHandler],
    goal: Goal,
) -> Outcome:
    """Run VASP in a folder until it is done, out of steps or time, or beyond help.

    Parameters
    ----------
    folder : Path
        With its input files.
    command : sequence of str
        Command line.
    last : int
        Steps after which it stops, those of earlier runs included.
    handlers : sequence of ErrorHandler
        What watches and mends it.
    goal : Goal
        What it has to reach.

    Returns
    -------
    Outcome
        Success, or what stands in its way. What has succeeded before is not run.
    """
    if goal.met(folder):
        return Outcome()
    end_orphan(folder)
    logging.getLogger("custodian").setLevel(logging.CRITICAL)
    kind = BandJob if image_folders(folder) else SingleJob
    job = kind(tuple(command), last)
    custodian = Custodian(
        list(handlers),
        [job],
        max_errors=MOST_CORRECTIONS,
        polling_time_step=POLL,
        monitor_freq=WATCH,
        terminate_on_nonzero_returncode=False,
        directory=str(folder),
    )
    reason = ""
    try:
        custodian.run()
    except CustodianError as error:
        reason = getattr(getattr(error, "handler", None), "line", "") or str(error)
    finally:
        process = getattr(job, "_vasp_process", None)
        if process is not None and process.poll() is None:  # interrupted from the keyboard
            job.terminate(str(folder))
        (folder / RUNNING).unlink(missing_ok=True)
    if goal.met(folder):
        return Outcome()
    # A single evaluation has no steps to use up: what ended after its step, while it wrote grids, was killed.
    most = None if goal.fmax is None else last
    outcome = _ending(folder, most, reason, handlers, process.returncode if process is not None else None)
    if outcome.kind == "killed" and goal.fmax is not None and evaluated(folder) and goal.said(folder):
        return Outcome("denied", f"VASP says {SENTENCE!r}, but forces are larger")
    return outcome


def _ending(
    folder: Path, most: int | None, reason: str, handlers: Sequence[ErrorHandler], returncode: int | None
) -> Outcome:
    """Say why a run that is over has not succeeded."""
    if reason:
        return Outcome("final", reason)
    if any(getattr(handler, "stopped", False) for handler in handlers):
        return Outcome("limit", "time limit (max_seconds) reached; run again to continue")
    lines = [handler.line for handler in handlers if getattr(handler, "line", "")]
    if lines:
        return Outcome("final", lines[0])
    if most is not None and steps_done(folder) >= most:
        return Outcome("limit", "max_steps steps used up; run again to continue")
    said = [line for line in (folder / "vasp.out").read_text("utf-8", "replace").splitlines() if line.strip()]
    return Outcome(
        "killed", f"VASP ended with exit code {returncode}; its last words: {said[-1].strip() if said else 'none'}"
    )
