"""A study's results folder: what is written when a run ends, and how it is read again."""

from __future__ import annotations

import json
from pathlib import Path

from monty.json import MontyEncoder
from pydantic import ValidationError

from barriers.documents import SCHEMA_VERSION, BarrierDoc, StudyDoc
from barriers.report.figures import draw_profiles, save_figure
from barriers.report.tables import write_csv
from barriers.structure_files import stem, write_band, write_structure

DOCUMENT = "study.json"


def write_results(study: StudyDoc, folder: Path) -> list[Path]:
    """Write document, table, figures and structures of a study.

    Parameters
    ----------
    study : StudyDoc
        The outcome.
    folder : Path
        Made if it is not there.

    Returns
    -------
    list[Path]
        What was written: ``study.json``, ``barriers.csv``, a figure for each hop (PNG, SVG), and for each barrier
        its band (extended XYZ) and initial endpoint (POSCAR).
    """
    folder.mkdir(parents=True, exist_ok=True)
    document, table = folder / DOCUMENT, folder / "barriers.csv"
    document.write_text(json.dumps(study, cls=MontyEncoder), "utf-8")
    write_csv(study, table)
    written = [document, table, *write_figures(study, folder)]
    structures = folder / "structures"
    structures.mkdir(exist_ok=True)
    for barrier in study.barriers:
        name = stem(barrier.system, *((barrier.hop.name,) if barrier.hop else ()))
        band, initial = structures / f"{name}.extxyz", structures / f"{name}-initial.vasp"
        write_band(barrier.band, band)
        write_structure(barrier.band.structure, initial)
        written += [band, initial]
    return written


def write_figures(study: StudyDoc, folder: Path) -> list[Path]:
    """Draw the profiles of each hop; none where no band is converged."""
    hops: dict[str, list[BarrierDoc]] = {}
    for barrier in study.barriers:
        hops.setdefault(barrier.hop.name if barrier.hop else "", []).append(barrier)
    drawable = {hop: barriers for hop, barriers in hops.items() if any(barrier.profile for barrier in barriers)}
    return [
        path
        for hop, barriers in drawable.items()
        for path in save_figure(draw_profiles(barriers), folder / (f"profiles-{hop}" if hop else "profiles"))
    ]


def read_results(folder: Path) -> StudyDoc:
    """Read a study's document back.

    Raises
    ------
    ValueError
        One line, if the folder holds no finished study or one of another schema version.
    """
    path = folder / DOCUMENT if folder.is_dir() else folder
    if not path.is_file():
        raise ValueError(f"{folder}: no results here ({DOCUMENT}); `barriers run` or `barriers neb` writes them")
    try:
        content = json.loads(path.read_text("utf-8"))
        if content.get("schema_version") != SCHEMA_VERSION:
            raise ValueError(f"schema version {content.get('schema_version')}, this barriers reads {SCHEMA_VERSION}")
        return StudyDoc.model_validate(content)
    except (ValidationError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: not a study's document: {str(error).splitlines()[0]}") from error
