"""Running VASP under custodian, continuing from what is there, and telling how it ended."""

from __future__ import annotations

import json
import logging
import os
import platform
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
from custodian.custodian import Custodian, CustodianError, ErrorHandler
from custodian.vasp.jobs import VaspJob, VaspNEBJob
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar

from barriers.engines.vasp.outputs import (
    all_outcars,
    image_folders,
    newest_structure,
    read_outcar,
    read_poscar,
    usable_steps,
)

POLL = 2.0
"""Seconds between looks at whether VASP still runs."""

WATCH = 15
"""Looks between readings of its output."""

MOST_CORRECTIONS = 8
CORRECTIONS, RUNNING = "corrections.json", "running.json"
OUTPUTS = ("OUTCAR", "OSZICAR", "CONTCAR", "XDATCAR", "vasprun.xml")


class VaspError(RuntimeError):
    """A calculation that failed; one line in VASP's own words, with the folder of its files."""


@dataclass
class Corrections:
    """What handlers have changed in a folder; kept on disk, so that a rerun does not repeat a failure.

    Attributes
    ----------
    incar : dict
        Keywords changed.
    counts : dict[str, int]
        Corrections so far by kind.
    """

    incar: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """Count one more correction of a kind; the number that it is."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.counts[kind]

    def save(self, folder: Path) -> None:
        """Keep them."""
        (folder / CORRECTIONS).write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Corrections:
        """Read them; none where there is no such file."""
        path = folder / CORRECTIONS
        return cls(**json.loads(path.read_text("utf-8"))) if path.exists() else cls()


def places(folder: Path) -> list[Path]:
    """Folders in which VASP writes: the intermediate images of a band, else the folder itself."""
    return image_folders(folder)[1:-1] or [folder]


def steps_done(folder: Path) -> int:
    """Steps that every place has whole, all runs together."""
    runs = zip(*([len(outcar.steps) for outcar in all_outcars(place)] for place in places(folder)), strict=False)
    return sum(min(run) for run in runs)


def converged(folder: Path) -> bool:
    """Whether the newest run ended in peace, its last step within ``EDIFFG`` in every place."""
    newest = [read_outcar(place) for place in places(folder)]
    return all(outcar is not None and outcar.converged and outcar.finished for outcar in newest)


def evaluated(folder: Path) -> bool:
    """Whether the newest run ended in peace with a self-consistent step in every place."""
    newest = [read_outcar(place) for place in places(folder)]
    return all(outcar is not None and outcar.finished and bool(usable_steps(outcar)) for outcar in newest)


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
            _archive(place)
        incar = Incar.from_file(folder / "INCAR")
        if incar.get("NSW", 0):
            incar["NSW"] = max(1, self.last - done)
        incar.update(Corrections.load(folder).incar)
        incar.write_file(folder / "INCAR")
        process = super().run(directory)  # type: ignore[misc]
        record = {"pid": process.pid, "parent": os.getpid(), "host": platform.node()}
        (folder / RUNNING).write_text(json.dumps(record), "utf-8")
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


def _archive(place: Path) -> None:
    """Number the files of a run that is over, so that its steps stay readable."""
    if not any((place / name).exists() for name in OUTPUTS):
        return
    number = 1 + max((int(path.suffix[1:]) for path in place.glob("O*.*") if path.suffix[1:].isdigit()), default=0)
    for name in OUTPUTS:
        if (place / name).exists():
            (place / name).rename(place / f"{name}.{number}")


@dataclass(frozen=True)
class Outcome:
    """How a run ended: ``kind`` is None for success, else ``limit``, ``killed`` or ``final``; ``line`` says it."""

    kind: str | None = None
    line: str = ""


def run_vasp(
    folder: Path, command: str, last: int, handlers: Sequence[ErrorHandler], done: Callable[[Path], bool] = converged
) -> Outcome:
    """Run VASP in a folder until it is done, out of steps or time, or beyond help.

    Parameters
    ----------
    folder : Path
        With its input files.
    command : str
        Command line.
    last : int
        Steps after which it stops, those of earlier runs included.
    handlers : sequence of ErrorHandler
        What watches and mends it.
    done : callable
        Tells success.

    Returns
    -------
    Outcome
        Success, or what stands in its way. What has succeeded before is not run.
    """
    if done(folder):
        return Outcome()
    end_orphan(folder)
    logging.getLogger("custodian").setLevel(logging.CRITICAL)
    kind = BandJob if image_folders(folder) else SingleJob
    job = kind(tuple(shlex.split(command)), last)
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
        process = job._vasp_process
        if process is not None and process.poll() is None:  # interrupted from the keyboard
            job.terminate(str(folder))
        (folder / RUNNING).unlink(missing_ok=True)
    if done(folder):
        return Outcome()
    return _ending(folder, last, reason, handlers, process.returncode if process is not None else None)


def _ending(folder: Path, last: int, reason: str, handlers: Sequence[ErrorHandler], returncode: int | None) -> Outcome:
    """Say why a run that is over has not succeeded."""
    if reason:
        return Outcome("final", reason)
    if any(getattr(handler, "stopped", False) for handler in handlers):
        return Outcome("limit", "time limit (max_seconds) reached; run again to continue")
    lines = [handler.line for handler in handlers if getattr(handler, "line", "")]
    if lines:
        return Outcome("final", lines[0])
    if steps_done(folder) >= last:
        return Outcome("limit", "max_steps steps used up; run again to continue")
    said = [line for line in (folder / "vasp.out").read_text("utf-8", "replace").splitlines() if line.strip()]
    return Outcome(
        "killed", f"VASP ended with exit code {returncode}; its last words: {said[-1].strip() if said else 'none'}"
    )


def end_orphan(folder: Path) -> None:
    """End a VASP that an earlier process, now dead, left running in a folder.

    Raises
    ------
    RuntimeError
        If the process that started it is alive: two runs must not share a folder.
    """
    path = folder / RUNNING
    if not is_running(folder):
        return
    record = json.loads(path.read_text("utf-8"))
    if record["parent"] != os.getpid() and psutil.pid_exists(record["parent"]):
        raise RuntimeError(f"{folder}: process {record['parent']} runs this calculation already")
    process = psutil.Process(record["pid"])
    for each in [*process.children(recursive=True), process]:
        each.terminate()
    psutil.wait_procs([process], timeout=30)


def is_running(folder: Path) -> bool:
    """Whether the VASP that was last started in a folder, on this machine, still runs."""
    path = folder / RUNNING
    if not path.exists():
        return False
    record = json.loads(path.read_text("utf-8"))
    if record["host"] != platform.node():
        return False
    try:
        process = psutil.Process(record["pid"])
        return process.status() != psutil.STATUS_ZOMBIE and Path(process.cwd()) == folder.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def newest_images(folder: Path, images: Sequence[Structure]) -> list[Structure]:
    """Intermediate images where a stage left them, with the site properties of the given ones."""
    moved = []
    for place, image in zip(image_folders(folder)[1:-1], images, strict=True):
        newest = newest_structure(place) or read_poscar(place / "POSCAR")
        assert newest is not None
        moved.append(
            Structure(
                image.lattice,
                image.species,
                newest.cart_coords,
                coords_are_cartesian=True,
                site_properties=image.site_properties,
            )
        )
    return moved
