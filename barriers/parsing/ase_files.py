"""NEB folders of ASE: a trajectory with all images, of one or many iterations, or a file for each image."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.io import read

from barriers.documents import EngineDoc
from barriers.files.structures import to_structure
from barriers.parsing.found import FoundBand, Image, Reader

ENDINGS = (".traj", ".extxyz", ".xyz")


def read_ase_band(folder: Path, band: str | None = None) -> FoundBand | None:
    """Read the band of an ASE folder: the last iteration of its newest trajectory, or one image from each file.

    Returns
    -------
    FoundBand or None
        None where no file has a band, and files that cannot be read are not the only ones.

    Raises
    ------
    ValueError
        If what there is cannot be read.
    """
    if not folder.is_dir() or band is not None:
        return None
    files = sorted((path for path in folder.iterdir() if path.suffix in ENDINGS), key=_natural)
    if not files:
        return None
    contents: list[list[Atoms]] = []
    for path in files:
        try:
            contents.append(list(read(path, index=":")))
        except Exception as error:  # ASE's readers raise anything
            text = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"{path}: cannot be read: {text[:100]}") from error
    whole = [(path, frames) for path, frames in zip(files, contents, strict=True) if len(frames) >= 3]
    if whole:
        path, frames = max(whole, key=lambda pair: pair[0].stat().st_mtime)
        length = _band_length(frames)
        if len(frames) % length:
            frames = frames[: len(frames) // length * length]  # its writer was stopped within an iteration
        images, where = frames[-length:], [str(path)] * length
    else:
        images, where = [frames[-1] for frames in contents if frames], [str(path) for path in files]
    if len(images) < 3:
        return None
    if any(image.get_chemical_symbols() != images[0].get_chemical_symbols() for image in images):
        raise ValueError(f"{folder}: images of different atoms")
    return FoundBand(
        folder,
        EngineDoc(kind="ase", name=_calculator(images), version="unknown"),
        to_structure(images[0]),
        [_image(image) for image in images],
        [f"none in {place}" for place in where],
        warnings=["files of ASE do not say whether a band is converged; the force across the path was looked at"],
    )


def _natural(path: Path) -> list[tuple[int, str]]:
    """Key under which image2 comes before image10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name) if part]


def _band_length(frames: Sequence[Atoms]) -> int:
    """Images in one iteration: after so many the initial endpoint, which never moves, comes again."""
    first = frames[0].positions
    for length in range(3, len(frames)):
        again = frames[length]
        if len(again) == len(frames[0]) and np.array_equal(again.positions, first):
            return length
    return len(frames)


def _image(atoms: Atoms) -> Image:
    try:
        return Image(atoms.positions, float(atoms.get_potential_energy()), atoms.get_forces(apply_constraint=False))
    except (RuntimeError, PropertyNotImplementedError):
        return Image(atoms.positions)


def _calculator(images: Sequence[Atoms]) -> str:
    names = [getattr(image.calc, "name", "unknown") for image in images if image.calc is not None]
    return names[len(names) // 2] if names else "unknown"


READER = Reader(
    "ASE",
    read_ase_band,
    files="trajectories of a band (.traj, .extxyz, .xyz), or a file for each image",
    energies="results kept in the files",
    forces="results kept in the files",
    cell="the files",
    frozen="FixAtoms and move_mask in the files",
    convergence="not said: the force across the path is looked at",
    versions="3.22 to 3.29",
)
