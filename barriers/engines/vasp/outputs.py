"""What VASP leaves behind, step by step and image by image, through pymatgen's readers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from monty.io import zopen
from numpy.typing import NDArray
from pymatgen.io.vasp import Outcar

SENTENCE = "reached required accuracy"
"""VASP's words where forces meet ``EDIFFG``."""

NUMBER = r"([-+]?(?:[\d.]+(?:[Ee][-+]?\d+)?|NaN|nan|\*+))"
"""A number as Fortran writes it, asterisks where it does not fit."""


@dataclass(frozen=True, eq=False)
class Step:
    """One whole ionic step.

    Attributes
    ----------
    energy : float
        Free energy (eV), whose derivative the forces are.
    positions, forces : (N, 3)
        In Å and eV/Å, in the order of the POSCAR; frozen atoms' forces and a band's springs not taken off.
    moments : (N,) or None
        Magnetic moment of each site (µB).
    electronic_steps : int
        Electronic steps it took.
    self_consistent : bool
        Whether the electrons converged.
    """

    energy: float
    positions: NDArray[np.float64]
    forces: NDArray[np.float64]
    moments: NDArray[np.float64] | None
    electronic_steps: int
    self_consistent: bool

    @property
    def finite(self) -> bool:
        """Whether energy, forces and positions are numbers."""
        return bool(np.isfinite(self.energy) and np.isfinite(self.forces).all() and np.isfinite(self.positions).all())


class StepOutcar(Outcar):
    """pymatgen's OUTCAR, read as far as it is whole.

    Parameters
    ----------
    path : Path
        An OUTCAR of a running, finished or killed calculation, compressed or not.

    Attributes
    ----------
    version : str
        Version of VASP.
    vtst : str or None
        Version of VTST; None where VASP was built without it.
    converged : bool
        Whether VASP says that the last step met ``EDIFFG``.
    learned : bool
        Whether a machine-learned force field took part; then there are no steps, those of DFT among them neither.
    finished : bool
        Whether VASP ended in peace.
    titles : list[str]
        Titles of the POTCARs.
    steps : list[Step]
        Every whole step.
    """

    def __init__(self, path: Path) -> None:
        self.filename, self.data = str(path), {}
        with zopen(path, mode="rt", encoding="utf-8", errors="replace") as file:
            self._text = str(file.read())
        self._lines = self._text.splitlines(keepends=True)
        self.read_pattern(
            {
                "version": r"^ vasp\.(\S+)",
                "vtst": r"VTST: version\s+([\d.]+)",
                "title": r"TITEL  = (.*\S)",
                "nelm": r"NELM\s+=\s*(\d+)",
                "electronic": r"-- Iteration\s+(\d+)\(\s*(\d+)\)",
                "energy": r"free  energy   TOTEN  =\s+(\S+) eV",
                "converged": rf"({SENTENCE})",
                "learned": r"(free  energy ML TOTEN|TOTAL-FORCE \(eV/Angst\) +\(ML\))",
                "finished": r"(General timing and accounting)",
                "seconds": r"LOOP\+:.*real time\s*([\d.]+)",
            }
        )
        self.version = self.data["version"][0][0] if self.data["version"] else "unknown"
        self.vtst = self.data["vtst"][0][0] if self.data["vtst"] else None
        self.converged, self.finished = bool(self.data["converged"]), bool(self.data["finished"])
        self.learned = bool(self.data["learned"])
        self.titles = [title for (title,) in self.data["title"]]
        self.begun = bool(self.data["electronic"])
        self.seconds_per_step = max((float(seconds) for (seconds,) in self.data["seconds"]), default=0.0)
        self.steps = [] if self.learned else self._steps()
        self._text, self._lines = "", []  # OUTCARs are large, and kept

    def _steps(self) -> list[Step]:
        tables: list[list[list[float]]] = self.read_table_pattern(
            r"POSITION +TOTAL-FORCE \(eV/Angst\)\n *-+",
            r"[ ]+" + r"[ ]+".join([NUMBER] * 6) + r"[ ]*$",
            r"^ *-+$",
            postprocess=_number,
            last_one_only=False,
        )
        local = self._local_moments()
        limit = int(self.data["nelm"][0][0]) if self.data["nelm"] else 0
        cycles: Counter[int] = Counter()
        for step, cycle in self.data["electronic"]:
            cycles[int(step)] = int(cycle)
        energies = [_number(energy) for (energy,) in self.data["energy"]]
        last_moments_only = len(local) == 1 < len(energies)
        steps = []
        for number, (energy, rows_of_step) in enumerate(zip(energies, tables, strict=False)):
            numbers = np.array(rows_of_step, dtype=float)
            which = number if not last_moments_only else number - len(energies) + 1
            moments = np.array(local[which]) if 0 <= which < len(local) else None
            used = cycles.get(number + 1, 0)
            steps.append(Step(energy, numbers[:, :3], numbers[:, 3:], moments, used, not limit or used < limit))
        return steps

    def _local_moments(self) -> list[list[float]]:
        tables: list[list[list[float]]] = self.read_table_pattern(
            r"magnetization \(x\)\s+# of ion[^\n]*\n-+",
            r"[ ]+\d+[ ]+(?:" + NUMBER.replace("(", "(?:", 1) + r"[ ]+)+" + NUMBER + r"[ ]*$",
            r"^-+$",
            postprocess=_number,
            last_one_only=False,
        )
        return [[row[-1] for row in rows] for rows in tables]


def read_outcar(folder: Path) -> StepOutcar | None:
    """Read the newest OUTCAR of a folder, compressed or not; None where there is none or it is empty."""
    found = next((path for path in (folder / "OUTCAR", folder / "OUTCAR.gz") if path.is_file()), None)
    return _read(found) if found is not None and found.stat().st_size else None


def _read(path: Path) -> StepOutcar:
    stat = path.stat()
    return _read_state(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _read_state(path: Path, mtime: int, size: int) -> StepOutcar:  # noqa: ARG001
    return StepOutcar(path)


def all_outcars(folder: Path) -> list[StepOutcar]:
    """Read the OUTCARs of all runs in a folder, oldest first: OUTCAR.1, OUTCAR.2, …, OUTCAR."""
    earlier = sorted(
        (path for path in folder.glob("OUTCAR.*") if path.suffix[1:].isdigit()), key=lambda path: int(path.suffix[1:])
    )
    newest = read_outcar(folder)
    return [_read(path) for path in earlier] + ([newest] if newest is not None else [])


def usable_steps(outcar: StepOutcar) -> list[Step]:
    """Steps whose electrons converged and whose energies and forces are numbers."""
    return [step for step in outcar.steps if step.finite and step.self_consistent]


def band_steps(folder: Path) -> list[list[Step]]:
    """Steps of a band that are whole and usable in every intermediate image, all runs after each other.

    Returns
    -------
    list[list[Step]]
        For each step one :class:`Step` for each intermediate image.
    """
    runs = [all_outcars(place) for place in image_folders(folder)[1:-1]]
    steps: list[list[Step]] = []
    for run in zip(*runs, strict=False):
        for together in zip(*(outcar.steps for outcar in run), strict=False):
            if all(step.finite and step.self_consistent for step in together):
                steps.append(list(together))
    return steps


def image_folders(folder: Path) -> list[Path]:
    """Folders 00 … NN of a band, endpoints included."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name.isdigit())


def _number(text: str) -> float:
    return float("nan") if "*" in text else float(text)
