"""Several fragments on a slab: how many, how far apart, and on which face."""

import re
from functools import cache, partial

import numpy as np
import placing
import pytest
from conftest import ordered_slab
from hypothesis import given, settings
from hypothesis import strategies as st
from placing import VACUUM
from pymatgen.core import Structure

from barriers.structures.bonding import distances_to
from barriers.structures.interface.contacts import image_distance
from barriers.structures.interface.coverage import cover, fragments_for, surface_area
from barriers.structures.interface.placement import place_at_distance, place_bonded
from barriers.structures.interface.sites import slab_operations, surface_sites
from barriers.structures.polymer.fragment import build_fragment


def slab(name="NCM811"):
    return placing.slab(name, width=14.0, frozen=1)


@cache
def sites(name="NCM811"):
    return surface_sites(slab(name), distinct=False)


def held(bare, point):
    return place_at_distance(bare, build_fragment("PVDF", 1, None), point, None, VACUUM, 1, turns=(2, 4))


def bonded(bare, point):
    return place_bonded(bare, build_fragment("PVDF", 1, "HF"), point, 1.45, VACUUM, 1)


@given(st.sampled_from([held, bonded]), st.integers(1, 3), st.booleans(), st.integers(0, 50))
@settings(deadline=None, max_examples=6)
def test_fragments_follow_the_slab_one_by_one_and_do_not_meet(place, number, both, start):
    bare, n = slab(), len(slab())
    over = np.roll(sites(), -start, axis=0)
    covered = cover(bare, place, number, over, VACUUM, both)
    count, size = number * (1 + both), (len(covered) - n) // (number * (1 + both))
    shift = covered.cart_coords[:n] - bare.cart_coords
    assert covered.species[:n] == bare.species
    assert np.allclose(shift, shift[0])
    assert covered.site_properties["layer"][n:] == [-1] * (count * size)
    assert image_distance(covered, n) >= 2.0
    assert covered.lattice.c == pytest.approx(np.ptp(covered.cart_coords[:, 2]) + VACUUM)
    labels = covered.site_properties.get("fragment", [0] * n + [1] * size)
    assert labels == [0] * n + [label for label in range(1, count + 1) for _ in range(size)]
    again = cover(bare, place, number, over, VACUUM, both)
    assert again.cart_coords.tobytes() == covered.cart_coords.tobytes()


def test_the_first_fragment_comes_over_the_first_point_and_the_next_one_far_from_it():
    bare, n = slab(), len(slab())
    covered = cover(bare, held, 2, sites()[5:], VACUUM)
    first, second = np.split(covered.cart_coords[n:], 2)
    assert np.allclose(first[:, :2].mean(axis=0), sites()[5, :2], atol=1e-6)
    apart = bare.lattice.get_all_distances(
        *(bare.lattice.get_fractional_coords(piece.mean(axis=0) * [1, 1, 0]) for piece in (first, second))
    )
    corners = bare.lattice.get_cartesian_coords([0.5, 0.5, 0])
    assert apart.item() > 0.9 * np.linalg.norm(corners)


def test_the_other_face_follows_by_symmetry_where_an_operation_exchanges_the_faces():
    bare, n = slab("LiNiO2"), len(slab("LiNiO2"))
    covered = cover(bare, held, 2, sites("LiNiO2"), VACUUM, both=True)
    exchanged = slab_operations(covered)[1]
    assert exchanged
    turned = exchanged[0].operate_multi(covered.cart_coords[n:])
    apart = covered.lattice.get_all_distances(
        covered.lattice.get_fractional_coords(turned), covered.lattice.get_fractional_coords(covered.cart_coords[n:])
    )
    assert apart.min(axis=1).max() < 0.05


def test_the_other_face_of_a_slab_without_such_symmetry_is_covered_upside_down():
    bare, n = slab(), len(slab())
    assert slab_operations(bare)[1] == []
    for place, gap in ((bonded, 1.45), (held, None)):
        covered = cover(bare, place, 1, sites(), VACUUM, both=True)
        size = (len(covered) - n) // 2
        heights = covered.cart_coords[:, 2]
        assert heights[n : n + size].mean() > heights[:n].max() > heights[:n].min() > heights[n + size :].mean()
        apart = distances_to(covered, covered.cart_coords[n:])[:, :n].reshape(2, -1)
        if gap:
            assert apart.min(axis=1) == pytest.approx([gap, gap])
        else:
            assert (apart.min(axis=1) > 2).all()


def test_a_coverage_is_the_nearest_whole_number():
    area = surface_area(slab())
    assert area == pytest.approx(np.prod(slab().lattice.abc[:2]) / 100)
    assert [fragments_for(slab(), number / area) for number in (0.6, 1.0, 2.4, 2.6)] == [1, 1, 2, 3]
    with pytest.raises(ValueError, match=r"coverage: 0.1 per nm² is no fragment .* 1.66 nm²; .* 0.31") as no:
        fragments_for(slab(), 0.1)
    assert fragments_for(slab(), 0.31) == 1
    assert fragments_for(ordered_slab(lengths=said_lengths(no), frozen=1), 0.1) == 1


def said_lengths(refused: pytest.ExceptionInfo[ValueError]) -> tuple[float, float]:
    """The lengths (Å) that a refusal ends with."""
    a, b = re.search(r"(\d+) × (\d+) Å$", str(refused.value)).groups()
    return float(a), float(b)


def test_more_fragments_than_fit_are_refused_with_how_many_do():
    words = r"count: 30 fragments do not fit on a face; allowed: 1 to \d+, or a larger surface \(min"
    with pytest.raises(ValueError, match=words) as no:
        cover(slab(), held, 30, sites()[:20], VACUUM)
    allowed = int(re.search(r"1 to (\d+)", str(no.value)).group(1))
    with pytest.raises(ValueError, match="count") as no:
        cover(slab(), held, allowed + 2, sites()[:20], VACUUM)
    larger = ordered_slab(lengths=said_lengths(no), frozen=1)
    cover(larger, held, allowed + 2, surface_sites(larger, distinct=False), VACUUM)


def test_a_fragment_that_fits_nowhere_is_refused_in_its_own_words():
    long = partial(
        place_at_distance, fragment=build_fragment("PVDF", 8, None), distance=4.0, vacuum=VACUUM, candidates=1
    )

    def place(bare: Structure, point: np.ndarray) -> list[Structure]:
        return long(bare, over=point)

    with pytest.raises(ValueError, match=r"own periodic image; at least 2\.0 Å needs a larger surface"):
        cover(slab(), place, 1, sites()[:2], VACUUM)
