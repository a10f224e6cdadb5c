"""Densities with the real code: Li2O, hydrogen with spin, a small interface; what is refused, what is gone on with."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from densities import steepest
from espresso_cases import HYDROGEN_SET, compute, hydrogen_engine, hydrogens, need_qe
from external import need
from interfaces import interface
from pymatgen.core import Lattice, Structure

from barriers.analysis.bond_density import Smooth
from barriers.engines.density import DensityDoc
from barriers.engines.espresso import EspressoEngine
from barriers.engines.espresso.density import DensityMaker
from barriers.files.density import read_density
from barriers.report.density import write_density

pytestmark = pytest.mark.qe

NORM_CONSERVING = HYDROGEN_SET.replace("HUSPBE.RRKJ3", "H.pz-vbc.UPF").replace("PBE\n", "PZ\n")

RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_espresso_density import hydrogen_maker
from espresso_cases import compute, hydrogens
compute(hydrogen_maker(Path({folder!r})).make(hydrogens([-4.5, 0, 1.5]), 1), Path({folder!r}))
"""


@pytest.fixture(autouse=True)
def _qe() -> None:
    need_qe()


def maker_of(engine: EspressoEngine) -> DensityMaker:
    return DensityMaker(physics=engine.physics, running=engine.running)


def sssp_maker(ecutwfc: float, ecutrho: float, kspacing: float, **settings: Any) -> DensityMaker:
    """Insulators with the pseudopotentials that the package names first; O and C are of PAW."""
    folder = os.environ.get("ESPRESSO_PSEUDO", "")
    need((Path(folder) / "O.pbe-n-kjpaw_psl.0.1.UPF").is_file(), "the SSSP pseudopotentials: .ci/espresso")
    cutoffs = {"ecutwfc": ecutwfc, "ecutrho": ecutrho, "conv_thr": 1e-7, "mixing_beta": 0.3}
    return maker_of(EspressoEngine(preset="insulator", kspacing=kspacing, keywords=cutoffs, **settings))


def hydrogen_maker(folder: Path, **settings: Any) -> DensityMaker:
    engine = hydrogen_engine(folder)
    return maker_of(EspressoEngine(**{**engine.__dict__, **settings}))


def computed(maker: DensityMaker, folder: Path, *given: Any) -> DensityDoc:
    document = compute(maker.make(*given), folder)
    assert isinstance(document, DensityDoc), document
    return document


def test_lithium_oxide_has_the_charges_of_another_script(tmp_path: Path) -> None:
    """The script follows the steepest way from point to point, as in the Bader programs of before the weights."""
    half = 4.619 / 2
    crystal = Structure(
        Lattice([[0, half, half], [half, 0, half], [half, half, 0]]),
        ["Li", "Li", "O"],
        [[0.25] * 3, [0.75] * 3, [0] * 3],
    )
    found = computed(sssp_maker(30, 240, 2.0), tmp_path, crystal)
    assert found.electrons == pytest.approx(12, abs=1e-3)
    lithium, other, oxygen = found.bader.charges
    assert lithium == pytest.approx(0.86, abs=0.03) and other == pytest.approx(lithium, abs=0.005)
    assert oxygen == pytest.approx(-2 * lithium, abs=0.01)
    on_points = 3 - steepest(read_density(found, "density"), read_density(found, "reference"))[0]
    assert lithium == pytest.approx(on_points, abs=0.02)
    assert found.bader.reference == "density with the cores of O (PAW); of other elements the valence density"
    assert found.difference is None and found.transferred is None and found.bonds == []
    assert found.lowdin is not None and 0 < found.lowdin.spilling < 0.02
    assert any(line.startswith("ELF: qualitative, for Li, O is not norm-conserving") for line in found.warnings)


