"""Standard outputs of ``neb.x``: which of them is of a path file, and whether it says that the band converged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from barriers.engines.espresso.outputs import Iteration, PathFile, iterations
from barriers.parsing.ends import check_ends
from barriers.parsing.files import files_with, read_text
from barriers.parsing.found import Check, FoundBand

CONVERGED = "neb: convergence achieved"
SAME_ENERGY = 2e-5
"""Energies (eV) of an output and of a path file are those of one iteration where no more lies between them."""


@dataclass(frozen=True)
class Run:
    """What the standard output of one run of ``neb.x`` says."""

    path: Path
    version: str
    rows: list[Iteration]
    text: str

    def ends_with(self, state: PathFile) -> bool:
        """Whether its last iteration is what the path file has; its units are those of another table of constants."""
        if not self.rows or len(self.rows[-1].energies) != len(state.energies):
            return False
        energies = np.array(self.rows[-1].energies)
        same = np.abs(np.diff(energies) - np.diff(state.energies)).max() < SAME_ENERGY
        return bool(same and np.isclose(energies[0], state.energies[0], rtol=1e-6, atol=1e-3))

    @property
    def criterion(self) -> str | None:
        """What it was converged to, by its own account; None where it was not."""
        threshold = re.search(r"path_thr +=\s+([\d.]+)", self.text)
        said = f"path_thr {float(threshold[1]):g} eV/Å" if threshold else "its path_thr"
        return said if CONVERGED in self.text else None


def runs_of(folder: Path) -> list[Run]:
    """Every run whose standard output lies here, whatever the file is called; a file may hold several."""
    found = []
    for path in files_with(folder, "Program NEB v."):
        for text in re.split(r"(?=Program NEB v\.)", read_text(path))[1:]:
            version = text.split()[2].removeprefix("v.")
            found.append(Run(path, version, iterations(text), text))
    return found


def judge(found: FoundBand, runs: list[Run], state: PathFile, path: Path) -> None:
    """Say whether it converged: as the output says whose last iteration the path file has."""
    found.criterion = next((run.criterion for run in runs if run.criterion), None)
    for image in found.images[1:-1]:
        image.relaxed = True if found.criterion else None
    seen = ", ".join(sorted({str(run.path) for run in runs})) or "no output"
    if found.criterion is None and runs:
        found.checks.append(Check("relaxed", "wrong", [seen], f"no {CONVERGED!r} in {seen}"))
    elif found.criterion is None:
        says = (
            f"no output in {found.folder} ends with the energies of {path.name}: copy that of its last run here, or "
            "say with --fmax which force across the path is small enough"
        )
        found.checks.append(Check("relaxed", "wrong", [seen], says))
    else:
        found.checks.append(Check("relaxed", "ok", [f"{found.criterion}, says {seen}"]))
        for image in found.images:
            image.files += sorted({str(run.path) for run in runs})
    found.checks.append(check_ends(found, "set minimum_image = .true. in &PATH and run it again"))
    if state.pending_image:
        says = f"{path}: its run was stopped within an iteration, at image {state.pending_image}; restart it"
        found.checks.append(Check("iteration whole", "wrong", [f"image {state.pending_image} pending"], says))
    if state.constant_potential:
        found.warnings.append(f"band at constant potential (FCP or GC-SCF): energies are those of {path.name}")
