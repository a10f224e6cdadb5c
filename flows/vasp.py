"""A hop between two structure files with VASP: relax both ends, converge the band, let the highest image climb.

Run it with ``python flows/vasp.py initial.vasp final.vasp`` in a batch job; it needs VASP with VTST, POTCARs where
pymatgen finds them, and the extra ``vasp``. The same command continues from the same results folder. Systems and
fragments come from a study file: ``barriers run inputs/ncm811_pvdf_vasp.yaml``.
"""

import sys
from pathlib import Path

from barriers import BarrierMaker, NebSection, PathSection, RelaxSection, VaspEngine, read_endpoints, run

if len(sys.argv) != 3:
    raise SystemExit(__doc__)
engine = VaspEngine(command="mpirun -np 64 vasp_std", ncore=4, max_seconds=82_800)
initial, final, warnings = read_endpoints(*sys.argv[1:])
engine.check({element.symbol for element in initial.composition.elements}, n_images=4)
maker = BarrierMaker(
    name=Path(sys.argv[1]).stem,
    engine=engine,
    relax=RelaxSection(fmax=0.03),
    path=PathSection(n_images=4),
    neb=NebSection(fmax=0.05),
)
flow = maker.make(initial, final)
outcome = run(flow, Path("results") / maker.name, on_event=lambda event: print(event.state, event.name))
if outcome.output is None:
    raise SystemExit(f"failed: {outcome.failures}")
barrier = outcome.output
print(barrier.forward, "eV, converged" if barrier.converged else barrier.reason)
print(*warnings, *barrier.warnings, sep="\n")
print(barrier.band.engine.version, barrier.band.engine.files)
