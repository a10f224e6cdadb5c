"""Bands of eOn: ``neb.dat`` and ``results.dat`` for the numbers, ``neb.con`` for the atoms. Units are eV and Å."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read
from numpy.typing import NDArray

from barriers.documents import EngineDoc
from barriers.files.structures import to_structure
from barriers.parsing.files import plain_name, read_text, there
from barriers.parsing.found import Check, FoundBand, Image, Reader

Array = NDArray[np.float64]
HEADING = ["img", "rxn_coord", "energy", "f_para"]
SAME_ENERGY = 2e-6
"""Energies (eV) of one image agree to this in the files of one run, which have six digits."""
LOOSEST = 0.1
"""Largest force (eV/Å) on a relaxed endpoint."""


def read_eon_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Read a band of eOn.

    Returns
    -------
    FoundBand or None
        None where there is no ``neb.dat`` of eOn.

    Raises
    ------
    ValueError
        If a file is not whole, or the files are of two runs.
    """
    path = there(place / "neb.dat") if place.is_dir() else place if plain_name(place) == "neb.dat" else None
    if path is None or band not in {None, "neb.dat"}:
        return None
    lines = [line.split() for line in read_text(path).splitlines() if line.split()]
    if not lines or lines[0] != HEADING:
        return None
    try:
        rows = np.array(lines[1:], dtype=float)
        if len(rows) < 3 or not np.array_equal(rows[:, 0], np.arange(len(rows))):
            raise ValueError
    except (ValueError, IndexError):
        raise ValueError(f"{path}: is not whole") from None
    folder = path.parent
    results_path, results = _results(folder, path, rows)
    atoms_path, atoms, energies = _atoms(folder, path, rows)
    files = [str(one) for one in (path, results_path, atoms_path) if one is not None]
    reference = float(results.get("energy_reference", 0.0)) if energies is None else 0.0
    images = []
    for number, row in enumerate(rows):
        energy = reference + row[2] if energies is None else energies[number]
        positions = atoms[number].positions if atoms else np.empty((0, 3))
        image = Image(positions, float(energy), tangential=float(row[3]), files=files)
        if 0 < number < len(rows) - 1 and (said := results.get(f"image{number}_projected_force")):
            image.residual = float(said)
        image.settings = {"potential": results["potential_type"]} if "potential_type" in results else {}
        if atoms:
            held = [index for constraint in atoms[number].constraints for index in constraint.index]
            image.free = np.ones_like(positions, dtype=bool)
            image.free[held] = False
        images.append(image)
    structure = to_structure(atoms[0]) if atoms else None
    engine = EngineDoc(kind="eon", name="eOn", version="unknown")
    found = FoundBand(folder, engine, structure, images, [str(path)] * len(rows), name="neb.dat")
    found.distances = rows[:, 1] if structure is None else None
    _judge(found, results_path, results)
    return found


def _results(folder: Path, path: Path, rows: Array) -> tuple[Path | None, dict[str, str]]:
    """``results.dat``, a value and its name in each line; of this run if its energies are these."""
    results_path = there(folder / "results.dat")
    if results_path is None:
        return None, {}
    lines = [line.split() for line in read_text(results_path).splitlines()]
    results = {line[-1]: line[0] for line in lines if len(line) == 2}
    said = [float(results.get(f"image{number}_energy", "nan")) for number in range(len(rows))]
    if not np.allclose(said, rows[:, 2], atol=SAME_ENERGY):
        raise ValueError(f"{results_path} and {path} are of two runs: take away the older one")
    return results_path, results


def _atoms(folder: Path, path: Path, rows: Array) -> tuple[Path | None, list[Atoms], Array | None]:
    """Images of ``neb.con``, wrapped into the cell, and their energies (eV) where it has them.

    ASE takes the cell for not periodic, and a file that ends early for a shorter one.
    """
    atoms_path = there(folder / "neb.con")
    if atoms_path is None:
        return None, [], None
    text = read_text(atoms_path)
    try:
        images = list(read(io.StringIO(text), index=slice(None), format="eon"))
    except Exception as error:  # ASE's readers raise anything
        raise ValueError(f"{atoms_path}: is not whole") from error
    if len(images) != len(rows):
        raise ValueError(f"{atoms_path}: {len(images)} images, but {len(rows)} in {path.name}")
    for image in images:
        image.pbc = True
    comments = [json.loads(line) for line in text.splitlines() if re.match(r'\{.*"energy"', line)]
    if len(comments) != len(rows):
        return atoms_path, images, None
    energies = np.array([comment["energy"] for comment in comments], dtype=float)
    if not np.allclose(energies - energies[0], rows[:, 2] - rows[0, 2], atol=SAME_ENERGY):
        raise ValueError(f"{atoms_path} and {path} are of two runs: take away the older one")
    return atoms_path, images, energies


def _judge(found: FoundBand, path: Path | None, results: dict[str, str]) -> None:
    """Say what eOn says; GOOD means its climbing image, unless it was told to look at all of them."""
    name = "relaxed"
    ending = results.get("termination_reason_text", results.get("termination_reason", ""))
    if path is None or not ending:
        says = f"whether the band converged stands in results.dat only, which is not in {found.folder}; copy it here"
        found.checks.append(Check(name, "wrong", ["no results.dat"], says))
        return
    good = ending in {"GOOD", "0"}
    for image in found.images[1:-1]:
        image.relaxed = good or None
    if not good:
        says = f"{path}: termination_reason is {ending}: the band did not converge; raise max_iterations"
        found.checks.append(Check(name, "wrong", [ending], says))
        return
    found.checks.append(Check(name, "ok", [f"{ending}, says {path}"]))
    config = there(found.folder / "config.ini")
    force = re.search(r"^\s*converged_force\s*=\s*(\S+)", read_text(config) if config else "", re.M)
    found.criterion = f"converged_force{f' {force[1]} eV/Å' if force else ''} on the climbing image"
    for number, which in ((0, "initial"), (len(found.images) - 1, "final")):
        if (end := float(results.get(f"image{number}_force", 0.0))) > LOOSEST:
            says = f"{which} endpoint is not relaxed: {end:.3f} eV/Å; set minimize_endpoints = true"
            found.checks.append(Check(f"{which} endpoint", "doubtful", [f"{end:.3f} eV/Å"], says))


READER = Reader(
    "eOn",
    read_eon_band,
    files="neb.dat with a heading",
    energies="neb.con, else neb.dat and results.dat",
    forces="along the path in neb.dat, across it in results.dat",
    cell="neb.con",
    frozen="neb.con",
    convergence="termination_reason in results.dat, of the climbing image alone",
    versions="pyeonclient 0.4.2",
)
