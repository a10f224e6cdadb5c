"""How sure the barrier of a band is: its parts from the band, its end points, and the starts beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from barriers.analysis.band import highest_image
from barriers.analysis.profile import Profile
from barriers.analysis.uncertainty import band_parts, energy_left, last_halving, total
from barriers.documents import BandDoc, BarrierDoc, RelaxDoc
from barriers.engines.merging import AGREE
from barriers.structures.directions import free_part

Ends = tuple[RelaxDoc, RelaxDoc]


def fill_uncertainty(
    document: BarrierDoc, profile: Profile, band: BandDoc, ends: Ends | None, alike: Sequence[float]
) -> None:
    """Write the uncertainty of forward and reverse barrier and the parts of the forward one.

    Parameters
    ----------
    document : BarrierDoc
        Changed in place.
    profile : Profile
        Of the band.
    band : BandDoc
        A sound one.
    ends : (RelaxDoc, RelaxDoc) or None
        The relaxed endpoints, where they are known beside the band.
    alike : sequence of float
        Barriers (eV) of all starts that ended on this path, the band's own among them.
    """
    highest = highest_image([energy or 0.0 for energy in band.energies])
    left = band.saddle_left if band.saddle_left is not None else _bound(band, highest)
    rows = [row for row in band.history if row.stage == band.history[-1].stage]
    halving = last_halving([row.max_force for row in rows], [row.highest_image for row in rows]) if rows else None
    if band.refined is not None or band.engine.kind == "mlip":
        halving = None  # the band's iterations did not lead to the saddle, or jumped there as was foretold
    of_ends = [end.energy_left for end in ends] if ends is not None else [None, None]
    initial, final = (
        _bound(band, image) if known is None else known for image, known in zip((0, -1), of_ends, strict=True)
    )
    document.uncertainty_parts = band_parts(profile.fit_spread, left, halving, alike, initial)
    document.uncertainty = total(document.uncertainty_parts)
    document.uncertainty_reverse = total(band_parts(profile.fit_spread, left, halving, alike, final))


def barriers_alike(forward: float, bands: Sequence[BandDoc], same: dict[str, float]) -> list[float]:
    """Barriers (eV) of the starts that ended on one path: those converged, and those that fell onto it and agree.

    Parameters
    ----------
    forward : float
        Barrier of the lowest (eV).
    bands : sequence of BandDoc
        All bands of the hop.
    same : dict[str, float]
        Barriers (eV) of the converged ones of the path by their start, the lowest among them.
    """
    heights = [
        max(energies) - energies[0]
        for other in bands
        if other.merged_into in same and (energies := [energy for energy in other.energies if energy is not None])
    ]
    # One that an earlier version left at a rough force says nothing.
    return [*same.values(), *(height for height in heights if abs(height - forward) < AGREE)]


def _bound(band: BandDoc, image: int) -> float | None:
    """Bound by the forces alone; None where a band of others does not tell those on the atoms, or as nothing but 0."""
    forces = np.array(band.forces[image], dtype=float)
    if forces.ndim != 2 or len(forces) != len(band.structure) or not np.isfinite(forces).all() or not forces.any():
        return None
    return energy_left(free_part(forces, band.structure))
