"""Bands of LAMMPS: energies and path length from the log of all partitions, convergence from each one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from code_files import lammps_log, write_lammps
from reading import BANDS, error, forward, reason, refused, warned
from written_bands import a_hop

from barriers.parsing import find_band

HOP = a_hop()


@pytest.mark.parametrize("literal", [False, True])
def test_a_band_is_read_without_a_structure(literal: bool, tmp_path: Path) -> None:
    found = find_band(write_lammps(tmp_path, HOP, literal=literal))
    assert (found.structure, refused(found), found.engine.version) == (None, "", "29 Sep 2021")
    assert [image.energy for image in found.images] == pytest.approx(HOP.energies.tolist(), abs=1e-9)
    assert found.distances == pytest.approx([0, 0.75, 1.5, 2.25, 3])
    assert [image.residual for image in found.images] == [None, 0.02, 0.02, 0.02, None]
    assert all(image.forces is None and image.tangential is None for image in found.images)
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.01)


def test_energies_and_forces_are_of_the_units_that_are_said(tmp_path: Path) -> None:
    found = find_band(write_lammps(tmp_path, HOP, units="real"))
    assert [image.energy for image in found.images] == pytest.approx(HOP.energies.tolist(), abs=1e-9)
    assert found.images[1].residual == pytest.approx(0.02)


def test_what_lammps_wrote_has_its_barrier_or_the_word_that_mends_it() -> None:
    assert forward(BANDS / "lammps" / "cu_edge_converged") == pytest.approx(0.5195, abs=0.001)
    assert "stopped by max iterations, not by the force tolerance; raise N1 and N2" in reason(
        BANDS / "lammps" / "cu_edge_unconverged"
    )


def test_units_that_nothing_says_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "log.lammps").write_text(lammps_log(HOP))
    assert "nothing says the units of LAMMPS's energies; copy log.lammps.0" in error(tmp_path)
    (tmp_path / "in.neb").write_text("# units real\nunits           metal\n")
    found = find_band(tmp_path)
    assert found.images[0].energy == pytest.approx(HOP.energies[0])
    assert "copy log.lammps.0 here" in warned(found)
    (tmp_path / "in.neb").write_text("units lj\n")
    assert "units lj have no energy in eV" in error(tmp_path)


@pytest.mark.parametrize("criterion", ["max iterations", "linesearch alpha is zero", "energy tolerance"])
def test_only_the_force_tolerance_converges_a_band(criterion: str, tmp_path: Path) -> None:
    found = find_band(write_lammps(tmp_path, HOP, criterion=criterion))
    assert f"stopped by {criterion}" in refused(found)
    assert found.criterion is None


def test_logs_of_another_run_are_noticed(tmp_path: Path) -> None:
    write_lammps(tmp_path / "other", replace(HOP, energies=HOP.energies + 0.3))
    write_lammps(tmp_path, HOP)
    (tmp_path / "other" / "log.lammps.2").rename(tmp_path / "log.lammps.2")
    assert "log.lammps.2 is of another run than" in error(tmp_path)


@pytest.mark.parametrize("left", [5, 40, 90])
def test_a_table_that_ends_early_is_one_line(left: int, tmp_path: Path) -> None:
    write_lammps(tmp_path, HOP)
    log = tmp_path / "log.lammps"
    log.write_text(log.read_text()[:-left])
    assert "the last line of its table is not whole" in error(tmp_path)


def test_several_logs_are_asked_for_by_name(tmp_path: Path) -> None:
    write_lammps(tmp_path, HOP)
    (tmp_path / "older.log").write_text(lammps_log(replace(HOP, energies=HOP.energies * 2)))
    assert "several bands: log.lammps, older.log" in error(tmp_path)
    assert find_band(tmp_path, "older.log").images[0].energy == pytest.approx(-200)
    assert find_band(tmp_path / "log.lammps").images[0].energy == pytest.approx(-100)
