"""What is done to a box: settings of a run, each with its unit, and what they make in steps."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

FS = 1e-3
"""A femtosecond in ps."""

SEGMENT = 100.0
"""Longest segment (ps): what a kill costs at most."""


@dataclass(frozen=True)
class Protocol:
    """Minimise, anneal, NPT until the density no longer drifts, NVT at the mean density: the production.

    The thermostat of the production is Langevin's with a friction of 0.1/ps. Friction slows diffusion (G. Bussi and
    M. Parrinello, Comput. Phys. Commun. 179, 26 (2008), where the local thermostat's D falls as its friction rises):
    a melt's own collisions are some 10/ps, so that this costs D about one percent, and it still takes up the heat
    that steps of 3 fs make. Before the production, where no dynamics is read off, it is 1/ps or more.

    Attributes
    ----------
    temperature : float
        In K.
    production : float
        Length of the production (ps).
    every : float
        Time between its frames (ps); a whole number of steps, so 0.999 ps for 1 ps at 3 fs.
    timestep : float
        In fs: 3 with bonds to hydrogen fixed and hydrogen of 3 u, which is set where such bonds are fixed.
    friction : float
        Of the production (1/ps).
    pressure : float
        Of the equilibration (bar).
    anneal : float
        Temperature (K) above ``temperature`` that the box is heated by first; 0 leaves annealing out.
    annealing : float
        How long it takes to cool down from there (ps).
    settle, settle_longest : float
        Least and longest NPT (ps); the box is refused if its density drifts after the longest.
    seed : int
        Of velocities and random forces.
    reproducible : bool
        One thread and forces in one order: equal input gives equal bytes, on one machine.
    """

    temperature: float
    production: float
    every: float = 1.0
    timestep: float = 3.0
    friction: float = 0.1
    pressure: float = 1.0
    anneal: float = 200.0
    annealing: float = 200.0
    settle: float = 200.0
    settle_longest: float = 2000.0
    seed: int = 0
    reproducible: bool = False

    def __post_init__(self) -> None:
        """Refuse what makes no run, in one line."""
        positive = ("temperature", "production", "every", "timestep", "friction", "settle", "settle_longest")
        for name in positive:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: {getattr(self, name):g}; allowed: above 0")
        if self.timestep > 4:
            raise ValueError(f"timestep: {self.timestep:g} fs; allowed: at most 4, with bonds to hydrogen fixed")
        if self.production < 20 * self.every:
            raise ValueError(f"production: {self.production:g} ps; allowed: 20 frames of {self.every:g} ps, or more")
        if self.settle_longest < self.settle:
            raise ValueError(f"settle_longest: {self.settle_longest:g} ps; allowed: settle ({self.settle:g}) or more")

    def steps(self, time: float) -> int:
        """Steps of a time (ps), at least one."""
        return max(1, round(time / (self.timestep * FS)))

    @property
    def interval(self) -> int:
        """Steps from frame to frame."""
        return self.steps(self.every)

    @property
    def between(self) -> float:
        """Time from frame to frame (ps), as it is."""
        return self.interval * self.timestep * FS

    @property
    def frames(self) -> int:
        """Frames of the production."""
        return int(self.production / self.every + 1e-9)

    @property
    def per_segment(self) -> int:
        """Frames of a segment: a tenth of the production, or 100 ps where that is shorter."""
        return max(1, min(int(SEGMENT / self.every), self.frames // 10))

    @property
    def settings(self) -> dict[str, Any]:
        """Give everything that the numbers rest on: how long a box was waited for is no part of it."""
        return {name: value for name, value in asdict(self).items() if name != "settle_longest"}
