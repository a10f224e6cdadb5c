"""What a study describes, built: slab, hops and placements. Pure and fast, no energies and no jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from barriers.structures.cathode.counts import achieved
from barriers.structures.cathode.crystal import Cathode, bulk, cathode_of
from barriers.structures.cathode.lithium import RemovalMethod, exchange_antisites, lithium_to_remove
from barriers.structures.cathode.ordering import order_metals
from barriers.structures.cathode.reading import read_cathode
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import Hop, midpoint
from barriers.structures.hop.search import find_hops
from barriers.structures.interface.coverage import cover, fragments_for
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.interface.poses import Orientation
from barriers.structures.interface.sites import surface_sites
from barriers.structures.polymer.fragment import Fragment, build_fragment
from barriers.structures.surface.edits import rattle, with_species, without
from barriers.structures.surface.slab import cut_slab, freeze_thickness
from barriers.structures.surface.terminations import Termination
from barriers.study import CathodeSection, FragmentSection, HopSection, PlacementSection, SurfaceSection

FIRST_BONDS = {("C", "O"): 1.45}
"""First lengths of bonds (Å) where the sum of the covalent radii leaves the relaxation no room."""

ORIENTATIONS: dict[str, tuple[Orientation, ...]] = {"flat": ("flat",), "upright": ("head down", "tail down")}


@dataclass(frozen=True)
class BuiltSlab:
    """The bare slab of a study, and what is to be known of it.

    Attributes
    ----------
    structure : Structure
        The slab.
    crystal : Cathode
        What it was cut from.
    termination : Termination
        How it ends.
    metals : str
        The metals as counted, and how far that is from the composition asked for.
    image_distance : float
        Shortest in-plane lattice vector (Å).
    warnings : list[str]
        One line each.
    """

    structure: Structure
    crystal: Cathode
    termination: Termination
    metals: str
    image_distance: float
    warnings: list[str]


def crystal_of(section: CathodeSection) -> Cathode:
    """Find the crystal that a study names, or read it from its file.

    Raises
    ------
    ValueError
        One line, if the file is no crystal of a layered oxide, or the lattice parameters are not known.
    """
    if section.file is None:
        return cathode_of(section.name, section.a, section.c)
    path = Path(section.file)
    try:
        structure = Structure.from_file(path)
    except FileNotFoundError:
        raise ValueError(f"cathode.file: {path}: no such file") from None
    except Exception as error:  # pymatgen's readers raise anything
        reason = str(error).splitlines() or [type(error).__name__]
        raise ValueError(f"cathode.file: {path}: not a crystal that can be read: {reason[0][:200]}") from error
    return read_cathode(structure, path.stem)


def build_slab(crystal: Cathode, cathode: CathodeSection, surface: SurfaceSection) -> BuiltSlab:
    """Cut the slab of a study from its crystal, order its metals, exchange and remove lithium.

    Ordering and lithium are decided on the crystal and carried to the slab by index, so that the slab has the
    composition asked for.

    Parameters
    ----------
    crystal : Cathode
        What :func:`crystal_of` gives.
    cathode : CathodeSection
        Ordering, antisites and lithium content.
    surface : SurfaceSection
        Facet, termination, size, frozen part.

    Raises
    ------
    ValueError
        One line, if the slab cannot be built.
    """
    cut = cut_slab(
        bulk(crystal),
        surface.facet,
        surface.layers,
        surface.min_lengths,
        surface.vacuum,
        surface.frozen_layers,
        surface.termination,
        surface.polar,
        surface.symmetric,
    )
    ordered = order_metals(
        cut.crystal, crystal.metals, cathode.seed, cathode.ordering, cathode.samples, cathode.tolerance
    )
    counted = achieved(crystal.metals, sum(site.specie.symbol not in ("Li", "O") for site in ordered))
    if cathode.antisites:
        ordered = exchange_antisites(ordered, cathode.antisites, cathode.seed, cathode.tolerance)
    slab = with_species(cut.slab, ordered)
    if cathode.lithium < 1:
        method: RemovalMethod = "ewald" if cathode.ordering == "ewald" else "random"
        slab = without(
            slab,
            lithium_to_remove(ordered, cathode.lithium, cathode.seed, method, cathode.samples, cathode.tolerance),
        )
    if surface.frozen_thickness is not None:
        slab = freeze_thickness(slab, surface.frozen_thickness, surface.symmetric)
    if surface.rattle:
        slab = rattle(slab, surface.rattle, cathode.seed)
    shares = " ".join(f"{element} {number}" for element, number in counted.counts.items())
    metals = f"{shares} on {sum(counted.counts.values())} sites, off by at most {counted.deviation:.3f}"
    return BuiltSlab(slab, crystal, cut.termination, metals, cut.image_distance, cut.warnings)


def hops_of(slab: Structure, sections: Iterable[HopSection]) -> list[Hop]:
    """Find the hops that a study describes on the slab as it was built.

    Raises
    ------
    ValueError
        One line, if the slab has no such hop, or fewer than the rank asked for.
    """
    found = find_hops(slab)
    chosen: dict[HopSection, list[Hop]] = {}
    hops = []
    for section in sections:
        criteria = section.model_copy(update={"name": "", "rank": 1})
        if criteria not in chosen:
            chosen[criteria] = _chosen(found, section)
        of_kind = chosen[criteria]
        if section.rank > len(of_kind):
            raise ValueError(
                f"hops: {section.name!r} has rank {section.rank}; allowed: 1 to {len(of_kind)} on this slab"
            )
        hops.append(of_kind[section.rank - 1].model_copy(update={"name": section.name}))
    return hops


def _chosen(found: list[Hop], section: HopSection) -> list[Hop]:
    try:
        if section.label is not None:
            return select_hops(found, label=section.label)
        layer = section.layer or ("any" if section.kind == "interstitial" else "sub-surface")
        return select_hops(
            found,
            layer=None if layer == "any" else layer,
            mechanism=section.mechanism,
            kind=section.kind,
            length=section.length,
            depth=section.depth,
        )
    except ValueError as error:
        raise ValueError(f"hops: {section.name!r}: {error}") from None


def fragment_of(section: FragmentSection) -> Fragment:
    """Build the fragment that a study describes.

    Raises
    ------
    ValueError
        One line, if the polymer does not allow what is asked.
    """
    return build_fragment(
        section.polymer,
        section.units,
        section.eliminate,
        section.seed,
        caps=section.caps,
        positions="all" if section.everywhere else section.places,
        stereo=section.stereo,
        conformer=section.conformer,
        tacticity=section.tacticity,
    )


def placements_of(
    slab: Structure, fragment: FragmentSection, placement: PlacementSection, vacuum: float, hop: Hop
) -> list[Structure]:
    """Place the fragment that a study describes, in as many ways as are screened or relaxed.

    Raises
    ------
    ValueError
        One line, if it cannot be placed.
    """
    molecule = fragment_of(fragment)
    points = surface_sites(slab) if placement.over == "sites" else np.array([midpoint(slab, hop)])
    wanted = max(placement.screened, placement.candidates)
    number = placement.count if placement.coverage is None else fragments_for(slab, placement.coverage)
    if number == 1 and placement.faces == "top":
        return _placed(slab, molecule, placement, points, vacuum, wanted)
    # Several fragments: each way begins with another placement of the first one.
    everywhere = np.vstack([points, surface_sites(slab, distinct=False)])

    def way(which: int) -> Structure:
        def one_more(covered: Structure, point: np.ndarray) -> list[Structure]:
            found = _placed(covered, molecule, placement, np.atleast_2d(point), vacuum, which + 1)
            return found[which:] or found[-1:]

        return cover(slab, one_more, number, everywhere, vacuum, placement.faces == "both")

    return [way(which) for which in range(wanted)]


def _placed(
    slab: Structure, molecule: Fragment, placement: PlacementSection, points: np.ndarray, vacuum: float, wanted: int
) -> list[Structure]:
    if placement.mode == "bonded":
        length = placement.bond_length or FIRST_BONDS.get(placement.bond)
        return place_bonded(slab, molecule, points, length, vacuum, wanted, placement.bond)
    distance = None if placement.mode == "in contact" else placement.distance
    orientations = ORIENTATIONS[placement.orientation]
    return place_at_distance(slab, molecule, points, distance, vacuum, wanted, orientations)