def test_densities_of_spins_are_totals_and_the_moments_are_said(tmp_path: Path) -> None:
    """H + H2 in a row: three electrons, of which the lone atom has one alone."""
    found = computed(hydrogen_maker(tmp_path), tmp_path, hydrogens([-4.5, 0, 1.5]), 1)
    assert found.electrons == pytest.approx(3, abs=1e-3)
    assert found.left == pytest.approx(0, abs=1e-3)
    assert found.bader.charges == pytest.approx([0, 0, 0], abs=0.05)
    assert "no pseudopotential is of PAW" in found.bader.reference
    assert found.lowdin is not None and found.lowdin.moments is not None
    assert found.lowdin.moments == pytest.approx([1, 0, 0], abs=0.05)
    assert found.moments is not None and found.moments[0] > 0.1 > abs(np.array(found.moments[1:])).max()
    assert {grid.name for grid in found.grids} == {
        "difference", "density", "elf", "slab density", "fragment density", "fragment elf"
    }  # fmt: skip
    assert len({grid.shape for grid in found.grids}) == 1
    (warning,) = [line for line in found.warnings if "plane" in line]
    assert warning.startswith("the fragment reaches below the topmost slab atom")
    assert found.plane is None and found.transferred is None and found.moved is not None


@pytest.mark.parametrize("spin", [1, 2])
def test_the_elf_of_two_electrons_in_one_orbital_is_one(tmp_path: Path, spin: int) -> None:
    """That holds where the pseudopotential is norm-conserving, with spin and without."""
    path = tmp_path / "pz.yaml"
    path.write_text(re.sub("md5: [0-9a-f]+", f"md5: {md5('H.pz-vbc.UPF')}", NORM_CONSERVING))
    cell = Lattice.orthorhombic(4, 4.5, 5)
    molecule = Structure(cell, ["H", "H"], [[2, 2, 2.13], [2, 2, 2.87]], coords_are_cartesian=True)
    keywords = {"nspin": spin, "occupations": "smearing", "degauss": 0.01, "ecutwfc": 30, "ecutrho": 120}
    engine = EspressoEngine(preset="insulator", pseudopotentials=str(path), kspacing=2.5, keywords=keywords)
    found = computed(maker_of(engine), tmp_path, molecule)
    dense = read_density(found, "density").values > 0.05
    assert read_density(found, "elf").values[dense] == pytest.approx(1, abs=2e-3)
    assert not any(line.startswith("ELF") for line in found.warnings)


def md5(name: str) -> str:
    return hashlib.md5(Path("/usr/share/espresso/pseudo", name).read_bytes(), usedforsecurity=False).hexdigest()


@pytest.mark.slow
def test_a_small_interface_says_where_electrons_go(tmp_path: Path) -> None:
    """CH2=CF2 flat above a Li of Li2O (111): the π lobe that faces Li gains."""
    structure, n_slab = interface()
    found = computed(sssp_maker(25, 200, 1.5, dipole=True), tmp_path, structure, n_slab)
    inputs = [path.read_text("utf-8") for path in tmp_path.glob("jobs/*/density-*/pw.1.in")]
    assert len({re.search(r"emaxpos +=.*", text)[0] for text in inputs}) == 1  # type: ignore[index]
    assert sorted("nr1" in text for text in inputs) == [False, True, True]
    assert found.electrons == pytest.approx(72, abs=2e-3)
    assert found.left == pytest.approx(0, abs=1e-3)
    assert found.difference is not None and found.plane is not None and found.moved is not None
    assert 0.03 < found.moved < 0.3
    assert found.transferred is not None and abs(found.transferred) < found.moved
    middle = structure.cart_coords[n_slab : n_slab + 2].mean(axis=0)
    below, above = Smooth(read_density(found, "difference")).at(middle + np.array([[0, 0, -0.9], [0, 0, 0.9]]))
    assert below > 0.015 and above < 0.003  # e/Å³
    assert sum(found.bader.charges) == pytest.approx(found.bader.vacuum + found.bader.elsewhere, abs=0.01)
    assert found.bader.elsewhere < 0.05
    carbons = found.bader.charges[n_slab : n_slab + 2]
    assert carbons[1] - carbons[0] == pytest.approx(0.85, abs=0.35)  # CF2 against CH2, of the cores' surfaces
    (double,) = [bond for bond in found.bonds if bond.elements == ("C", "C")]
    assert double.elf_middle is not None and double.elf_middle_alone is not None
    assert double.elf_middle > 0.8 and abs(double.elf_middle - double.elf_middle_alone) < 0.05
    assert double.ellipticity is not None and 0.1 < double.ellipticity < 1
    assert found.lowdin is not None and 0 < found.lowdin.spilling < 0.03
    written = {path.name for path in write_density(found, tmp_path / "shown")}
    assert {"difference.png", "planar-average.pdf", "bader.svg", "lowdin.svg", "elf-C12-C13.png"} <= written


