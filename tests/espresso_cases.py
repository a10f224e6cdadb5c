"""Small cases for Quantum ESPRESSO: what they are made of, and whether the code is here."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ase.units import Bohr
from external import need
from jobflow import Flow, Job
from monty.json import MontyDecoder
from pymatgen.core import Lattice, Structure

from barriers.dispatch.execution import slug
from barriers.dispatch.local import run
from barriers.dispatch.store import results_store
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
    there = shutil.which("pw.x") is not None and (DEBIAN / "HUSPBE.RRKJ3").exists()
    need(there, "Quantum ESPRESSO: apt install quantum-espresso quantum-espresso-data")


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
    records = results_store(folder).query(sort={"name": 1}, load=True)
    found = [record["output"] for record in records if words in slug(record["name"])]
    return [MontyDecoder().process_decoded(output) for output in found]
