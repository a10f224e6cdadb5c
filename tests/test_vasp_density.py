"""Densities with VASP, on the stand-in: what is asked of it, what is read from its files, what is gone on with."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import fcc100
from jobflow import Flow
from monty.json import MontyEncoder
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar, Kpoints
from vasp_tools import COMMAND

if not os.environ.get("CI"):  # there, a missing part fails
    pytest.importorskip("atomate2")

from barriers.analysis.density import Grid
from barriers.dispatch.local import run as run_flow
from barriers.engines.density import DensityDoc
from barriers.engines.vasp.density_part import of_both_spins
from barriers.engines.vasp.engine import VaspEngine
from barriers.engines.volumetric import read_for, read_spins, read_volumetric
from barriers.files.density import read_density
from barriers.files.structures import to_structure
from barriers.report.density import write_density

pytestmark = [pytest.mark.usefixtures("vasp_standin"), pytest.mark.filterwarnings("ignore::UserWarning")]

N_SLAB = 4
"""Au and three Al in a layer; the fragment is one Al above the Au. VASP has all Al before Au."""


def structure() -> Structure:
    atoms = fcc100("Al", (2, 2, 1), a=4.05, vacuum=6.0)
    atoms.symbols[0] = "Au"
    atoms.append("Al")
    atoms.positions[-1] = atoms.positions[0] + [0.0, 0.0, 2.6]
    atoms.pbc = True
    return to_structure(atoms)


def computed(folder: Path, *given: Any, **settings: Any) -> DensityDoc | str:
    """Document of a density, or the failure as text."""
    job = VaspEngine(command=COMMAND, **settings).density().make(*given)
    outcome = run_flow(Flow([job], output=job.output), folder)
    return outcome.output if outcome.output is not None else next(iter(outcome.failures.values()))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("density")


@pytest.fixture(scope="module")
def document(place: Path) -> DensityDoc:
    found = computed(place, structure(), N_SLAB, moments={"Au": 1.0}, ncore=2, kpar=2)
    assert isinstance(found, DensityDoc), found
    return found


def folder_of(document: DensityDoc, name: str) -> Path:
    return Path(next(grid.path for grid in document.grids if grid.name == name)).parent


def test_the_stand_in_has_the_files_that_are_read(document: DensityDoc) -> None:
    """Their form is VASP's: species grouped, values times the volume, augmentation and moments behind the total."""
    chgcar = folder_of(document, "density") / "CHGCAR"
    text = chgcar.read_text()
    assert text.count("augmentation occupancies") == 2 * len(structure())
    assert text.splitlines()[5].split() == ["Al", "Au"]
    up, down = read_spins(chgcar)
    assert up.total == pytest.approx(0.6 * 15, abs=1e-6) and down.total == pytest.approx(0.4 * 15, abs=1e-6)
    elf = read_spins(chgcar.with_name("ELFCAR"), "elf")
    assert [n * 2 for n in elf[0].shape] == list(up.shape)
    assert read_volumetric(chgcar.with_name("ELFCAR"), "elf").values == pytest.approx(0.75 * elf[0].values)


def test_what_vasp_is_told_of_whole_slab_and_fragment(document: DensityDoc) -> None:
    incars = {
        name: Incar.from_file(folder_of(document, f"{name} density".removeprefix("whole ")) / "INCAR")
        for name in ("whole", "slab", "fragment")
    }
    asked = ("LCHARG", "LAECHG", "LELF", "NPAR", "NCORE", "KPAR", "NSW")
    assert [incars["whole"].get(key) for key in asked] == [True, True, True, 1, None, None, 0]
    assert [incars["slab"].get(key) for key in asked] == [True, None, None, None, 2, 2, 0]
    assert [incars["fragment"].get(key) for key in asked] == [True, None, True, 1, None, None, 0]
    shape = document.grids[1].shape
    grids = {name: tuple(incar.get(f"NG{axis}F") for axis in "XYZ") for name, incar in incars.items()}
    assert grids == {"whole": (None, None, None), "slab": shape, "fragment": shape}
    same = ("ENCUT", "PREC", "LDIPOL", "IDIPOL", "DIPOL", "ISPIN")
    assert len({json.dumps([incar[key] for key in same]) for incar in incars.values()}) == 1
    meshes = {
        tuple(Kpoints.from_file(folder_of(document, name) / "KPOINTS").kpts[0])
        for name in ("density", "slab density", "fragment density")
    }
    assert len(meshes) == 1


