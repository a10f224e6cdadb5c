"""The last whole step of an OUTCAR and what its head says: found from the ends, however many steps lie between."""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from monty.io import zopen
from numpy.typing import NDArray

from barriers.parsing.files import COMPRESSED, read_bytes
from barriers.parsing.outcar_head import numbers_of, settings_of

Bytes = bytes | mmap.mmap

ENERGY = re.compile(rb"  free  energy (?:ML|  ) *TOTEN  = *(\S+) eV")
FORCES = re.compile(rb"POSITION +TOTAL-FORCE \(eV/Angst\)[^\n]*\n *-+\r?\n")
MOMENTS = re.compile(rb"magnetization \(x\)\s+# of ion[^\n]*\n-+\r?\n((?:[ ]+\d+[^\n]*\n)+)")


@dataclass(frozen=True, eq=False)
class LastStep:
    """What is needed of an OUTCAR for a band.

    Attributes
    ----------
    version : str
        Version of VASP.
    vtst : str or None
        Version of VTST.
    titles : list[str]
        Titles of the POTCARs.
    settings : dict[str, str]
        What enters the energy.
    numbers : dict[str, float]
        ``NSW``, ``EDIFFG``, ``NELM``, ``IMAGES``, ``EFIRST`` and ``ELAST``, as far as they are said.
    band : bool
        Whether it is of an image of a band that VTST ran.
    learned : bool
        Whether the last step's energy is that of a machine-learned force field.
    counts : list[int]
        Ions of each type.
    cell : (3, 3) or None
        Lattice vectors as rows (Å).
    steps : int
        Whole ionic steps.
    energy, energy_zero : float
        Free energy F, and the energy extrapolated to no smearing, of the last whole step (eV); NaN where none is.
    positions, forces : (N, 3)
        Of the last whole step (Å, eV/Å); empty where there is none.
    moments : list[float] or None
        Magnetic moment of each site (µB).
    electrons : bool or None
        Whether the electrons converged in the last whole step.
    relaxed : bool
        Whether the last step met ``EDIFFG``.
    """

    version: str
    vtst: str | None
    titles: list[str]
    settings: dict[str, str]
    numbers: dict[str, float]
    band: bool
    learned: bool
    counts: list[int]
    cell: NDArray[np.float64] | None
    steps: int
    energy: float
    energy_zero: float
    positions: NDArray[np.float64]
    forces: NDArray[np.float64]
    moments: list[float] | None
    electrons: bool | None
    relaxed: bool

    @property
    def finite(self) -> bool:
        """Whether there is a whole step, and energy, forces and positions are numbers."""
        values = (self.energy, self.positions, self.forces)
        return bool(self.steps) and all(bool(np.isfinite(value).all()) for value in values)


def read_last_step(path: Path) -> LastStep:
    """Read the head and the last whole step of an OUTCAR, compressed or not."""
    if path.suffix in COMPRESSED:
        return _parse(read_bytes(path))
    with zopen(path, mode="rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return _parse(data)


def _parse(data: Bytes) -> LastStep:
    begin = max(data.rfind(b"\n vasp."), 0)  # several runs in one file: the last one counts
    first = data.find(b"Iteration ", begin)
    head = data[begin : first if first >= 0 else len(data)]
    energies = list(ENERGY.finditer(data, begin))
    energy = energies[-1] if energies else None
    earlier = energies[-2].end() if len(energies) > 1 else begin
    step = bytes(data[earlier : energy.end()]) if energy else b""
    tail = bytes(data[energy.end() :]) if energy else b""
    table = _table(step)
    numbers = numbers_of(head)
    vtst = re.search(rb"VTST: version\s+([\d.]+)", head)
    version = re.search(rb"^ vasp\.(\S+)", head.lstrip(b"\n"))
    return LastStep(
        version=_text(version) or "unknown",
        vtst=_text(vtst),
        titles=[title.decode(errors="replace") for title in re.findall(rb"TITEL\s*= (.*\S)", head)],
        settings=settings_of(head) | {"dispersion": "yes" if b"Edisp" in step else "no"},
        numbers=numbers,
        band=b"CHAIN: Running the NEB" in head or b"NEB: Tangent" in tail + step,
        learned=bool(energy and b" ML " in energy.group()),
        counts=[int(n) for n in (_text(re.search(rb"ions per type =([ \d]+)", head)) or "").split()],
        cell=_cell(data, begin),
        steps=len(energies),
        energy=_number(energy.group(1)) if energy else float("nan"),
        energy_zero=_zero(tail),
        positions=table[:, :3],
        forces=table[:, 3:],
        moments=_moments(step),
        electrons=_electrons(step, numbers.get("NELM")) if energy else None,
        relaxed=b"reached required accuracy" in tail,
    )


def _table(step: bytes) -> NDArray[np.float64]:
    """Positions and forces of a step, shape (N, 6); NaN where its table is not whole."""
    tables = list(FORCES.finditer(step))
    if not tables:
        return np.full((1, 6), np.nan)
    text, closed, _ = step[tables[-1].end() :].partition(b" ---")
    rows = [[_number(word) for word in line.split()] for line in text.splitlines() if line.strip()]
    whole = closed and all(len(row) == 6 for row in rows)
    return np.array(rows, dtype=float).reshape(-1, 6) if whole else np.full((len(rows), 6), np.nan)


def _cell(data: Bytes, begin: int) -> NDArray[np.float64] | None:
    start = data.rfind(b"direct lattice vectors", begin)
    lines = bytes(data[start : start + 1000]).splitlines()[1:4] if start >= 0 else []
    try:
        # A minus sign takes the place of the blank between two numbers.
        return np.array([[float(line[3 + 13 * i : 16 + 13 * i]) for i in range(3)] for line in lines]).reshape(3, 3)
    except ValueError:
        return None


def _moments(step: bytes) -> list[float] | None:
    tables = MOMENTS.findall(step)
    return [_number(line.split()[-1]) for line in tables[-1].splitlines()] if tables else None


def _electrons(step: bytes, limit: float | None) -> bool:
    said = re.findall(rb"aborting loop (because EDIFF is reached|EDIFF was not reached)", step)
    if said:
        return bool(said[-1].startswith(b"because"))
    cycles = [int(cycle) for cycle in re.findall(rb"Iteration +\d+\( *(\d+)\)", step)]
    return not limit or not cycles or cycles[-1] < limit


def _zero(tail: bytes) -> float:
    found = re.search(rb"energy\(sigma->0\) = *(\S+)", tail)
    return _number(found.group(1)) if found else float("nan")


def _number(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")  # asterisks, or two numbers grown together


def _text(found: re.Match[bytes] | None) -> str | None:
    return found.group(1).decode(errors="replace").strip() if found else None
