"""``barriers export``: every file is read back with the programs it is for, and holds what the documents hold."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from ase.io import read
from example_structures import STUDY
from made_up_study import made_up_study
from monty.json import MontyEncoder
from pymatgen.core import Structure

from barriers.cli import app
from barriers.documents import StudyDoc
from barriers.files.structures import stem
from barriers.report.exports import STATES, states
from barriers.report.handover import LONG_AGO
from barriers.report.paper import table_markdown, table_siunitx
from barriers.report.tables import comparison_rows
from barriers.workflow.comparison_job import study_document

COMPARED = ("forward", "reverse", "span", "difference")


@pytest.fixture(scope="module")
def study() -> StudyDoc:
    """Two hops in three systems with names to be escaped; the bands of the last are not converged."""
    names = ("NCM", "NCM@PVDF_50%", "NCM@PVDF→β")
    barriers = []
    for hop in ("sub-surface", "surface→up"):
        for barrier in barriers[:3] or made_up_study(images=4, names=names, failed=(2,)).barriers:
            assert barrier.hop is not None
            barriers.append(barrier.model_copy(update={"hop": barrier.hop.model_copy(update={"name": hop})}))
    found = study_document.original("two_hops", barriers, names[1], "forward", [])
    assert isinstance(found, StudyDoc)
    return found


@pytest.fixture(scope="module")
def results(study: StudyDoc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two_hops")
    (folder / "study.json").write_text(json.dumps(study, cls=MontyEncoder), "utf-8")
    (folder / "study.yaml").write_bytes(STUDY.read_bytes())
    return folder


@pytest.fixture(scope="module")
def exported(results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    with redirect_stdout(io.StringIO()) as said:
        app(["export", str(results), "--to", str(folder), "--json"], standalone_mode=False)
    assert sorted(json.loads(said.getvalue())) == sorted(str(path) for path in folder.rglob("*") if path.is_file())
    return folder


def test_profiles_structures_and_bands_are_those_of_the_documents(study: StudyDoc, exported: Path) -> None:
    for barrier in study.barriers:
        name, profile, found = stem(barrier.system, barrier.hop_name), barrier.profile, states(barrier)
        table = exported / "profiles" / f"{name}.csv"
        assert table.exists() == (profile is not None)
        if profile is not None:
            with table.open(newline="", encoding="utf-8") as file:
                rows = [(row["kind"], float(row["distance"]), float(row["energy"])) for row in csv.DictReader(file)]
            points = {kind: [row[1:] for row in rows if row[0] == kind] for kind in ("image", "curve", "saddle")}
            assert points["image"] == list(zip(profile["distances"], profile["energies"], strict=True))
            assert points["curve"] == list(zip(profile["curve_distance"], profile["curve_energy"], strict=True))
            assert points["saddle"] == [(profile["saddle_distance"], barrier.forward)]
        assert tuple(found) == STATES
        if barrier.hop_name != "sub-surface":
            continue  # the same structures
        for state, structure in found.items():
            for ending in ("vasp", "cif"):
                file = exported / "structures" / f"{name}-{state}.{ending}"
                atoms = read(file)
                assert atoms.get_chemical_symbols() == [site.species_string for site in structure]
                assert atoms.get_all_distances(mic=True) == pytest.approx(structure.distance_matrix, abs=1e-6)
                if barrier is study.barriers[0]:
                    again = Structure.from_file(file)
                    assert again.composition == structure.composition  # of a CIF it sorts the atoms
                    assert again.distance_matrix.sum() == pytest.approx(structure.distance_matrix.sum(), rel=1e-8)
        frozen = read(exported / "structures" / f"{name}-initial.vasp").constraints[0].index
        held = [not any(free) for free in found["initial"].site_properties["selective_dynamics"]]
        assert list(frozen) == list(np.flatnonzero(held))
        images = read(exported / "bands" / f"{name}.extxyz", ":")
        assert [image.get_potential_energy() for image in images] == pytest.approx(barrier.band.energies, abs=1e-7)
        for image, positions, forces in zip(images, barrier.band.positions, barrier.band.forces, strict=True):
            assert image.positions == pytest.approx(np.array(positions), abs=1e-7)
            assert image.get_forces(apply_constraint=False) == pytest.approx(np.array(forces), abs=1e-7)


def test_tables_hold_the_numbers_of_the_comparison(study: StudyDoc, exported: Path) -> None:
    expected = [[row[name] for name in COMPARED] for row in comparison_rows(study)]
    spreads = [
        (row["uncertainty"] or row["fit_spread"], row["difference_uncertainty"]) for row in comparison_rows(study)
    ]
    typeset = (exported / "table.tex").read_text("utf-8")
    assert typeset == table_siunitx(study)
    assert r"NCM@PVDF\_50\%" in typeset
    body = typeset.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    plain = [line for line in (exported / "table.md").read_text("utf-8").splitlines() if line.startswith("| NCM")]
    for row, (spread, of_difference), in_latex, in_markdown in zip(expected, spreads, body, plain, strict=True):
        cells = [cell.strip() for cell in in_latex.removesuffix(r" \\").split(" & ")][2:]
        numbers = [re.fullmatch(r"([+-]?\d+\.(\d+))(?:\((\d+)\))?", cell) for cell in cells]
        if "reference" in in_latex:
            assert (cells.pop(), row.pop(), numbers.pop()) == ("{reference}", "+0.000", None)
        assert [found and found[1] for found in numbers] == row
        given = [found and found[3] and int(found[3]) / 10 ** len(found[2]) for found in numbers]
        assert given[:3] == [spread and float(spread), None, None]
        assert given[3:] in ([], [of_difference and float(of_difference)])
        said = [cell.strip().partition(" ±") for cell in in_markdown.replace("−", "-").split("|")[3:-1]]
        assert [None if cell[0] == "—" else cell[0] for cell in said][: len(row)] == row
    columns = re.findall(r"S\[table-format=([+-]?)(\d)\.(\d)(?:\((\d)\))?", typeset)
    assert columns == [("", "1", "2", "2"), ("", "1", "2", ""), ("", "1", "2", ""), ("+", "1", "1", "1")]


def test_figures_methods_and_archive(study: StudyDoc, exported: Path, tmp_path: Path) -> None:
    figures = exported / "figures"
    several, failed = study.barriers[1].system, study.barriers[2].system
    for name in ("hops-NCM", f"hops-{stem(several)}", "profiles-sub-surface", f"profiles-{stem('surface→up')}"):
        assert all((figures / f"{name}.{kind}").stat().st_size for kind in ("pdf", "png", "svg"))
    assert not (figures / f"hops-{stem(failed)}.svg").exists()
    drawn = (figures / "hops-NCM.svg").read_text("utf-8")
    assert "sub-surface: 0.4" in drawn
    assert "surface→up: 0.4" in drawn
    cited = set(
        re.findall(
            r"[a-z0-9]+(?=[,\]])", "".join(re.findall(r"\[[a-z0-9, ]+\]", (exported / "methods.md").read_text()))
        )
    )
    assert cited == set(re.findall(r"^@\w+\{(\w+),", (exported / "references.bib").read_text("utf-8"), re.M))
    with ZipFile(exported / "two_hops.zip") as pack:
        assert pack.testzip() is None
        names = pack.namelist()
        assert {entry.date_time for entry in pack.infolist()} == {LONG_AGO}
        sums = dict(reversed(line.split("  ")) for line in pack.read("two_hops/SHA256SUMS").decode().splitlines())
        assert {f"two_hops/{name}" for name in sums} == set(names) - {"two_hops/SHA256SUMS"}
        for name, digest in sums.items():
            assert hashlib.sha256(pack.read(f"two_hops/{name}")).hexdigest() == digest
        assert pack.read("two_hops/study.yaml") == STUDY.read_bytes()
        assert json.loads(pack.read("two_hops/study.json"))["name"] == study.name
        pack.extractall(tmp_path)
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "two_hops", check=True)


def test_markdown_says_why_a_number_is_missing(study: StudyDoc) -> None:
    assert "NCM@PVDF→β surface→up: " in table_markdown(study)
