"""Δρ on the page: what the viewer is given lies where the grid and the atoms are, and little of it is lost."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from densities import gaussians
from density_documents import made_up
from interfaces import interface
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from barriers.analysis.density import Grid, moved
from barriers.engines.density import DensityDoc
from barriers.files.density import read_density
from barriers.report.figures.charges import standing
from barriers.report.figures.density import LEVEL, level_of
from barriers.report.html.volume import LEVELS, MOST_POINTS, density_scene, volume
from barriers.report.views import arranged

SHIFTS = ((0.0, 0.0, 0.0), (0.35, 0.2, 0.4), (0.6, 0.45, 0.83))
"""With the last one the interface stands across the border of the cell."""

STEPS = np.array(list(np.ndindex(3, 3, 3))) - 1


def decoded(kept: dict[str, Any]) -> NDArray[np.float64]:
    """Values (e/Å³) as the page reads them."""
    whole = np.frombuffer(base64.b64decode(kept["values"]), "<i2").reshape(kept["shape"])
    return np.array(whole * kept["step"])


def places(kept: dict[str, Any]) -> NDArray[np.float64]:
    """Where they are (Å), shape (n1, n2, n3, 3)."""
    indices = np.stack(np.meshgrid(*map(np.arange, kept["shape"]), indexing="ij"), axis=-1)
    return np.array(kept["origin"] + indices @ np.array(kept["vectors"]))


def scene_of(document: DensityDoc, difference: Grid | None = None) -> dict[str, Any]:
    scene = density_scene(document, difference or read_density(document, "difference"))
    assert scene is not None
    return scene


@pytest.mark.parametrize("shift", SHIFTS)
def test_values_are_those_of_the_grid_at_their_places(tmp_path: Path, shift: tuple[float, float, float]) -> None:
    document = made_up(tmp_path, shift=shift)
    difference = read_density(document, "difference")
    kept = scene_of(document)["volume"]
    lattice = document.structure.lattice
    points = lattice.get_fractional_coords(places(kept)) * difference.shape
    true = map_coordinates(difference.values, np.moveaxis(points, -1, 0), mode="grid-wrap")
    assert np.abs(decoded(kept) - true).max() < 0.01 * np.abs(true).max()
    assert np.allclose(
        np.array(kept["vectors"])[:2] * np.array(kept["shape"][:2])[:, None], lattice.matrix[:2], atol=1e-3
    )


@pytest.mark.parametrize("shift", SHIFTS)
def test_gain_and_loss_are_at_the_atoms_that_are_drawn(tmp_path: Path, shift: tuple[float, float, float]) -> None:
    document = made_up(tmp_path, shift=shift)
    scene = scene_of(document)
    drawn = np.reshape(scene["images"][0], (-1, 3))
    n_slab = document.n_slab
    assert n_slab is not None and scene["roles"][n_slab] == "fragment" and scene["roles"][0] == "slab"
    original = document.structure
    apart = original.lattice.get_all_distances(original.lattice.get_fractional_coords(drawn), original.frac_coords)
    assert np.diag(apart).max() < 2e-3
    values, kept = decoded(scene["volume"]), scene["volume"]
    giver = int(apart[n_slab, :n_slab].argmin())
    for atom, extreme in ((n_slab, values.max()), (giver, values.min())):
        index = (drawn[atom] - kept["origin"]) @ np.linalg.inv(kept["vectors"])
        assert all(low <= at <= high for at, (low, high) in zip(index[:2], kept["span"], strict=True))
        assert 0 <= index[2] < kept["shape"][2]  # no copy of another cell above or below
        near = np.rint(index).astype(int) % kept["shape"]
        around = [tuple((near + step) % kept["shape"]) for step in STEPS]
        assert extreme in [values[at] for at in around]
    assert values.max() > 0.15 and values.min() < -0.15


def test_a_fine_grid_becomes_small_and_keeps_what_is_moved(tmp_path: Path) -> None:
    document = made_up(tmp_path)
    structure, n_slab = interface()
    charges = np.zeros(len(structure))
    charges[n_slab], charges[0] = 0.2, -0.2
    fine = gaussians(structure, charges.tolist(), (54, 54, 110))
    scene = scene_of(document, fine)
    values, kept = decoded(scene["volume"]), scene["volume"]
    voxel = abs(float(np.linalg.det(kept["vectors"])))
    assert MOST_POINTS / 2 < values.size <= MOST_POINTS
    assert len(json.dumps(scene)) < 200_000
    assert np.abs(values).sum() * voxel / 2 == pytest.approx(moved(fine), rel=0.02)
    assert abs(values.sum() * voxel) < 1e-3


def test_surfaces_reach_as_far_as_a_fragment_that_leaves_the_cell() -> None:
    structure, n_slab = interface(size=1)
    charges = np.zeros(len(structure))
    charges[n_slab + 4] = 0.2
    difference = gaussians(structure, charges.tolist(), (18, 18, 72))
    placed = standing(structure, n_slab)
    positions, _, corner = arranged(placed, {})
    kept = volume(difference, placed, corner)
    reach = positions[n_slab:] - np.array(kept["origin"])
    indices = reach @ np.linalg.inv(kept["vectors"])
    (low, high), count = kept["span"][0], kept["shape"][0]
    assert low < 0 and high > count
    assert low < indices[:, 0].min() and indices[:, 0].max() < high


def test_levels_are_those_that_are_reached_and_the_usual_one_is_first(tmp_path: Path) -> None:
    document = made_up(tmp_path)
    scene = scene_of(document)
    assert LEVEL in LEVELS
    assert scene["levels"][scene["level"]] == LEVEL
    assert scene["levels"][-1] < decoded(scene["volume"]).max() < LEVELS[-1]
    assert np.allclose(np.log10(LEVELS), np.linspace(-3, 1, len(LEVELS)), atol=0.025)
    difference = read_density(document, "difference")
    weak = replace(difference, values=difference.values / 20)
    assert level_of(difference) == LEVEL
    assert level_of(weak) == pytest.approx(0.005)
    faint = scene_of(document, weak)
    assert faint["levels"][faint["level"]] == level_of(weak) < faint["levels"][-1] < LEVEL
    assert density_scene(document, replace(difference, values=difference.values / 1e4)) is None
