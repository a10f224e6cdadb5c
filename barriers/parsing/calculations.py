"""One calculation of one structure, from whatever it left: OUTCAR, vasprun.xml, vaspout.h5, OSZICAR, or ASE's files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase.io import read
from pymatgen.core import Structure

from barriers.parsing.ase_image import frame_image, kind_of
from barriers.parsing.files import COMPRESSED, read_bytes, read_text
from barriers.parsing.found import Image
from barriers.parsing.outcar import read_last_step
from barriers.parsing.vasp_checks import incar_number
from barriers.parsing.vasp_image import KIND, mismatch, only, outcar_image, read_structure, structure_image
from barriers.parsing.vasprun import read_vaspout, read_vasprun

IN_ORDER = ("OUTCAR", "vasprun.xml", "vaspout.h5", "OSZICAR")
"""Files of a folder that have its energy, the first that is there counts."""


NELM = 60
"""Electronic cycles that VASP allows where nothing says how many."""


class Calculation(NamedTuple):
    """An image, the kind of its energy, whether its own files say where its atoms are, and what is wrong with it."""

    image: Image
    kind: str
    placed: bool = True
    wrong: str = ""


def read_calculation(path: Path, initial: Structure) -> Calculation:
    """Read the last step of a calculation.

    Parameters
    ----------
    path : Path
        Folder, or file of any name, compressed or not.
    initial : Structure
        Stands for the atoms where the files tell none.

    Raises
    ------
    ValueError
        One line, if there is no energy.
    """
    if path.is_dir():
        path = _file_in(path)
    start = read_bytes(path, 65536)
    if b"<modeling" in start:
        return Calculation(read_vasprun(path), KIND)
    if start.startswith(b"\x89HDF"):
        return Calculation(read_vaspout(path), KIND)
    if re.search(rb"^ *vasp\.\d|TITEL|POSITION +TOTAL-FORCE", start, re.MULTILINE):
        return _outcar(path, initial)
    if re.search(rb"\bF= *\S+ +E0=", start):
        return _oszicar(path, initial)
    return _ase(path)


def _file_in(folder: Path) -> Path:
    for name in IN_ORDER:
        if (path := only(folder, name)) is not None:
            return path
    others = sorted(path for path in folder.glob("*OUTCAR*") if path.is_file() and path.stat().st_size)
    if len(others) == 1:
        return others[0]
    told = f", but {', '.join(path.name for path in others)}: name one of them" if others else ""
    raise ValueError(f"--endpoints: no OUTCAR with a whole step in {folder}, no {', no '.join(IN_ORDER[1:])}{told}")


def _outcar(path: Path, initial: Structure) -> Calculation:
    step = read_last_step(path)
    if not step.finite:
        raise ValueError(f"--endpoints: no OUTCAR with a whole step in {path}")
    structure = read_structure(path.parent, step.titles, ("CONTCAR", "POSCAR"))
    if structure is None or len(structure) != len(step.positions):
        structure = initial
    wrong = f"{path} is of an image that a band moved, not of an endpoint" if step.band else ""
    if not wrong and (unlike := mismatch(structure, step)):
        wrong = f"{path}: {unlike}"
    return Calculation(outcar_image(path, structure, step), KIND, wrong=wrong)


def last_free_energy(text: str) -> tuple[float, int] | None:
    """Find the last free energy F (eV) of an OSZICAR, and after how many steps; None where there is none."""
    found = re.findall(r"\bF= *(\S+) +E0=", text)
    try:
        return float(found[-1]), len(found)
    except (IndexError, ValueError):
        return None


def _oszicar(path: Path, initial: Structure) -> Calculation:
    text = read_text(path)
    last = last_free_energy(text)
    if last is None:
        raise ValueError(f"--endpoints: no energy in {path}")
    structure = read_structure(path.parent, [], ("CONTCAR", "POSCAR"))
    image = structure_image(structure or initial)
    image.energy, image.steps, image.files = last[0], last[1], [str(path)]
    limit = int(incar_number(path.parent, "NELM") or NELM)
    if _last_cycle(text) == limit:
        image.electrons, image.words = False, f"the last step of {path} took all of NELM = {limit} cycles"
    if (allowed := int(incar_number(path.parent, "NSW") or 0)) > 1 and last[1] >= allowed:
        image.relaxed, image.words = False, image.words or f"{path} has all of NSW = {allowed} steps"
    return Calculation(image, KIND, structure is not None)


def _last_cycle(text: str) -> int | None:
    """Number of the electronic cycle before the last energy of an OSZICAR."""
    before = text[: text.rfind(" E0=")]
    found = re.findall(r"^ *[A-Z]{3}: +(\d+) ", before, re.MULTILINE)
    return int(found[-1]) if found else None


def _ase(path: Path) -> Calculation:
    if path.suffix in COMPRESSED and path.suffix not in {".gz", ".bz2", ".xz"}:
        raise ValueError(f"--endpoints: {path}: unpack it first")
    try:
        atoms = read(path, index=-1)
        kind = kind_of([atoms])
        image = frame_image(atoms, str(path), kind)
    except Exception as error:  # ASE's readers raise anything
        text = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"--endpoints: no energy in {path}: {text[:100]}") from error
    if image.energy is None or not np.isfinite(image.energy):
        raise ValueError(f"--endpoints: no energy in {path}")
    return Calculation(image, kind)
