"""Atoms that are fixed in some directions: in files, in pairs of endpoints, and in engines' largest forces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.constraints import FixAtoms, FixCartesian, FixedLine, FixedPlane, FixScaled
from ase.io import write
from ase.optimize import BFGS
from hypothesis import given
from hypothesis import strategies as st

from barriers.engines.common import atoms_of
from barriers.engines.dft import free_force
from barriers.files.structures import read_endpoints, to_structure
from barriers.structures.directions import along_lattice, constraints_of, directions_of, free_directions, free_part
from barriers.structures.path.endpoints import EndpointError

SKEWED = np.array([[4.0, 0, 0], [1.0, 5.0, 0], [0.5, 0.7, 6.0]])


def crystal() -> Atoms:
    return bulk("Al", cubic=True) * (2, 1, 1)


@pytest.mark.parametrize(
    ("constraint", "flags"),
    [
        (FixAtoms([1]), [False, False, False]),
        (FixedPlane([1], (0, 0, 1)), [True, True, False]),
        (FixedPlane([1], (0, 2, 0)), [True, False, True]),
        (FixedLine([1], (1, 0, 0)), [True, False, False]),
        (FixCartesian([1], (True, False, True)), [False, True, False]),
        (FixScaled([1], (False, True, True)), [True, False, False]),
    ],
)
def test_constraints_of_ase_are_directions(constraint: object, flags: list[bool]) -> None:
    atoms = crystal()
    atoms.set_constraint(constraint)
    free = directions_of(atoms)
    assert free[1].tolist() == flags
    assert np.delete(free, 1, axis=0).all()
    back = crystal()
    back.set_constraint(constraints_of(free))
    assert np.array_equal(directions_of(back), free)
    assert np.array_equal(free_directions(to_structure(atoms)), free)


def test_planes_of_a_skewed_cell_are_known_where_lattice_vectors_span_them() -> None:
    atoms = Atoms("H2", [[0, 0, 0], [1, 1, 1]], cell=SKEWED, pbc=True)
    atoms.set_constraint(FixedPlane([0], (0, 0, 1)))
    assert directions_of(atoms)[0].tolist() == [True, True, False]
    atoms.set_constraint([FixedPlane([0], (0, 0, 1)), FixScaled([0], (True, False, False))])
    assert directions_of(atoms)[0].tolist() == [False, True, False]
    atoms.set_constraint(FixedPlane([0], (0, 1, 1)))
    with pytest.raises(ValueError, match="atom 0 may move in a plane or on a line that no lattice vectors span"):
        directions_of(atoms)


@given(
    st.lists(st.floats(-5, 5), min_size=12, max_size=12),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_the_free_part_is_in_the_span_and_the_rest_across_it(numbers: list[float], flags: list[bool]) -> None:
    vectors, free = np.reshape(numbers, (4, 3)), np.reshape(flags, (4, 3))
    parts = along_lattice(vectors, free, SKEWED)
    for vector, part, directions in zip(vectors, parts, free, strict=True):
        span = SKEWED[directions]
        assert np.linalg.matrix_rank(np.vstack([span, part]), tol=1e-6) <= len(span)
        assert np.abs(span @ (vector - part)).max(initial=0.0) < 1e-9


def test_engines_count_the_force_along_free_directions() -> None:
    atoms = crystal()
    atoms.set_constraint([FixedPlane([1], (0, 0, 1)), FixAtoms([0])])
    structure = to_structure(atoms)
    forces = np.zeros((len(atoms), 3))
    forces[0], forces[1] = [9, 9, 9], [0.3, 0.4, 7.0]
    assert free_force(structure, forces) == pytest.approx(0.5)
    assert free_part(forces, structure)[1] == pytest.approx([0.3, 0.4, 0.0])


def test_endpoints_keep_what_is_partly_fixed_and_relax_along_the_rest(tmp_path: Path) -> None:
    initial, final = crystal(), crystal()
    del initial[0]
    del final[1]
    final = final[[0, *range(1, len(final))]]
    initial.set_constraint([FixScaled([4], (False, False, True))])
    for name, atoms in (("initial", initial), ("final", final)):
        write(tmp_path / f"{name}.vasp", atoms, direct=True)
    start, end, _ = read_endpoints(tmp_path / "initial.vasp", tmp_path / "final.vasp")
    for structure in (start, end):
        assert list(structure.site_properties["selective_dynamics"][4]) == [True, True, False]
    relaxing = atoms_of(start)
    relaxing.positions[5] += [0.1, 0.0, 0.2]
    height = relaxing.positions[4, 2]
    relaxing.calc = EMT()
    BFGS(relaxing, logfile=None).run(fmax=0.1, steps=20)
    assert relaxing.positions[4, 2] == pytest.approx(height, abs=1e-9)


def test_endpoints_apart_along_a_fixed_direction_are_refused(tmp_path: Path) -> None:
    initial, final = crystal(), crystal()
    del initial[0]
    del final[1]
    initial.set_constraint([FixScaled([4], (False, False, True))])
    final.positions[4, 2] += 0.05
    for name, atoms in (("initial", initial), ("final", final)):
        write(tmp_path / f"{name}.vasp", atoms, direct=True)
    with pytest.raises(EndpointError, match=r"is held in some directions, but moves 0\.050 Å along them"):
        read_endpoints(tmp_path / "initial.vasp", tmp_path / "final.vasp")


def cif(path: Path, *blocks: tuple[str, float, float]) -> Path:
    """Blocks of a CIF: name, x of Li, and occupancy of a second Li."""
    text = ""
    for name, x, share in blocks:
        text += f"data_{name}\n_cell_length_a 8\n_cell_length_b 8\n_cell_length_c 8\n"
        text += "_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n"
        text += "_symmetry_space_group_name_H-M 'P 1'\n"
        text += "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n"
        text += f"_atom_site_fract_z\n_atom_site_occupancy\nO1 O 0.1 0.1 0.1 1\nLi1 Li {x} 0.5 0.5 1\n"
        text += f"Li2 Li 0.8 0.8 0.1 {share}\n\n"
    path.write_text(text)
    return path


def test_the_block_of_a_cif_that_was_read_is_named(tmp_path: Path) -> None:
    initial = cif(tmp_path / "i.cif", ("start", 0.25, 1.0))
    final = cif(tmp_path / "f.cif", ("other", 0.9, 1.0), ("end", 0.5, 1.0))
    _, end, warnings = read_endpoints(initial, final)
    assert warnings == [f"{final}: holds 2 structures, the last was read: data_end"]
    assert end[1].frac_coords[0] == pytest.approx(0.5)
    partly = cif(tmp_path / "p.cif", ("whole", 0.5, 1.0), ("partial", 0.5, 0.25))
    with pytest.raises(EndpointError, match=r"p\.cif, data_partial: 0\.25 Li on one site; allowed: one whole atom"):
        read_endpoints(initial, partly)
