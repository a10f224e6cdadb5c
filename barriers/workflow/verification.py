"""Whether the saddle of a converged band is one of first order, by single points of the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jobflow import Job, job
from pymatgen.core import Structure

from barriers.analysis.band import highest_image, minimum_image_displacements
from barriers.analysis.partial import ATOMS, POINTS, STEP, nearest_free, partial_modes
from barriers.analysis.vibrations import displaced
from barriers.documents import BandDoc, CostDoc, SaddleDoc, StaticDoc, VerificationDoc
from barriers.engines.base import EngineMaker
from barriers.engines.common import at_positions
from barriers.engines.protocol import Engine
from barriers.engines.surrogate.points import PointMaker
from barriers.fingerprint import check_one_engine
from barriers.structures.hop.hop import Hop
from barriers.structures.surface.slab import frozen_atoms
from barriers.workflow.labels import despite_failures
from barriers.workflow.reading import lowest_band, motion_of


def verification(
    engine: Engine, bands: list[Any], hop: Hop | None, label: Callable[[Job, str], Job]
) -> tuple[list[Job], Any]:
    """Build the jobs that look at the saddle of the lowest of some bands.

    Parameters
    ----------
    engine : Engine
        That of the bands.
    bands : list of BandDoc
        All bands of the hop.
    hop : Hop or None
        The hop.
    label : callable
        Names jobs.

    Returns
    -------
    list[Job], VerificationDoc
        The jobs, and a reference to what they give.
    """
    static: Any = engine.static()
    maker = PointMaker(maker=static.fine() if isinstance(static, EngineMaker) else static)
    around = label(around_saddle(bands, hop), "displace at the saddle")
    points = [label(maker.make(around.output[number]), f"point at the saddle {number + 1}") for number in range(POINTS)]
    found = despite_failures(saddle_verified(bands, hop, [point.output for point in points]))
    return [around, *points, label(found, "verify saddle")], found.output


@job
def around_saddle(bands: list[BandDoc], hop: Hop | None) -> list[Structure | None]:
    """List the structures whose forces tell the lowest modes at the saddle; None for those that are not needed.

    Parameters
    ----------
    bands : list[BandDoc]
        All bands of the hop.
    hop : Hop or None
        The hop.
    """
    band, atoms = _looked_at(bands, hop)
    wanted: list[Structure | None] = []
    if atoms:
        at = displaced(band.positions[highest_image(band.energies)], atoms, STEP)
        wanted += [at_positions(band.structure, positions) for positions in at]
    return wanted + [None] * (POINTS - len(wanted))


@job(output_schema=VerificationDoc)
def saddle_verified(bands: list[BandDoc | None], hop: Hop | None, points: list[StaticDoc | None]) -> VerificationDoc:
    """Find the lowest modes at the saddle from the forces around it.

    Parameters
    ----------
    bands : list[BandDoc]
        All bands of the hop.
    hop : Hop or None
        The hop.
    points : list[StaticDoc or None]
        One for each structure of :func:`around_saddle`; None for one that is not there.
    """
    there = [band for band in bands if band is not None]
    if len(there) < len(bands):
        return VerificationDoc(reason="a band failed")
    band, atoms = _looked_at(there, hop)
    if not atoms:
        return VerificationDoc(reason="there is no converged band with a saddle")
    statics = [point for point in points[: 6 * len(atoms)] if point is not None]
    cost = CostDoc.total(static.cost for static in statics)
    if (lost := 6 * len(atoms) - len(statics)) > 0:
        return VerificationDoc(reason=f"{lost} of {6 * len(atoms)} single points around it failed", cost=cost)
    check_one_engine({"the band": band.engine, "the points around its saddle": statics[0].engine})
    modes = partial_modes([static.forces for static in statics], atoms)
    top = highest_image(band.energies)
    steps = minimum_image_displacements(band.positions[top - 1 : top + 2], band.structure.lattice.matrix)
    tangent = sum(step / np.linalg.norm(step) for step in steps)[atoms].ravel()
    saddle = SaddleDoc(
        image=top,
        curvatures=modes.curvatures[:2].tolist(),
        order=modes.order,
        overlap=float(abs(modes.vectors[0] @ tangent) / np.linalg.norm(tangent)),
        force_calls=len(statics),
        atoms=atoms,
    )
    return VerificationDoc(saddle=saddle, cost=cost)


def _looked_at(bands: list[BandDoc], hop: Hop | None) -> tuple[BandDoc, list[int]]:
    """Choose the lowest band, and the atoms to displace at its highest image; none where there is no saddle."""
    band, profile = lowest_band(bands)
    if profile is None or not profile.checks["saddle between the endpoints"]:
        return band, []
    lattice, frozen = band.structure.lattice, frozen_atoms(band.structure)
    ion = motion_of(band, hop).ion
    top = band.positions[highest_image(band.energies)]
    return band, nearest_free(top, lattice.matrix, ion, ATOMS, pbc=lattice.pbc, frozen=frozen)
