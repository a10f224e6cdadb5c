"""Bands of CP2K (``MOTION/BAND``): energies in ``PROJECT-1.ener``, the rest in the files beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import units
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from barriers.documents import EngineDoc
from barriers.parsing.cp2k_checks import judge
from barriers.parsing.cp2k_inputs import Setup, read_setup
from barriers.parsing.cp2k_output import read_forces, version_of
from barriers.parsing.files import beginning, plain_name, read_text, there
from barriers.parsing.found import FoundBand, Image, Reader, the_one

Array = NDArray[np.float64]
SAME_LENGTH = 2e-4
"""Distances (bohr) of images that belong to one step agree to this."""


@dataclass(frozen=True)
class Energies:
    """Last line of ``PROJECT-1.ener``: band step, energies (Ha), distances of neighbours (bohr, no minimum image)."""

    path: Path
    step: int
    energies: Array
    distances: Array


def read_cp2k_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Read the last step of a CP2K band.

    Returns
    -------
    FoundBand or None
        None where no band of CP2K lies.

    Raises
    ------
    SeveralBandsError
        If there are several, and none is named.
    ValueError
        If files are missing or not whole, or of different steps.
    """
    found = _bands(place)
    folder = place if place.is_dir() else place.parent
    if not found and place.is_dir() and any(folder.glob("*-pos-Replica_nr_*.xyz*")):
        raise ValueError(f"{folder}: histories of CP2K's replicas are no band; copy the band's PROJECT-1.ener here")
    if (one := the_one(folder, found, band)) is None:
        return None
    project, path = one
    last = _last(path)
    setup = read_setup(folder, project, len(last.energies))
    positions, files = _positions(folder, project, last, setup)
    if positions.shape[1] != len(setup.species):
        where = files[0] if files else "its replicas"
        raise ValueError(
            f"{setup.path}: {len(setup.species)} atoms, but {positions.shape[1]} in {where}: other bands' files"
        )
    forces, output = read_forces(folder, last.energies)
    structure = Structure(
        Lattice(setup.cell, pbc=setup.pbc),
        setup.species,
        positions[0],
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": setup.free.tolist()},
    )
    sources = [str(one) for one in (path, setup.path, *files, output) if one is not None]
    images = []
    for number, energy in enumerate(last.energies):
        image = Image(positions[number], float(energy * units.Hartree), files=sources, settings=dict(setup.settings))
        image.forces = None if forces is None else forces[number]
        image.steps, image.free = last.step, setup.free
        images.append(image)
    engine = EngineDoc(kind="cp2k", name="CP2K", version=version_of(folder))
    band_found = FoundBand(folder, engine, structure, images, [str(path)] * len(images), name=project)
    judge(band_found, setup, project, last.step)
    return band_found


def _bands(place: Path) -> dict[str, Path]:
    """``.ener`` of each band by its project; that of a dynamics run has a heading and other columns."""
    paths = place.glob("*.ener*") if place.is_dir() else [place]
    found = {}
    for path in paths:
        match = re.fullmatch(r"(.+)-\d+\.ener", plain_name(path))
        first = beginning(path).partition("\n")[0].split() if match else []
        if match and first and first[0].isdigit() and len(first) >= 6 and len(first) % 2 == 0:
            found[match[1]] = there(path.with_name(plain_name(path))) or path if place.is_dir() else path
    return found


def _last(path: Path) -> Energies:
    text = read_text(path)
    rows = [line.split() for line in text.splitlines()]
    try:
        if not text.endswith("\n") or len(rows[-1]) != len(rows[0]):
            raise ValueError
        numbers = np.array(rows[-1], dtype=float)
    except ValueError:
        raise ValueError(f"{path}: its last line is not whole") from None
    images = len(numbers) // 2
    return Energies(path, int(numbers[0]), numbers[1 : images + 1], numbers[images + 1 :])


def _positions(folder: Path, project: str, last: Energies, setup: Setup) -> tuple[Array, list[Path]]:
    """Images of the last step (Å), from the replicas' histories or the restart; their distances show which it is."""
    number = len(last.energies)
    histories = {
        int(match[1]): path
        for path in sorted(folder.iterdir(), reverse=True)
        if (match := re.fullmatch(re.escape(project) + r"-pos-Replica_nr_(\d+)-1\.xyz", plain_name(path)))
    }
    missing = [replica for replica in range(1, number + 1) if replica not in histories]
    candidates: list[tuple[Array, list[Path]]] = []
    if not missing:
        whole = [histories[replica] for replica in range(1, number + 1)]
        candidates.append((np.array([_last_frame(file) for file in whole]), whole))
    if setup.replicas is not None:
        candidates.append((setup.replicas, []))
    for positions, used in candidates:
        apart = np.linalg.norm(np.diff(positions.reshape(number, -1), axis=0), axis=1) / units.Bohr
        if np.abs(apart - last.distances).max() < SAME_LENGTH:
            return positions, used
    if candidates:
        raise ValueError(f"{last.path}: no positions of its last step {last.step}: the other files are of another step")
    lost = folder / f"{project}-pos-Replica_nr_{missing[0]}-1.xyz"
    raise ValueError(f"{lost}: is missing, and the replicas are not in {setup.path}")


def _last_frame(path: Path) -> Array:
    lines = read_text(path).splitlines()
    try:
        number = int(lines[0])
        start = len(lines) // (number + 2) * (number + 2) - number
        return np.array([line.split()[1:4] for line in lines[start : start + number]], dtype=float)
    except (ValueError, IndexError):
        raise ValueError(f"{path}: is not whole") from None


READER = Reader(
    "CP2K",
    read_cp2k_band,
    files="PROJECT-1.ener of a band",
    energies="PROJECT-1.ener (Ha)",
    forces="the output, printed at PRINT_LEVEL MEDIUM",
    cell="PROJECT-1.restart",
    frozen="FIXED_ATOMS of PROJECT-1.restart",
    convergence="the last table of PROJECT-BAND<last>.out",
    versions="2023.1",
)
