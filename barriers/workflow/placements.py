"""The fragment and its placements that a study describes. Pure and fast, no energies and no jobs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pymatgen.core import Molecule, Structure

from barriers.files.structures import read_structure
from barriers.structures.hop.hop import Hop, midpoint
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
