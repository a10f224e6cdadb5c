"""``neb.dat`` and ``nebef.dat`` of VTST's scripts, where the VASP folders they were made from are gone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from barriers.documents import EngineDoc
from barriers.parsing.files import plain_name, read_text, there
from barriers.parsing.found import Check, FoundBand, Image, Reader

Array = NDArray[np.float64]
SAME_ENERGY = 1e-4
"""Energies (eV) of one image agree to this in the two files of one band."""


def read_vtst_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Read what ``nebbarrier.pl`` and ``nebef.pl`` wrote.

    Returns
    -------
    FoundBand or None
        None where there is neither, or the image folders themselves are there.

    Raises
    ------
    ValueError
        If a file is not whole, only ``nebef.dat`` is there, or they are of two bands.
    """
    if band not in {None, "neb.dat"} or (place.is_dir() and (place / "00").is_dir()):
        return None
    folder = place if place.is_dir() else place.parent
    path = there(folder / "neb.dat") if place.is_dir() else place if plain_name(place) == "neb.dat" else None
    forces_path = there(folder / "nebef.dat")
    if path is None:
        if place.is_dir() and forces_path is not None and _table(forces_path, 4) is not None:
            raise ValueError(f"{forces_path}: has no distances; run nebbarrier.pl and copy neb.dat too")
        return None
    rows = _table(path, 5)
    if rows is None:
        return None
    forces = None if forces_path is None else _table(forces_path, 4)
    if forces is not None and (len(forces) != len(rows) or not np.allclose(forces[:, 3], rows[:, 2], atol=SAME_ENERGY)):
        raise ValueError(f"{forces_path} and {path} are of two bands: take away the older one")
    files = [str(one) for one in (path, forces_path if forces is not None else None) if one is not None]
    images = [
        Image(
            np.empty((0, 3)),
            float(row[2] if forces is None else forces[number, 2]),
            files=files,
            tangential=float(row[3]),
            residual=None if forces is None or number in {0, len(rows) - 1} else float(forces[number, 1]),
        )
        for number, row in enumerate(rows)
    ]
    found = FoundBand(
        folder,
        EngineDoc(kind="vasp", name="VASP", version="unknown"),
        None,
        images,
        [str(path)] * len(rows),
        name="neb.dat",
        distances=rows[:, 1],
        energy_kind="energy(sigma→0)",
    )
    says = "VTST's tables do not say whether the band converged; " + (
        "copy nebef.dat, which has the largest forces" if forces is None else "the force across the path was looked at"
    )
    found.checks.append(Check("relaxed", "doubtful", ["not said"], says))
    return found


def _table(path: Path, columns: int) -> Array | None:
    """Rows of a table that counts its images from 0; None where it is another program's.

    Quantum ESPRESSO writes files of this name too, and eOn's has a heading.
    """
    text = read_text(path)
    lines = [line.split() for line in text.splitlines() if line.split()]
    try:
        rows = np.array(lines, dtype=float)
    except ValueError:
        rows = np.empty(0)
    ours = [line for line in lines if len(line) == columns and line[0].isdigit()]
    if len(ours) < 3 or [int(line[0]) for line in ours] != list(range(len(ours))):
        return None
    if rows.ndim != 2 or not text.endswith("\n") or not np.isfinite(rows).all():
        raise ValueError(f"{path}: is not whole")
    return rows


READER = Reader(
    "VTST scripts",
    read_vtst_band,
    files="neb.dat without image folders",
    energies="neb.dat (sigma→0, relative), nebef.dat (absolute)",
    forces="along the path in neb.dat, the largest in nebef.dat",
    cell="not known",
    frozen="not known",
    convergence="not said, so the largest forces in nebef.dat are looked at",
    versions="formats of nebbarrier.pl and nebef.pl",
)
