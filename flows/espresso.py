"""A lithium vacancy in Li2O with Quantum ESPRESSO, from two structure files to a barrier.

Run it with ``python flows/espresso.py``; it needs ``pw.x`` and ``neb.x`` on the path and Debian's package
quantum-espresso-data. It builds the same Flow as ``barriers run inputs/li2o_espresso.yaml`` and continues from the
same results folder. For slabs of layered oxides leave ``preset`` at ``slab`` and let the path come from the embedded
engine: ``PathSection(from_="mlip")``.
"""

from pathlib import Path

from barriers import BarrierMaker, EspressoEngine, PathSection, pair_flow, read_endpoints, run

inputs = Path(__file__).resolve().parent.parent / "inputs"
engine = EspressoEngine(
    preset="insulator",
    pseudopotentials="debian-pbesol",
    kspacing=1.5,
    keywords={"tot_charge": -1, "conv_thr": 1.0e-6},
)
initial, final, warnings = read_endpoints(inputs / "li2o_initial.vasp", inputs / "li2o_final.vasp")
engine.check({element.symbol for element in initial.composition.elements}, n_images=1)
maker = BarrierMaker(
    name="li2o_espresso",
    engine=engine,
    path=PathSection(n_images=1, from_="linear"),
    fmax=0.1,
)
flow = pair_flow(maker, initial, final, warnings)
outcome = run(flow, Path("results") / "li2o_espresso", on_event=lambda event: print(event.state, event.name))
if outcome.failures:
    raise SystemExit(f"failed: {outcome.failures}")
(barrier,) = outcome.output.barriers
print(barrier.forward, "eV, converged" if barrier.converged else barrier.reason)
print(barrier.band.engine.name, barrier.band.engine.version, barrier.band.engine.files)
