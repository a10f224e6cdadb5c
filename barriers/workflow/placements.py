"""The fragment and its placements that a study describes. Pure and fast, no energies and no jobs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pymatgen.core import Molecule, Structure

from barriers.files.structures import read_structure
from barriers.structures.hop.hop import Hop, midpoint
from barriers.structures.interface.choice import lengths_for
from barriers.structures.interface.contacts import image_distance
from barriers.structures.interface.coverage import cover, fragments_for
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.interface.poses import Orientation
from barriers.structures.interface.sites import surface_sites
from barriers.structures.polymer.fragment import Fragment, build_fragment
from barriers.structures.polymer.given import fragment_of_molecule, fragment_of_smiles
from barriers.study.models import FragmentSection, PlacementSection, SystemSection
from barriers.words import naming

FIRST_BONDS = {("C", "O"): 1.45}
"""First lengths of bonds (Å) where the sum of the covalent radii leaves the relaxation no room."""

ORIENTATIONS: dict[str, tuple[Orientation, ...]] = {"flat": ("flat",), "upright": ("head down", "tail down")}

OWN_IMAGE = 3.0
"""Nearer to its own image than this (Å) a fragment touches itself: about the sum of two atoms' van der Waals radii."""

Placed = tuple[FragmentSection, PlacementSection]
"""What placements are made from."""


def placements_in(system: SystemSection) -> Placed | None:
    """Say what a system's placements are made from: alike for systems that keep different ones of them."""
    if system.fragment is None:
        return None
    return system.fragment, system.placement.model_copy(update={"rank": 1})


def fragment_of(section: FragmentSection | Molecule) -> Fragment:
    """Build the fragment that a study describes, or take a molecule that was read already for one.

    Raises
    ------
    ValueError
        One line, if the polymer does not allow what is asked, or the molecule is none that can be taken.
    """
    if isinstance(section, Molecule):
        return fragment_of_molecule(section)
    if section.polymer is None and section.smiles is None:
        return _fragment_of_file(str(section.file))
    with naming("fragment" if section.smiles is None else "fragment.smiles"):
        if section.polymer is None:
            return fragment_of_smiles(str(section.smiles), section.seed, section.conformer)
        return build_fragment(
            section.polymer,
            section.units,
            section.eliminate,
            section.seed,
            caps=section.caps,
            positions="all" if section.everywhere else section.positions,
            stereo=section.stereo,
            conformer=section.conformer,
            tacticity=section.tacticity,
        )


def by_content(section: FragmentSection) -> FragmentSection | Molecule:
    """Give what a job places: the molecule of a file, which may not be where the job runs, and else the section."""
    return section if section.file is None else fragment_of(section).molecule


def _fragment_of_file(file: str) -> Fragment:
    with naming("fragment.file"):
        structure, _ = read_structure(file)
    with naming(f"fragment.file: {file}"):
        return fragment_of_molecule(Molecule(structure.species, structure.cart_coords), Path(file).stem)


def fragment_elements(systems: Iterable[SystemSection]) -> set[str]:
    """Elements of the fragments of systems."""
    fragments = [fragment_of(system.fragment).molecule for system in systems if system.fragment is not None]
    return {site.specie.symbol for molecule in fragments for site in molecule}


def placements_of(
    slab: Structure, fragment: FragmentSection | Molecule, placement: PlacementSection, vacuum: float, hop: Hop
) -> list[Structure]:
    """Place the fragment that a study describes, in as many ways as are screened or relaxed.

    Raises
    ------
    ValueError
        One line, if it cannot be placed.
    """
    molecule = fragment_of(fragment)
    with naming("placement"):
        return _ways(slab, molecule, placement, vacuum, np.array([midpoint(slab, hop)]))


def systems_on(
    slab: Structure, systems: Iterable[SystemSection], vacuum: float, hop: Hop
) -> dict[str, list[Structure]]:
    """Place the fragment of each system, in as many ways as are screened or relaxed; of a bare one, give the slab.

    Systems that differ in which placement they keep share the placements.
    """
    placed: dict[Placed, list[Structure]] = {}
    found = {}
    for system in systems:
        found[system.name] = [slab]
        if (shared := placements_in(system)) is not None:
            if shared not in placed:
                placed[shared] = placements_of(slab, *shared, vacuum, hop)
            found[system.name] = placed[shared]
    return found


def near_themselves(
    slab: Structure, systems: Iterable[SystemSection], placed: dict[str, list[Structure]], is_cut: bool = True
) -> list[str]:
    """Warn of fragments that come so near to their images, or to each other, that they feel themselves.

    A slab that was not cut from a crystal has its size from its file.
    """
    lines = []
    for system in systems:
        gaps = [image_distance(each, len(slab)) for each in placed[system.name] if len(each) > len(slab)]
        if gaps and min(gaps) < OWN_IMAGE:
            a, b = lengths_for(OWN_IMAGE - min(gaps), slab.lattice)
            larger = f"surface.min_lengths: [{a}, {b}]" if is_cut else f"a slab of {a} × {b} Å"
            given = system.placement
            several = given.count > 1 or given.coverage is not None
            image = "its own image or another fragment" if several else "its own image"
            mend = "a lower placement.coverage" if given.coverage is not None else larger
            lines.append(
                f"{system.name}: the fragment comes within {min(gaps):.2f} Å of {image}, less than {OWN_IMAGE:g} Å; "
                f"{mend} mends it"
            )
    return lines


def _ways(
    slab: Structure, molecule: Fragment, placement: PlacementSection, vacuum: float, above: np.ndarray
) -> list[Structure]:
    """Place one fragment, or as many as the coverage asks for: each way begins with another placement of the first."""
    points = surface_sites(slab) if placement.over == "sites" else above
    wanted = max(placement.screened, placement.candidates)
    number = placement.count if placement.coverage is None else fragments_for(slab, placement.coverage)
    if number == 1 and placement.faces == "top":
        return _placed(slab, molecule, placement, points, vacuum, wanted)
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
