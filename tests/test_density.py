"""Differences, averages and bonds of densities made up of Gaussians, whose integrals are known."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from densities import gaussians
from pymatgen.core import Lattice, Structure

from barriers.analysis.bond_density import Smooth, covalent_bonds
from barriers.analysis.density import (
    Grid,
    atom_heights,
    density_difference,
    interface_height,
    moved,
    planar_average,
)

CELL = Lattice([[4, 0, 0], [1, 5, 0], [0.5, 0.3, 12]])
SHAPE = (20, 24, 60)


def interface(shift: float = 0.0) -> tuple[Structure, Grid, dict[str, Grid]]:
    """Two atoms of a slab and one above; of the whole, 0.1 e of the upper slab atom are at the fragment."""
    places = (np.array([[0.1, 0.2, 0.3], [0.5, 0.6, 0.4], [0.5, 0.6, 0.62]]) + np.array([0, 0, shift])) % 1
    structure = Structure(CELL, ["Li", "O", "F"], places)
    whole = gaussians(structure, [1, 5.9, 7.1], SHAPE)
    parts = {"slab": structure[:2], "fragment": structure[2:]}
    alone = {name: Structure.from_sites(sites) for name, sites in parts.items()}
    return (
        structure,
        whole,
        {
            "slab": gaussians(alone["slab"], [1, 6], SHAPE),
            "fragment": gaussians(alone["fragment"], [7], SHAPE),
        },
    )


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])  # at 0.5 the slab is cut by the cell's upper side, fragment below
def test_what_moves_is_found_wherever_the_cell_cuts(shift: float) -> None:
    structure, whole, parts = interface(shift)
    difference = density_difference(whole, parts)
    assert difference.total == pytest.approx(0, abs=1e-6)
    assert moved(difference) == pytest.approx(0.1, abs=1e-4)
    average = planar_average(difference)
    plane = interface_height(structure, 2)
    assert plane is not None
    assert average.below(plane) == pytest.approx(-0.1, abs=1e-3)
    step = average.heights[1] - average.heights[0]
    assert average.values.sum() * step == pytest.approx(0, abs=1e-6)
    heights = atom_heights(structure)
    assert heights[2] > heights[1] > heights[0] > average.heights[0]
    assert average.values.argmax() == pytest.approx((heights[2] - average.heights[0]) / step, abs=1)
    assert average.heights[-1] - average.heights[0] + step == pytest.approx(12.0)


def test_a_fragment_beside_the_slab_has_no_plane_below_it() -> None:
    structure, _, _ = interface()
    structure.translate_sites([2], [0, 0, -0.25])
    assert interface_height(structure, 2) is None


def test_parts_may_be_wrapped_and_in_another_order() -> None:
    _, whole, parts = interface()
    turned = Structure.from_sites(parts["slab"].structure[::-1])
    turned.translate_sites([0], [1, -1, 0], to_unit_cell=False)
    assert moved(density_difference(whole, parts | {"slab": replace(parts["slab"], structure=turned)})) == (
        pytest.approx(0.1, abs=1e-4)
    )


def coarser(parts: dict[str, Grid]) -> dict[str, Grid]:
    return parts | {"slab": replace(parts["slab"], values=parts["slab"].values[:, :, ::2])}


def in_another_cell(parts: dict[str, Grid]) -> dict[str, Grid]:
    slab = parts["slab"].structure
    wider = Structure(Lattice(CELL.matrix * 1.001), slab.species, slab.frac_coords)
    return parts | {"slab": replace(parts["slab"], structure=wider)}


def relaxed(parts: dict[str, Grid]) -> dict[str, Grid]:
    slab = parts["slab"].structure.copy()
    slab.translate_sites([1], [0, 0, 0.01])
    return parts | {"slab": replace(parts["slab"], structure=slab)}


def of_something_else(parts: dict[str, Grid]) -> dict[str, Grid]:
    slab = parts["slab"].structure.copy()
    slab.replace(1, "N")
    return parts | {"slab": replace(parts["slab"], structure=slab)}


def charged(parts: dict[str, Grid]) -> dict[str, Grid]:
    return parts | {"slab": replace(parts["slab"], values=parts["slab"].values * 1.01)}


REFUSED = {
    coarser: "the whole is on a grid of 20×24×60 points, slab on one of 20×24×30; allowed: one grid for all",
    in_another_cell: "the cells of the whole and slab differ by 0.0120 Å",
    relaxed: "slab: no O of the whole is where its atom 1 is, the nearest is 0.120 Å away",
    of_something_else: "slab: no N of the whole is where its atom 1 is, none left",
    charged: "Δρ integrates to -0.0700 e; allowed: 0 within 0.001. The whole has 14.000 e, its parts slab 7.070, ",
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_what_does_not_fit_is_refused_in_words(spoil: object) -> None:
    _, whole, parts = interface()
    assert callable(spoil)
    with pytest.raises(ValueError) as refusal:
        density_difference(whole, spoil(parts))
    assert REFUSED[spoil] in str(refusal.value)


def test_an_atom_in_no_part_is_named() -> None:
    _, whole, parts = interface()
    with pytest.raises(ValueError, match=r"F 2: in no part; allowed: every atom of the whole in one part"):
        density_difference(whole, {"slab": parts["slab"]})


def pair(turn: float = 0.0) -> Structure:
    """Two C along x, 1.34 Å apart, across the border of the cell, with a neighbour H and a metal."""
    lattice = Lattice.orthorhombic(6, 7, 8)
    along = np.array([math.cos(turn), math.sin(turn), 0])
    places = np.array([[0, 3, 4], [0, 3, 4] + 1.34 * along, [0, 4, 4], [0, 3, 5.5]]) - [0.5, 0, 0]
    return Structure(lattice, ["C", "C", "H", "Li"], places, coords_are_cartesian=True, to_unit_cell=True)


def flattened(structure: Structure, across: tuple[float, float]) -> Grid:
    """A Gaussian about the bond's middle, with other widths (Å) within the plane of the page and across it."""
    shape = (60, 70, 80)
    fractional = np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)
    middle = np.array([0.17, 3.0, 4.0]) / structure.lattice.abc
    away = fractional - middle
    x, y, z = np.moveaxis((away - np.rint(away)) @ structure.lattice.matrix, -1, 0)
    return Grid(np.exp(-(x**2) - (y / across[0]) ** 2 / 2 - (z / across[1]) ** 2 / 2), structure)


