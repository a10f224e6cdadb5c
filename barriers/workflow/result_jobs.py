"""The job that turns converged bands into a barrier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from jobflow import job
from pymatgen.core import Structure

from barriers.analysis.band import moment_jumps
from barriers.analysis.interface import bond_change
from barriers.analysis.motion import Motion
from barriers.analysis.profile import Profile
from barriers.distribution import versions
from barriers.documents import (
    BandDoc,
    BarrierDoc,
    CostDoc,
    PathDoc,
    RelaxDoc,
    SurrogateDoc,
    VerificationDoc,
)
from barriers.fingerprint import fingerprint
from barriers.structures.hop.hop import Hop
from barriers.structures.interface.contacts import loose_atoms, surface_bonds
from barriers.structures.surface.slab import FRAGMENT, LAYER
from barriers.workflow.reading import band_problems, motion_of, paths_of
from barriers.workflow.uncertainty import Ends, barriers_alike, fill_uncertainty

DIFFERENCE = "difference of the stationary points of a model's surface, corrected at points of the engine"
"""How the saddle energy of a corrected band was read off."""

REFINED = (
    "energy of a stationary point that a search from the highest image of a roughly converged band found, over the ends"
)
"""How the saddle energy of a band was read off whose saddle was refined."""

LEFT_ITS_SITE = 0.8
"""An ion whose jump between relaxed endpoints is that much (Å) shorter or longer than the hop has left a site."""

SAME = 0.01
"""Paths whose barriers are closer than this (eV) make no difference to a comparison."""


@job(output_schema=BarrierDoc)
def barrier_document(
    bands: list[BandDoc],
    initial: RelaxDoc,
    final: RelaxDoc,
    system: str,
    hop: Hop | None,
    verified: VerificationDoc | None = None,
) -> BarrierDoc:
    """Read the barrier of the lowest of several bands between the same endpoints.

    Parameters
    ----------
    bands : list[BandDoc]
        One for each start.
    initial, final : RelaxDoc
        The endpoints, for their cost.
    system : str
        Name of the system.
    hop : Hop or None
        The hop.
    verified : VerificationDoc or None
        What is known of the saddle of the :func:`~barriers.workflow.reading.lowest_band`, where it was looked at.
    """
    found = [band_problems(band) for band in bands]
    profiles, groups = paths_of(bands, found)
    number = {bands[member].start: path for path, group in enumerate(groups, 1) for member in group}
    best = groups[0][0] if groups else 0
    lows = [profiles[group[0]].forward for group in groups]
    document = BarrierDoc(
        system=system,
        hop=hop,
        converged=bool(groups),
        reason=None if groups else found[0][0],
        band=bands[best],
        paths=[
            PathDoc(
                start=band.start,
                converged=index in profiles,
                reason=next(iter(found[index]), None),
                merged_into=band.merged_into,
                forward=profiles[index].forward if index in profiles else None,
                path=number.get(band.merged_into or band.start),
                force_calls=band.cost.force_calls,
            )
            for index, band in enumerate(bands)
        ],
        n_paths=len(groups) or None,
        path_spread=max(lows) - min(lows) if lows else None,
        cost=CostDoc.total([initial.cost, final.cost, *(band.cost for band in bands)]),
        fingerprint=fingerprint(bands[best], hop),
        versions=versions("ase", "pymatgen", "jobflow"),
    )
    if (rests_on := bands[best].surrogate) is not None:
        document.points, document.model_calls = rests_on.counts, rests_on.model_calls
    if verified is not None:
        _take_up(verified, document)
    if document.converged:
        same = {bands[member].start: profiles[member].forward for member in groups[0]}
        alike = barriers_alike(profiles[best].forward, bands, same)
        fill_barrier(document, profiles[best], document.band, (initial, final), alike)
    return document


def _take_up(verified: VerificationDoc, document: BarrierDoc) -> None:
    """Write what single points say of the saddle; one of higher order gives no barrier."""
    document.cost = CostDoc.total([document.cost, verified.cost])
    if verified.saddle is None:
        if document.converged:
            document.warnings.append(f"the saddle is not verified: {verified.reason}")
        return
    document.band = document.band.model_copy(update={"saddles": [verified.saddle]})
    if verified.saddle.order > 1:
        document.converged, document.reason = False, verified.saddle.fault


def fill_barrier(
    document: BarrierDoc, profile: Profile, band: BandDoc, ends: Ends | None = None, alike: Sequence[float] = ()
) -> None:
    """Write barriers, their uncertainty, checks and warnings of a sound band; see :func:`fill_uncertainty`."""
    document.forward, document.reverse, document.span = profile.forward, profile.reverse, profile.span
    document.fit_spread, document.profile = profile.fit_spread, asdict(profile)
    fill_uncertainty(document, profile, band, ends, alike)
    if band.surrogate is not None:
        _fill_correction(document, profile, band.surrogate)
    if band.refined is not None:
        document.definition = REFINED
    document.bonds, rebonded = bonds_along(band)
    against = {
        "moments continuous": moment_jumps(band.moments),
        "all starts converged": _lost_starts(document.paths),
    }
    if band.saddles:
        against["saddle of first order"] = [saddle.fault for saddle in band.saddles if saddle.fault is not None]
    if len(band.structure):  # else a band of others whose files tell no atoms
        moved = motion_of(band, document.hop)
        document.motion = asdict(moved)
        against["one ion jumps"] = _jump_with_it(band, moved)
        if document.hop is not None:
            against["ion jumps from site to site"] = _other_sites(moved, document.hop)
    document.checks = {
        "band converged" if band.refined is None else "saddle refined": True,
        "images distinct and in order": True,
        **profile.checks,
        **{name: not lines for name, lines in against.items()},
    }
    document.warnings += [
        *profile.warnings,
        *(line for lines in against.values() for line in lines),
        *another_path(document.paths),
        *band.warnings,
        *rebonded,
    ]


def _fill_correction(document: BarrierDoc, profile: Profile, rests_on: SurrogateDoc) -> None:
    """Write what a corrected band's barrier is, and how sure; of a whole band after one there is no more to say."""
    if rests_on.forward is None or rests_on.reverse is None:
        return
    document.forward, document.reverse = rests_on.forward, rests_on.reverse
    document.span = profile.span + rests_on.forward - profile.forward
    document.uncertainty, document.uncertainty_parts = rests_on.uncertainty_forward, rests_on.parts_forward
    document.uncertainty_reverse = rests_on.uncertainty_reverse
    document.raw, document.definition = rests_on.raw_forward, DIFFERENCE


