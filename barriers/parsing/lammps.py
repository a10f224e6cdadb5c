"""Bands of LAMMPS (``neb``): energies and reaction coordinates of the log of all partitions.

Forces are not read: dumps have them after fix ``neb``, without the part along the path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import units
from numpy.typing import NDArray

from barriers.documents import EngineDoc
from barriers.parsing.files import beginning, files_with, plain_name, read_text, there
from barriers.parsing.found import Check, FoundBand, Image, Reader, the_one

Array = NDArray[np.float64]
UNITS = {
    "metal": (1.0, 1.0),
    "real": (units.kcal / units.mol, 1.0),
    "electron": (units.Hartree, units.Bohr),
    "si": (units.J, units.m),
    "cgs": (1e-7 * units.J, 0.01 * units.m),
}
"""Energy (eV) and length (Å) of LAMMPS's unit styles."""
SAME_ENERGY = 1e-4
"""Energies (in LAMMPS's units) of a replica in its own log and in that of all: the latter has eight digits."""
REACHED = {"force tolerance", "forces are zero"}


@dataclass(frozen=True)
class Row:
    """Last line of the table: step, largest force on a replica, length of the path, coordinates and energies."""

    step: int
    force: float
    length: float
    coordinates: Array
    energies: Array


def read_lammps_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Read the last step of a band of LAMMPS.

    Returns
    -------
    FoundBand or None
        None where no log has the table of ``neb``.

    Raises
    ------
    SeveralBandsError
        If there are several, and none is named.
    ValueError
        If the table is not whole, the units are not known, or logs are of another run.
    """
    folder = place if place.is_dir() else place.parent
    logs = {plain_name(path): path for path in files_with(place, "MaxReplicaForce")}
    if (one := the_one(folder, logs, band)) is None:
        return None
    name, path = one
    row = _last(path)
    own = [there(folder / f"{name}.{replica}") for replica in range(len(row.energies))]
    style, style_path = _units(folder, own)
    energy, length = UNITS[style]
    files = [str(one) for one in dict.fromkeys((path, style_path, *own)) if one is not None]
    images = [
        Image(np.empty((0, 3)), float(value * energy), files=files, steps=row.step, settings={"units": style})
        for value in row.energies
    ]
    for image in images[1:-1]:
        image.residual = row.force * energy / length
    version = re.search(r"LAMMPS \((.+?)\)", beginning(path))
    engine = EngineDoc(kind="lammps", name="LAMMPS", version=version[1] if version else "unknown")
    found = FoundBand(folder, engine, None, images, [str(path)] * len(images), name=name)
    found.distances = row.coordinates * row.length * length
    _judge(found, own, row, energy / length)
    return found


def _last(path: Path) -> Row:
    text = read_text(path)
    lines = [line.split() for line in text.splitlines()]
    heading = next(line for line in reversed(lines) if "MaxReplicaForce" in line)
    rows = [line for line in lines if line and line[0].isdigit() and len(line) > heading.index("RD1")]
    try:
        if not rows or len(rows[-1]) != len(rows[0]) or not text.endswith("\n"):
            raise ValueError
        numbers = np.array(rows[-1], dtype=float)
    except ValueError:
        raise ValueError(f"{path}: the last line of its table is not whole") from None
    start = heading.index("RD1")
    named = sum(re.fullmatch(r"PE\d+", column) is not None for column in heading)
    count = (len(numbers) - start) // 2 if "..." in heading else named
    pairs = numbers[start : start + 2 * count].reshape(-1, 2)
    if len(pairs) < 3 or not np.isfinite(pairs).all():
        raise ValueError(f"{path}: {len(pairs)} replicas are no band")
    force, whole = (numbers[heading.index(column)] for column in ("MaxReplicaForce", "RDT"))
    return Row(int(numbers[0]), float(force), float(whole), pairs[:, 0], pairs[:, 1])


def _units(folder: Path, own: list[Path | None]) -> tuple[str, Path]:
    """Unit style, which the replicas' logs or the input say; LAMMPS's own default has no eV."""
    others = sorted(path for path in folder.iterdir() if path.is_file())
    for path in [*(path for path in own if path is not None), *others]:
        if found := re.findall(r"^\s*units\s+(\w+)", beginning(path), re.M):
            if found[-1] not in UNITS:
                raise ValueError(f"{path}: units {found[-1]} have no energy in eV; allowed: {', '.join(UNITS)}")
            return str(found[-1]), path
    raise ValueError(f"{folder}: nothing says the units of LAMMPS's energies; copy log.lammps.0 or the input here")


def _judge(found: FoundBand, own: list[Path | None], row: Row, force: float) -> None:
    """Say what the replicas' own logs say: whether it converged stands only there."""
    name = "relaxed"
    missing = [number for number, path in enumerate(own) if path is None]
    if missing:
        says = f"whether the band converged stands in the replicas' logs only; copy {found.name}.{missing[0]} here"
        found.checks.append(Check(name, "doubtful", [f"largest force {row.force * force:.3f} eV/Å"], says))
        return
    seen = []
    for number, (path, energy) in enumerate(zip(own, row.energies, strict=True)):
        text = read_text(path) if path is not None else ""
        last = re.findall(r"Energy initial, next-to-last, final = *\n(.*)", text)
        if last and abs(float(last[-1].split()[-1]) - energy) > SAME_ENERGY:
            raise ValueError(f"{path} is of another run than {found.where[0]}: replica {number} ends at another energy")
        seen.append((re.findall(r"Stopping criterion = (.*)", text) or ["stopped early"])[-1].strip())
        found.images[number].relaxed = seen[-1] in REACHED or None
    if all(criterion in REACHED for criterion in seen):
        found.criterion = f"largest force on a replica {row.force * force:.3g} eV/Å"
        found.checks.append(Check(name, "ok", seen))
        return
    worst = next(number for number, criterion in enumerate(seen) if criterion not in REACHED)
    says = f"{own[worst]}: stopped by {seen[worst]}, not by the force tolerance; raise N1 and N2 of neb"
    found.checks.append(Check(name, "wrong", seen, says))


READER = Reader(
    "LAMMPS",
    read_lammps_band,
    files="a log with the table of neb",
    energies="the log of all partitions",
    forces="not read (dumped forces are projected); the largest one in the log",
    cell="not known",
    frozen="not known",
    convergence="'Stopping criterion' in the replicas' logs",
    versions="29 Sep 2021, 22 Jul 2025",
)