def test_only_bonds_of_heavy_atoms_that_are_no_metals_count() -> None:
    assert covalent_bonds(pair()) == [(0, 1)]


def test_the_ellipticity_is_that_of_the_curvatures_across_the_bond() -> None:
    assert Smooth(flattened(pair(), (0.6, 0.6))).ellipticity(0, 1) == pytest.approx(0, abs=1e-6)
    found = Smooth(flattened(pair(), (0.6, 0.8))).ellipticity(0, 1)
    assert found == pytest.approx((0.8 / 0.6) ** 2 - 1, rel=0.03)
    assert Smooth(flattened(pair(), (0.8, 0.6))).ellipticity(1, 0) == pytest.approx(found, rel=1e-6)


def test_a_density_that_rises_across_the_bond_has_no_ellipticity() -> None:
    grid = flattened(pair(), (0.6, 0.8))
    assert math.isnan(Smooth(replace(grid, values=-grid.values)).ellipticity(0, 1))


def test_a_line_across_the_border_of_the_cell_has_its_peak_in_the_middle() -> None:
    line = Smooth(flattened(pair(), (0.6, 0.8))).along(0, 1)
    assert line.middle == pytest.approx(1, abs=1e-4)
    assert line.middle == pytest.approx(line.highest)
    assert line.values[0] == pytest.approx(math.exp(-(0.67**2)), abs=1e-4)
