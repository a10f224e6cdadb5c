"""Bands that follow one another: segments of one path through intermediate minima."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from barriers.analysis.band import continuous, minimum_image_displacements
from barriers.analysis.segments import SAME_PLACE, Segment, analyse_segments
from barriers.documents import BandDoc, BarrierDoc, CheckDoc
from barriers.parsing.checks import check_settings
from barriers.parsing.found import FoundBand
from barriers.parsing.referee import judge
from barriers.parsing.result import alike, barrier_document
from barriers.structures.surface.slab import frozen_atoms
from barriers.workflow.result_jobs import fill_barrier


def are_segments(found: Sequence[FoundBand]) -> bool:
    """Whether each band begins with the very structure that the one before ends with."""
    return all(_meet(one, other) for one, other in pairwise(found))


def _meet(one: FoundBand, other: FoundBand) -> bool:
    first, second = one.structure, other.structure
    if first is None or second is None or first.species != second.species:
        return False
    if not np.allclose(first.lattice.matrix, second.lattice.matrix, atol=1e-3):
        return False
    ends = [one.images[-1].positions, other.images[0].positions]
    apart = minimum_image_displacements(ends, first.lattice.matrix, first.lattice.pbc)
    return bool(np.linalg.norm(apart, axis=-1).max() <= SAME_PLACE)


def joined_document(found: Sequence[FoundBand], fmax: float | None, name: str) -> BarrierDoc:
    """Join segments to one path and read its barrier off, unless the referee refuses one of them.

    Parameters
    ----------
    found : Sequence[FoundBand]
        Segments, from the initial to the final state.
    fmax : float or None
        As for :func:`barriers.parsing.referee.judge`.
    name : str
        What the whole is called.

    Raises
    ------
    ValueError
        If the forces of one are not known, or the energies of two do not meet.
    """
    parts = [barrier_document(one, judge(one, fmax), name) for one in found]
    together = replace(found[0], images=[image for one in found for image in one.images])
    mixed = [check for check in check_settings(together) if check.verdict in {"wrong", "doubtful"}]
    band = _joined([part.band for part in parts])
    assert band.read is not None
    band.read.checks += [CheckDoc(**check._asdict()) for check in mixed]
    wrong = [check.says for check in mixed if check.verdict == "wrong"]
    reasons = [f"segment {number}: {part.reason}" for number, part in enumerate(parts) if part.reason] + wrong
    document = parts[0].model_copy(
        update={"band": band, "reason": "; ".join(reasons) or None, "converged": not reasons}
    )
    document.warnings = []
    band.converged, band.reason = document.converged, document.reason
    if reasons:
        document.forward = document.reverse = document.span = document.fit_spread = document.profile = None
        document.uncertainty, document.uncertainty_reverse, document.uncertainty_parts = None, None, {}
        return document
    if not all(len(forces) for forces in band.forces):
        raise ValueError(f"{found[0].folder}: forces are not known, so it cannot be joined with another band")
    lattice = band.structure.lattice
    segments = [Segment(part.band.positions, part.band.energies, part.band.forces) for part in parts]
    held = frozen_atoms(band.structure)
    profile = analyse_segments(segments, lattice.matrix, pbc=lattice.pbc, frozen=held)
    fill_barrier(document, profile, band)
    document.warnings.insert(0, f"{len(parts)} segments are joined: {', '.join(str(one.folder) for one in found)}")
    document.fingerprint = alike(band)
    return document


def _joined(bands: Sequence[BandDoc]) -> BandDoc:
    """Put images after one another, each joint once."""
    first, *others = bands
    positions, energies, forces = list(first.positions), list(first.energies), list(first.forces)
    read = first.read.model_copy(deep=True) if first.read else None
    for band in others:
        positions += band.positions[1:]
        energies += band.energies[1:]
        forces += band.forces[1:]
        if read is not None and band.read is not None:
            read.files += band.read.files[1:]
            read.checks += band.read.checks
            read.place += f", {band.read.place}"
    lattice = first.structure.lattice
    whole = continuous(positions, lattice.matrix, lattice.pbc).tolist()
    warnings = list(dict.fromkeys(line for band in bands for line in band.warnings))
    update = {"positions": whole, "energies": energies, "forces": forces, "moments": None, "warnings": warnings}
    return first.model_copy(update={**update, "read": read})
