"""First bands: straight and IDPP, carried over from another band, displaced."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule
from ase.geometry import find_mic
from hypothesis import given, settings
from hypothesis import strategies as st
from test_endpoints import slab_hop

from barriers.structures.endpoints import frozen_atoms, overlap
from barriers.structures.path import OverlapError, interpolate, through
from barriers.structures.path_displaced import displace
from barriers.structures.path_known import carry
from barriers.structures.path_known import given as given_images
from barriers.structures.spacing import evenly
from barriers.structures.start import Start, first_band

seeds = st.integers(0, 10_000)


def positions(band: list[Atoms]) -> np.ndarray:
    return np.array([image.positions for image in band])


@pytest.fixture(scope="module")
def idpp() -> list[Atoms]:
    initial, final, _ = slab_hop()
    return interpolate(initial, final, 2, "idpp")


def steps(band: list[Atoms]) -> np.ndarray:
    """True lengths of the steps between images, minimum image."""
    cell, pbc = band[0].cell, band[0].pbc
    return np.array([np.linalg.norm(find_mic(b.positions - a.positions, cell, pbc)[0]) for a, b in pairwise(band)])


def wrapped(atoms: Atoms, seed: int) -> Atoms:
    """Move each atom by a random lattice vector."""
    shifts = np.random.default_rng(seed).integers(-1, 2, (len(atoms), 3))
    moved = atoms.copy()
    moved.set_positions(atoms.positions + shifts @ atoms.cell, apply_constraint=False)
    return moved


def nearest(atoms: Atoms, index: int) -> float:
    return float(np.delete(atoms.get_distances(index, range(len(atoms)), mic=True), index).min())


def with_fragment(atoms: Atoms) -> Atoms:
    """Put ethane above a slab, across the edge of the cell."""
    fragment = molecule("C2H6")
    fragment.translate([0.1, 0.1, atoms.positions[:, 2].max() + 3])
    higher = atoms.copy()
    higher.cell[2, 2] += 8
    joined = higher + fragment
    joined.set_constraint(atoms.constraints)
    return joined


def test_endpoints_and_frozen_atoms_do_not_move_by_a_bit(idpp: list[Atoms]) -> None:
    initial, final, _ = slab_hop()
    frozen = frozen_atoms(initial)
    assert len(frozen) == 48
    for band in (idpp, interpolate(initial, final, 2, "linear")):
        assert len(band) == 4
        assert (band[0].positions == initial.positions).all()
        assert (band[-1].positions == final.positions).all()
        assert all((image.positions[frozen] == initial.positions[frozen]).all() for image in band)
        assert all(frozen_atoms(image) == frozen and image.calc is None for image in band)


def test_idpp_is_quick_writes_no_file_and_opens_the_bottleneck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    initial, final, moving = slab_hop()
    start = time.process_time()
    band = interpolate(initial, final, 5, "idpp")
    assert time.process_time() - start < 4  # 1 s on an idle core
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""
    straight = interpolate(initial, final, 5, "linear")
    # Straight 1.51 Å; ASE's own default stops at 1.70 Å, the converged band has 1.76 Å.
    assert nearest(straight[3], moving) < 1.52
    assert nearest(band[3], moving) > 1.72


def test_constraints_of_either_endpoint_hold_in_the_band() -> None:
    initial, final, _ = slab_hop()
    frozen = frozen_atoms(final)
    initial.set_constraint()
    final.set_positions(final.positions + 4e-4, apply_constraint=False)
    band = interpolate(initial, final, 1, "idpp")
    assert all((image.positions[frozen] == initial.positions[frozen]).all() for image in band[:-1])
    assert frozen_atoms(band[0]) == frozen


def test_a_reversed_pair_gives_the_reversed_band(idpp: list[Atoms]) -> None:
    back = positions(interpolate(idpp[-1], idpp[0], 2, "idpp"))
    assert back[::-1] == pytest.approx(positions(idpp), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_wrapping_the_final_structure_changes_no_image(seed: int) -> None:
    initial, final, _ = slab_hop()
    expected = positions(interpolate(initial, final, 2, "linear"))
    band = positions(interpolate(initial, wrapped(final, seed), 2, "linear"))
    assert band[:-1] == pytest.approx(expected[:-1], abs=1e-9)


def test_wrapping_the_final_structure_changes_no_idpp_image(idpp: list[Atoms]) -> None:
    initial, final, _ = slab_hop()
    band = interpolate(initial, wrapped(final, seed=5), 2, "idpp")
    assert positions(band)[:-1] == pytest.approx(positions(idpp)[:-1], abs=1e-6)


def test_atoms_that_meet_on_the_straight_path_go_round_each_other() -> None:
    initial = Atoms("LiMgO2", [[4, 4, 4], [7, 4, 4], [5.5, 2, 4], [5.5, 6, 4]], cell=[12, 11, 10], pbc=True)
    final = initial.copy()
    final.positions[[0, 1]] = initial.positions[[1, 0]]
    with pytest.raises(OverlapError, match=r"image 2 .*atom 0 \(Li\) and atom 1 \(Mg\) are 0\.00 Å"):
        interpolate(initial, final, 3, "linear")
    band = interpolate(initial, final, 3, "idpp")
    assert min(image.get_distance(0, 1, mic=True) for image in band) > 1.5
    back = interpolate(final, initial, 3, "idpp")
    assert positions(back)[::-1] == pytest.approx(positions(band), abs=1e-6)


def test_a_guide_carried_to_its_own_system_is_the_guide(idpp: list[Atoms]) -> None:
    initial, final, _ = slab_hop()
    guide = positions(idpp)
    guide[2:] += initial.cell[0]
    band = carry(initial, final, guide, 2)
    assert positions(band) == pytest.approx(positions(idpp), abs=1e-9)


def test_slab_atoms_follow_the_guide_and_the_fragment_goes_straight(idpp: list[Atoms]) -> None:
    initial, final, moving = slab_hop()
    guide = positions(idpp)
    first, last = with_fragment(initial), with_fragment(final)
    n_slab, frozen = len(initial), frozen_atoms(initial)
    last.positions[n_slab:] = first.positions[n_slab:]
    last.positions[n_slab:, 0] += 0.3
    last.positions[moving] += [0.1, 0, 0]
    band = positions(carry(first, last, guide, 2))
    assert (band[0] == first.positions).all() and (band[-1] == last.positions).all()
    assert (band[:, frozen] == first.positions[frozen]).all()
    # Even spacing moves the images by a little along the path.
    assert band[2, moving] == pytest.approx(guide[2, moving] + [0.2 / 3, 0, 0], abs=1e-3)
    assert band[1, n_slab:] - first.positions[n_slab:] == pytest.approx(np.tile([0.1, 0, 0], (8, 1)), abs=1e-3)


def test_a_guide_with_another_number_of_images_is_resampled_along_its_path() -> None:
    initial = Atoms("Li", [[1.0, 5, 5]], cell=[20, 20, 20], pbc=True)
    final = Atoms("Li", [[5.0, 5, 5]], cell=[20, 20, 20], pbc=True)
    angles = np.pi * np.linspace(0, 1, 9) ** 1.5  # unevenly spaced on a half circle
    guide = np.stack([3 - 2 * np.cos(angles), 5 + 2 * np.sin(angles), np.full(9, 5.0)], axis=1)[:, None, :]
    band = positions(carry(initial, final, guide, 3))
    expected = np.pi * np.arange(5) / 4
    assert band[:, 0, 0] == pytest.approx(3 - 2 * np.cos(expected), abs=0.02)
    assert band[:, 0, 1] == pytest.approx(5 + 2 * np.sin(expected), abs=0.02)


@settings(max_examples=10, deadline=None)
@given(seeds, st.floats(0.05, 0.5))
def test_a_displaced_fragment_keeps_its_shape_and_has_the_size_asked_for(seed: int, amplitude: float) -> None:
    initial, final, _ = slab_hop()
    first, last = with_fragment(initial), with_fragment(final)
    n_slab = len(initial)
    fragment = range(n_slab, len(first))
    bands = [interpolate(start, last, 3, "linear") for start in (first, wrapped(first, seed))]
    moved = [displace(band, fragment, amplitude, seed) for band in bands]
    moves = [positions(after) - positions(before) for after, before in zip(moved, bands, strict=True)]
    assert (moves[0][[0, -1]] == 0).all() and (moves[0][:, :n_slab] == 0).all()
    sizes = np.sqrt((moves[0][:, n_slab:] ** 2).sum(axis=2).mean(axis=1))
    assert sizes == pytest.approx(amplitude * np.sin(np.pi * np.arange(5) / 4), abs=1e-9)
    for after, before in zip(moved[0], bands[0], strict=True):
        kept = [image[n_slab:].get_all_distances() for image in (before, after)]
        assert kept[1] == pytest.approx(kept[0], abs=1e-9)
        assert overlap(after) is None
    assert moves[1] == pytest.approx(moves[0], abs=1e-9)


def test_the_seed_alone_decides_the_displacement() -> None:
    initial, final, _ = slab_hop()
    band = interpolate(with_fragment(initial), with_fragment(final), 1, "linear")
    fragment = range(len(initial), len(band[0]))
    one, again, other = (positions(displace(band, fragment, 0.3, seed)) for seed in (1, 1, 2))
    assert (one == again).all()
    assert np.abs(one - other).max() > 0.05


def test_a_single_atom_is_shifted() -> None:
    band = interpolate(Atoms("Li", [[0, 0, 0]]), Atoms("Li", [[2, 0, 0]]), 1, "linear")
    moved = displace(band, [0], 0.4, 0)
    assert np.linalg.norm(moved[1].positions - band[1].positions) == pytest.approx(0.4)


def beside(initial: Atoms, final: Atoms, moving: int, aside: float = 0.5) -> np.ndarray:
    """A point near the middle of the jump, off the straight line."""
    jump = find_mic(final.positions[moving] - initial.positions[moving], initial.cell, initial.pbc)[0]
    return initial.positions[moving] + jump / 2 + aside * np.cross(jump, [0, 0, 1]) / np.linalg.norm(jump)


@settings(max_examples=8, deadline=None)
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
        assert steps(band) == pytest.approx(steps(band).mean(), rel=1e-5), start.method
        assert positions(returned)[::-1] == pytest.approx(positions(band), abs=2e-3), start.method
        assert Start.model_validate_json(start.model_dump_json()) == start


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
    with pytest.raises(OverlapError, match=rf"image 2 of the first band: .*atom {moving} \(Li\).* are 1\.5\d Å apart"):
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


@settings(max_examples=8, deadline=None)
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
