"""The job that runs a box and reads its trajectory off, where that lies."""

from __future__ import annotations

import platform
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from jobflow import job
from pymatgen.core import Lattice, Structure

from barriers.analysis.trajectory.documents import TransportDoc
from barriers.analysis.trajectory.frames import Trajectory
from barriers.analysis.trajectory.result import transport
from barriers.analysis.trajectory.settling import settling
from barriers.distribution import versions
from barriers.documents import CostDoc, EngineDoc
from barriers.engines.base import EngineMaker
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.openmm.documents import BoxDoc, MdDoc
from barriers.engines.openmm.point import Point
from barriers.engines.openmm.protocol import Protocol
from barriers.engines.openmm.run import Run
from barriers.engines.openmm.system import openmm
from barriers.files.boxes import write_box
from barriers.files.trajectory import read_trajectory

TRAJECTORY = "trajectory.xtc"

MOST = 150_000_000
"""Bytes of positions that are followed at once: of longer trajectories every second frame is read off, or fewer."""

SHOWN = 200
"""Densities that are kept."""


@dataclass
class MdMaker(EngineMaker):
    """Molecular dynamics of one box at one temperature.

    1. Minimise, anneal, NPT until the density no longer drifts.
    2. NVT at that density, in segments; the trajectory stays in the job's folder.
    3. Read the transport off the trajectory.

    A killed job goes on from its last segment.

    Attributes
    ----------
    name : str
        Name of the job.
    protocol : Protocol
        What is done.
    ion : str
        Element whose motion is looked at.
    """

    name: str = "md"
    protocol: Protocol = field(default_factory=lambda: Protocol(400.0, 1000.0))
    ion: str = "Li"
    computes: ClassVar[str] = "md/1"
    kind: ClassVar[str] = "md"

    def rests_on(self, _elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings the numbers rest on."""
        return {"engine": "openmm", "settings": self.protocol.settings, "ion": self.ion}

    @job(output_schema=MdDoc)
    def make(self, box: BoxDoc) -> MdDoc:
        """Run a box, or go on with its run."""
        here, protocol = Path.cwd(), self.protocol
        write_box(box.box(), here / "box")
        name = f"{box.document.system} box {box.document.number}, {protocol.temperature:g} K"
        checkpoint = Checkpoint("md", [box.identity(), self.rests_on()])
        seeded = replace(protocol, seed=protocol.seed + box.document.number)
        state = Run(here / "box", name, seeded, checkpoint, here / TRAJECTORY).go()
        found, reason = self._read_off(name)
        length, spent = state["frames"] * protocol.between, state["seconds"]
        densities = state["densities"]
        return MdDoc(
            system=box.document.system,
            number=box.document.number,
            temperature=protocol.temperature,
            measured=state["heat"] / state["frames"],
            length=length,
            step=protocol.between,
            ns_per_day=length * 1e-3 / spent * 86400,
            platform=state["platform"],
            density=settling(densities),
            densities=densities[:: -(-len(densities) // SHOWN)],
            transport=found,
            reason=reason,
            snapshot=_snapshot(box.document.species, Point.from_json(state["point"])),
            trajectory=f"{platform.node()}:{here / TRAJECTORY}",
            cost=CostDoc(
                force_calls=state["steps"], earlier_force_calls=state["earlier"], wall_time=checkpoint.wall_time
            ),
            engine=self.describe(),
        )

    def describe(self) -> EngineDoc:
        """Say what gives the numbers."""
        version = openmm().version.version
        settings, packages = self.protocol.settings, versions("MDAnalysis") | {"openmm": version}
        return EngineDoc(kind="openmm", name="OpenMM", version=version, settings=settings, packages=packages)

    def _read_off(self, name: str) -> tuple[TransportDoc | None, str | None]:
        """Read the transport off, or say why it cannot be."""
        try:
            read = thinned(read_trajectory(TRAJECTORY, "box/box.pdb"))
            return transport([replace(read, name=name)], self.ion, self.protocol.temperature), None
        except ValueError as error:
            return None, str(error)


def thinned(trajectory: Trajectory) -> Trajectory:
    """Leave frames out where there are so many that following them would need more than 1 GB."""
    every = -(-trajectory.positions.nbytes // MOST)
    if every == 1:
        return trajectory
    positions, cells, times = trajectory.positions, trajectory.cells, trajectory.times
    return replace(trajectory, positions=np.array(positions[::every]), cells=cells[::every], times=times[::every])


def _snapshot(species: list[str], point: Point) -> Structure:
    return Structure(
        Lattice(10 * point.vectors), species, 10 * point.positions, to_unit_cell=True, coords_are_cartesian=True
    )
