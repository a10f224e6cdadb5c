"""Small cases for Quantum ESPRESSO: what they are made of, and whether the code is here."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ase.units import Bohr
from jobflow import Flow, Job
from monty.json import MontyDecoder
from pymatgen.core import Lattice, Structure

from barriers.dispatch.local import run
from barriers.documents import CostDoc, EngineDoc, RelaxDoc
from barriers.engines.espresso import EspressoEngine

ROOT = Path(__file__).parent.parent
STUDY = ROOT / "inputs" / "li2o_espresso.yaml"
RECORDED = ROOT.parent / "shared" / "recorded" / "espresso_neb"
DEBIAN = Path("/usr/share/espresso/pseudo")

HYDROGEN_SET = """
functional: PBE
folders: [/usr/share/espresso/pseudo]
get: "Debian's package quantum-espresso-data"
elements:
  H: {file: HUSPBE.RRKJ3, ecutwfc: 20, ecutrho: 100, md5: f4d00379d62f7fb62c40af863c256602, valence: 1}
"""


def need_qe() -> None:
    """Skip where Quantum ESPRESSO is not installed; CI has it."""
    if shutil.which("pw.x") is None or not (DEBIAN / "HUSPBE.RRKJ3").exists():
        assert not os.environ.get("CI"), "CI runs Quantum ESPRESSO: apt install quantum-espresso quantum-espresso-data"
        pytest.skip("needs quantum-espresso and quantum-espresso-data")


def li2o_engine(keywords: dict[str, Any] | None = None, **settings: Any) -> EspressoEngine:
    """Engine of the shipped study, with changes."""
    given = {"tot_charge": -1.0, "conv_thr": 1e-6} | (keywords or {})
    return EspressoEngine(
        preset="insulator", pseudopotentials="debian-pbesol", kspacing=1.5, keywords=given, **settings
    )


def hydrogen_engine(folder: Path, keywords: dict[str, Any] | None = None) -> EspressoEngine:
    """Engine of the code's own example: H2 + H."""
    path = folder / "hydrogen.yaml"
    path.write_text(HYDROGEN_SET)
    given = {"nspin": 2, "occupations": "smearing", "degauss": 0.03, "mixing_beta": 0.3, "conv_thr": 1e-6}
    return EspressoEngine(
        preset="insulator",
        pseudopotentials=str(path),
        kspacing=2.5,
        moments={"H": 0.5},
        keywords=given | (keywords or {}),
    )


def hydrogens(positions: list[float]) -> Structure:
    """Three hydrogen atoms in a row (positions in bohr), the middle one frozen."""
    return Structure(
        Lattice.orthorhombic(12 * Bohr, 5 * Bohr, 5 * Bohr),
        ["H"] * 3,
        [[x * Bohr, 0, 0] for x in positions],
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": [[True] * 3, [False] * 3, [True] * 3]},
    )


def as_relaxed(structure: Structure) -> RelaxDoc:
    """Pass a structure off as a relaxed endpoint."""
    return RelaxDoc(
        structure=structure,
        energy=0.0,
        forces=[[0.0] * 3] * len(structure),
        converged=True,
        max_force=0.0,
        fmax=0.1,
        steps=0,
        cost=CostDoc(),
        engine=EngineDoc(kind="espresso", name="", version=""),
    )


def compute(job: Job, folder: Path) -> Any:
    """Run one job through the local runner; its document, or the failure as text."""
    outcome = run(Flow([job], output=job.output), folder)
    return outcome.output if outcome.output is not None else next(iter(outcome.failures.values()))


def documents(folder: Path, words: str) -> list[Any]:
    """Outputs of the jobs in a results folder whose name has some words."""
    paths = sorted(folder.glob(f"jobs/*{words}*/output.json"))
    return [json.loads(path.read_text(), cls=MontyDecoder).output for path in paths]
