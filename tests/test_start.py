"""First bands through a point, from given images, and their spacing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from ase import Atoms
from ase.geometry import find_mic
from hypothesis import given, settings
from pymatgen.io.ase import AseAtomsAdaptor
from test_endpoints import slab_hop
from test_hop import build
from test_path import positions, seeds, wrapped

from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import final_in_initial_order, make_endpoint, moving_index
from barriers.structures.hop.search import find_hops
from barriers.structures.path.endpoints import frozen_atoms
from barriers.structures.path.interpolate import OverlapError, interpolate, through
from barriers.structures.path.known import given as given_images
from barriers.structures.path.spacing import evenly
from barriers.structures.path.start import Start, first_band, plain_start


@pytest.fixture(scope="module")
def idpp() -> list[Atoms]:
    initial, final, _ = slab_hop()
    return interpolate(initial, final, 2, "idpp")


def steps(band: list[Atoms]) -> np.ndarray:
    """True lengths of the steps between images, minimum image."""
    cell, pbc = band[0].cell, band[0].pbc
    return np.array([np.linalg.norm(find_mic(b.positions - a.positions, cell, pbc)[0]) for a, b in pairwise(band)])


def beside(initial: Atoms, final: Atoms, moving: int, aside: float = 0.5) -> np.ndarray:
    """A point near the middle of the jump, off the straight line."""
    jump = find_mic(final.positions[moving] - initial.positions[moving], initial.cell, initial.pbc)[0]
    return initial.positions[moving] + jump / 2 + aside * np.cross(jump, [0, 0, 1]) / np.linalg.norm(jump)


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_an_atom_passes_the_point_given_in_any_periodic_image(seed: int) -> None:
    initial, final, moving = slab_hop()
    random = np.random.default_rng(seed)
    # As far from both ends, so that the middle image is the one on the point.
    point = beside(initial, final, moving)
    band = through(initial, wrapped(final, seed), 3, moving, point + random.integers(-2, 3, 3) @ initial.cell)
    assert band[2].positions[moving] == pytest.approx(point, abs=0.02)
    assert steps(band) == pytest.approx(steps(band).mean(), rel=1e-6)
    assert (band[0].positions == initial.positions).all()
    frozen = frozen_atoms(initial)
    assert all((image.positions[frozen] == initial.positions[frozen]).all() for image in band[:-1])


def test_the_other_atoms_have_gone_their_share_of_the_way_at_the_point() -> None:
    initial = Atoms("LiO", [[0, 5, 5], [8, 8, 8]], cell=[20, 20, 20], pbc=True)
    final = Atoms("LiO", [[4, 5, 5], [8, 8, 9]], cell=[20, 20, 20], pbc=True)
    band = through(initial, final, 3, 0, [1, 5, 5])
    assert band[1].positions == pytest.approx(np.array([[1, 5, 5], [8, 8, 8.25]]))


def test_every_band_is_evenly_spaced_and_runs_back_the_same_way(idpp: list[Atoms]) -> None:
    initial, final, moving = slab_hop()
    guide = positions(idpp)
    point = tuple(beside(initial, final, moving, 0.4).tolist())
    starts = [
        Start(n_images=4),
        Start(method="linear", n_images=4),
        Start(method="through", n_images=4, moving=moving, via=point),
        Start(method="given", n_images=4, images=guide.tolist()),
        Start(method="carried", n_images=4),
    ]
    for start in starts:
        band = first_band(initial, final, start, guide)
        back = start.model_copy(update={"images": guide[::-1].tolist()} if start.images else {})
        returned = first_band(final, initial, back, guide[::-1])
        assert len(band) == 6, start.method
        assert steps(band) == pytest.approx(steps(band).mean(), rel=1e-8), start.method
        assert positions(returned)[::-1] == pytest.approx(positions(band), abs=1e-9), start.method
        assert Start.model_validate_json(start.model_dump_json()) == start


def test_a_divacancy_hop_starts_through_its_tetrahedron() -> None:
    slab = build("NCM811")
    hops = find_hops(slab)
    for hop in select_hops(hops, kind="divacancy")[::7]:
        ends = [make_endpoint(slab, hop.initial), final_in_initial_order(make_endpoint(slab, hop.final), hop)]
        initial, final = map(AseAtomsAdaptor.get_atoms, ends)
        for atoms in (initial, final):
            atoms.rattle(0.02, seed=1)
            atoms.wrap()
        start = plain_start(3, hop=hop)
        assert Start.model_validate_json(start.model_dump_json()) == start
        band = first_band(initial, final, start, None)
        ion = band[2][moving_index(hop, len(initial))].position
        distances = np.sort(band[2].get_distances(start.moving, np.flatnonzero(initial.symbols == "O"), mic=True))
        assert hop.through is not None
        apart = find_mic(ion - hop.through.position(slab), initial.cell, initial.pbc)[1]
        assert apart < 0.1
        assert distances[3] < 2.1
        assert distances[4] > 2.4
    assert plain_start(3, "linear", 0.5, select_hops(hops, kind="vacancy")[0]).method == "linear"


@pytest.mark.parametrize("smooth", [True, False])
def test_images_lie_evenly_on_the_curve(smooth: bool) -> None:
    angles = np.pi * np.linspace(0, 1, 30) ** 2
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, None, :]
    images = evenly(circle, 5, smooth)[:, 0]
    expected = np.pi * np.arange(7) / 6
    assert images == pytest.approx(np.stack([np.cos(expected), np.sin(expected)], axis=1), abs=1e-2)
    lengths = np.linalg.norm(np.diff(images, axis=0), axis=1)
    assert lengths == pytest.approx(lengths.mean(), rel=1e-8)


def test_the_least_distance_asked_for_is_kept() -> None:
    initial, final, moving = slab_hop()
    assert first_band(initial, final, Start(method="linear", n_images=3, least=1.4), None)
    with pytest.raises(OverlapError, match=rf"image 2 of the first band: .*atom {moving} \(Li\).* are 1\.49 Å apart"):
        first_band(initial, final, Start(method="linear", n_images=3, least=1.6), None)


def test_a_point_that_is_none_is_refused() -> None:
    initial, final, moving = slab_hop()
    frozen = frozen_atoms(initial)[0]
    with pytest.raises(ValueError, match=rf"atom {frozen} .* is frozen"):
        through(initial, final, 3, frozen, [0, 0, 0])
    with pytest.raises(ValueError, match=r"stands on the point"):
        through(initial, final, 3, moving, initial.positions[moving].tolist())
    oxygen = next(
        atom for atom in range(len(initial)) if initial.symbols[atom] == "O" and atom not in frozen_atoms(initial)
    )
    with pytest.raises(OverlapError, match=rf"atom {oxygen} \(O\)"):
        through(initial, final, 3, moving, initial.positions[oxygen].tolist())


@settings(max_examples=5, deadline=None)
@given(seeds)
def test_given_images_may_be_wrapped_in_any_way(seed: int) -> None:
    initial, final, _ = slab_hop()
    band = interpolate(initial, final, 3, "linear")
    images = [wrapped(image, seed + number) for number, image in enumerate(band)]
    assert positions(given_images(initial, final, images, 3)) == pytest.approx(positions(band), abs=1e-6)


def test_given_images_that_do_not_fit_are_refused(idpp: list[Atoms]) -> None:
    initial, final, _ = slab_hop()
    exchanged, other, wide = idpp[1].copy(), idpp[1].copy(), idpp[1].copy()
    lithium = np.flatnonzero(other.symbols == "Li")[:2]
    exchanged.set_constraint()
    exchanged.positions[lithium] = exchanged.positions[lithium[::-1]]
    other.symbols[0] = "Na"
    wide.set_cell(wide.cell * 1.01)
    broken = positions(idpp)
    broken[1, 0, 0] = np.nan
    cases = [
        (idpp[:2], "2 images given; allowed: three or more"),
        (idpp[::-1], r"image 0: atom \d+ \(Li\) is .* from its place in the initial structure"),
        ([idpp[0], exchanged, *idpp[2:]], rf"images 0 and 1: atoms {lithium[0]} and {lithium[1]} change places"),
        ([idpp[0], idpp[0], *idpp[1:]], "images 0 and 1 are the same"),
        ([idpp[0], other, *idpp[2:]], f"image 1: atom 0 is Na, not {initial.symbols[0]}"),
        ([idpp[0], wide, *idpp[2:]], "image 1: its cell is not that of the endpoints"),
        (positions(idpp)[:, :-1], r"positions of shape \(94, 3\); allowed: \(95, 3\)"),
        (broken, "image 1: a position is no number"),
    ]
    for images, message in cases:
        with pytest.raises(ValueError, match=message):
            given_images(initial, final, images, 2)


def test_a_start_without_what_it_needs_is_refused() -> None:
    with pytest.raises(ValueError, match="needs moving and via"):
        Start(method="through", n_images=3)
    with pytest.raises(ValueError, match="needs images"):
        Start(method="given", n_images=3)
