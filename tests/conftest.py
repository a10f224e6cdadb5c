"""Shared fixtures: the command line in this process, and the reference systems."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import espresso_cases
import pytest
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100
from ase.constraints import FixAtoms
from ase.io import write
from hypothesis import settings
from pymatgen.core import SETTINGS, Structure
from services import here, mongod, shared_launchpad, slurm

from barriers import secrecy
from barriers.cli import main
from barriers.dispatch.local import run
from barriers.structures.cathode.crystal import bulk as crystal
from barriers.structures.cathode.crystal import known_cathodes
from barriers.structures.cathode.ordering import order_metals
from barriers.structures.surface.slab import cut_slab
from barriers.study.file import load_study
from barriers.workflow.study import StudyMaker

__all__ = ["here", "mongod", "shared_launchpad", "slurm"]

ROOT = Path(__file__).parent.parent

# How long an example takes says nothing where two processes test at once.
settings.register_profile("any machine", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("any machine")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run ``barriers ARGS`` as a user would, tracebacks excluded."""

    def run(*args: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["barriers", *map(str, args)])
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Outcome(int(stopped.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture(autouse=True)
def _nothing_secret() -> Iterator[None]:
    """Forget the passwords of other tests, which are words such as ``wrong``: messages are compared to the letter."""
    yield
    secrecy._known.clear()


@cache
def ordered_slab(
    cathode: str = "NCM811",
    layers: int = 4,
    lengths: tuple[float, float] = (8.0, 11.0),
    frozen: int = 2,
    seed: int = 0,
) -> Structure:
    """A (104) slab with 12 Å of vacuum, metals ordered at random. Shared: copy before changing it."""
    known = known_cathodes()[cathode]
    return order_metals(cut_slab(crystal(known), (1, 0, 4), layers, lengths, 12.0, frozen).slab, known.metals, seed)


def gold_on_aluminium() -> tuple[Atoms, Atoms]:
    """Au hopping between hollow sites of Al(100), bottom layers frozen: 0.374 eV with EMT."""
    initial = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(initial, "Au", 1.7, "hollow")
    initial.center(axis=2, vacuum=4.0)
    initial.set_constraint(FixAtoms([atom.index for atom in initial if atom.tag > 1]))
    final = initial.copy()
    final.positions[-1, 0] += initial.cell[0, 0] / 2
    return initial, final


def aluminium_vacancy(a: float = 4.05) -> tuple[Atoms, Atoms]:
    """A vacancy hop in fcc Al, 31 atoms."""
    crystal = bulk("Al", a=a, cubic=True).repeat(2)
    neighbour = 1 + int(crystal.get_distances(0, range(1, 32), mic=True).argmin())
    hole = crystal.positions[0].copy()
    initial, final = crystal.copy(), crystal.copy()
    final.positions[neighbour] = hole
    del initial[0], final[0]
    return initial, final


@pytest.fixture
def gold_files(tmp_path: Path) -> tuple[Path, Path]:
    """The Au/Al(100) endpoints as trajectory files, which keep frozen atoms."""
    paths = tmp_path / "au_initial.traj", tmp_path / "au_final.traj"
    for path, atoms in zip(paths, gold_on_aluminium(), strict=True):
        write(path, atoms)
    return paths


@pytest.fixture(scope="module")
def vasp_standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """POTCARs for the stand-in of VASP, which is looked after often: it takes no time."""
    from vasp_tools import write_potcars

    from barriers.engines.vasp import run as vasp

    potcars = write_potcars(tmp_path_factory.mktemp("potcars"), "Al", "Au")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(potcars))
        patch.setattr(vasp, "POLL", 0.1)
        patch.setattr(vasp, "WATCH", 2)
        yield


@pytest.fixture(scope="session")
def li2o_results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results folder of the shipped study of a vacancy in Li2O, run once with the real code."""
    espresso_cases.need_qe()
    folder = tmp_path_factory.mktemp("li2o")
    assert run(StudyMaker().make(load_study(espresso_cases.STUDY)), folder).output.barriers[0].converged
    return folder
