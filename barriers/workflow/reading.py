"""Reading bands: what speaks against each, their profiles, and which of them are one path."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from barriers.analysis.band import problems
from barriers.analysis.motion import Motion, motion
from barriers.analysis.paths import distinct_paths
from barriers.analysis.profile import Profile
from barriers.analysis.segments import Segment, analyse_segments
from barriers.documents import BandDoc, SaddleDoc
from barriers.structures.hop.hop import Hop, moving_index
from barriers.structures.surface.slab import frozen_atoms


def band_problems(band: BandDoc) -> list[str]:
    """Say why no barrier can be read off a band; empty for a sound, converged one."""
    if not band.converged:
        return [band.reason or "not converged"]
    lattice, frozen = band.structure.lattice, frozen_atoms(band.structure)
    return [
        line
        for part in segments_of(band)
        for line in problems(part.positions, lattice.matrix, part.energies, part.forces, lattice.pbc, frozen=frozen)
    ]


def segments_of(band: BandDoc) -> list[Segment]:
    """Cut a band at the minima that were relaxed on their own; into one piece where there are none."""
    cuts = [0, *band.joints, len(band.positions) - 1]
    return [
        Segment(*(images[first : last + 1] for images in (band.positions, band.energies, band.forces)))
        for first, last in pairwise(cuts)
    ]


def profile_of(band: BandDoc) -> Profile:
    """Read the profile off a sound band."""
    lattice, frozen = band.structure.lattice, frozen_atoms(band.structure)
    profile = analyse_segments(segments_of(band), lattice.matrix, pbc=lattice.pbc, frozen=frozen)
    return profile if band.refined is None else _over(band.refined, profile)


def _over(saddle: SaddleDoc, profile: Profile) -> Profile:
    """Give the profile its barriers over a saddle that was refined: no curve is needed to find its energy."""
    height, place = profile.energies[saddle.image], profile.distances[saddle.image]
    return replace(
        profile,
        forward=height,
        reverse=height - profile.reaction_energy,
        span=max(profile.span + height - profile.forward, height),
        fit_spread=0.0,
        saddle_distance=place,
        saddle_fraction=place / profile.path_length,
        curvature=saddle.curvatures[0],
    )


def paths_of(bands: list[BandDoc], found: list[list[str]]) -> tuple[dict[int, Profile], list[list[int]]]:
    """Give the profiles of bands without problems, by number, and the numbers of each distinct path, lowest first."""
    profiles = {index: profile_of(band) for index, band in enumerate(bands) if not found[index]}
    sound, lattice = list(profiles), bands[0].structure.lattice.matrix
    groups = distinct_paths(
        [np.array(bands[index].positions) for index in sound], [profiles[index].forward for index in sound], lattice
    )
    return profiles, [[sound[member] for member in group] for group in groups]


def lowest_band(bands: list[BandDoc]) -> tuple[BandDoc, Profile | None]:
    """Choose the band that the barrier is read off, and give its profile; None where no band is sound."""
    profiles, groups = paths_of(bands, [band_problems(band) for band in bands])
    best = groups[0][0] if groups else 0
    return bands[best], profiles.get(best)


def motion_of(band: BandDoc, hop: Hop | None) -> Motion:
    """Measure who moves along a band: the hop's ion, or the atom that gets farthest where no hop is named."""
    lattice, species = band.structure.lattice, band.structure.species
    if hop is None:
        return motion(band.positions, lattice.matrix, pbc=lattice.pbc)
    moved = motion(band.positions, lattice.matrix, moving_index(hop, len(species)), lattice.pbc)
    # Of atoms that are no such ions, a turning group of a fragment may get as far; one that the ion pushes has to.
    pushed = hop.pushed[0] if hop.pushed else None
    with_it = [atom for atom in moved.with_it if species[atom] == species[moved.ion] and atom != pushed]
    return replace(moved, with_it=with_it)
