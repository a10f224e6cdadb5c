"""What the restart of a CP2K band tells: cell, species, fixed atoms, coordinates, settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.calculators.cp2k import InputSection, parse_input
from numpy.typing import NDArray

from barriers.parsing.espresso_atoms import element
from barriers.parsing.files import read_text, there

SETTINGS = {
    "method": ("FORCE_EVAL", "METHOD"),
    "cutoff": ("FORCE_EVAL/DFT/MGRID", "CUTOFF"),
    "rel_cutoff": ("FORCE_EVAL/DFT/MGRID", "REL_CUTOFF"),
    "charge": ("FORCE_EVAL/DFT", "CHARGE"),
    "multiplicity": ("FORCE_EVAL/DFT", "MULTIPLICITY"),
    "eps_scf": ("FORCE_EVAL/DFT/SCF", "EPS_SCF"),
}
DIRECTIONS = "XYZ"


@dataclass(frozen=True)
class Setup:
    """What holds for every image.

    Attributes
    ----------
    path : Path
        The restart.
    cell : (3, 3)
        Lattice vectors as rows (Å).
    pbc : tuple[bool, bool, bool]
        Periodic directions.
    species : list[str]
        Element of each atom.
    free : (N, 3) of bool
        Directions in which each atom may move.
    frames : dict[str, bool]
        ``ALIGN_FRAMES`` and ``ROTATE_FRAMES``.
    replicas : (n, N, 3) or None
        Coordinates of the images (Å).
    settings : dict[str, str]
        What enters the energy.
    """

    path: Path
    cell: NDArray[np.float64]
    pbc: tuple[bool, bool, bool]
    species: list[str]
    free: NDArray[np.bool_]
    frames: dict[str, bool]
    replicas: NDArray[np.float64] | None
    settings: dict[str, str]


def read_setup(folder: Path, project: str, images: int) -> Setup:
    """Read ``PROJECT-1.restart``.

    Raises
    ------
    ValueError
        If it is missing, is not whole, or is another band's.
    """
    path = there(folder / f"{project}-1.restart")
    if path is None:
        raise ValueError(
            f"{folder / f'{project}-1.restart'}: is missing; cell, species and fixed atoms stand only there"
        )
    text = read_text(path)
    try:
        if "&END FORCE_EVAL" not in text:
            raise ValueError("it ends early")
        root = parse_input(text)
        band, subsys = _at(root, "MOTION/BAND"), _at(root, "FORCE_EVAL/SUBSYS")
        coordinates = [line.split() for line in _at(subsys, "COORD").keywords]
        elements = {kind.params: _value(kind, "ELEMENT") for kind in subsys.subsections if kind.name == "KIND"}
        species = [element(elements.get(row[0]) or row[0]) for row in coordinates]
        replicas = np.array([_rows(replica) for replica in _all(band, "REPLICA")])
        cell = _at(subsys, "CELL")
        vectors = np.array([str(_value(cell, name)).split() for name in "ABC"], dtype=float)
        periodic = _value(cell, "PERIODIC") or "XYZ"
        free = _free(root, len(species))
    except (ValueError, IndexError, KeyError, AssertionError) as error:
        raise ValueError(f"{path}: is not a whole restart of a band: {error}") from error
    if int(_value(band, "NUMBER_OF_REPLICA") or 0) != images:
        raise ValueError(f"{path}: {_value(band, 'NUMBER_OF_REPLICA')} replicas, but {images} in {project}-1.ener")
    return Setup(
        path,
        vectors,
        tuple(direction in periodic for direction in DIRECTIONS),  # type: ignore[arg-type]
        species,
        free,
        {name: (_value(band, name) or "T").upper().strip(".")[0] == "T" for name in ("ALIGN_FRAMES", "ROTATE_FRAMES")},
        replicas if replicas.shape == (images, len(species), 3) else None,
        dict(_settings(root)),
    )


def _rows(replica: InputSection) -> list[list[float]]:
    return [[float(x) for x in line.split()] for line in _at(replica, "COORD").keywords]


def _free(root: InputSection, atoms: int) -> NDArray[np.bool_]:
    """Directions in which atoms move; atoms are counted from 1, in lists such as ``1..18 20``."""
    free = np.ones((atoms, 3), dtype=bool)
    for constraint in _all(_at(root, "MOTION"), "CONSTRAINT"):
        for fixed in _all(constraint, "FIXED_ATOMS"):
            kinds = {line.split()[0].upper() for line in fixed.keywords} - {"LIST", "COMPONENTS_TO_FIX"}
            if kinds & {"MOLNAME", "MM_SUBSYS", "QM_SUBSYS"}:
                raise ValueError(f"FIXED_ATOMS by {', '.join(sorted(kinds))} cannot be told; give a LIST")
            held = [direction in (_value(fixed, "COMPONENTS_TO_FIX") or "XYZ").upper() for direction in DIRECTIONS]
            for line in (line for line in fixed.keywords if line.split()[0].upper() == "LIST"):
                for part in line.split()[1:]:
                    first, _, last = part.partition("..")
                    free[int(first) - 1 : int(last or first)] &= ~np.array(held)
    return free


def _settings(root: InputSection) -> Iterator[tuple[str, str]]:
    for name, (place, keyword) in SETTINGS.items():
        sections = [root]
        for part in place.split("/"):
            sections = [inner for section in sections for inner in _all(section, part)]
        if value := next((value for section in sections if (value := _value(section, keyword))), None):
            yield name, value


def _all(section: InputSection, name: str) -> list[InputSection]:
    return [inner for inner in section.subsections if inner.name.upper() == name]


def _at(section: InputSection, place: str) -> InputSection:
    for name in place.split("/"):
        found = _all(section, name)
        if not found:
            raise ValueError(f"no &{place.replace('/', ' &')}")
        section = found[0]
    return section


def _value(section: InputSection, keyword: str) -> str | None:
    """Value of a keyword, upper case or not; None where it is left at its default."""
    for line in section.keywords:
        name, _, value = line.strip().partition(" ")
        if name.upper() == keyword:
            return value.strip()
    return None
