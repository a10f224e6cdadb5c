"""What forces of Quantum ESPRESSO have to be converged to before their differences tell a frequency.

``python tests/benchmarks/fine_forces.py`` displaces the hopping lithium and an oxygen of the shipped Li2O cell for each
of four thresholds. It prints how far forces (eV/Å) and frequencies (THz) are from those of the finest, and the cycles.
It needs ``pw.x`` with Debian's package quantum-espresso-data, and takes some minutes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jobflow import Flow
from pymatgen.core import Structure

from barriers import EspressoEngine, run
from barriers.analysis.vibrations import displaced, frequencies, hessian
from barriers.documents import StaticDoc
from barriers.engines.common import at_positions
from barriers.files.structures import read_endpoints

INPUTS = Path(__file__).parents[2] / "inputs"
PER_ATOM = (1e-7, 1e-8, 1e-10, 1e-13)
ATOMS = [0, 8]


def static(engine: EspressoEngine, structure: Structure) -> StaticDoc:
    """Evaluate a structure."""
    job = engine.static().make(structure)
    document: StaticDoc = run(Flow([job], output=job.output), "results/fine_forces").output
    return document


def main() -> None:
    """Print a line for each threshold, the finest first."""
    structure, _, _ = read_endpoints(INPUTS / "li2o_initial.vasp", INPUTS / "li2o_final.vasp")
    masses = [float(structure[atom].specie.atomic_mass) for atom in ATOMS]
    finest: tuple[np.ndarray, np.ndarray] | None = None
    for threshold in sorted(PER_ATOM):
        keywords = {"tot_charge": -1.0, "conv_thr": threshold * len(structure)}
        engine = EspressoEngine("insulator", "debian-pbesol", kspacing=1.5, keywords=keywords)
        places = displaced(structure.cart_coords, ATOMS)
        found = [static(engine, at_positions(structure, positions)) for positions in places]
        forces = np.array([each.forces for each in found])
        modes = frequencies(hessian(forces, ATOMS), masses)
        finest = finest or (forces, modes)
        off = [float(np.abs(ours - best).max()) for ours, best in zip((forces, modes), finest, strict=True)]
        cycles = sum(each.cost.scf_cycles for each in found)
        print(
            f"{threshold:.0e} Ry an atom: {cycles} cycles, forces {off[0]:.1e} and modes {off[1]:.4f} off",
            modes.round(3),
        )


if __name__ == "__main__":
    main()
