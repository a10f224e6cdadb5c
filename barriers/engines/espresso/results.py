"""What ``pw.x`` says in ``data-file-schema.xml``, in eV, Å and µB: alike in every version, unlike its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from ase import units
from numpy.typing import NDArray

from barriers.engines.espresso.files import numbered
from barriers.engines.espresso.inputs import PREFIX

Array = NDArray[np.float64]

SCHEMA = "{0}.save/data-file-schema.xml"
"""Where an outdir has the XML of a prefix."""


@dataclass(frozen=True)
class Evaluation:
    """One structure whose electrons have converged: energy (eV), positions and forces, shape (N, 3), in Å and eV/Å."""

    energy: float
    positions: Array
    forces: Array


@dataclass(frozen=True)
class PwResults:
    """Results of one run of ``pw.x``, whole after each structure.

    Attributes
    ----------
    version : str
        Version of the code.
    evaluations : list[Evaluation]
        Every structure evaluated, in turn.
    start : (N, 3) or None
        Where its input had the atoms (Å), where it says.
    positions : (N, 3)
        Where the atoms are (Å): after a step, where nothing has been evaluated yet.
    moments : list[float] or None
        Magnetic moment of each site (µB) in the last structure evaluated; None without spin, and before version 7.
    converged : bool
        Whether the electrons are converged, and the atoms if they were to move.
    """

    version: str
    evaluations: list[Evaluation]
    start: Array | None
    positions: Array
    moments: list[float] | None
    converged: bool


def results_file(folder: Path) -> Path:
    """XML of the last run in a folder; it is put aside before the next."""
    return folder / "out" / SCHEMA.format(PREFIX)


def put_aside(folder: Path, number: int) -> None:
    """Keep the XML of a run, for the next run overwrites it."""
    if results_file(folder).exists():
        results_file(folder).rename(folder / f"pw.{number}.xml")


def all_results(folder: Path) -> list[PwResults]:
    """Read the results of all runs in a folder that left any, oldest first."""
    found = [read_results(path) for path in (*numbered(folder, "pw.*.xml"), results_file(folder))]
    return [results for results in found if results is not None]


def read_results(path: Path) -> PwResults | None:
    """Read an XML; None where it is not there, or not whole because the code is writing it or was killed there."""
    try:
        # The code leaves out the E before an exponent of three digits.
        text = re.sub(r"(\d)([+-]\d{3}\b)", r"\1E\2", path.read_text("utf-8", "replace"))
        root = ElementTree.fromstring(text)
        creator, given, output = root.find("general_info/creator"), root.find("input"), root.find("output")
        if creator is None or output is None:
            return None
        # After a step, output has the new positions beside the old energy and forces: steps tell what belongs together.
        steps = root.findall("step") or [output]
        return PwResults(
            version=creator.attrib["VERSION"].strip(),
            evaluations=[_evaluation(step) for step in steps if _electrons_converged(step) and _has_forces(step)],
            start=None if given is None else _positions(given),
            positions=_positions(output),
            moments=_moments(output),
            converged=_said(output, "opt_conv", _said(output, "scf_conv", False)),
        )
    except (OSError, ElementTree.ParseError, KeyError, ValueError):
        return None


def _said(output: ElementTree.Element, what: str, otherwise: bool) -> bool:
    found = output.findtext(f".//{what}/convergence_achieved")
    return otherwise if found is None else found.strip().lower() == "true"


def _electrons_converged(step: ElementTree.Element) -> bool:
    return _said(step, "scf_conv", False)


def _has_forces(step: ElementTree.Element) -> bool:
    return bool((step.findtext("forces") or "").strip())


def _evaluation(step: ElementTree.Element) -> Evaluation:
    positions = _positions(step)
    forces = np.array(str(step.findtext("forces")).split(), dtype=float).reshape(positions.shape)
    energy = float(step.findtext("total_energy/etot") or "")
    return Evaluation(energy * units.Hartree, positions, forces * units.Hartree / units.Bohr)


def _positions(step: ElementTree.Element) -> Array:
    atoms = step.findall("atomic_structure/atomic_positions/atom")
    return np.array([str(atom.text).split() for atom in atoms], dtype=float).reshape(len(atoms), 3) * units.Bohr


def _moments(output: ElementTree.Element) -> list[float] | None:
    sites = output.findall("magnetization/Scalar_Site_Magnetic_Moments/SiteMagnetization")
    return [float(str(site.text)) for site in sites] if sites and _electrons_converged(output) else None