def test_a_fragment_at_the_cells_edge_has_the_same_electrons(tmp_path: Path) -> None:
    """H2 on a Li of the smallest Li2O, and the same half a cell further, where the cell's sides cut through it."""
    structure, n_slab = interface("H2", 1)
    further = structure.copy()
    further.translate_sites(range(len(further)), [0.5, 0.5, 0.5])
    maker = sssp_maker(20, 160, 3.0)
    here, there = (computed(maker, tmp_path / str(n), each, n_slab) for n, each in enumerate((structure, further)))
    assert here.moved == pytest.approx(there.moved, abs=2e-3)
    assert here.transferred == pytest.approx(there.transferred, abs=2e-3)
    assert here.bader.charges == pytest.approx(there.bader.charges, abs=0.02)


REFUSED = {
    "no fragment": ({}, 3, "n_slab: 3 of 3 atoms leave no slab or no fragment"),
    "a charged whole": (
        {"keywords": {"tot_charge": 1.0}}, 1, "engine.keywords: tot_charge: 1.0 is the whole's and says nothing of slab"
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_makes_no_sense_is_refused_before_anything_runs(tmp_path: Path, why: str) -> None:
    settings, n_slab, words = REFUSED[why]
    said = compute(hydrogen_maker(tmp_path, **settings).make(hydrogens([-4.5, 0, 1.5]), n_slab), tmp_path)
    assert isinstance(said, str) and words in said
    assert not list(tmp_path.rglob("pw.1.in"))


def test_programs_that_are_not_there_are_named_before_anything_runs(tmp_path: Path) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    for program in ("pw.x", "neb.x"):
        (place / program).write_text(f'#!/bin/sh\nexec {program} "$@"\n')
        (place / program).chmod(0o755)
    maker = hydrogen_maker(tmp_path, command=str(place / "neb.x"))
    said = compute(maker.make(hydrogens([-4.5, 0, 1.5])), tmp_path)
    assert isinstance(said, str) and f"no program '{place}/pp.x' here" in said
    assert "a density needs it, beside pw.x" in said
    assert not list(tmp_path.rglob("pw.1.in"))


def test_a_job_that_was_killed_goes_on_with_what_is_left(tmp_path: Path) -> None:
    """Killed while the slab is computed: the whole is not computed again, and the numbers are those of a whole run."""
    straight = computed(hydrogen_maker(tmp_path), tmp_path / "straight", hydrogens([-4.5, 0, 1.5]), 1)
    folder = tmp_path / "killed"
    folder.mkdir()
    code = RUN.format(tests=str(Path(__file__).parent), folder=str(folder))
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while len(parts := list(folder.glob("jobs/*/density-*/pw.1.out"))) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    assert len(parts) == 2
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    first = min(parts, key=lambda path: path.stat().st_mtime)
    finished = first.stat().st_mtime
    found = computed(hydrogen_maker(folder), folder, hydrogens([-4.5, 0, 1.5]), 1)
    assert first.stat().st_mtime == finished and not first.with_name("pw.2.out").exists()
    assert found.moved == pytest.approx(straight.moved, abs=1e-4)
    assert found.cost.earlier_force_calls >= 1


def test_grids_whose_wavefunctions_are_gone_are_computed_again_and_others_are_not(tmp_path: Path) -> None:
    structure = hydrogens([-4.5, 0, 1.5])
    before = computed(hydrogen_maker(tmp_path), tmp_path / "first", structure, 1)
    earlier = tmp_path / "first"
    for path in earlier.glob("jobs/*/density-*/out/band.save/wfc*"):
        path.unlink()
    whole = Path(next(grid.path for grid in before.grids if grid.name == "elf"))
    whole.unlink()
    again = computed(hydrogen_maker(tmp_path, continue_from=str(earlier)), tmp_path / "second", structure, 1)
    assert again.moved == pytest.approx(before.moved, abs=1e-4)
    counts = {len(list(folder.glob("pw.*.out"))) for folder in (tmp_path / "second").glob("jobs/*/density-*/")}
    assert counts == {1, 2}  # the whole once more, its parts not
