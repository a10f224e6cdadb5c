"""The study file's sections on what is computed beside the barriers: energies, and rates."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from barriers.study.fields import Section, refusal, takes, unit
from barriers.study.marks import OnFile, is_equation, names_on_file

Kelvin = Annotated[float, Field(ge=50, le=2000, json_schema_extra=unit("K"))]


ReactionName = Annotated[str, OnFile("reactions", "an equation such as HF -> H + F", is_equation)]


class MoleculesSection(Section):
    """Molecules of reactions by PySCF, in the gas phase, rather than by the study's engine."""

    functional: str = Field("PBE0", description="as PySCF calls it", json_schema_extra=takes("PBE0, PBE, r2SCAN, …"))
    basis: str = Field(
        "def2-svpd", description="as PySCF calls it", json_schema_extra=takes("def2-svp, def2-svpd, def2-tzvpd, …")
    )
    dispersion: Literal["d3bj", "d4"] | None = Field("d3bj", description="dispersion; null to leave it out")


class EnergeticsSection(Section):
    """Energies beside the barriers: how fragments are bound, how Li⁺ is held beside them, the coating's reactions."""

    adsorption: bool = Field(
        True,
        description="adsorption energy of each fragment, and how strongly its surface holds Li⁺; the fragment alone is "
        "relaxed for it, and slab and interfaces by this engine where another found them",
    )
    reactions: tuple[ReactionName, ...] = Field(
        (),
        strict=False,
        description="reactions of molecules, oligomers and crystals",
        json_schema_extra=takes(f"a list of {', '.join(names_on_file('reactions'))}, or equations"),
    )
    molecules: MoleculesSection | None = Field(
        None, description="take PySCF for the reactions; left out: the study's engine"
    )


class ElectronsSection(Section):
    """Electron densities by the study's own engine: Δρ at interfaces, charges of atoms, ELF along bonds."""

    interfaces: bool = Field(True, description="of the relaxed slab and of each relaxed interface")
    bands: bool = Field(False, description="of initial state, saddle and final state of each hop too")


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
