"""Attempts of ``pw.x`` and ``neb.x`` through custodian: prepared, started, watched, mended, judged."""

from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from custodian.custodian import Custodian, CustodianError, ErrorHandler, Job, Validator

from barriers.engines.dft import Corrections, Outcome
from barriers.engines.espresso.faults import Fault, find_fault
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.inputs import PREFIX, Case
from barriers.engines.espresso.results import put_aside
from barriers.engines.espresso.workspace import bulky
from barriers.engines.processes import end_orphan, note_running

CRASH = "CRASH"

POLL = 0.5
"""A running code is looked at this often (s)."""

MOST_CORRECTIONS = 12
"""More attempts than this are not made in one run."""


class CodeJob(Job):
    """One run of a code in a folder; each attempt gets an input and an output of its own, numbered.

    Parameters
    ----------
    code : str
        ``neb`` or ``pw``.
    case : Case
        Settings.
    folder : Path
        Where it runs.
    command : callable
        Gives the command line for an input file.
    write : callable
        Gives the text of the input for a case; called before each attempt, so it can go on from what is on disk.
    """

    def __init__(
        self,
        code: str,
        case: Case,
        folder: Path,
        command: Callable[[str], list[str]],
        write: Callable[[Case], str],
    ) -> None:
        self.code, self.case, self.folder, self.command, self.write = code, case, folder, command, write
        self.process: subprocess.Popen[bytes] | None = None
        self._sizes: dict[Path, int] = {}

    def setup(self, directory: str = "./") -> None:
        """Link the pseudopotentials."""
        links = self.folder / "pseudo"
        links.mkdir(parents=True, exist_ok=True)
        for found in self.case.pseudopotentials.values():
            link = links / found.path.name
            link.unlink(missing_ok=True)
            link.symlink_to(found.path.resolve())

    def run(self, directory: str = "./") -> subprocess.Popen[bytes]:
        """Write the input and start the code."""
        for stale in (CRASH, f"{PREFIX}.EXIT"):
            (self.folder / stale).unlink(missing_ok=True)
        corrected = replace(
            self.case,
            settings={
                **self.case.settings,
                "keywords": {**self.case.settings["keywords"], **Corrections.load(self.folder).keywords},
            },
        )
        number = len(outputs(self.folder, self.code)) + 1
        put_aside(self.folder, number - 1)
        source = self.folder / f"{self.code}.{number}.in"
        source.write_text(self.write(corrected), "utf-8")
        self._sizes = {path: path.stat().st_size for path in self.folder.glob("out/*/PW.out")}
        with (self.folder / f"{self.code}.{number}.out").open("wb") as output:
            self.process = subprocess.Popen(
                self.command(source.name),
                cwd=self.folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        note_running(self.folder, self.process.pid)
        return self.process

    def postprocess(self, directory: str = "./") -> None:
        """Leave all files where they are."""

    @property
    def returncode(self) -> int | None:
        """Exit code of the last attempt; None while it runs."""
        return None if self.process is None else self.process.poll()

    def said(self) -> str:
        """All that the last attempt wrote: standard output, ``CRASH``, and what is new in the images' outputs."""
        files = [(output, 0) for output in outputs(self.folder, self.code)[-1:]]
        files += [(self.folder / CRASH, 0)] if (self.folder / CRASH).exists() else []
        files += [(path, self._sizes.get(path, 0)) for path in sorted(self.folder.glob("out/*/PW.out"))]
        texts = []
        for path, start in files:
            with path.open("rb") as file:
                file.seek(start)
                texts.append(file.read().decode("utf-8", "replace"))
        return "\n".join(texts)

    def fault(self) -> tuple[Fault, str] | None:
        """Fault of the last attempt, if its output has one."""
        return find_fault(self.said())

    def as_dict(self) -> dict[str, Any]:
        """Say what custodian's log keeps of this job."""
        return {"@module": type(self).__module__, "@class": type(self).__name__, "code": self.code}


def taken_in(source: Path, folder: Path, code: str, case: Case, converged: Callable[[CodeJob], Validator]) -> bool:
    """Copy what a run by hand left, wavefunctions aside, to the folder of a calculation.

    Returns
    -------
    bool
        Whether it converged.
    """
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=bulky)
    job = CodeJob(code, case, folder, lambda _file: [], lambda _case: "")
    return not converged(job).check(str(folder))


def run_code(job: CodeJob, handlers: list[ErrorHandler], converged: Validator) -> Outcome:
    """Run a code until it is done, out of steps or time, or beyond help.

    Parameters
    ----------
    job : CodeJob
        The run.
    handlers : list[ErrorHandler]
        What watches and mends it.
    converged : Validator
        What tells success.

    Returns
    -------
    Outcome
        Success, or what stands in its way. A calculation that has converged before is not run.
    """
    if not converged.check(str(job.folder)):
        return Outcome()
    end_orphan(job.folder)
    logging.getLogger("custodian.custodian").setLevel(logging.CRITICAL)
    custodian = Custodian(
        handlers,
        [job],
        validators=[converged],
        max_errors=MOST_CORRECTIONS,
        polling_time_step=POLL,
        monitor_freq=1,
        directory=str(job.folder),
    )
    try:
        with contextlib.suppress(CustodianError):
            custodian.run()
    finally:
        if job.process is not None and job.process.poll() is None:  # interrupted from the keyboard
            job.process.terminate()
            job.process.wait()
    if not converged.check(str(job.folder)):
        return Outcome()
    if found := job.fault():
        return Outcome(found[0].kind, found[1])
    code = job.returncode or 0
    if code < 0 or code > 128:
        return Outcome("killed", f"killed by signal {-code if code < 0 else code - 128}; run again to continue")
    return Outcome("final", f"exit code {code} without a word of success")