def test_electrons_go_where_the_stand_in_puts_them(
    document: DensityDoc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth of an electron over each bond of Al and Au: two in the slab, one to the fragment."""
    assert document.electrons == pytest.approx(15, abs=1e-4)
    assert document.left == pytest.approx(0, abs=1e-6)
    assert document.transferred == pytest.approx(-0.1, abs=0.02)
    assert document.moved == pytest.approx(0.1, abs=0.01)
    assert document.bader.charges == pytest.approx([-0.3, 0.1, 0.1, 0.0, 0.1], abs=0.03)
    assert document.bader.fragment == document.bader.charges[4]
    assert document.moments == [1.0, 0.0, 0.0, 0.0, 0.0]
    assert document.lowdin is None
    assert any(line.startswith("no Löwdin charges: VASP projects onto spheres") for line in document.warnings)
    assert {grid.name: Path(grid.path).name for grid in document.grids} == {
        "difference": "difference.cube",
        "density": "CHGCAR",
        "elf": "elf.cube",
        "reference": "reference.cube",
        "slab density": "CHGCAR",
        "fragment density": "CHGCAR",
        "fragment elf": "elf.cube",
    }
    assert read_density(document, "reference").total == pytest.approx(4 * 10 + 76 + 15, abs=1e-3)
    up, _ = read_spins(folder_of(document, "elf") / "ELFCAR", "elf")
    assert read_density(document, "elf").values == pytest.approx(0.8 * up.values, abs=1e-5)
    assert len(json.dumps(document, cls=MontyEncoder)) < 30_000, "numbers and names of files, no grids"
    assert document.cost.force_calls == 3 and document.cost.scf_cycles == 27
    assert document.engine.kind == "vasp" and document.engine.version == "6.4.2"
    monkeypatch.setattr("barriers.report.style.FORMATS", ("svg",))
    written = {path.name for path in write_density(document, tmp_path)}
    assert {"difference.svg", "planar-average.svg", "bader.svg", "charges.csv"} <= written


def test_files_of_another_order_or_cell_are_refused(document: DensityDoc) -> None:
    chgcar = folder_of(document, "density") / "CHGCAR"
    assert read_for(chgcar, structure()).structure == structure()
    with pytest.raises(ValueError, match=r"CHGCAR: of Al4 Au1 in another cell or order; expected: Al3 Au1"):
        read_for(chgcar, Structure.from_sites(structure()[:N_SLAB]))
    moved = structure()
    moved.translate_sites([4], [0, 0, 0.1], frac_coords=False)
    with pytest.raises(ValueError, match=r"its atoms are up to 0\.100 Å from where they were expected"):
        read_for(chgcar, moved)


def test_the_elf_of_two_spins_counts_each_where_it_is(place: Path) -> None:
    cell = structure()
    shape = (4, 4, 4)
    left = np.zeros(shape)
    left[:2] = 1.0
    spins = [Grid(np.full((2, 2, 2), value), cell) for value in (0.9, 0.3)]
    found = of_both_spins(spins, [Grid(left, cell), Grid(1.0 - left, cell)])
    assert found[0] == pytest.approx(0.9) and found[1] == pytest.approx(0.3)


def test_a_job_goes_on_with_what_is_left(document: DensityDoc, place: Path, tmp_path: Path) -> None:
    """The slab was computed; of the whole a file with a grid is gone, and of the fragment all."""
    shutil.copytree(place / "jobs", tmp_path / "again" / "jobs")
    names = {name: folder_of(document, name).name for name in ("density", "slab density", "fragment density")}
    (job,) = (tmp_path / "again" / "jobs").iterdir()
    (job / names["density"] / "AECCAR2").unlink()
    shutil.rmtree(job / names["fragment density"])
    finished = (job / names["slab density"] / "OUTCAR").stat().st_mtime_ns
    again = computed(tmp_path / "again", structure(), N_SLAB, moments={"Au": 1.0}, ncore=2, kpar=2)
    assert isinstance(again, DensityDoc), again
    assert again.transferred == pytest.approx(document.transferred, abs=1e-9)
    assert (job / names["slab density"] / "OUTCAR").stat().st_mtime_ns == finished
    assert (job / names["density"] / "OUTCAR.1").exists()
    assert (again.cost.force_calls, again.cost.earlier_force_calls) == (4, 2)


def test_what_makes_no_sense_is_refused_before_vasp_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = {
        "n_slab: 5 of 5 atoms leave no slab or no fragment": (5, {}),
        "engine.incar: NELECT: 14 is the whole's and says nothing of slab and fragment alone": (4, {"nelect": 14}),
        "engine.incar: ADDGRID: puts densities on one more grid than is written; leave it out": (
            None,
            {"ADDGRID": ".TRUE."},
        ),
    }
    for number, (words, (n_slab, incar)) in enumerate(refused.items()):
        said = computed(tmp_path / str(number), structure(), n_slab, incar=incar)
        assert isinstance(said, str) and words in said
        assert not list((tmp_path / str(number)).rglob("INCAR"))
    monkeypatch.setenv("VASP_STANDIN", json.dumps({"die_at_end": "ELF: not enough memory"}))
    said = computed(tmp_path / "died", structure())
    assert isinstance(said, str)
    assert "whole: VASP ended with exit code 1; its last words: ELF: not enough memory; files in" in said
