"""A run of one box, stretch by stretch: each ends with a checkpoint, from which a killed run goes on."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barriers.analysis.trajectory.regime import duration
from barriers.analysis.trajectory.settling import settling
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.openmm.frames import add_frame, cut
from barriers.engines.openmm.point import Point, density, minimised, plain_words, scaled, temperature
from barriers.engines.openmm.protocol import FS, Protocol
from barriers.engines.openmm.system import make_context, masses_of, openmm, read_box

if TYPE_CHECKING:
    from openmm import Context, System

SOFT, WARM = 1.0, 10.0
"""Timestep (fs) and length (ps) of the first dynamics after minimisation, and of the last before production."""

STRONG, USUAL = 10.0, 1.0
"""Friction (1/ps) of the first dynamics, and of what comes before the production."""

COOLING = 10
"""Steps in which annealing cools down."""

SAMPLED = 0.5
"""Time between two densities (ps)."""

ATTEMPTS = 25
"""Steps between two attempts to change the volume."""

DONE = "done"

State = dict[str, Any]


@dataclass
class Run:
    """One box under way.

    Each stretch begins with a context of its own, whose random numbers are those of the stretch: a run that was killed
    and goes on is the same run as one that was not.

    Attributes
    ----------
    box : Path
        Folder with ``box.pdb`` and ``system.xml``.
    name : str
        How messages call the box.
    protocol : Protocol
        What is done.
    checkpoint : Checkpoint
        Keeps what a stretch ends with.
    trajectory : Path
        XTC file of the production.
    """

    box: Path
    name: str
    protocol: Protocol
    checkpoint: Checkpoint
    trajectory: Path

    def go(self) -> State:
        """Run to the end, from the last checkpoint on.

        Raises
        ------
        RuntimeError
            One line, if the box does not settle or its coordinates are lost, and what to do.
        """
        self.positions, self.vectors, self.system = read_box(self.box)
        self.masses = masses_of(self.system)
        state = self.checkpoint.load()
        earlier = 0 if state is None else state["steps"]
        if state is None:
            state = self._begin()
            self._keep(state)
        cut(self.trajectory, state["bytes"])
        while state["stage"] != DONE:
            state = getattr(self, f"_{state['stage']}")(state | {"stretch": state["stretch"] + 1})
            self._keep(state)
        return state | {"earlier": earlier}

    def _begin(self) -> State:
        first = self._system(None)
        context = make_context(first, self.protocol, self.protocol.temperature, STRONG, SOFT, self.protocol.seed)
        context.setPeriodicBoxVectors(*self.vectors)
        context.setPositions(self.positions)
        with plain_words(self.name, "minimising"):
            point = minimised(context, self.protocol.temperature, self.protocol.seed)
        start = {"stage": "warm", "number": 0, "stretch": 0, "steps": 0, "frames": 0, "bytes": 0}
        platform = context.getPlatform().getName()
        return start | {"densities": [], "heat": 0.0, "seconds": 0.0, "point": point.as_json(), "platform": platform}

    def _warm(self, state: State) -> State:
        """Dynamics at fixed volume by short steps, which lets go of what the minimisation has left."""
        steps = round(WARM / (SOFT * FS))
        point = self._advance(self._context(state, STRONG, SOFT), steps, "warming up")
        return self._next(state, point, "anneal" if self.protocol.anneal else "settle", steps)

    def _anneal(self, state: State) -> State:
        """Heat, and cool down in steps, at constant pressure."""
        steps = self.protocol.steps(self.protocol.annealing / COOLING)
        above = self.protocol.anneal * (1 - state["number"] / COOLING)
        context = self._context(state, USUAL, pressure=True, above=above)
        point = self._advance(context, steps, f"annealing, {above:.0f} K above its temperature,")
        return self._next(state, point, "settle" if state["number"] == COOLING - 1 else "anneal", steps)

    def _settle(self, state: State) -> State:
        """Constant pressure until the density no longer drifts."""
        protocol, each = self.protocol, self.protocol.steps(SAMPLED)
        count = max(1, round(protocol.settle / 2 / SAMPLED))
        context, found = self._context(state, USUAL, pressure=True), list(state["densities"])
        for _ in range(count):
            point = self._advance(context, each, "constant pressure")
            found.append(density(self.masses, point.vectors))
        spent, judged = len(found) * each * protocol.timestep * FS, settling(found)
        after, longest = state | {"densities": found}, spent > 0.99 * protocol.settle_longest
        if spent < 0.99 * protocol.settle or not (judged.settled or longest):
            return self._next(after, point, "settle", each * count)
        if not judged.settled:
            raise RuntimeError(
                f"{self.name}: not settled after {duration(spent)} at {protocol.temperature:g} K and "
                f"{protocol.pressure:g} bar: {judged.reason}; allowed: a longer settle_longest, or more annealing"
            )
        point = scaled(context, point, (found[-1] / judged.mean) ** (1 / 3))
        return self._next(after, point, "hold", each * count)

    def _hold(self, state: State) -> State:
        """Dynamics at the mean density, before the production begins."""
        steps = self.protocol.steps(WARM)
        point = self._advance(self._context(state, USUAL), steps, "fixed volume")
        return self._next(state, point, "produce", steps)

    def _produce(self, state: State) -> State:
        """Run a segment of the production, with its frames."""
        protocol, began, heat = self.protocol, time.monotonic(), state["heat"]
        context = self._context(state, protocol.friction)
        last = min(state["frames"] + protocol.per_segment, protocol.frames)
        for frame in range(state["frames"] + 1, last + 1):
            point = self._advance(context, protocol.interval, "production")
            heat += temperature(self.masses, self.system.getNumConstraints(), point.velocities)
            add_frame(self.trajectory, point.positions, point.vectors, frame * protocol.between, frame)
        written = {"frames": last, "bytes": self.trajectory.stat().st_size, "heat": heat}
        after = state | written | {"seconds": state["seconds"] + time.monotonic() - began}
        steps = protocol.interval * (last - state["frames"])
        return self._next(after, point, DONE if last == protocol.frames else "produce", steps)

    def _system(self, hot: float | None) -> System:
        """Give the system, with a barostat if its temperature (K) is told."""
        mm = openmm()
        system: System = copy.deepcopy(self.system)
        if hot is not None:
            system.addForce(mm.MonteCarloBarostat(self.protocol.pressure, hot, ATTEMPTS))
        return system

    def _context(
        self, state: State, friction: float, timestep: float | None = None, pressure: bool = False, above: float = 0.0
    ) -> Context:
        """Give what goes on from where a stretch begins, so many K above the temperature."""
        protocol, hot = self.protocol, self.protocol.temperature + above
        system, seed = self._system(hot if pressure else None), 1000 * protocol.seed + state["stretch"]
        context = make_context(system, protocol, hot, friction, timestep or protocol.timestep, seed)
        Point.from_json(state["point"]).put(context)
        return context

    def _advance(self, context: Context, steps: int, what: str) -> Point:
        with plain_words(self.name, what):
            context.getIntegrator().step(steps)
            return Point.of(context)

    def _next(self, state: State, point: Point, stage: str, steps: int) -> State:
        """Give the state after a stretch; stretches of one stage are counted."""
        number = state["number"] + 1 if stage == state["stage"] else 0
        return state | {"stage": stage, "number": number, "steps": state["steps"] + steps, "point": point.as_json()}

    def _keep(self, state: State) -> None:
        """Write the checkpoint, and a line of progress."""
        self.checkpoint.save(state, progress(self.protocol, state))


def progress(protocol: Protocol, state: State) -> dict[str, Any]:
    """Say how far a run is: its stage, ns of the production and those asked for, ns/day, and the last density."""
    made, seconds = state["frames"] * protocol.between * 1e-3, state["seconds"]
    return {
        "stage": {"produce": "production", "settle": "constant pressure"}.get(state["stage"], state["stage"]),
        "ns": round(made, 6),
        "ns_asked": round(protocol.frames * protocol.between * 1e-3, 6),
        "ns_per_day": round(made / seconds * 86400, 2) if seconds else None,
        "density": round(state["densities"][-1], 4) if state["densities"] else None,
    }