def bonds_along(band: BandDoc) -> tuple[list[str], list[str]]:
    """Name the bonds between fragment and surface in the initial endpoint.

    Warn of a fragment that is in pieces there, and of other bonds along the path.
    """
    layers = band.structure.site_properties.get(LAYER, [])
    if FRAGMENT not in layers:
        return [], []
    n_slab = layers.index(FRAGMENT)
    # An added ion is the last atom, and neither slab nor fragment.
    atoms = [index for index, layer in enumerate(layers) if index < n_slab or layer == FRAGMENT]
    kept = Structure.from_sites([band.structure[index] for index in atoms])
    first, *others = (
        Structure(
            kept.lattice,
            kept.species,
            np.array(positions)[atoms],
            coords_are_cartesian=True,
            site_properties=kept.site_properties,
        )
        for positions in band.positions
    )
    changes = [bond_change(first, image, n_slab) for image in others]
    changed = {
        (bond.fragment_atom, bond.slab_atom): bond for change in changes for bond in (*change.formed, *change.broken)
    }
    named = (f"{bond.elements[0]} {pair[0]} on {bond.elements[1]} {pair[1]}" for pair, bond in sorted(changed.items()))
    warnings = [f"bonds to the surface open or close along the path: {', '.join(named)}"] if changed else []
    if loose := [f"{first[atom].specie.symbol} {atom}" for atom in loose_atoms(first, n_slab)]:
        warnings.append(f"the fragment has come apart, off it: {', '.join(loose)}")
    return [str(bond) for bond in surface_bonds(first, n_slab)], warnings


def _lost_starts(paths: list[PathDoc]) -> list[str]:
    lost = sum(not (path.converged or path.merged_into) for path in paths)
    return [f"{lost} of {len(paths)} starts gave no converged band"] if lost else []


def another_path(paths: list[PathDoc]) -> list[str]:
    """Warn where the lowest path is another one than that which follows the bare slab's: a bare slab has one start."""
    known = {path.start: path.forward for path in paths if path.forward is not None}
    if (carried := known.get("carried")) is None or carried - (lowest := min(known.values())) < SAME:
        return []
    heights = f"has {carried:.3f} eV, another start found one of {lowest:.3f} eV"
    return [f"the path that follows the bare slab's {heights}: a difference to the bare slab is one between two paths"]


def _jump_with_it(band: BandDoc, moved: Motion) -> list[str]:
    names = [f"{band.structure[atom].specie.symbol} {atom}" for atom in (moved.ion, *moved.with_it)]
    return [f"{', '.join(names)} jump together: no diffusion coefficient"] if moved.with_it else []


def _other_sites(moved: Motion, hop: Hop) -> list[str]:
    """Say that the ion did not jump from site to site: a relaxed endpoint may have left its own."""
    expected = hop.distance if hop.leg is None else hop.leg
    if abs(moved.ion_jump - expected) < LEFT_ITS_SITE:
        return []
    return [f"the ion moves {moved.ion_jump:.2f} Å between relaxed endpoints, the hop is {expected:.2f} Å"]
