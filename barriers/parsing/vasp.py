"""NEB folders of VASP: 00, 01, … NN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from monty.os.path import zpath
from pymatgen.core import Structure
from pymatgen.io.vasp import Oszicar

from barriers.documents import EngineDoc
from barriers.engines.vasp.outputs import StepOutcar, image_folders, read_outcar
from barriers.engines.vasp.restart import read_poscar, sharp_positions
from barriers.parsing.found import FoundBand, Image, Reader

NAME = "vasp"


def read_vasp_band(folder: Path, band: str | None = None) -> FoundBand | None:
    """Read the band of a VASP folder.

    Intermediate images are where their last whole step has them, with its free energy. The endpoints' energies are
    in their folders only where someone put an OUTCAR there.

    Returns
    -------
    FoundBand or None
        None where there are no image folders.

    Raises
    ------
    ValueError
        If images have no structure, or different atoms.
    """
    if not folder.is_dir() or band not in {None, NAME}:
        return None
    places = image_folders(folder)
    if not places or not any(Path(zpath(str(places[0] / name))).is_file() for name in ("POSCAR", "CONTCAR")):
        return None
    if len(places) < 3:
        raise ValueError(f"{folder}: {len(places)} image folders are no band: at least 00, 01 and 02 are needed")
    structures = [_structure(place) for place in places]
    for place, structure in zip(places, structures, strict=True):
        if structure.species != structures[0].species:
            raise ValueError(f"{place}: {structure.composition.formula}, but {structures[0].composition.formula} in 00")
    outcars = [read_outcar(place) for place in places]
    known = next((outcar for outcar in outcars if outcar is not None), None)
    found = FoundBand(
        folder,
        EngineDoc(
            kind="vasp",
            name="VASP",
            version=known.version if known else "unknown",
            packages={"vtst": known.vtst} if known and known.vtst else {},
            files=dict.fromkeys(known.titles, "") if known else {},
        ),
        structures[0],
        [image_of(*each) for each in zip(places, structures, outcars, strict=True)],
        [_where(place, outcar) for place, outcar in zip(places, outcars, strict=True)],
    )
    for place, outcar in list(zip(places, outcars, strict=True))[1:-1]:
        found.reasons += _reasons(place, outcar)
        found.warnings += _two_runs(place, outcar)
    return found


def image_of(place: Path, structure: Structure, outcar: StepOutcar | None) -> Image:
    """Take the last whole step of a folder, its structure alone where there is none."""
    if outcar is None or not outcar.steps or not outcar.steps[-1].finite:
        return Image(structure.cart_coords)
    step = outcar.steps[-1]
    if len(step.positions) != len(structure):
        raise ValueError(f"{place}: OUTCAR has {len(step.positions)} atoms, POSCAR {len(structure)}")
    moments = None if step.moments is None else step.moments.tolist()
    return Image(sharp_positions(place, step), step.energy, step.forces, moments)


def _structure(place: Path) -> Structure:
    for name in ("POSCAR", "CONTCAR"):
        if (structure := read_poscar(place / name)) is not None:
            return structure
    raise ValueError(f"{place}: neither POSCAR nor CONTCAR is there and whole")


def _where(place: Path, outcar: StepOutcar | None) -> str:
    return f"no OUTCAR in {place}" if outcar is None else f"no whole step in {place / 'OUTCAR'}"


def _reasons(place: Path, outcar: StepOutcar | None) -> list[str]:
    if outcar is None or not outcar.steps:
        return []  # said by the missing energy
    if not outcar.steps[-1].self_consistent:
        return [f"electrons not converged in the last step of {place / 'OUTCAR'}"]
    if not outcar.converged:
        return [f"no 'reached required accuracy' in {place / 'OUTCAR'}"]
    return []


def _two_runs(place: Path, outcar: StepOutcar | None) -> list[str]:
    """Say where OSZICAR is of another run than OUTCAR, which counts: positions and forces are in it."""
    path = Path(zpath(str(place / "OSZICAR")))
    if outcar is None or not outcar.steps or not path.is_file():
        return []
    try:
        steps = Oszicar(path).ionic_steps
        last = float(steps[-1]["F"])
    except (IndexError, KeyError, ValueError):
        return []
    energy = outcar.steps[-1].energy
    if np.isclose(last, energy, atol=2e-6, rtol=1e-7):
        return []
    return [
        f"{place.name}: OSZICAR ends at {last:.6f} eV after {len(steps)} steps, OUTCAR at {energy:.6f} eV after "
        f"{len(outcar.steps)}: files of two runs; OUTCAR counts"
    ]


READER = Reader(
    "VASP",
    read_vasp_band,
    files="image folders 00, 01, … with POSCAR or CONTCAR",
    energies="OUTCAR of each image: free energy TOTEN",
    forces="OUTCAR",
    cell="POSCAR",
    frozen="selective dynamics in POSCAR",
    convergence="'reached required accuracy' in each OUTCAR",
    versions="5.4.4, 6.4",
)
