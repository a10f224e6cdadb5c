"""``barriers parse`` as a command: checks shown, bands compared and joined, nothing overwritten, no model needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Outcome
from vasp_bands import TITLES, Run, frames, save, write_vasp
from written_bands import HEIGHT, Band, a_hop

from barriers.parsing import READERS, parse_folder, parse_folders
from barriers.report.folder import read_results

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
Cli = Callable[..., Outcome]
HOP = a_hop()
LOWER = replace(HOP, energies=-100.0 + 0.8 * (HOP.energies + 100.0), forces=0.8 * HOP.forces)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    return write_vasp(tmp_path / "bare" / "neb", HOP), write_vasp(tmp_path / "coated" / "neb", LOWER)


def test_checks_are_shown_with_what_was_seen_and_nothing_is_written(cli: Cli, two: tuple[Path, Path]) -> None:
    outcome = cli("parse", "bare/neb", "--check")
    assert outcome.code == 0
    assert "accepted" in outcome.out
    assert "520 (all)" in outcome.out
    assert f"read from {Path('bare/neb/00/OUTCAR')}" in outcome.out
    assert not Path("results").exists()
    write_vasp(two[0], HOP, {0: Run(head={"ENCUT": "700.0 eV"})})
    refused = cli("parse", "bare/neb", "--check", "--json")
    answer = json.loads(refused.out)
    (encut,) = [check for check in answer["checks"] if check["name"] == "ENCUT"]
    assert (refused.code, answer["accepted"], encut["verdict"]) == (1, False, "wrong")
    assert encut["seen"] == ["700", "520", "520", "520", "520"]
    assert "ENCUT differs: 700 in image 0; 520 in image 1, 2, 3, 4" in answer["reason"]
    assert "✗ ENCUT differs" in cli("parse", "bare/neb", "--check").out


def test_files_and_kind_of_energy_are_in_every_answer(cli: Cli, two: tuple[Path, Path]) -> None:
    answer = json.loads(cli("parse", "bare/neb", "--json").out)
    assert answer["files"] == [[str(Path(f"bare/neb/0{n}/OUTCAR"))] for n in range(5)]
    assert answer["energy"] == "free energy F"
    assert "free energy F, read from bare/neb/00/OUTCAR, bare/neb/01/OUTCAR" in cli("parse", "bare/neb").out


def test_results_never_overwrite_one_another(cli: Cli, two: tuple[Path, Path]) -> None:
    places = [Path(json.loads(cli("parse", place, "--json").out)["results"]) for place in ("bare/neb", "coated/neb")]
    assert places == [Path("results/neb"), Path("results/coated-neb")]
    barriers = [read_results(place).barriers[0].forward for place in places]
    assert barriers[1] == pytest.approx(0.8 * barriers[0], abs=1e-6)
    again = json.loads(cli("parse", "coated/neb", "--json").out)
    assert Path(again["results"]) == places[1]
    taken = cli("parse", "bare/neb", "--name", "coated-neb")
    assert (taken.code, "holds results of something else; choose another --name" in taken.err) == (2, True)
    mine = json.loads(cli("parse", "bare/neb", "--name", "mine", "--json").out)
    assert Path(mine["results"]) == Path("results/mine")


def test_bands_of_one_folder_have_results_of_their_own(cli: Cli, tmp_path: Path) -> None:
    save(tmp_path / "both", bare=frames(HOP), coated=frames(LOWER))
    asked = cli("parse", "both")
    assert (asked.code, "choose one with --band NAME" in asked.err) == (2, True)
    places = [
        json.loads(cli("parse", "both", "--band", f"{name}.extxyz", "--json").out)["results"]
        for name in ("bare", "coated")
    ]
    assert len(set(places)) == 2
    assert all((Path(place) / "study.json").exists() for place in places)


def test_several_bands_are_compared(cli: Cli, two: tuple[Path, Path]) -> None:
    outcome = cli("parse", "bare/neb", "coated/neb", "--names", "bare,coated")
    assert outcome.code == 0
    assert "bare 0.50 eV → coated 0.40 eV (Δ −0.10 eV)" in outcome.out
    folder = Path("results/bare-coated")
    assert {"profiles.png", "comparison.csv", "report.html", "study.json"} <= {path.name for path in folder.iterdir()}
    assert "barriers parse" in (folder / "report.html").read_text()
    rows = json.loads(cli("rates", folder, "--json").out)["rows"]
    assert {row["system"] for row in rows} == {"bare", "coated"}
    answer = json.loads(cli("parse", "bare/neb", "coated/neb", "--json").out)
    assert [barrier["system"] for barrier in answer["barriers"]] == ["bare-neb", "coated-neb"]
    assert answer["differences"][1]["difference"] == pytest.approx(-0.1, abs=2e-3)


def test_bands_of_other_settings_are_not_compared(two: tuple[Path, Path]) -> None:
    write_vasp(two[1], LOWER, {n: Run(head={"ENCUT": "400.0 eV"}, band=0 < n < 4) for n in range(5)})
    row = parse_folders(two, ["bare", "coated"]).rows[1]
    assert (row.difference, row.reason) == (None, 'differs in ENCUT: "520" / "400"')
    titles = (*TITLES[:2], "PAW_PBE Li 17Jan2003", TITLES[3])
    write_vasp(two[1], LOWER, {n: Run(titles=titles, band=0 < n < 4) for n in range(5)})
    assert "pseudopotential of Li" in parse_folders(two, ["bare", "coated"]).rows[1].reason


def test_one_refused_band_leaves_the_others_and_exits_with_one(cli: Cli, two: tuple[Path, Path]) -> None:
    write_vasp(two[1], LOWER, {2: Run(reached=False, band=True)})
    outcome = cli("parse", *two, "--names", "bare,coated")
    assert outcome.code == 1
    assert "coated: not converged" in outcome.out
    assert read_results(Path("results/bare-coated")).barriers[0].converged


@pytest.mark.parametrize("names", ["bare", "bare,bare", "bare,", "a,b,c"])
def test_names_that_do_not_fit_are_refused(names: str, cli: Cli, two: tuple[Path, Path]) -> None:
    outcome = cli("parse", *two, "--names", names)
    assert (outcome.code, "allowed: 2 different names" in outcome.err) == (2, True)
    assert "the same band is given twice" in cli("parse", two[0], two[0]).err
    assert "--endpoints: 2 bands given" in cli("parse", *two, "--endpoints", "0", "0").err


@pytest.mark.parametrize("name", ["../elsewhere", "a/b", "..", "/tmp"])
def test_names_that_leave_the_results_folder_are_refused(name: str, cli: Cli, two: tuple[Path, Path]) -> None:
    for arguments in ([*two, "--names", f"{name},b"], [two[0], "--name", name]):
        outcome = cli("parse", *arguments)
        assert (outcome.code, "allowed: names without /" in outcome.err) == (2, True)
    assert not Path("results").exists()


def halves(tmp_path: Path, gap: float = 0.0, step: float = 0.0) -> tuple[Path, Path]:
    """Two hops of Li, one after the other, in folders of their own."""
    second = replace(
        HOP,
        positions=HOP.positions + np.array([[0, 0, 0], [0, 0, 0], [3.0, 0, 0], [0, gap, 0]]),
        energies=HOP.energies + HOP.energies[-1] - HOP.energies[0] + step,
    )
    return write_vasp(tmp_path / "seg1", HOP), write_vasp(tmp_path / "seg2", second)


def test_segments_that_meet_are_joined(tmp_path: Path) -> None:
    study = parse_folders(halves(tmp_path))
    (barrier,) = study.barriers
    assert barrier.reason is None
    assert study.name == "seg1-seg2"
    assert len(barrier.band.positions) == 9
    assert barrier.profile["path_length"] == pytest.approx(6.0, abs=1e-6)
    one = parse_folder(tmp_path / "seg1").barriers[0].forward
    assert barrier.forward == pytest.approx(one + 0.1, abs=1e-4)
    assert barrier.profile["minima"][0]["distance"] == pytest.approx(3.0, abs=0.2)
    assert len(barrier.band.read.files) == 9
    assert "2 segments are joined" in barrier.warnings[0]


def test_segments_of_other_settings_or_unfinished_are_refused(tmp_path: Path) -> None:
    places = halves(tmp_path)
    other = {n: Run(head={"ENCUT": "400.0 eV"}, band=0 < n < 4) for n in range(5)}
    second = replace(HOP, positions=HOP.positions + np.array([[0, 0, 0], [0, 0, 0], [3.0, 0, 0], [0, 0, 0]]))
    write_vasp(places[1], replace(second, energies=HOP.energies + 0.1), other)
    reason = parse_folders(places).barriers[0].reason
    assert "ENCUT differs: 520 in image 0, 1, 2, 3, 4; 400 in image 5, 6, 7, 8, 9" in reason
    write_vasp(places[1], replace(second, energies=HOP.energies + 0.1), {2: Run(reached=False, band=True)})
    refused = parse_folders(places).barriers[0]
    assert refused.reason.startswith("segment 1: image 2: no 'reached required accuracy'")
    assert (refused.forward, refused.profile) == (None, None)


def test_segments_that_do_not_meet_are_compared_or_refused(tmp_path: Path) -> None:
    study = parse_folders(halves(tmp_path / "apart", gap=0.2))
    assert [barrier.system for barrier in study.barriers] == ["seg1", "seg2"]
    with pytest.raises(ValueError, match=r"do not meet: an atom lies 0\.000 Å, the energy 0\.0500 eV away"):
        parse_folders(halves(tmp_path / "step", step=0.05))


def test_codes_are_listed_as_table_and_data(cli: Cli) -> None:
    listed = json.loads(cli("parse", "--codes", "--json").out)
    assert [row["code"] for row in listed] == [reader.code for reader in READERS]
    assert all(all(row.values()) for row in listed)
    assert "reached required accuracy" in cli("parse", "--codes").out
    nothing = cli("parse")
    assert (nothing.code, "no folder given; allowed: NEB folders or files, or --codes" in nothing.err) == (2, True)


def test_a_flat_band_of_a_table_alone_has_results_and_a_report(cli: Cli, tmp_path: Path) -> None:
    along = np.linspace(0, 3, 7)
    rows = [
        (n, s, HEIGHT * np.sin(np.pi * s / 3) ** 2, -HEIGHT * np.pi / 3 * np.sin(2 * np.pi * s / 3))
        for n, s in enumerate(along)
    ]
    (tmp_path / "table").mkdir()
    text = "".join(f"{n:4d}{s:16.6f}{e:16.6f}{f:16.6f}{n:4d}\n" for n, s, e, f in rows)
    (tmp_path / "table" / "neb.dat").write_text(text)
    largest = "".join(f"{n:4d}{0.01:16.8f}{-50 + e:16.8f}{e:16.8f}\n" for n, _, e, _ in rows)
    (tmp_path / "table" / "nebef.dat").write_text(largest)
    outcome = cli("parse", "table", "--json")
    answer = json.loads(outcome.out)
    assert answer["forward"] == pytest.approx(HEIGHT, abs=2e-3), answer
    for command in ("plot", "report", "show"):
        assert cli(command, answer["results"]).code == 0
    assert "no atoms" in (Path(answer["results"]) / "report.html").read_text()


WITHOUT = """
import sys


