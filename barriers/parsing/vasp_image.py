"""One VASP calculation: structure, and the last whole step of its OUTCAR."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from pymatgen.core import Element, Structure
from pymatgen.io.vasp import Poscar

from barriers.engines.vasp.restart import sharpened
from barriers.parsing.files import COMPRESSED, read_text, same_content
from barriers.parsing.found import Image
from barriers.parsing.outcar import LastStep, read_last_step
from barriers.structures.directions import free_directions

KIND = "free energy F"
"""The energies read are those that the forces are derivatives of, not E0 (sigma → 0)."""


def only(folder: Path, name: str) -> Path | None:
    """Find a file under its own name or compressed; None where there is none, or only an empty one.

    Raises
    ------
    ValueError
        If there are several, and they hold different things.
    """
    paths = [path for ending in ("", *COMPRESSED) if (path := folder / f"{name}{ending}").is_file()]
    paths = [path for path in paths if path.stat().st_size]
    if len(paths) > 1 and not same_content(paths):
        names = ", ".join(path.name for path in paths)
        raise ValueError(f"{folder}: {names} hold different things; move all but one of them away")
    return paths[0] if paths else None


def symbols_of(titles: list[str]) -> list[str]:
    """Elements of POTCARs by their titles: ``PAW_PBE Li_sv 10Sep2004`` is Li."""
    words = [title.split()[1] if len(title.split()) > 1 else title for title in titles]
    return [re.split(r"[_.\d]", word)[0] for word in words]


def read_structure(folder: Path, titles: list[str], names: tuple[str, ...] = ("POSCAR", "CONTCAR")) -> Structure | None:
    """Read the first whole structure of a folder, with species of the POTCARs' titles where the file has none.

    Raises
    ------
    ValueError
        If a whole file tells no species, and no title does.
    """
    for name in names:
        path = only(folder, name)
        if path is not None and (structure := _poscar(path, symbols_of(titles))) is not None:
            return structure
    return None


def _poscar(path: Path, symbols: list[str]) -> Structure | None:
    text = read_text(path)
    try:
        poscar = Poscar.from_str(text, read_velocities=False)
        if not poscar.true_names and symbols:
            poscar = Poscar.from_str(text, symbols, read_velocities=False)
        structure = poscar.structure
    except (ValueError, IndexError, KeyError, AttributeError, AssertionError):
        return None
    if not poscar.true_names and not symbols:
        raise ValueError(f"{path}: tells no species (VASP 4), nor does an OUTCAR beside it; add a line with them")
    return structure if np.isfinite(structure.frac_coords).all() else None


def outcar_image(path: Path, structure: Structure, step: LastStep) -> Image:
    """Take the last whole step of an OUTCAR, with the digits of CONTCAR beside it where that holds the same.

    Raises
    ------
    ValueError
        If OUTCAR has other atoms than the structure.
    """
    image = structure_image(structure)
    image.settings, image.steps = dict(step.settings), step.steps or None
    if step.version != "unknown":
        image.settings["version"] = step.version
    if step.cell is not None:
        image.cell = step.cell
    if not step.finite:
        return image
    if len(step.positions) != len(structure):
        raise ValueError(f"{path} has {len(step.positions)} atoms, POSCAR beside it {len(structure)}")
    written = read_structure(path.parent, step.titles, ("CONTCAR",))
    image.positions = sharpened(written, step.positions)
    image.energy, image.forces, image.moments = step.energy, step.forces, step.moments
    image.files, image.electrons, image.relaxed = [str(path)], step.electrons, _relaxed(step)
    lacking = f"electrons not converged in the last step of {path}" if not step.electrons else ""
    if image.relaxed is False:
        lacking = lacking or f"no 'reached required accuracy' in {path}"
    image.words = lacking
    return image


def structure_image(structure: Structure) -> Image:
    """Make an image of a structure alone."""
    return Image(
        structure.cart_coords,
        cell=structure.lattice.matrix,
        species=[site.specie.symbol for site in structure],
        free=free_directions(structure),
    )


def _relaxed(step: LastStep) -> bool | None:
    """Whether a relaxation finished; None where there was none to finish: a single point."""
    still = step.numbers.get("NSW", 2) <= 1
    return None if still and not step.band else step.relaxed


def mismatch(structure: Structure, step: LastStep) -> str | None:
    """Say where POSCAR and the POTCARs of OUTCAR disagree on what the atoms are."""
    symbols = symbols_of(step.titles)
    names = list(dict.fromkeys(site.specie.symbol for site in structure))
    if not symbols or not all(Element.is_valid_symbol(symbol) for symbol in symbols):
        return None
    if step.counts and len(step.counts) == len(symbols):
        expected = [symbol for symbol, count in zip(symbols, step.counts, strict=True) for _ in range(count)]
        differs = expected != [site.specie.symbol for site in structure]
    else:
        differs = list(dict.fromkeys(symbols)) != names
    return f"POSCAR says {' '.join(names)}, the POTCARs {' '.join(symbols)}" if differs else None


def read_step(folder: Path) -> tuple[Path, LastStep] | None:
    """Read the OUTCAR of a folder; None where there is none."""
    path = only(folder, "OUTCAR")
    return None if path is None else (path, read_last_step(path))
