"""Bands of ABINIT: the last whole step of a history, and what only the output tells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from code_files import abinit_output, write_abinit
from reading import BANDS, error, forward, reason, refused, warned
from scipy.io import netcdf_file
from written_bands import a_hop

from barriers.parsing import find_band

HOP = a_hop()


def test_a_band_is_read_to_the_last_digit(tmp_path: Path) -> None:
    found = find_band(write_abinit(tmp_path, HOP))
    assert (refused(found), found.name, found.engine.version) == ("", "hop", "9.6.2")
    assert [site.specie.symbol for site in found.structure] == HOP.symbols
    for number, image in enumerate(found.images):
        assert image.energy == pytest.approx(HOP.energies[number], abs=1e-9)
        assert image.positions == pytest.approx(HOP.positions[number], abs=1e-12)
        assert image.forces == pytest.approx(HOP.forces[number], abs=1e-12)
        assert image.cell == pytest.approx(HOP.cell, abs=1e-12)
        assert (image.free == HOP.free).all()
        assert (image.steps, image.electrons) == (2, True)
        assert image.settings == {"ecut": "2.0E+01", "nsppol": "2"}
        assert [Path(name).name for name in image.files] == ["hop_HIST.nc", "hop.abo"]
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.003)


def test_what_abinit_wrote_has_its_barrier_or_the_word_that_mends_it() -> None:
    assert forward(BANDS / "abinit" / "h3_edge_converged") == pytest.approx(0.2382, abs=0.001)
    found = find_band(BANDS / "abinit" / "h3_edge_converged")
    assert [row.any() for row in found.images[1].free] == [True, False, True]
    loose = BANDS / "abinit" / "h3_converged_says_tolimg"  # met its tolimg with 0.343 eV/Å across the path
    assert "largest force across the path 0.343 eV/Å" in reason(loose)
    assert "not at forces: where the force across the path is large, lower tolimg" in warned(find_band(loose))


def test_steps_that_were_used_up_are_told(tmp_path: Path) -> None:
    found = find_band(write_abinit(tmp_path, HOP, end=""))
    assert "steps were used up; raise ntimimage" in refused(found)


def test_an_output_of_another_run_is_not_asked(tmp_path: Path) -> None:
    write_abinit(tmp_path, HOP)
    (tmp_path / "hop.abo").write_text(abinit_output(replace(HOP, energies=HOP.energies + 0.001), ""))
    found = find_band(tmp_path)
    assert "no output beside" in warned(found)
    assert refused(found) == ""
    assert found.images[0].free.all()
    (tmp_path / "older.out").write_text(abinit_output(HOP, ""))
    assert "steps were used up" in refused(find_band(tmp_path))


def test_electrons_that_did_not_converge_are_told(tmp_path: Path) -> None:
    write_abinit(tmp_path, HOP)
    warning = " scprqt:  WARNING -\n  nstep=   60 was not enough SCF cycles to converge;\n"
    text = abinit_output(HOP).replace("CELL #    3/   5\n", f"CELL #    3/   5\n{warning}")
    (tmp_path / "hop.abo").write_text(text)
    assert [image.electrons for image in find_band(tmp_path).images] == [True, True, False, True, True]


def test_ends_that_were_wrapped_are_refused(tmp_path: Path) -> None:
    positions = HOP.positions.copy()
    positions[:, 2, 0] = np.linspace(4.5, 0.5, 5)
    assert "unwrap xcart_lastimg" in refused(find_band(write_abinit(tmp_path, replace(HOP, positions=positions))))


@pytest.mark.parametrize("left", [0.02, 0.3, 0.7, 0.98])
def test_a_history_that_ends_early_is_one_line(left: float, tmp_path: Path) -> None:
    write_abinit(tmp_path, HOP)
    path = tmp_path / "hop_HIST.nc"
    path.write_bytes(path.read_bytes()[: int(left * path.stat().st_size)])
    assert f"{path}: cannot be read" in error(tmp_path)


def test_a_step_that_was_never_written_is_noticed(tmp_path: Path) -> None:
    filled = HOP.energies.copy()
    filled[3] = 9.96920996838687e36
    assert "its last step is not whole" in error(write_abinit(tmp_path, replace(HOP, energies=filled)))


def test_netcdf_4_is_named(tmp_path: Path) -> None:
    (tmp_path / "hop_HIST.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    assert "convert it with nccopy -k classic" in error(tmp_path)


def test_a_history_of_a_relaxation_or_of_path_integrals_is_no_band(tmp_path: Path) -> None:
    write_abinit(tmp_path, HOP, "pimd", imgmov=13)
    with netcdf_file(tmp_path / "relax_HIST.nc", "w") as file:
        file.createDimension("time", None)
        file.createVariable("etotal", "d", ("time",))[:2] = [1.0, 2.0]
    assert "no NEB here" in error(tmp_path)
    write_abinit(tmp_path, HOP)
    assert find_band(tmp_path).name == "hop"
    write_abinit(tmp_path, HOP, "string", imgmov=2)
    assert "several bands: hop, string" in error(tmp_path)
    assert find_band(tmp_path / "string_HIST.nc").name == "string"
