"""What a path from the embedded engine saves Quantum ESPRESSO: a Li hop in Li0.5NiO2, both ways.

Run it with ``python tests/benchmarks/espresso_handover.py [FOLDER]``; it needs ``neb.x``, Debian's package
quantum-espresso-data and the extra ``mlip``. The cell has seven atoms and the cutoffs are low, so the barrier is no
reference. It prints self-consistent calculations (SCFs) of endpoints and band from straight lines and from the embedded
engine's band, and their ratio. A second run continues.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Literal

from ase.units import Ry
from jobflow import Flow
from pymatgen.core import Lattice, Structure

from barriers.dispatch.local import run
from barriers.documents import BarrierDoc
from barriers.engines.espresso import EspressoEngine
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.workflow.barrier import BarrierMaker

A, C = 2.878, 14.19
"""Hexagonal lattice parameters (Å) of LiNiO2."""


def ends() -> tuple[Structure, Structure]:
    """Li on one of two octahedral sites of a cell with two NiO2, one Ni held."""
    lattice = Lattice([[2 * A, 0, 0], [-A / 2, A * 3**0.5 / 2, 0], [A / 2, A * 3**0.5 / 6, C / 3]])
    third = A * 3**0.5 / 6
    host = [
        ("Ni", (0, 0, 0)),
        ("Ni", (A, 0, 0)),
        ("O", (1.5 * A, 3 * third, 3.668115)),
        ("O", (A / 2, 3 * third, 3.668115)),
        ("O", (A / 2, third, 1.061885)),
        ("O", (1.5 * A, third, 1.061885)),
    ]
    both = []
    for x in (A, 0.0):
        atoms = [("Li", (x, 2 * third, C / 6)), *host]
        both.append(
            Structure(
                lattice,
                [symbol for symbol, _ in atoms],
                [position for _, position in atoms],
                coords_are_cartesian=True,
                site_properties={"selective_dynamics": [[index != 1] * 3 for index in range(len(atoms))]},
            )
        )
    return both[0], both[1]


def energies(text: str) -> list[float]:
    """Energies (eV) that ``pw.x`` prints, one for each self-consistent calculation."""
    return [float(value) * Ry for value in re.findall(r"^!    total energy +=\s+(-\d+\.\d+) Ry", text, re.M)]


def barrier(source: Literal["linear", "mlip"], folder: Path) -> BarrierDoc:
    """Find the barrier from one kind of first band."""
    engine = EspressoEngine(
        preset="insulator",
        pseudopotentials="debian-pbesol",
        kspacing=2.6,
        keywords={"occupations": "smearing", "smearing": "mv", "degauss": 0.02, "conv_thr": 1e-6},
    )
    engine.check(["Li", "Ni", "O"], 3)
    maker = BarrierMaker(
        name=source,
        engine=engine,
        relax=RelaxSection(fmax=0.1),
        path=PathSection(n_images=3, from_=source),
        neb=NebSection(fmax=0.1, rough_fmax=0.3, max_steps=60),
    )
    found: BarrierDoc = finished(maker.make(*ends()), folder)
    return found


def finished(flow: Flow, folder: Path) -> Any:
    """Run a flow to its end, saying what runs, and give its output."""
    outcome = run(flow, folder, on_event=lambda event: print(event.state, event.name, event.message, flush=True))
    if outcome.output is None:
        raise SystemExit(f"failed: {outcome.failures}")
    return outcome.output


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/espresso_handover")
    found = {source: barrier(source, folder) for source in ("linear", "mlip")}
    print("| first band | barrier (eV) | converged | SCFs of endpoints | SCFs of band | iterations |")
    print("| --- | --- | --- | --- | --- | --- |")
    for source, document in found.items():
        band = document.band
        calls = (document.cost.force_calls - band.cost.force_calls, band.cost.force_calls, len(band.history))
        number = "none" if document.forward is None else f"{document.forward:.3f}"
        print(f"| {source} | {number} | {document.converged} | {' | '.join(map(str, calls))} |")
    totals = {source: document.cost.force_calls for source, document in found.items()}
    print(f"SCFs, linear : mlip = {totals['linear']} : {totals['mlip']} = {totals['linear'] / totals['mlip']:.2f}")
