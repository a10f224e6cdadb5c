"""ns/day of the runner against plain OpenMM, turn by turn in one process, and the memory that a box needs.

Both run the same box with the same steps, thermostat, platform and frames: OpenMM by its own Simulation and
XTCReporter, the runner with its checkpoints and checks. A box is a folder that `barriers build` wrote.

    python tests/benchmarks/md_speed.py results/pair/built/PVDF-1 600 5
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import openmm as mm
from openmm import app

from barriers.engines.checkpoint import Checkpoint
from barriers.engines.openmm.protocol import Protocol
from barriers.engines.openmm.run import Run
from barriers.engines.openmm.system import read_box

FRAMES = 20


class Production(Run):
    """A run whose production begins after a short dynamics."""

    def _warm(self, state):  # type: ignore[no-untyped-def]
        return super()._warm(state) | {"stage": "produce"}


def main(folder: Path, kelvin: float, turns: int) -> None:
    """Print ns/day of both in each turn, the median of their ratios, and the memory (MB)."""
    protocol = Protocol(kelvin, FRAMES * turns * 1.0)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        first = replace(protocol, production=20.0)
        state = Production(folder, "box", first, Checkpoint("md", "first"), Path("first.xtc")).go()
        ratios = []
        for turn in range(turns):
            order = (ours, plain) if turn % 2 else (plain, ours)  # neither is always the first
            speed = {each.__name__: each(folder, protocol, state, turn) for each in order}
            ratios.append(speed["ours"] / speed["plain"])
            print(f"runner {speed['ours']:.1f}, OpenMM {speed['plain']:.1f} ns/day, ratio {ratios[-1]:.3f}", flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"median ratio {median(ratios):.3f} of {turns} turns on {state['platform']}; {memory:.0f} MB")


def ours(folder: Path, protocol: Protocol, state: dict, turn: int) -> float:
    """Run 20 frames as the runner does, with context, checkpoint and checks (ns/day)."""
    checkpoint = Checkpoint("md", turn)
    checkpoint.save(state | {"stage": "produce", "frames": 0, "bytes": 0, "stretch": turn}, {})
    began = time.perf_counter()
    Run(folder, "box", replace(protocol, production=20.0), checkpoint, Path(f"ours{turn}.xtc")).go()
    return FRAMES * protocol.between * 86.4 / (time.perf_counter() - began)


def plain(folder: Path, protocol: Protocol, state: dict, turn: int) -> float:
    """Run 20 frames by OpenMM's own means (ns/day)."""
    from barriers.engines.openmm.point import Point

    began = time.perf_counter()
    pdb, system = app.PDBFile(str(folder / "box.pdb")), read_box(folder)[2]
    chosen = mm.Platform.getPlatformByName(state["platform"])
    properties = {"Threads": str(len(os.sched_getaffinity(0)))} if chosen.getName() == "CPU" else {}
    integrator = mm.LangevinMiddleIntegrator(protocol.temperature, protocol.friction, protocol.timestep * 1e-3)
    simulation = app.Simulation(pdb.topology, system, integrator, chosen, properties)
    Point.from_json(state["point"]).put(simulation.context)
    simulation.reporters.append(app.XTCReporter(f"plain{turn}.xtc", protocol.interval, enforcePeriodicBox=False))
    simulation.step(FRAMES * protocol.interval)
    return FRAMES * protocol.between * 86.4 / (time.perf_counter() - began)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), float(sys.argv[2]), int(sys.argv[3]))
