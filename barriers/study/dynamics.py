"""The study file's section on molecular dynamics."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from barriers.study.fields import Section, Seed, refusal, unit

Picoseconds = Annotated[float, Field(json_schema_extra=unit("ps"))]


class DynamicsSection(Section):
    """Molecular dynamics of each box: to its density at constant pressure, then at constant volume."""

    production: float = Field(
        2.0, gt=0, le=100_000, description="length of the run that is read off", json_schema_extra=unit("ns")
    )
    every: Picoseconds = Field(1.0, ge=0.01, le=1000, description="time between frames")
    timestep: float = Field(
        3.0, ge=0.5, le=4, description="bonds to hydrogen are fixed, hydrogen has 3 u", json_schema_extra=unit("fs")
    )
    friction: float = Field(
        0.1, gt=0, le=10, description="of the thermostat; more slows diffusion", json_schema_extra=unit("1/ps")
    )
    pressure: float = Field(
        1.0, gt=0, le=10_000, description="until the density is there", json_schema_extra=unit("bar")
    )
    anneal: float = Field(
        200.0,
        ge=0,
        le=1000,
        description="how far above the temperature it is heated first",
        json_schema_extra=unit("K"),
    )
    annealing: Picoseconds = Field(200.0, gt=0, le=100_000, description="how long it cools down from there")
    settle: Picoseconds = Field(200.0, gt=0, le=1_000_000, description="least time at constant pressure")
    settle_longest: Picoseconds = Field(
        2000.0, gt=0, le=1_000_000, description="longest; a box whose density drifts then is refused"
    )
    seed: Seed = Field(0, description="seed of velocities and random forces")
    reproducible: bool = Field(False, description="one thread, forces in one order: equal bytes on one machine")

    @model_validator(mode="after")
    def _is_a_run(self) -> Self:
        if self.production * 1000 < 20 * self.every:
            raise refusal(self.production, "is less than 20 frames", f"at least {self.every / 50:g}", ("production",))
        if self.settle_longest < self.settle:
            raise refusal(self.settle_longest, "is below settle", f"at least {self.settle:g}", ("settle_longest",))
        return self
