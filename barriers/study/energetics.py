"""The study file's sections on what is computed beside the barriers: energies, and rates."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from barriers.structures.polymer.reactions import known_reactions
from barriers.study.fields import Section, refusal, takes, unit

Kelvin = Annotated[float, Field(ge=50, le=2000, json_schema_extra=unit("K"))]


class EnergeticsSection(Section):
    """Energies beside the barriers: how a fragment is bound, how Li⁺ is held beside it, what the coating gives off."""

    adsorption: bool = Field(
        True,
        description="adsorption energy of each fragment, and how strongly its surface holds Li⁺; the fragment alone is "
        "relaxed for it, and slab and interfaces by this engine where another found them",
    )
    reactions: tuple[str, ...] = Field(
        (),
        strict=False,
        description="reactions of the coating, by molecules and oligomers alone",
        json_schema_extra=takes("a list of " + ", ".join(known_reactions())),
    )

    @field_validator("reactions")
    @classmethod
    def _are_on_file(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for index, name in enumerate(names):
            if name not in known_reactions():
                raise refusal(name, "is not on file", list(known_reactions()), (index,))
        return names


class KineticsSection(Section):
    """Rates: the attempt frequency of each hop, from 12 single points around its initial state and its saddle."""

    temperatures: tuple[Kelvin, ...] = Field(
        (300.0,),
        min_length=1,
        strict=False,
        description="temperatures of rates and diffusion coefficients",
        json_schema_extra=takes("a list of numbers from 50 to 2000"),
    )
    directions: int | None = Field(
        None, ge=2, le=12, description="for D: sites that the ion can jump to with this barrier, 6 in a bulk layer"
    )
    dimensions: int | None = Field(
        None, ge=1, le=3, description="for D: dimensions of the network of such sites, 2 in a layer"
    )

    @model_validator(mode="after")
    def _network_is_whole(self) -> Self:
        if (self.directions is None) != (self.dimensions is None):
            given, lacking = ("dimensions", "directions") if self.directions is None else ("directions", "dimensions")
            raise refusal(getattr(self, given), f"stands without {lacking}", "both, or none and no D", (given,))
        if self.directions and self.dimensions and self.directions <= self.dimensions:
            allowed = f"at least {self.dimensions + 1}"
            raise refusal(self.directions, f"is too few for {self.dimensions} dimensions", allowed, ("directions",))
        return self
