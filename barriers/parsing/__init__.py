"""Reading NEB folders that anyone made, with VASP, Quantum ESPRESSO or ASE: profile, barrier, checks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from barriers.distribution import versions
from barriers.documents import BandDoc, BarrierDoc, CostDoc, StudyDoc
from barriers.parsing.ase_files import read_ase_band
from barriers.parsing.endpoints import use_endpoints
from barriers.parsing.espresso import read_espresso_band
from barriers.parsing.found import FoundBand
from barriers.parsing.vasp import read_vasp_band
from barriers.workflow.result_jobs import band_problems, fill_barrier, profile_of, study_document

READERS: tuple[Callable[[Path], FoundBand | None], ...] = (read_vasp_band, read_espresso_band, read_ase_band)
"""Asked in turn; each gives None for a folder that is not its own."""


def find_band(folder: Path) -> FoundBand:
    """Recognise a NEB folder and read its band.

    Raises
    ------
    ValueError
        One line, if there is no such folder, nothing in it is a band, or its files cannot be read.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    for reader in READERS:
        if (found := reader(folder)) is not None:
            return found
    raise ValueError(
        f"{folder}: no NEB here; looked for image folders 00, 01, … of VASP, a .path file of Quantum ESPRESSO, and "
        "trajectories of ASE with at least 3 images"
    )


def parse_folder(folder: Path, endpoints: tuple[str, str] | None = None) -> StudyDoc:
    """Read the barrier off a NEB folder.

    Parameters
    ----------
    folder : Path
        Folder of a NEB calculation with VASP, Quantum ESPRESSO or ASE.
    endpoints : tuple[str, str] or None
        Where the energies of the endpoints are: a folder or file of a calculation, or a number (eV).

    Returns
    -------
    StudyDoc
        With one barrier; without one, but with the reason, where the band is not whole or not converged.

    Raises
    ------
    ValueError
        One line, if the folder holds no band or the endpoints do not belong to it.
    """
    found = find_band(folder)
    if endpoints is not None:
        use_endpoints(found, endpoints)
    name = folder.resolve().name
    barrier = _barrier(found.document(), name)
    study: StudyDoc = study_document.original(name, [barrier], name, "forward")
    return study


def _barrier(band: BandDoc, name: str) -> BarrierDoc:
    problems = band_problems(band)
    document = BarrierDoc(
        system=name,
        converged=not problems,
        reason=next(iter(problems), None),
        band=band,
        cost=CostDoc(),
        versions=versions("ase", "pymatgen"),
    )
    if problems:
        document.warnings = list(band.warnings)
    else:
        fill_barrier(document, profile_of(band), band)
    return document
