"""NEB folders of ASE: a trajectory with all images, of one or many iterations, or a file for each image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from barriers.analysis.band import problems
from barriers.documents import EngineDoc
from barriers.files.structures import to_structure
from barriers.parsing.ase_image import frame_image, kind_of, kinds_check
from barriers.parsing.consistency import NO_END
from barriers.parsing.endpoints import no_forces
from barriers.parsing.files import is_of_a_code, plain_name
from barriers.parsing.found import Check, FoundBand, Reader, SeveralBandsError
from barriers.parsing.order import natural, number_check, path_order

ENDINGS = (".traj", ".extxyz", ".xyz")
IMAGES = "images"
"""What ``--band`` calls the band of a file for each image."""

Contents = dict[Path, list[Atoms]]


def read_ase_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Read the band of an ASE folder, or of one file: the last iteration of a trajectory, or one image from each file.

    Returns
    -------
    FoundBand or None
        None where no file has a band.

    Raises
    ------
    ValueError
        If what there is cannot be read, or its images lie on no path.
    """
    files = [place] if place.is_file() else list(place.iterdir())
    files = sorted((path for path in files if _is_ours(path)), key=lambda path: natural(path.name))
    contents = {path: _frames(path) for path in files if band in {None, IMAGES, path.name}}
    folder = place.parent if place.is_file() else place
    if band == IMAGES:
        return _of_files(folder, {path: frames for path, frames in contents.items() if not _is_band(frames)})
    if band is not None or place.is_file():
        return next((_of_file(folder, path, frames) for path, frames in contents.items()), None)
    return _chosen(folder, contents)


def _chosen(folder: Path, contents: Contents) -> FoundBand | None:
    """Take the one band that a folder holds, by what is in its files."""
    bands = [path for path, frames in contents.items() if _is_band(frames)]
    rest = {path: frames for path, frames in contents.items() if path not in bands and frames}
    longer = [path for path, frames in rest.items() if len(frames) >= 3]
    names = [*(path.name for path in bands), *([IMAGES] if _sound(rest) else [])]
    if not names and longer:
        names = [path.name for path in longer]
    if len(names) > 1:
        raise SeveralBandsError(folder, names)
    if names == [IMAGES] or not names:
        return _of_files(folder, rest)
    path = next(path for path in contents if path.name == names[0])
    return _of_file(folder, path, contents[path])


def _is_ours(path: Path) -> bool:
    return path.is_file() and Path(plain_name(path)).suffix in ENDINGS and not is_of_a_code(path)


def _frames(path: Path) -> list[Atoms]:
    try:
        return list(read(path, index=":", do_not_split_by_at_sign=True))
    except Exception as error:  # ASE's readers raise anything
        text = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: cannot be read: {text[:100]}") from error


def _last_iteration(frames: Sequence[Atoms]) -> list[Atoms]:
    """Frames of the last whole iteration: each begins with the initial endpoint, which never moves."""
    starts = [i for i, frame in enumerate(frames) if _same(frame, frames[0])]
    blocks = [list(frames[a:b]) for a, b in zip(starts, [*starts[1:], len(frames)], strict=True)]
    whole = [block for block in blocks if len(block) >= 3 and _same(block[-1], blocks[0][-1])]
    return whole[-1] if whole else list(frames)


def _same(one: Atoms, other: Atoms) -> bool:
    return len(one) == len(other) and np.array_equal(one.positions, other.positions)


def _is_band(frames: Sequence[Atoms]) -> bool:
    """Tell a band from a relaxation by what it holds: iterations, or a hump between two minima."""
    if len(frames) < 3:
        return False
    last = _last_iteration(frames)
    if len(last) < len(frames):
        return True
    images = [frame_image(frame, "", kind_of(last)) for frame in last]
    energies = [image.energy for image in images]
    if None in energies or _no_path(last):
        return False
    inner, ends = max(energies[1:-1]), max(energies[0], energies[-1])  # type: ignore[type-var]
    calm = all(
        image.forces is None or np.abs(image.forces[image.free.any(axis=1)]).max(initial=0.0) < NO_END
        for image in (images[0], images[-1])
        if image.free is not None
    )
    return bool(inner > ends) and calm  # type: ignore[operator]


