"""Bader charges of densities whose answer is known, however the cell lies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from densities import gaussians
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure

from barriers.analysis.bader import bader
from barriers.analysis.density import Grid

CELLS = {
    "orthorhombic": Lattice.orthorhombic(5, 6, 8),
    "hexagonal": Lattice.hexagonal(5.5, 8),
    "triclinic": Lattice.from_parameters(5, 5.5, 8, 75, 80, 65),
}
SHAPE = (36, 42, 54)  # three numbers: an axis taken for another shows


def apart(cell: Lattice, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Structure:
    """Two atoms that share next to nothing, 3.5 Å apart along the third vector."""
    places = (np.array([[0.2, 0.3, 0.3], [0.2, 0.3, 0.3 + 3.5 / 8]]) + shift) % 1
    return Structure(cell, ["O", "Li"], places)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_atoms_get_what_is_theirs(cell: Lattice) -> None:
    structure = apart(cell)
    found = bader(gaussians(structure, [6, 2], SHAPE))
    assert found.electrons == pytest.approx([6, 2], abs=0.01)
    assert found.electrons.sum() + found.vacuum == pytest.approx(8, abs=1e-6)
    assert found.elsewhere == 0


@settings(deadline=None, max_examples=5)
@given(st.tuples(*[st.floats(0, 1)] * 3), st.sampled_from(list(CELLS)))
def test_atoms_at_the_cells_edge_get_the_same(shift: tuple[float, float, float], cell: str) -> None:
    """Also between the points of the grid: half of two equal atoms is each one's."""
    places = (np.array([[0.2, 0.3, 0.3], [0.2, 0.3, 0.55]]) + shift) % 1
    found = bader(gaussians(Structure(CELLS[cell], ["O", "O"], places), [4, 4], SHAPE))
    assert found.electrons == pytest.approx([4, 4], abs=0.02)


def test_the_order_of_the_atoms_does_not_matter() -> None:
    structure = apart(CELLS["triclinic"])
    forth, back = (
        bader(gaussians(each, electrons, SHAPE)).electrons
        for each, electrons in ((structure, [6, 2]), (Structure.from_sites(structure[::-1]), [2, 6]))
    )
    assert forth == pytest.approx(back[::-1])


def test_the_dividing_surface_is_where_the_density_is_lowest_and_not_halfway() -> None:
    """A line along the third vector times a bump across it: the surfaces are the planes at the line's minima."""
    x, y, z = (np.arange(n) / n * length for n, length in ((12, 3), (14, 3), (240, 12)))
    line = 3 * np.exp(-((z - 4) ** 2) / 2 / 0.5**2) + 2 * np.exp(-((z - 7) ** 2) / 2) + 0.01
    bump = np.exp(2 * np.add.outer(np.cos(2 * np.pi * x / 3), np.cos(2 * np.pi * y / 3)) - 4)
    values = bump[..., None] * line
    structure = Structure(Lattice.orthorhombic(3, 3, 12), ["O", "Li"], [[0, 0, 4 / 12], [0, 0, 7 / 12]])
    grid = Grid(values, structure)
    lowest, other = 80 + int(line[80:140].argmin()), 150 + int(line[150:].argmin())
    found = bader(grid)
    assert found.electrons[1] == pytest.approx(values[..., lowest:other].sum() * grid.voxel, rel=0.01)
    halfway = values[..., 110:other].sum() * grid.voxel
    assert found.electrons[1] != pytest.approx(halfway, rel=0.03)


def test_points_that_lie_closer_along_one_axis_give_the_same() -> None:
    """Of a surface across the axes too: facets count by their area over the distance."""
    cell = Lattice.cubic(5)
    structure = Structure(cell, ["O", "Li"], [[2, 2, 2], [3.4, 2, 2.7]], coords_are_cartesian=True)
    grids = ((60, 60, 60), (20, 24, 80), (80, 24, 20))
    even, *others = (bader(gaussians(structure, [6, 3], shape, 0.5)).electrons for shape in grids)
    for found in others:
        assert found == pytest.approx(even, abs=0.04)


def hollow() -> tuple[Grid, Grid]:
    """Valence density without a maximum at the first nucleus, as that of C beside F; and with its core."""
    structure = Structure(CELLS["orthorhombic"], ["C", "F"], [[0.5, 0.5, 0.35], [0.5, 0.5, 0.35 + 1.4 / 8]])
    valence = gaussians(structure, [0.1, 9.9], SHAPE)
    return valence, replace(valence, values=valence.values + gaussians(structure, [4, 2], SHAPE, 0.25).values)


def test_without_its_core_an_atom_may_have_no_maximum_and_that_is_said() -> None:
    valence, _ = hollow()
    found = bader(valence)
    assert found.electrons[0] == 0
    assert "no maximum of the density at C 0: a reference with its core or a finer grid is needed" in found.notes


def test_a_reference_has_the_surfaces_and_the_density_the_electrons() -> None:
    valence, with_cores = hollow()
    found = bader(valence, with_cores)
    assert found.electrons.sum() + found.vacuum == pytest.approx(10, abs=1e-3)
    assert 0.2 < found.electrons[0] < 3
    assert not any("no maximum" in note for note in found.notes)


def test_vacuum_is_said_and_given_to_no_atom() -> None:
    structure = apart(CELLS["orthorhombic"])
    dense = gaussians(structure, [6, 2], SHAPE)
    thin = replace(dense, values=dense.values + 5e-4)
    found = bader(thin)
    assert found.electrons.sum() + found.vacuum == pytest.approx(thin.total)
    assert found.vacuum == pytest.approx(5e-4 * 240, rel=0.6) and found.vacuum > 0.03
    (note,) = found.notes
    assert note == f"{found.vacuum:.3f} e where the density is below 0.001 e/Å³ belong to no atom"


def test_a_maximum_far_from_any_nucleus_belongs_to_none_and_is_said() -> None:
    structure = apart(CELLS["orthorhombic"])
    with_bubble = Structure.from_sites([*structure, *Structure(structure.lattice, ["He"], [[0.8, 0.8, 0.8]])])
    values = gaussians(with_bubble, [6, 2, 1], SHAPE).values
    found = bader(Grid(values, structure))
    assert found.electrons == pytest.approx([6, 2], abs=0.02)
    assert found.elsewhere == pytest.approx(1, abs=0.02)
    assert any(note.endswith("e gather more than 0.6 Å from any nucleus and belong to no atom") for note in found.notes)


def test_another_grid_is_no_reference() -> None:
    valence, with_cores = hollow()
    coarse = replace(with_cores, values=with_cores.values[::2])
    with pytest.raises(
        ValueError, match=r"the density is on a grid of 36×42×54 points, the reference on one of 18×42×54"
    ):
        bader(valence, coarse)
