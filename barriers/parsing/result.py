"""What the referee let pass, as the documents that results, tables and figures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Lattice, Structure

from barriers.analysis.band import moment_jumps
from barriers.analysis.curves import curves_along
from barriers.analysis.profile import read
from barriers.distribution import versions
from barriers.documents import BandDoc, BarrierDoc, CheckDoc, CostDoc, ReadDoc, StudyDoc
from barriers.fingerprint import fingerprint
from barriers.parsing.along import along, unwrapped
from barriers.parsing.files import plain_name
from barriers.parsing.found import Check, FoundBand
from barriers.workflow.comparison_job import study_document
from barriers.workflow.reading import motion_of, profile_of
from barriers.workflow.result_jobs import fill_barrier

ENERGIES_ALONE = "maximum of the cubic spline through the energies of the band, whose forces are not known"
ALONG = "maximum of the cubic Hermite curve through the energies and tangential forces that the code wrote"
"""How the saddle energy was read off where the forces on the atoms are not known."""


def plain_stem(place: Path) -> str:
    """Name of a folder, or of a file without its endings."""
    place = place.resolve()
    return place.name if place.is_dir() else Path(plain_name(place)).stem


def distinct_names(places: Sequence[Path]) -> list[str]:
    """Name bands after their folders, behind those of their parents as far as it takes to tell them apart."""
    parts = [[*place.resolve().parent.parts[1:], plain_stem(place)] for place in places]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["-".join(each[-depth:]) for each in parts]
        if len(set(names)) == len(names):
            return names
    raise ValueError(f"the same band is given twice: {', '.join(map(str, places))}")


def band_document(found: FoundBand, checks: Sequence[Check]) -> BandDoc:
    """Make the document of a band: converged if nothing is wrong with it."""
    reasons = [*found.reasons, *(check.says for check in checks if check.verdict == "wrong" and check.says)]
    structure = found.structure
    positions = [image.positions for image in found.images]
    if structure is None:
        structure = Structure(Lattice.cubic(1.0), [], [])  # no atoms are known, and none are made up
    elif not reasons:
        positions = unwrapped(found, structure)
    moments = [image.moments for image in found.images if image.moments is not None]
    return BandDoc(
        start=f"read from {found.folder}",
        structure=structure,
        positions=[rows.tolist() for rows in positions],
        energies=[image.energy for image in found.images],
        forces=[[] if image.forces is None else image.forces.tolist() for image in found.images],
        moments=moments if len(moments) == len(found.images) else None,
        converged=not reasons,
        reason="; ".join(dict.fromkeys(reasons)) or None,
        warnings=[*(check.says for check in checks if check.verdict == "doubtful"), *_flips(found), *found.warnings],
        cost=CostDoc(),
        engine=found.engine,
        read=read_document(found, checks),
    )


def _flips(found: FoundBand) -> list[str]:
    """Find spin flips where only some of the images tell their moments; where all do, the analysis finds them."""
    known = [image.moments for image in found.images]
    if None not in known or not any(known):
        return []
    nothing = [np.nan] * len(found.images[0].positions)
    rows = [nothing if moments is None else moments for moments in known]
    return moment_jumps(rows) if len({len(row) for row in rows}) == 1 else []


def read_document(found: FoundBand, checks: Sequence[Check]) -> ReadDoc:
    """Say what was read from which files, and what the referee saw."""
    return ReadDoc(
        name=found.name,
        place=str(found.folder.resolve()),
        files=[image.files for image in found.images],
        energy=found.energy_kind,
        checks=[CheckDoc(**check._asdict()) for check in checks],
    )


def barrier_document(found: FoundBand, checks: Sequence[Check], name: str) -> BarrierDoc:
    """Read the barrier off a band, unless the referee refuses it."""
    band = band_document(found, checks)
    document = BarrierDoc(
        system=name,
        converged=band.converged,
        reason=band.reason,
        band=band,
        cost=CostDoc(),
        versions=versions("ase", "pymatgen"),
    )
    if not band.converged:
        document.warnings = list(band.warnings)
        return document
    if found.structure is not None and all(image.forces is not None for image in found.images):
        profile = profile_of(band)
    else:
        numbers = along(found)
        profile = read(curves_along(numbers.distances, numbers.energies, numbers.slopes))
        document.definition = ENERGIES_ALONE if numbers.slopes is None else ALONG
    fill_barrier(document, profile, band)
    document.fingerprint = alike(band)
    return document


def alike(band: BandDoc) -> dict[str, str]:
    """Say what must be equal before two bands of others are compared; that hop and slab are one, their reader says."""
    known: dict[str, str] = {**fingerprint(band, None), "slab": "as given", "hop": "as given"}
    known.pop("n_images", None)
    if len(band.structure):
        known["hop"] = f"{band.structure[motion_of(band, None).ion].specie.symbol} jumps"
    return known


def one_study(barriers: Sequence[BarrierDoc]) -> StudyDoc:
    """Compare barriers, the first one the reference."""
    systems = [barrier.system for barrier in barriers]
    study: Any = study_document.original("-".join(systems), list(barriers), systems[0], "forward")
    assert isinstance(study, StudyDoc)
    return study
