"""NEB folders of VASP: 00, 01, … NN."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from barriers.documents import EngineDoc
from barriers.parsing.calculations import last_free_energy
from barriers.parsing.endpoints import energy_beside
from barriers.parsing.files import read_text
from barriers.parsing.found import FoundBand, Image, Reader
from barriers.parsing.outcar import LastStep
from barriers.parsing.vasp_checks import image_numbers, vasp_checks
from barriers.parsing.vasp_image import KIND, only, outcar_image, read_step, read_structure, structure_image, symbols_of

NAME = "vasp"

OF_ATOMS = {"NKPTS", "NELECT", "POTCAR", "LDAUL", "LDAUU", "LDAUJ", "NUPDOWN"}
"""Settings that differ between bands of other atoms though these may be compared."""

Found = list[tuple[Path, LastStep] | None]
"""OUTCAR of each image folder."""


def read_vasp_band(folder: Path, band: str | None = None) -> FoundBand | None:
    """Read the band of a VASP folder.

    Intermediate images are where their last whole step has them, with its free energy. The endpoints' energies are
    in their folders only where someone put a calculation there, or in the INCAR as EFIRST and ELAST.

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
    places = sorted(path for path in folder.iterdir() if path.is_dir() and re.fullmatch(r"\d\d", path.name))
    if not any(only(place, name) for place in places for name in ("POSCAR", "CONTCAR")):
        return None
    if len(places) < 3:
        raise ValueError(f"{folder}: {len(places)} image folders are no band: at least 00, 01 and 02 are needed")
    outcars = [read_step(place) for place in places]
    titles = next((step.titles for _, step in filter(None, outcars) if step.titles), [])
    structures = [_structure(place, each, titles) for place, each in zip(places, outcars, strict=True)]
    found = FoundBand(
        folder,
        _engine([step for _, step in filter(None, outcars)]),
        structures[0],
        [_image(structure, each) for structure, each in zip(structures, outcars, strict=True)],
        [_where(place, each) for place, each in zip(places, outcars, strict=True)],
        name=NAME,
        checks=[image_numbers(folder, places, outcars), *vasp_checks(structures, outcars)],
        energy_kind=KIND,
    )
    for which in (0, -1):
        energy_beside(found, which, places[which])
    for place, each in list(zip(places, outcars, strict=True))[1:-1]:
        found.warnings += _two_runs(place, each)
    inner = [step for _, step in filter(None, outcars[1:-1])]
    limit = next((step.numbers["EDIFFG"] for step in inner if "EDIFFG" in step.numbers), None)
    if all(image.relaxed for image in found.images[1:-1]):
        found.criterion = "EDIFFG" if limit is None else f"EDIFFG = {limit:g}"
    return found


def misnamed(folder: Path) -> str:
    """Say which folders look like images, but have no name of VASP's; empty where none do."""
    places = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    like = [path.name for path in places if re.search(r"\d$", path.name) and (path / "POSCAR").is_file()]
    return f"; {', '.join(like)} have a POSCAR: name VASP's image folders 00, 01, …" if len(like) > 2 else ""


def _structure(place: Path, found: tuple[Path, LastStep] | None, titles: list[str]) -> Structure:
    structure = read_structure(place, found[1].titles if found and found[1].titles else titles)
    if structure is None:
        raise ValueError(f"{place}: neither POSCAR nor CONTCAR is there and whole")
    return structure


def _image(structure: Structure, found: tuple[Path, LastStep] | None) -> Image:
    return structure_image(structure) if found is None else outcar_image(found[0], structure, found[1])


def _engine(steps: list[LastStep]) -> EngineDoc:
    """Say what made the band: settings of an image between the endpoints, and what belongs to each element."""
    if not steps:
        return EngineDoc(kind="vasp", name="VASP", version="unknown")
    step = steps[len(steps) // 2]
    said = (step.settings.get(name, "none") for name in ("LDAUL", "LDAUU", "LDAUJ"))
    hubbard = [[] if values == "none" else values.split() for values in said]
    potentials = {
        symbol: " ".join(
            [title, *(f"{name} {values[n]}" for name, values in zip("LUJ", hubbard, strict=True) if values)]
        )
        for n, (symbol, title) in enumerate(zip(symbols_of(step.titles), step.titles, strict=True))
        if all(len(values) in {0, len(step.titles)} for values in hubbard)
    }
    return EngineDoc(
        kind="vasp",
        name="VASP",
        version=step.version,
        packages={"vtst": step.vtst} if step.vtst else {},
        files=dict.fromkeys(step.titles, ""),
        potentials=potentials,
        settings={name: value for name, value in step.settings.items() if name not in OF_ATOMS},
    )


def _where(place: Path, found: tuple[Path, LastStep] | None) -> str:
    if found is not None:
        path, step = found
        return f"no finite numbers in the last step of {path}" if step.steps else f"no whole step in {path}"
    others = sorted(path.name for path in place.glob("*OUTCAR*") if path.is_file() and path.stat().st_size)
    return f"no OUTCAR in {place}" + (f", but {', '.join(others)}" if others else "")


def _two_runs(place: Path, found: tuple[Path, LastStep] | None) -> list[str]:
    """Say where OSZICAR is of another run than OUTCAR, which counts: positions and forces are in it."""
    path = only(place, "OSZICAR")
    if found is None or not found[1].steps or path is None:
        return []
    last = last_free_energy(read_text(path))
    if last is None:
        return []
    energy = found[1].energy
    if np.isclose(last[0], energy, atol=2e-6, rtol=1e-7):
        return []
    return [
        f"{place.name}: OSZICAR ends at {last[0]:.6f} eV after {last[1]} steps, OUTCAR at {energy:.6f} eV after "
        f"{found[1].steps}: files of two runs; OUTCAR counts"
    ]


READER = Reader(
    "VASP",
    read_vasp_band,
    files="image folders 00, 01, … with POSCAR or CONTCAR",
    energies="OUTCAR of each image: free energy TOTEN; of endpoints many more files",
    forces="OUTCAR",
    cell="POSCAR",
    frozen="selective dynamics in POSCAR",
    convergence="'reached required accuracy' in each OUTCAR",
    versions="5.4.4, 6.4",
)
