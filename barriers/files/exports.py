"""Profiles, barriers and points for other programs: CSV, JSON and extended XYZ, and emmet's documents."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write
from pymatgen.core import Structure

from barriers.analysis.profile import Profile
from barriers.distribution import install
from barriers.documents import BandDoc, BarrierDoc, PointDoc, StudyDoc
from barriers.engines.common import at_positions, atoms_of

if TYPE_CHECKING:
    from emmet.core.neb import NebResult

UNITS = {"length": "Å", "energy": "eV", "slope": "eV/Å", "curvature": "eV/Å²"}


def profile_csv(profile: Profile) -> str:
    """Give a profile as CSV: a row for each image, point of the curve, intermediate minimum, and the saddle.

    Columns are ``kind`` (image, curve, minimum or saddle), ``distance`` (Å), ``energy`` (eV, relative to the initial
    state) and ``slope`` (eV/Å, of images alone). Numbers have all their digits.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["kind", "distance", "energy", "slope"])
    images = zip(profile.distances, profile.energies, profile.slopes, strict=True)
    table.writerows(["image", *image] for image in images)
    curve = zip(profile.curve_distance, profile.curve_energy, strict=True)
    table.writerows(["curve", *point, ""] for point in curve)
    table.writerows(["minimum", dip["distance"], dip["energy"], ""] for dip in profile.minima)
    table.writerow(["saddle", profile.saddle_distance, profile.forward, ""])
    return text.getvalue()


def profile_json(profile: Profile) -> str:
    """Give a profile as JSON: all its fields, and ``units``."""
    return json.dumps(asdict(profile) | {"units": UNITS}, ensure_ascii=False, allow_nan=False, indent=2)


def write_points(study: StudyDoc, path: Path) -> bool:
    """Write all single points that a study's corrected barriers rest on to one extended XYZ file, to train on.

    Each has the engine's energy (eV), forces (eV/Å, frozen atoms included) and, where they are known, magnetic moments
    (µB), and in ``info`` its ``system``, ``hop`` (where it has a name), ``kind`` (initial, saddle, final, path) and
    ``round``. A point of an end that several hops share stands there once, with the first of them. Points that failed,
    and those whose spin flipped, are left out.

    Parameters
    ----------
    study : StudyDoc
        The outcome; barriers that are not converged count too.
    path : Path
        The file.

    Returns
    -------
    bool
        Whether there was anything to write.
    """
    points = list(_points(study))
    if points:
        with path.open("w", encoding="utf-8") as file:  # names may be anything
            write(file, points, format="extxyz")
    return bool(points)


def _points(study: StudyDoc) -> Iterator[Atoms]:
    seen = set()
    for barrier in study.barriers:
        for point in barrier.band.surrogate.points if barrier.band.surrogate else ():
            # An end of another hop has its atoms in another order, and may be a lattice vector away.
            same = barrier.system, point.energy, *sorted(map(tuple, point.forces or ()))
            if point.reason is None and same not in seen:
                seen.add(same)
                yield _point(barrier, point)


def _point(barrier: BarrierDoc, point: PointDoc) -> Atoms:
    atoms = atoms_of(at_positions(barrier.band.structure, point.positions))
    hop = {"hop": barrier.hop.name} if barrier.hop else {}  # an empty name would not be read back
    atoms.info |= {"system": barrier.system, **hop, "kind": point.kind, "round": point.round}
    known = {} if point.moments is None else {"magmoms": np.array(point.moments)}
    atoms.calc = SinglePointCalculator(atoms, energy=point.energy, forces=np.array(point.forces), **known)
    return atoms


def neb_result(document: BarrierDoc) -> NebResult:
    """Give a barrier as emmet's ``NebResult``.

    emmet reads a barrier off any energies it gets without one, or with one of exactly zero. So the energies of a band
    without a barrier are left out. A barrier of zero is kept, but emmet replaces it when it reads the document anew.

    Parameters
    ----------
    document : BarrierDoc
        Converged or not.

    Returns
    -------
    NebResult
        The barriers of this package, not of emmet's own spline. ``frame_index`` is the fraction of the path length.

    Raises
    ------
    ModuleNotFoundError
        If emmet-core is not installed.
    """
    try:
        from emmet.core.neb import BarrierAnalysis, NebMethod, NebResult
        from emmet.core.vasp.task_valid import TaskState
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"emmet-core is not installed; {install('emmet')}") from error
    shared = {
        "images": _images(document.band),
        "neb_method": NebMethod.CLIMBING_IMAGE,
        "identifier": f"{document.system} {document.hop.name}" if document.hop else document.system,
    }
    if document.profile is None or document.forward is None or not document.converged:
        return NebResult(state=TaskState.FAILED, tags=[document.reason or "not converged"], **shared)
    energies = [float(energy) for energy in document.band.energies if energy is not None]
    distances, saddle = document.profile["distances"], document.profile["saddle_distance"]
    result = NebResult(state=TaskState.SUCCESS, energies=energies, tags=[document.definition], **shared)
    result.forward_barrier, result.reverse_barrier = document.forward, document.reverse
    result.barrier_analysis = BarrierAnalysis(
        energies=energies,
        frame_index=[distance / distances[-1] for distance in distances],
        ts_frame_index=saddle / distances[-1],
        ts_energy=energies[0] + document.forward,
        ts_in_frames=saddle in distances,
        forward_barrier=document.forward,
        reverse_barrier=document.reverse,
    )
    return result


def _images(band: BandDoc) -> list[Structure]:
    initial = band.structure
    return [at_positions(initial, positions) for positions in band.positions]
