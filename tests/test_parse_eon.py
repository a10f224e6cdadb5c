"""Bands of eOn, and the tables of VTST's scripts that share a name with its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ase.io import read
from code_files import write_eon, write_vtst
from reading import BANDS, error, forward, refused, warned
from written_bands import a_hop

from barriers.parsing import find_band

HOP = a_hop()
EON = BANDS / "eon"


@pytest.mark.parametrize(("name", "barrier"), [("al_edge_converged", 0.3917), ("al_climbing_image_only", 0.3412)])
def test_what_eon_wrote_has_its_barrier(name: str, barrier: float) -> None:
    assert forward(EON / name) == pytest.approx(barrier, abs=0.001)
    found = find_band(EON / name)
    assert found.criterion == "converged_force 0.01 eV/Å on the climbing image"
    assert ("initial endpoint is not relaxed: 0.754 eV/Å" in warned(found)) == (name == "al_climbing_image_only")
    assert found.structure.lattice.pbc == (True, True, True)
    assert (~found.images[0].free.any(axis=1)).sum() == 18


def test_a_band_is_read_with_its_atoms(tmp_path: Path) -> None:
    found = find_band(write_eon(tmp_path, HOP))
    assert refused(found) == ""
    assert [site.specie.symbol for site in found.structure] == ["H", "Li", "Ni", "O"]
    assert [image.energy for image in found.images] == pytest.approx(HOP.energies.tolist(), abs=1e-9)
    assert [image.tangential for image in found.images] == pytest.approx(HOP.forces[:, 2, 0].tolist(), abs=1e-9)
    assert [image.residual for image in found.images] == [None, 0.01, 0.01, 0.01, None]
    assert found.images[0].settings == {"potential": "EAM_AL"}
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.003)


def test_a_band_is_read_without_its_atoms(tmp_path: Path) -> None:
    found = find_band(write_eon(tmp_path, HOP, atoms=False))
    assert found.structure is None
    assert found.distances == pytest.approx([0, 0.75, 1.5, 2.25, 3])
    assert [image.energy for image in found.images] == pytest.approx(HOP.energies.tolist(), abs=1e-9)
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.003)


def test_ase_takes_a_cut_file_of_eon_for_a_shorter_band_and_this_reader_does_not(tmp_path: Path) -> None:
    write_eon(tmp_path, HOP)
    path = tmp_path / "neb.con"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) * 3 // 5 + 5]))  # a little of the fourth image's heading
    assert len(read(path, index=slice(None), format="eon")) == 3
    assert "3 images, but 5 in neb.dat" in error(tmp_path)
    assert not read(path, index=slice(None), format="eon")[0].pbc.any()  # which the reader mends


@pytest.mark.parametrize(
    ("ending", "words"), [("FAIL_MAX_ITERATIONS", "termination_reason is FAIL_MAX_ITERATIONS"), ("1", "reason is 1")]
)
def test_a_band_that_failed_is_refused(ending: str, words: str, tmp_path: Path) -> None:
    assert words in refused(find_band(write_eon(tmp_path, HOP, ending)))


def test_a_band_without_results_is_refused(tmp_path: Path) -> None:
    write_eon(tmp_path, HOP)
    (tmp_path / "results.dat").unlink()
    assert "stands in results.dat only" in refused(find_band(tmp_path))


@pytest.mark.parametrize("name", ["results.dat", "neb.con"])
def test_files_of_two_runs_are_noticed(name: str, tmp_path: Path) -> None:
    write_eon(tmp_path / "other", replace(HOP, energies=-100 + 1.01 * (HOP.energies + 100)))
    write_eon(tmp_path, HOP)
    (tmp_path / "other" / name).rename(tmp_path / name)
    assert "are of two runs" in error(tmp_path)


def test_a_table_of_eon_that_ends_early_is_noticed(tmp_path: Path) -> None:
    write_eon(tmp_path, HOP)
    table = tmp_path / "neb.dat"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n  4  2.0")
    assert "neb.dat: is not whole" in error(tmp_path)


def test_tables_of_vtst_are_a_band_without_atoms(tmp_path: Path) -> None:
    found = find_band(write_vtst(tmp_path, HOP))
    assert (found.structure, found.energy_kind, refused(found)) == (None, "energy(sigma→0)", "")
    assert [image.energy for image in found.images] == pytest.approx(HOP.energies.tolist(), abs=1e-7)
    assert found.distances == pytest.approx([0, 0.75, 1.5, 2.25, 3])
    assert [image.tangential for image in found.images] == pytest.approx(HOP.forces[:, 2, 0].tolist(), abs=1e-7)
    assert [image.residual for image in found.images] == [None, 0.02, 0.02, 0.02, None]
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.003)


def test_one_table_of_vtst_says_what_the_other_would_add(tmp_path: Path) -> None:
    found = find_band(write_vtst(tmp_path, HOP, forces=False))
    assert "copy nebef.dat, which has the largest forces" in warned(found)
    assert found.images[0].energy == 0
    write_vtst(tmp_path, HOP)
    (tmp_path / "neb.dat").unlink()
    assert "nebef.dat: has no distances; run nebbarrier.pl" in error(tmp_path)


def test_tables_of_two_bands_are_noticed(tmp_path: Path) -> None:
    write_vtst(tmp_path, HOP)
    write_vtst(tmp_path, replace(HOP, energies=-100 + 1.01 * (HOP.energies + 100)), forces=False)
    assert "are of two bands" in error(tmp_path)


@pytest.mark.parametrize("cut", [1, 10])
def test_a_table_of_vtst_that_ends_early_is_noticed(cut: int, tmp_path: Path) -> None:
    write_vtst(tmp_path, HOP)
    table = tmp_path / "neb.dat"
    table.write_text(table.read_text()[:-cut])
    assert "neb.dat: is not whole" in error(tmp_path)


def test_quantum_espressos_file_of_that_name_is_no_table(tmp_path: Path) -> None:
    """``prefix = 'neb'`` writes reaction coordinate, energy and error."""
    (tmp_path / "neb.dat").write_text("    0.0000000000    0.0000000000    0.3821\n" * 7)
    assert "no NEB here" in error(tmp_path)
