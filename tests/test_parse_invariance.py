"""One band, however it is laid down and whichever code wrote it, has one barrier."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ase import Atoms
from ase.io import write
from code_files import write_abinit, write_eon, write_lammps, write_vtst
from cp2k_files import write_cp2k
from espresso_files import write_espresso
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vasp_bands import Run, frames, write_vasp
from written_bands import Band, a_hop, backwards, in_order, turned, wrapped

from barriers.parsing import parse_folder
from barriers.structures.directions import constraints_of


def write_outcars(folder: Path, band: Band) -> Path:
    """VASP's files, forces to the last digit so that turning them leaves no trace."""
    titles = tuple(f"PAW_PBE {symbol} 01Jan2001" for symbol in band.symbols)
    last = len(band.energies) - 1
    return write_vasp(folder, band, {n: Run(titles=titles, digits=14, band=0 < n < last) for n in range(last + 1)})


def write_trajectory(folder: Path, band: Band) -> Path:
    folder.mkdir(parents=True)
    write(folder / "neb.traj", constrained(band))
    return folder


def write_trajectories(folder: Path, band: Band) -> Path:
    folder.mkdir(parents=True)
    for number, atoms in enumerate(constrained(band)):
        write(folder / f"image{number + 8}.traj", atoms)
    return folder


def constrained(band: Band) -> list[Atoms]:
    images = frames(band)
    for atoms in images:
        atoms.set_constraint(constraints_of(band.free))
    return images


WITH_ATOMS = {
    "vasp": write_outcars,
    "ase": write_trajectory,
    "ase, a file for each image": write_trajectories,
    "espresso": write_espresso,
    "cp2k": write_cp2k,
    "abinit": write_abinit,
}
WITH_DISTANCES = {"eon": write_eon, "lammps": write_lammps, "vtst": write_vtst}
STANDING = a_hop()
FREELY = turned(STANDING, 0)


def both_ways(write: Callable[..., Path], folder: Path, band: Band) -> tuple[float, float]:
    barrier = parse_folder(write(folder, band)).barriers[0]
    assert barrier.forward is not None, barrier.reason
    return barrier.forward, barrier.reverse


@pytest.mark.parametrize("code", WITH_ATOMS)
@given(order=st.permutations(range(4)), seed=st.integers(1, 10**6), reverse=st.booleans(), wrap=st.booleans())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_turned_wrapped_reordered_and_reversed_it_is_the_same(
    code: str, order: list[int], seed: int, reverse: bool, wrap: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    band = in_order(turned(STANDING, seed), order)
    band = wrapped(band) if wrap else band
    folder = tmp_path_factory.mktemp(code)
    before = both_ways(WITH_ATOMS[code], folder / "before", FREELY)
    after = both_ways(WITH_ATOMS[code], folder / "after", backwards(band) if reverse else band)
    assert after[:: -1 if reverse else 1] == pytest.approx(before, abs=1e-9)


@pytest.mark.parametrize("code", WITH_DISTANCES)
@given(order=st.permutations(range(4)), reverse=st.booleans())
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reversed_and_reordered_it_is_the_same_where_only_distances_are_known(
    code: str, order: list[int], reverse: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    band = in_order(STANDING, order)
    folder = tmp_path_factory.mktemp(code)
    before = both_ways(WITH_DISTANCES[code], folder / "before", STANDING)
    after = both_ways(WITH_DISTANCES[code], folder / "after", backwards(band) if reverse else band)
    assert after[:: -1 if reverse else 1] == pytest.approx(before, abs=1e-9)


def test_all_codes_with_forces_give_one_barrier(tmp_path: Path) -> None:
    barriers = [both_ways(write, tmp_path / code, STANDING) for code, write in WITH_ATOMS.items()]
    assert all(each == pytest.approx(barriers[0], abs=1e-9) for each in barriers)
