"""Energies of endpoints that stand elsewhere: always the kind of energy that the images have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from ase.geometry import find_mic
from pymatgen.core import Structure

from barriers.parsing.calculations import Calculation, read_calculation
from barriers.parsing.found import KINDS, Check, FoundBand, Image
from barriers.parsing.vasp_checks import NO_IMAGES, incar_number
from barriers.parsing.vasp_image import only

FARTHEST = 0.5
"""An endpoint's own calculation ends with no atom farther (Å) from where the band has it."""

ENDS = ("initial", "final")


def use_endpoints(found: FoundBand, endpoints: tuple[str, str]) -> None:
    """Give a band the energies of its endpoints.

    Parameters
    ----------
    found : FoundBand
        The band; its first and last image are changed.
    endpoints : tuple[str, str]
        For each a number (eV), or a folder or file of its own calculation.

    Raises
    ------
    ValueError
        If there is no energy, or the atoms are others.
    """
    if found.structure is None:
        raise ValueError(f"--endpoints: {found.folder} tells no atoms, so nothing can be said to belong to it")
    # What was said of the endpoints that were found is not true of those that take their place.
    found.checks = [check for check in found.checks if check.name not in {NO_IMAGES, KINDS}]
    found.warnings = [line for line in found.warnings if not line.startswith(tuple(map(no_forces, ENDS)))]
    for which, text in zip((0, -1), endpoints, strict=True):
        energy = None if Path(text).exists() else _number(text)  # 00 is a folder where there is one
        if energy is None:
            found.images[which] = _read(found, found.structure, which, Path(text))
        else:
            found.images[which] = _numbered(found, which, energy, f"--endpoints {text}", "the number given")


def _number(text: str) -> float | None:
    try:
        energy = float(text)
    except ValueError:
        return None
    if not np.isfinite(energy):
        raise ValueError(f"--endpoints: {text}: is no energy; allowed: a finite number (eV), a file or a folder")
    return energy


def energy_beside(found: FoundBand, which: int, place: Path) -> None:
    """Look for the energy of an endpoint without OUTCAR in its folder, then in the band's INCAR."""
    image = found.images[which]
    if image.energy is not None or image.steps:
        return
    structure = found.structure
    assert structure is not None
    if any(only(place, name) for name in ("vasprun.xml", "vaspout.h5", "OSZICAR")) and only(place, "OUTCAR") is None:
        found.images[which] = _read(found, structure, which, place)
        return
    key = "EFIRST" if which == 0 else "ELAST"
    if energy := incar_number(found.folder, key):
        found.images[which] = _numbered(found, which, energy, f"{found.folder / 'INCAR'} ({key})", key)


def no_forces(end: str) -> str:
    """Say that an endpoint's forces are not known."""
    return f"forces of the {end} endpoint are not known and were taken as zero, as relaxed"


def _numbered(found: FoundBand, which: int, energy: float, source: str, name: str) -> Image:
    """Take a bare number: nothing is known of it but what its giver says."""
    image = found.images[which]
    found.warnings.append(f"{no_forces(ENDS[which])}; {name} is taken for a {found.energy_kind}")
    return replace(
        image, energy=energy, forces=np.zeros_like(image.positions), files=[source], settings={}, steps=None,
        relaxed=None, electrons=None, words="",
    )  # fmt: skip


def _read(found: FoundBand, initial: Structure, which: int, path: Path) -> Image:
    if not path.exists():
        raise ValueError(f"--endpoints: {path}: neither a number nor a file or folder")
    read = read_calculation(path, initial)
    _belongs(found, initial, which, path, read)
    if found.energy_kind != read.kind:
        says = f"the {ENDS[which]} endpoint's energy is a {read.kind} ({path}), the images' a {found.energy_kind}"
        found.checks.append(Check(KINDS, "doubtful", [found.energy_kind, read.kind], says))
    if read.wrong:
        found.checks.append(Check(NO_IMAGES, "wrong", [str(path)], read.wrong))
    image = read.image
    if image.forces is None:
        found.warnings.append(f"{no_forces(ENDS[which])}: {', '.join(image.files)} has none")
        image = replace(image, forces=np.zeros_like(image.positions))
    return image


def _belongs(found: FoundBand, initial: Structure, which: int, path: Path, read: Calculation) -> None:
    image = found.images[which]
    if read.image.species != [site.specie.symbol for site in initial]:
        raise ValueError(f"--endpoints: {path} has other atoms, or another order of them, than {found.folder}")
    lattice = initial.lattice
    if not read.placed:
        return
    _, moves = find_mic(read.image.positions - image.positions, lattice.matrix, lattice.pbc)
    if moves.max() > FARTHEST:
        raise ValueError(
            f"--endpoints: {path} is another structure than the band's: atom {int(moves.argmax())} is "
            f"{moves.max():.2f} Å away, at most {FARTHEST:g} Å is a relaxation"
        )
