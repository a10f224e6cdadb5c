"""What the hops of a crystal make together, as results keep it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class PercolationRow(BaseModel):
    """The lowest barrier over which a network goes on in one sense."""

    name: str = Field(description="1-D, 2-D, 3-D: in so many dimensions; a, b, c: along that axis")
    barrier: float | None = Field(
        None, description="highest saddle above the lowest site (eV); none: it does not go on"
    )
    uncertainty: float | None = Field(None, description="one standard deviation, from those of the hops (eV)")
    hop: str | None = Field(None, description="the bottleneck: a hop over that saddle")


class DiffusionRow(BaseModel):
    """Diffusion at one temperature. Principal axes go from fast to slow."""

    temperature: float = Field(description="in K")
    tensor: list[list[float]] = Field(
        description="diffusion tensor of one carrier, Cartesian axes (cm²/s), shape (3, 3)"
    )
    principal: list[float] = Field(description="its principal values (cm²/s), shape (3,)")
    axes: list[list[float]] = Field(description="its principal axes in rows, unit vectors, shape (3, 3)")
    mean: float = Field(description="a third of its trace (cm²/s): what a powder shows")
    factor: float | None = Field(None, description="the mean lies between itself divided and multiplied by this")
    correlation: list[float | None] = Field(
        description="correlation factor of a tracer along the principal axes; none where it is not known"
    )
    tracer: list[float | None] | None = Field(None, description="tracer's diffusion along the principal axes (cm²/s)")
    conductivity: list[float] | None = Field(None, description="ionic conductivity along the principal axes (S/cm)")


class NetworkDoc(BaseModel):
    """What the hops of a crystal make together."""

    carrier: Literal["vacancy", "added ion"] = Field("vacancy", description="what walks")
    dimension: int = Field(description="directions, 0 to 3, in which the network of all hops goes on")
    percolation: list[PercolationRow] = Field(description="by the hops that have a barrier")
    levels: list[float | None] = Field(
        description="energy of the carrier on each site above the lowest (eV), shape (n,)"
    )
    misfit: float = Field(description="largest difference of energy between two sites that barriers contradict (eV)")
    fraction: float | None = Field(None, description="carriers per site")
    rows: list[DiffusionRow] = Field(description="one for each temperature; none where there is no diffusion")
    activation_energy: float | None = Field(
        None, description="of the mean, an Arrhenius fit over the temperatures (eV)"
    )
    prefactor: float | None = Field(None, description="D₀ of that fit (cm²/s)")
    notes: list[str] = Field(default_factory=list, description="what is missing, assumed or in doubt, one line each")
