"""NEB folders of Quantum ESPRESSO: ``PREFIX.path`` for the band, an image's XML for cell and species."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from ase import units
from pymatgen.core import Lattice, Structure

from barriers.documents import EngineDoc
from barriers.parsing.found import FoundBand, Image, Reader

CONVERGED = "neb: convergence achieved"


def read_espresso_band(folder: Path, band: str | None = None) -> FoundBand | None:
    """Read the band of a ``neb.x`` folder.

    Returns
    -------
    FoundBand or None
        None where there is no path file.

    Raises
    ------
    ValueError
        If the path file is not whole, or no XML tells what the atoms are.
    """
    if not folder.is_dir():
        return None
    paths = sorted(path for path in folder.glob("*.path") if band in {None, path.stem})
    outputs = [output.read_text("utf-8", "replace") for output in sorted(folder.glob("*.out"))]
    if not paths:
        if any("Program NEB" in text for text in outputs):
            raise ValueError(f"{folder}: neb.x left no .path file: it stopped within its first iteration")
        return None
    from barriers.engines.espresso.outputs import read_path

    path = paths[0]
    state = read_path(path)
    structure, version = _structure(folder, path, state.positions[0])
    said = any(CONVERGED in text for text in outputs)
    images = [Image(*row) for row in zip(state.positions, map(float, state.energies), state.forces, strict=True)]
    return FoundBand(
        folder,
        EngineDoc(kind="espresso", name="Quantum ESPRESSO", version=version),
        structure,
        images,
        [str(path)] * len(images),
        [] if said else [f"no {CONVERGED!r} in an output (*.out) of {folder}"],
        name=path.stem,
    )


def _structure(folder: Path, path: Path, positions: np.ndarray) -> tuple[Structure, str]:
    """Initial endpoint with frozen atoms, and the version of the code."""
    files = sorted(folder.rglob(f"{path.stem}_*/*.save/data-file-schema.xml"))
    if not files:
        raise ValueError(f"{folder}: no {path.stem}_1/{path.stem}.save/data-file-schema.xml, which tells the species")
    try:
        root = ElementTree.parse(files[0]).getroot()
        atoms = root.find("output/atomic_structure")
        atoms = root.find("input/atomic_structure") if atoms is None else atoms
        assert atoms is not None
        cell = [[float(x) for x in (atoms.findtext(f"cell/a{row}") or "").split()] for row in (1, 2, 3)]
        names = [atom.attrib["name"] for atom in atoms.iter("atom")]
        creator = root.find("general_info/creator")
    except (ElementTree.ParseError, AssertionError, KeyError, ValueError) as error:
        raise ValueError(f"{files[0]}: not whole") from error
    if len(names) != len(positions):
        raise ValueError(f"{files[0]}: {len(names)} atoms, but {len(positions)} in {path.name}")
    structure = Structure(
        Lattice(np.array(cell) * units.Bohr),
        [name.rstrip("0123456789") for name in names],
        positions,
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": _free(path, len(names))},
    )
    return structure, creator.attrib.get("VERSION", "unknown") if creator is not None else "unknown"


def _free(path: Path, n_atoms: int) -> list[list[bool]]:
    """Which atoms move, from the last three columns of the first image."""
    lines = path.read_text("utf-8", "replace").splitlines()
    start = next(row for row, line in enumerate(lines) if line.startswith("Image:")) + 2
    flags = [line.split()[6:9] for line in lines[start : start + n_atoms]]
    return [[any(flag != "0" for flag in row or ["1"])] * 3 for row in flags]


READER = Reader(
    "Quantum ESPRESSO",
    read_espresso_band,
    files="PREFIX.path",
    energies="PREFIX.path",
    forces="PREFIX.path",
    cell="an image's data-file-schema.xml",
    frozen="if_pos in PREFIX.path",
    convergence=CONVERGED,
    versions="6.4.1, 6.7, 7.2",
)
