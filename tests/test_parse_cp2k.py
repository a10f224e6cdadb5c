"""Bands of CP2K: the step that all files agree on, and the frames and ends that ruin a band without a word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cp2k_files import cp2k_energies, cp2k_output, cp2k_restart, cp2k_table, write_cp2k
from reading import BANDS, error, forward, reason, refused, warned
from written_bands import a_hop

from barriers.parsing import find_band

HOP = a_hop()


def test_a_band_is_read_to_the_last_digit(tmp_path: Path) -> None:
    found = find_band(write_cp2k(tmp_path, HOP))
    assert (refused(found), found.name, found.engine.version) == ("", "hop", "2023.1")
    assert found.criterion == "MAX_FORCE 0.0514 eV/Å"  # 0.001 Ha/bohr
    assert [site.specie.symbol for site in found.structure] == HOP.symbols
    assert found.structure.lattice.matrix == pytest.approx(HOP.cell, abs=1e-12)
    for number, image in enumerate(found.images):
        assert image.energy == pytest.approx(HOP.energies[number], abs=1e-9)
        assert image.positions == pytest.approx(HOP.positions[number], abs=1e-12)
        assert image.forces == pytest.approx(HOP.forces[number], abs=1e-12)
        assert (image.free == HOP.free).all()
        assert image.settings == {"method": "QS", "cutoff": "400"}
    assert len(found.images[0].files) == 9
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.003)


@pytest.mark.parametrize(
    ("name", "barrier"), [("cu_edge_converged", 0.6239), ("cu_rotated_frames", None), ("nh3_unconverged", None)]
)
def test_what_cp2k_wrote_has_its_barrier_or_the_word_that_mends_it(name: str, barrier: float | None) -> None:
    folder = BANDS / "cp2k" / name
    if barrier is not None:
        assert forward(folder) == pytest.approx(barrier, abs=0.001)
        return
    words = {
        "cu_rotated_frames": "fixed atoms are 0.17 Å off; set ALIGN_FRAMES F and ROTATE_FRAMES F in &BAND",
        "nh3_unconverged": "RMS FORCE, MAX FORCE not converged at step 5",
    }
    assert words[name] in reason(folder)


def test_molecules_may_be_turned(tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    (tmp_path / "hop-1.restart").write_text(cp2k_restart(HOP, "T", periodic="       PERIODIC  NONE\n"))
    found = find_band(tmp_path)
    assert found.structure.lattice.pbc == (False, False, False)
    assert (refused(found), warned(found)) == ("", "")


@pytest.mark.parametrize("frames", ["T", ""])
def test_a_periodic_band_without_fixed_atoms_may_have_been_turned(frames: str, tmp_path: Path) -> None:
    free = replace(HOP, free=np.ones_like(HOP.free))
    write_cp2k(tmp_path, free)
    (tmp_path / "hop-1.restart").write_text(cp2k_restart(free, frames))
    found = find_band(tmp_path)
    assert "set ALIGN_FRAMES F and ROTATE_FRAMES F" in warned(found)
    assert refused(found) == ""


def test_ends_that_were_wrapped_are_refused(tmp_path: Path) -> None:
    """CP2K takes no minimum image: 4 Å one way are 2 Å the other way round a cell of 6 Å."""
    positions = HOP.positions.copy()
    positions[:, 2, 0] = np.linspace(4.5, 0.5, 5)
    found = find_band(write_cp2k(tmp_path, replace(HOP, positions=positions)))
    assert "atom 2 goes 4.00 Å from end to end, but 2.00 Å lie between them" in refused(found)
    assert "unwrap the last &REPLICA" in refused(found)


@pytest.mark.parametrize("without", ["replicas", "restart coordinates"])
def test_either_source_of_coordinates_is_enough(without: str, tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    if without == "replicas":
        (tmp_path / "hop-pos-Replica_nr_2-1.xyz").unlink()
    else:
        shifted = replace(HOP, positions=HOP.positions * 1.01)
        (tmp_path / "hop-1.restart").write_text(cp2k_restart(shifted))
    assert find_band(tmp_path).images[2].positions == pytest.approx(HOP.positions[2], abs=1e-9)


def test_numbers_of_replicas_may_be_padded_and_steps_go_on(tmp_path: Path) -> None:
    """From ten replicas on CP2K writes 01; a restarted run counts on where the first one stopped."""
    write_cp2k(tmp_path, HOP)
    for number in range(1, 6):
        old, new = (tmp_path / f"hop-pos-Replica_nr_{n}-1.xyz" for n in (f"{number}", f"{number:02d}"))
        old.rename(new)
    (tmp_path / "hop-BAND5.out").rename(tmp_path / "hop-BAND05.out")
    lines = (tmp_path / "hop-1.ener").read_text().splitlines(keepends=True)
    (tmp_path / "hop-1.ener").write_text(lines[1])
    (tmp_path / "hop-1.restart").write_text(cp2k_restart(replace(HOP, positions=HOP.positions * 1.01)))
    found = find_band(tmp_path)
    assert (found.criterion, found.images[0].steps) == ("MAX_FORCE 0.0514 eV/Å", 7)
    assert found.images[2].positions == pytest.approx(HOP.positions[2], abs=1e-9)


def test_a_restart_of_other_atoms_is_named(tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    other = replace(HOP, symbols=HOP.symbols[:3], positions=HOP.positions[:, :3], free=HOP.free[:3])
    path = next(tmp_path.glob("*-1.restart"))
    path.write_text(cp2k_restart(other))
    assert f"{path}: 3 atoms, but 4 in " in error(tmp_path)


def test_files_of_another_step_are_no_images(tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    (tmp_path / "hop-pos-Replica_nr_2-1.xyz").unlink()
    (tmp_path / "hop-1.restart").write_text(cp2k_restart(replace(HOP, positions=HOP.positions * 1.01)))
    assert "no positions of its last step 7" in error(tmp_path)


def test_forces_are_those_of_the_last_step_or_none(tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    later = replace(HOP, energies=HOP.energies + 0.01)
    (tmp_path / "hop.out").write_text(cp2k_output(HOP) + cp2k_output(later).split("\n", 1)[1])
    assert find_band(tmp_path).images[1].forces == pytest.approx(HOP.forces[1])
    wrong = replace(HOP, forces=2 * HOP.forces)  # a line search may end with energies that it had before
    (tmp_path / "hop.out").write_text(cp2k_output(wrong) + cp2k_output(HOP).split("\n", 1)[1])
    assert find_band(tmp_path).images[1].forces == pytest.approx(HOP.forces[1])
    (tmp_path / "hop.out").write_text(cp2k_output(later))
    found = find_band(tmp_path)
    assert all(image.forces is None for image in found.images)
    assert refused(found) == ""
    assert forward(tmp_path) == pytest.approx(HOP.forward, abs=0.01)  # by the energies alone, and the table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (cp2k_table(met="NO"), "not converged at step 7"),
        (cp2k_table(step=6), "is not here or of another step"),
        ("", "is not here or of another step"),
    ],
)
def test_only_the_table_of_the_last_step_says_that_a_band_converged(table: str, words: str, tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    (tmp_path / "hop-BAND5.out").write_text(table)
    found = find_band(tmp_path)
    assert found.criterion is None
    assert words in f"{refused(found)} {warned(found)}"
    (tmp_path / "hop.out").unlink()  # without forces nobody can tell
    assert words in refused(find_band(tmp_path))


def test_electrons_that_did_not_converge_are_told(tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    (tmp_path / "hop-BAND5.out").write_text(cp2k_table(scf="  *** SCF run converged in    12 steps ***"))
    (tmp_path / "hop-BAND2.out").write_text(cp2k_table(scf="  *** WARNING SCF run NOT converged ***"))
    assert [image.electrons for image in find_band(tmp_path).images] == [None, False, None, None, True]


def test_kinds_are_their_elements(tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    (tmp_path / "hop-1.restart").write_text(cp2k_restart(HOP, labels=["A", "Q", "C", "B"]))
    assert [site.specie.symbol for site in find_band(tmp_path).structure] == HOP.symbols


BROKEN = {
    "no restart": (lambda folder: (folder / "hop-1.restart").unlink(), "hop-1.restart: is missing"),
    "half a restart": (lambda folder: halve(folder / "hop-1.restart"), "not a whole restart"),
    "half an .ener": (lambda folder: cut(folder / "hop-1.ener", 30), "its last line is not whole"),
    "replicas alone": (lambda folder: (folder / "hop-1.ener").unlink(), "histories of CP2K's replicas are no band"),
    "another number": (
        lambda folder: (folder / "hop-1.ener").write_text(cp2k_energies(a_hop(7))),
        "5 replicas, but 7 in hop-1.ener",
    ),
}


def halve(path: Path) -> None:
    path.write_text(path.read_text()[: path.stat().st_size // 2])


def cut(path: Path, characters: int) -> None:
    path.write_text(path.read_text()[:-characters])


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_missing_is_named(how: str, tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    spoil, words = BROKEN[how]
    spoil(tmp_path)
    assert words in error(tmp_path)


def test_several_projects_are_asked_for_by_name_and_dynamics_are_no_band(tmp_path: Path) -> None:
    write_cp2k(tmp_path, HOP)
    (tmp_path / "md-1.ener").write_text("#     Step Nr.          Time[fs]\n         0  0.0 1.0 2.0 3.0 4.0 5.0\n")
    (tmp_path / "tail-1.ener").write_text("         0  0.0 1.0 2.0 3.0 4.0 5.0\n")  # without its heading
    assert find_band(tmp_path).name == "hop"
    write_cp2k(tmp_path, replace(HOP, energies=HOP.energies + 1), "more")
    assert "several bands: hop, more" in error(tmp_path)
    assert find_band(tmp_path, "more").images[0].energy == pytest.approx(-99)
    assert find_band(tmp_path / "hop-1.ener").name == "hop"
