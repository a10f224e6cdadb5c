"""``barriers build``: its files read back, its table measured again, and errors in one line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from conftest import Outcome
from example_structures import STUDY, structures, systems
from PIL import Image

from barriers.report.built import describe, write_built
from barriers.structures.surface.slab import FRAGMENT, LAYER, frozen_atoms

Cli = Callable[..., Outcome]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a build of the study leaves."""
    target = tmp_path_factory.mktemp("build") / "built"
    write_built(structures(), systems(), target)
    return target


def in_file(name: str) -> str:
    return name.replace("@", "+").replace(" ", "--")


def frozen_in_file(atoms: Atoms) -> list[int]:
    return sorted(index for fixed in atoms.constraints for index in fixed.index)


@pytest.mark.parametrize("ending", ["extxyz", "vasp", "cif"])
def test_each_file_gives_the_atoms_back_in_their_order(folder: Path, ending: str) -> None:
    for name, structure in structures().items():
        atoms = read(folder / "structures" / f"{in_file(name)}.{ending}", do_not_split_by_at_sign=True)
        assert atoms.get_chemical_symbols() == [site.specie.symbol for site in structure]
        assert atoms.cell.cellpar() == pytest.approx(structure.lattice.parameters, abs=1e-5)
        if ending == "cif":  # holds lengths and angles of the cell, not its orientation
            apart = atoms.get_scaled_positions(wrap=False) - structure.frac_coords
            assert np.abs((apart - np.rint(apart)) * structure.lattice.abc).max() < 1e-5
        else:
            assert np.abs(atoms.positions - structure.cart_coords).max() < 1e-5
            assert frozen_in_file(atoms) == frozen_atoms(structure) != []
        if ending == "extxyz":
            assert atoms.arrays[LAYER].tolist() == structure.site_properties[LAYER]


def test_the_table_holds_what_the_files_measure(folder: Path) -> None:
    with (folder / "structures.csv").open(encoding="utf-8") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(structures())
    for name, row in rows.items():
        atoms = read(folder / "structures" / f"{in_file(name)}.extxyz", do_not_split_by_at_sign=True)
        assert int(row["atoms"]) == len(atoms)
        assert int(row["frozen"]) == len(frozen_in_file(atoms)) == 24
        assert [float(row[axis]) for axis in "abc"] == pytest.approx(atoms.cell.lengths(), abs=6e-4)
        assert float(row["vacuum"]) == pytest.approx(12.0, abs=1e-3)  # what the study file asks for
        on_top = atoms.arrays[LAYER] == FRAGMENT
        if not on_top.any():
            assert row["fragment_gap"] == row["image_distance"] == ""
            continue
        gap = atoms.get_all_distances(mic=True)[on_top][:, ~on_top].min()
        fragment = atoms.positions[on_top]
        shifts = [atoms.cell.T @ n for n in product([-1, 0, 1], [-1, 0, 1], [0]) if any(n)]
        image = min(np.linalg.norm(fragment[:, None] - fragment - shift, axis=2).min() for shift in shifts)
        assert float(row["fragment_gap"]) == pytest.approx(gap, abs=6e-4)
        assert float(row["image_distance"]) == pytest.approx(image, abs=6e-4)


def test_figures_have_the_size_of_two_columns_and_are_the_same_to_the_byte(folder: Path, tmp_path: Path) -> None:
    names = {path.stem for path in folder.glob("*.png")}
    assert names == {"system-NCM", "system-NCM+PVDF", "system-NCM+PVDF-HF", "contact-sheet"}
    for name in names:
        with Image.open(folder / f"{name}.png") as picture:
            assert picture.width == 2100
            assert 600 < picture.height < 2850
            assert len(picture.convert("L").getcolors() or []) > 20
        assert (folder / f"{name}.svg").read_text("utf-8").count("<path") > 100
    one = {"NCM@PVDF": systems()["NCM@PVDF"]}
    write_built({"a": one["NCM@PVDF"].structure}, one, tmp_path)
    for ending in ("png", "svg"):
        name = f"system-NCM+PVDF.{ending}"
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_folder_that_cannot_be_written_is_one_line(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcome = cli("build", STUDY, "--out", tmp_path / "file" / "built")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"wrong input: {tmp_path / 'file' / 'built'}: cannot be written: Not a directory\n"


def test_build_prints_its_table_and_json_the_same_rows(cli: Cli, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("name: small\nsurface: {layers: 3, frozen_layers: 1}\nsystems: [{name: NCM}]\n", "utf-8")
    written = json.loads(cli("build", study, "--out", tmp_path / "b", "--json").out)
    names = [row["name"] for row in written["structures"]]
    assert names == ["slab", "NCM sub-surface initial", "NCM sub-surface final"]
    assert written["structures"][0] == describe("slab", structures()["slab"]) | {
        "files": [str(tmp_path / "b" / "structures" / f"slab.{ending}") for ending in ("extxyz", "cif", "vasp")]
    }
    files = [written["table"], *written["figures"], *(path for row in written["structures"] for path in row["files"])]
    assert len(files) == 1 + 6 + 9
    assert all(Path(path).stat().st_size > 100 for path in files)
    table = cli("build", study, "--out", tmp_path / "b").out
    assert "NCM sub-surface initial" in table
    assert "8.74" in table
    assert str(tmp_path / "b") in table.replace("\n", "")
