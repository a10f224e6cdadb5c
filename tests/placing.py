"""What the tests of placements share: slabs, fragments, and one call for every mode."""

from functools import cache

from conftest import ordered_slab

from barriers.structures.bonding import distances_to
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.polymer.fragment import build_fragment

VACUUM = 12.0
PAIRS = [("C", "O"), ("F", "Li"), ("F", "Ni"), ("H", "O")]
ORIENTATIONS = ["flat", "head down", "tail down"]
PLACES = [*ORIENTATIONS, *PAIRS]


def slab(name="NCM811", width=8.0, frozen=2):
    return ordered_slab(name, lengths=(width, 11.0), frozen=frozen)


fragment = cache(build_fragment)


def place(bare, how, molecule, point, candidates=2, distance=None):
    """Place at a distance in an orientation, or bonded by a pair of elements."""
    if how in ORIENTATIONS:
        return place_at_distance(bare, molecule, point, distance, VACUUM, candidates, (how,))
    return place_bonded(bare, molecule, point, None, VACUUM, candidates, how)


def apart(interface, n_slab):
    """Minimum-image distances, fragment atoms by slab atoms."""
    return distances_to(interface, interface.cart_coords[n_slab:])[:, :n_slab]
