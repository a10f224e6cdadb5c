"""A magnetic oxide in DFT+U to its end: a Li hop in Li0.5NiO2 with spin, U and D3, and what the code says by hand.

Run it with ``python tests/benchmarks/espresso_magnetic.py [FOLDER]``; it needs ``neb.x``, ``pw.x`` and Debian's package
quantum-espresso-data. Seven atoms with the preset ``slab``, one image, cutoffs and k-points too coarse for a reference.
The input of an end's relaxation is given to ``pw.x`` once more by hand, and the energies are compared. A second run
continues.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from espresso_handover import ends, energies, finished

from barriers.documents import BarrierDoc
from barriers.engines.espresso import EspressoEngine
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.workflow.barrier import BarrierMaker


def barrier(folder: Path) -> BarrierDoc:
    """Find the barrier from a straight line: ends to 0.05 eV/Å, band to 0.1 eV/Å."""
    engine = EspressoEngine(pseudopotentials="debian-pbesol", dipole=False, kspacing=2.0, keywords={"conv_thr": 1e-7})
    engine.check(["Li", "Ni", "O"], 1)
    maker = BarrierMaker(
        name="lno",
        engine=engine,
        relax=RelaxSection(fmax=0.05),
        path=PathSection(n_images=1, from_="linear"),
        neb=NebSection(fmax=0.1, max_steps=60),
    )
    found: BarrierDoc = finished(maker.make(*ends()), folder)
    return found


def by_hand(folder: Path) -> tuple[int, float]:
    """Give the first input of an end to the code once more; count steps, and the largest difference (eV)."""
    done = min(folder.glob("jobs/*relax-initial*/*/pw.1.in")).parent
    own = folder / "by_hand"
    shutil.rmtree(own, ignore_errors=True)
    shutil.copytree(done / "pseudo", own / "pseudo", symlinks=True)
    shutil.copyfile(done / "pw.1.in", own / "pw.in")
    with (own / "pw.out").open("w") as out:
        subprocess.run(["pw.x", "-in", "pw.in"], cwd=own, stdout=out, check=False)
    inside, outside = (energies(text.read_text()) for text in (done / "pw.1.out", own / "pw.out"))
    both = list(zip(inside, outside, strict=False))
    return len(both), max(abs(one - other) for one, other in both)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/espresso_magnetic")
    document = barrier(folder)
    band = document.band
    print(f"version {band.engine.version}: {document.forward} ± {document.uncertainty} eV, reason {document.reason}")
    print(f"SCFs of the ends {document.cost.force_calls - band.cost.force_calls}, of the band {band.cost.force_calls}")
    for warning in document.warnings:
        print(f"warning: {warning}")
    steps, apart = by_hand(folder)
    print(f"the first input of the first end by hand: {steps} steps, energies at most {1000 * apart:.3f} meV apart")