class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "chgnet", "sevenn", "mattersim", "rdkit", "sqsgenerator"}:
            raise ImportError(name)


sys.meta_path.insert(0, Missing())
sys.argv = ["barriers", "parse", sys.argv[1], "--json"]
from barriers.cli import main

main()
"""


def test_it_works_without_any_model(two: tuple[Path, Path]) -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT, "bare/neb"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["forward"] == pytest.approx(HOP.forward, abs=5e-3)


def test_a_named_file_is_the_file_that_is_read(tmp_path: Path) -> None:
    save(tmp_path, bare=frames(HOP), coated=frames(LOWER))
    forward = parse_folder(tmp_path / "coated.extxyz").barriers[0].forward
    assert forward == pytest.approx(LOWER.forward, abs=5e-3)


def lifted(band: Band, by: float) -> Band:
    return replace(band, energies=band.energies + by)


def test_an_absolute_energy_has_no_influence(tmp_path: Path) -> None:
    barriers = [parse_folder(write_vasp(tmp_path / str(by), lifted(HOP, by))).barriers[0].forward for by in (0, -5000)]
    assert barriers[0] == pytest.approx(barriers[1], abs=1e-6)


def test_the_docs_show_the_codes_as_the_command_lists_them() -> None:
    rows = (ROOT / "docs" / "parse.md").read_text("utf-8")
    fields = ("code", "files", "energies", "forces", "cell", "frozen", "convergence", "versions")
    assert all(f"| {' | '.join(getattr(reader, name) for name in fields)} |" in rows for reader in READERS)