def _no_path(frames: Sequence[Atoms]) -> bool:
    """Whether frames are no path: other atoms, twice the same, or turning back."""
    if len({len(frame) for frame in frames}) > 1:
        return True
    zeros = [np.zeros((len(frame), 3)) for frame in frames]
    cell, pbc = frames[0].cell.complete().array, frames[0].pbc
    return bool(problems([frame.positions for frame in frames], cell, [0.0] * len(frames), zeros, pbc))


def _sound(contents: Contents) -> bool:
    """Whether the last frames of files are one band."""
    last = [frames[-1] for frames in contents.values()]
    if len(last) < 3 or len({tuple(frame.get_chemical_symbols()) for frame in last}) > 1:
        return False
    try:
        order = path_order(last, [path.name for path in contents])
    except ValueError:
        return False
    return not _no_path([last[index] for index in order])


def _of_file(folder: Path, path: Path, frames: list[Atoms]) -> FoundBand | None:
    if len(frames) < 3:
        return None
    images = _last_iteration(frames)
    found = _found(folder, images, [path] * len(images), path.name)
    if len(images) < len(frames):
        found.warnings.insert(0, f"{path.name}: the last whole iteration of {len(frames)} frames was read")
    return found


def _of_files(folder: Path, contents: Contents) -> FoundBand | None:
    if len(contents) < 3:
        return None
    files, last = list(contents), [frames[-1] for frames in contents.values()]
    odd = [path.name for path, frames in contents.items() if sorted(frames[-1].symbols) != sorted(last[0].symbols)]
    if odd:
        raise ValueError(f"{folder}: images of different atoms: {', '.join(odd)} and {files[0].name}")
    try:
        order = path_order(last, [path.name for path in files])
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from error
    found = _found(folder, [last[i] for i in order], [files[i] for i in order], IMAGES)
    names = [files[i].name for i in order]
    found.checks.append(number_check(sorted(names, key=natural)))
    found.checks.append(Check("order of images", "ok", names))
    found.warnings.insert(0, f"order of images, found from the geometry: {', '.join(names)}")
    return found


def _found(folder: Path, frames: list[Atoms], files: list[Path], name: str) -> FoundBand:
    kind = kind_of(frames)
    found = FoundBand(
        folder,
        EngineDoc(kind="ase", name=_calculator(frames), version="unknown"),
        to_structure(frames[0]),
        [frame_image(frame, str(path), kind) for frame, path in zip(frames, files, strict=True)],
        [f"none in {path}" for path in files],
        warnings=["files of ASE do not say whether a band is converged; the force across the path was looked at"],
        name=name,
        energy_kind=kind,
    )
    found.checks += kinds_check(frames)
    if all(image.forces is not None for image in found.images[1:-1]):
        for end, image in (("initial", found.images[0]), ("final", found.images[-1])):
            if image.energy is not None and image.forces is None:
                image.forces = np.zeros_like(image.positions)
                found.warnings.insert(0, no_forces(end))
    return found


def _calculator(images: Sequence[Atoms]) -> str:
    names = [getattr(image.calc, "name", "unknown") for image in images if image.calc is not None]
    return names[len(names) // 2] if names else "unknown"


READER = Reader(
    "ASE",
    read_ase_band,
    files="trajectories of a band (.traj, .extxyz, .xyz), or a file for each image",
    energies="results kept in the files: free energy where all have it",
    forces="results kept in the files",
    cell="the files",
    frozen="constraints and move_mask in the files",
    convergence="not said, so the force across the path is looked at",
    versions="3.29",
)
