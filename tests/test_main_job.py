"""The README's first command and what it left in results/: three converged barriers, and nothing to do again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import read
from conftest import ROOT

RESULTS = ROOT / "results"
FOLDER = RESULTS / "ncm811_pvdf"

pytestmark = pytest.mark.mlip


@pytest.fixture(scope="module", autouse=True)
def finished() -> None:
    """The README's first command has run: always in CI, elsewhere where its results are."""
    if not (FOLDER / "study.json").exists():
        if os.environ.get("CI"):
            pytest.fail("the README's first command has left no results")
        pytest.skip("run the README's first command first")


@pytest.fixture(scope="module")
def study() -> dict:
    command = [sys.executable, "-m", "barriers", "show", str(FOLDER), "--json"]
    return json.loads(subprocess.check_output(command, text=True))


def test_three_converged_barriers(study: dict) -> None:
    assert [barrier["system"] for barrier in study["barriers"]] == ["NCM", "NCM@PVDF", "NCM@PVDF-HF"]
    for barrier in study["barriers"]:
        assert barrier["converged"], barrier["reason"]
        assert 0.1 < barrier["forward"] < 1.5
        assert barrier["fit_spread"] < 0.05
        assert barrier["span"] >= max(barrier["forward"], 0) - 1e-9


def test_a_fragment_far_away_changes_nothing(study: dict) -> None:
    bare, far, _ = study["differences"]
    assert (far["system"], far["difference"]) == (study["reference"], 0)
    assert abs(bare["difference"]) < min(0.01, 1.96 * bare["difference_uncertainty"])


def test_several_paths_were_tried_where_a_fragment_is(study: dict) -> None:
    document = json.loads((FOLDER / "study.json").read_text("utf-8"))
    tried = [len(barrier["paths"]) for barrier in document["barriers"]]
    assert tried[0] == 1
    assert min(tried[1:]) >= 2
    for barrier in document["barriers"]:
        converged = [path["forward"] for path in barrier["paths"] if path["converged"]]
        assert barrier["forward"] == min(converged)


def test_every_check_holds(study: dict) -> None:
    document = json.loads((FOLDER / "study.json").read_text("utf-8"))
    for barrier in document["barriers"]:
        assert barrier["checks"]["ion jumps from site to site"]
        assert barrier["checks"]["saddle between the endpoints"]
        assert barrier["checks"]["all starts converged"]


def test_the_fragment_stays_bonded(study: dict) -> None:
    """The C–O bond of the bonded fragment is there in every image; the other fragment keeps its distance."""
    far, bonded = (read(FOLDER / "structures" / f"NCM+{name}--sub-surface.extxyz", ":") for name in ("PVDF", "PVDF-HF"))
    for image in bonded:
        assert _gap(image, "C", "O") == pytest.approx(1.43, abs=0.08)
    for image in far:
        assert min(_gap(image, element, "O") for element in ("C", "F", "H")) > 4


def _gap(atoms: Atoms, fragment: str, slab: str) -> float:
    symbols = np.array(atoms.get_chemical_symbols())
    distances = atoms.get_all_distances(mic=True)
    return float(distances[np.ix_(symbols == fragment, symbols == slab)].min())


def test_the_bond_is_named_in_the_result(study: dict) -> None:
    bare, far, bonded = (barrier["bonds"] for barrier in study["barriers"])
    assert bare == far == []
    assert any(re.match(r"C–O 1\.4\d Å \(C \d+ on O \d+\)", bond) for bond in bonded)


def test_moments_go_with_every_image(study: dict) -> None:
    document = json.loads((FOLDER / "study.json").read_text("utf-8"))
    for barrier in document["barriers"]:
        band = barrier["band"]
        assert len(band["moments"]) == len(band["positions"]) == len(band["energies"])
        species = [site["species"][0]["element"] for site in band["structure"]["sites"]]
        manganese = [moment for element, moment in zip(species, band["moments"][0], strict=True) if element == "Mn"]
        assert min(manganese) > 2.5


def test_a_second_run_computes_nothing(study: dict) -> None:
    command = [sys.executable, "-m", "barriers", "run", "inputs/ncm811_pvdf.yaml", "--json"]
    again = json.loads(subprocess.check_output(command, text=True, cwd=ROOT))
    assert again["force_calls_this_run"] == 0
    assert again["barriers"] == study["barriers"]


def test_readme_example_gives_the_same_sentence(study: dict, tmp_path: Path) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), flags=re.S)
    assert len([line for line in example.splitlines() if line.strip()]) <= 8
    for name in ("inputs", "results"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, text=True, capture_output=True, check=True)
    assert done.stdout.splitlines() == study["sentences"]
    assert (tmp_path / "profiles.png").read_bytes().startswith(b"\x89PNG")


def test_the_flow_script_gives_the_same_barriers(study: dict) -> None:
    script = ROOT / "flows" / "ncm811_pvdf.py"
    done = subprocess.run([sys.executable, str(script)], cwd=ROOT, text=True, capture_output=True, check=True)
    assert "\n".join(study["sentences"]) in done.stdout
    assert "reused NCM sub-surface: band idpp" in done.stdout
    assert "started NCM sub-surface: band idpp" not in done.stdout
