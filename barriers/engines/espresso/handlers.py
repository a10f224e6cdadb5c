"""Custodian's handlers and validators for ``pw.x`` and ``neb.x``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from custodian.custodian import ErrorHandler, Validator

from barriers.engines.dft import Corrections
from barriers.engines.espresso.attempts import CodeJob
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.path_files import mend_path, start_over
from barriers.engines.espresso.results import read_results, results_file

SCF_LADDER: tuple[dict[str, Any], ...] = (
    {"mixing_beta": 0.2, "electron_maxstep": 200},
    {"mixing_beta": 0.1, "mixing_mode": "local-TF", "mixing_ndim": 12, "electron_maxstep": 300},
    {"diagonalization": "cg"},
    {"degauss": 0.02},
)
"""What is tried, in turn, when the electrons do not converge. Only the last rung changes the energies."""

DIAGONALISATION_LADDER: tuple[dict[str, Any], ...] = tuple(
    {"diagonalization": name} for name in ("cg", "paro", "david")
)
"""Every solver that both codes have, the steadiest first; the one that was asked for has failed and is left out."""

BFGS_LADDER: tuple[dict[str, Any], ...] = ({"trust_radius_min": 1e-5},)
"""Near a minimum the steps that are called for may be shorter than those allowed."""

SYMMETRY_LADDER: tuple[dict[str, Any], ...] = ({"nosym": True},)
"""In a soft cell the noise of many steps adds up, until operations found at the start hold no longer; energies stay."""


class _Handler(ErrorHandler):
    """Shares what all handlers have: the job they watch."""

    raises_runtime_error = False

    def __init__(self, job: CodeJob) -> None:
        self.job = job

    def _fault(self) -> str | None:
        found = self.job.fault()
        return found[0].kind if found else None

    def as_dict(self) -> dict[str, Any]:
        """Say what custodian's log keeps of this handler."""
        return {"@module": type(self).__module__, "@class": type(self).__name__}


class LimitHandler(_Handler):
    """Steps or time used up: leave it there, a further run continues with more of them."""

    def check(self, directory: str = "./") -> bool:
        """Whether the run met a limit."""
        return self._fault() == "limit"

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Stop without a further attempt."""
        return {"errors": ["limit reached"], "actions": None}


class LadderHandler(_Handler):
    """Electrons that do not converge, a failing diagonalisation or relaxation, lost symmetry: other settings, by rungs.

    Parameters
    ----------
    job : CodeJob
        The run.
    kind : str
        Kind of fault that it mends: ``scf``, ``diagonalisation``, ``bfgs`` or ``symmetry``.
    ladder : sequence of dict
        Keywords of each rung. A rung climbed in an earlier run is not tried again.
    """

    def __init__(self, job: CodeJob, kind: str, ladder: Sequence[dict[str, Any]]) -> None:
        super().__init__(job)
        self.kind, self.ladder = kind, ladder

    def check(self, directory: str = "./") -> bool:
        """Whether the run has such a fault."""
        return self._fault() == self.kind

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Climb to the next rung."""
        corrections = Corrections.load(self.job.folder)
        given = {"diagonalization": "david", **self.job.case.settings["keywords"]}
        rungs = list(enumerate(self.ladder, 1))[corrections.counts.get(self.kind, 0) :]
        for number, rung in rungs:
            if "degauss" in rung and given.get("occupations") != "smearing":
                continue
            if rung.items() <= given.items():
                continue
            keywords = dict(rung)
            if "mixing_beta" in rung:
                keywords["mixing_beta"] = min(rung["mixing_beta"], given.get("mixing_beta", 0.7))
            if "degauss" in rung:
                keywords["degauss"] = max(rung["degauss"], 2 * given.get("degauss", 0.0))
                start_over(self.job.folder)
            corrections.keywords.update(keywords)
            corrections.counts[self.kind] = number
            corrections.save(self.job.folder)
            return {"errors": [self.kind], "actions": [keywords]}
        return {"errors": [self.kind], "actions": None}


class PathHandler(_Handler):
    """A path file that is not whole: the newest whole copy takes its place."""

    def check(self, directory: str = "./") -> bool:
        """Whether the code could not read its path."""
        return self._fault() == "path"

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Put a whole copy there."""
        mended = mend_path(self.job.folder)
        return {"errors": ["path not whole"], "actions": [{"path": mended}] if mended else None}


class KilledHandler(_Handler):
    """A run that was killed from outside, while this process lives on: once more, from the last whole iteration."""

    max_num_corrections = 1

    def check(self, directory: str = "./") -> bool:
        """Whether a signal that nobody answers ended the run."""
        return self.job.returncode in {-9, 137} and self._fault() is None

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Start it again."""
        return {"errors": ["killed"], "actions": [{"restart": True}]}


class Watch(_Handler):
    """Calls a function each time custodian looks at the running code; finds nothing wrong."""

    is_monitor = True
    is_terminating = False

    def __init__(self, job: CodeJob, function: Callable[[], None]) -> None:
        super().__init__(job)
        self.function = function

    def check(self, directory: str = "./") -> bool:
        """Look."""
        self.function()
        return False

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Never called: nothing is ever found."""
        raise NotImplementedError


class Converged(Validator):
    """Success is exit code 0, the line that says so in the last output, and no error beside it.

    ``JOB DONE.`` says nothing: the codes print it on failures too.

    Parameters
    ----------
    job : CodeJob
        The run.
    line : str
        Words of success.
    """

    def __init__(self, job: CodeJob, line: str) -> None:
        self.job, self.line = job, line

    def check(self, directory: str = "./") -> bool:
        """Whether the run is *not* converged, as custodian asks."""
        written = outputs(self.job.folder, self.job.code)
        if not written or self.job.returncode not in {0, None}:
            return True
        return not self._reached(written[-1]) or self.job.fault() is not None

    def _reached(self, output: Path) -> bool:
        return self.line in output.read_text("utf-8", "replace")

    def as_dict(self) -> dict[str, Any]:
        """Say what custodian's log keeps of this validator."""
        return {"@module": type(self).__module__, "@class": type(self).__name__, "line": self.line}


class PwConverged(Converged):
    """Success of ``pw.x``: its XML says so, and has energy and forces; no words of its text are asked for."""

    def __init__(self, job: CodeJob) -> None:
        super().__init__(job, "convergence_achieved")

    def _reached(self, output: Path) -> bool:
        results = read_results(results_file(self.job.folder))
        return results is not None and results.converged and bool(results.evaluations)


def usual_handlers(task: CodeJob, watch: Callable[[], None]) -> list[Any]:
    """Handlers of any run, and a function called while it goes on."""
    return [
        Watch(task, watch),
        LimitHandler(task),
        LadderHandler(task, "scf", SCF_LADDER),
        LadderHandler(task, "diagonalisation", DIAGONALISATION_LADDER),
        LadderHandler(task, "bfgs", BFGS_LADDER),
        LadderHandler(task, "symmetry", SYMMETRY_LADDER),
        PathHandler(task),
        KilledHandler(task),
    ]
