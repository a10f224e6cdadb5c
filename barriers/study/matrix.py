"""The study file's sections on polymer matrices: chains and salt in periodic boxes."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from barriers.study.fields import Name, Section, Seed, refusal, takes, unit
from barriers.study.marks import OnFile, eliminations
from barriers.study.systems import POLYMERS

SALTS = OnFile("salts")

Kelvin = Annotated[float, Field(ge=100, le=2000)]

ELIMINATION = takes("an elimination of the polymer, e.g. HF of PVDF")


def _is_an_elimination(polymer: str | None, molecule: str | None) -> None:
    if polymer is not None and molecule is not None and "*" not in polymer and molecule not in eliminations(polymer):
        raise refusal(molecule, f"is no elimination of {polymer}", eliminations(polymer) or "none", ("eliminate",))


class MatrixSection(Section):
    """What the boxes of all systems have in common, and what a system has that does not say otherwise."""

    polymer: Annotated[str, POLYMERS] = Field(
        "PVDF", description="polymer on file, or its repeat unit", json_schema_extra=takes(POLYMERS.takes())
    )
    units: int = Field(20, ge=2, le=200, description="repeat units of a chain")
    chains: int = Field(20, ge=1, le=500, description="chains of a box")
    eliminate: str | None = Field(
        None, description="molecule that the chains have lost; none if left out", json_schema_extra=ELIMINATION
    )
    fraction: float | None = Field(
        None,
        gt=0,
        le=1,
        description="share of the places of each chain that lost it, drawn for each chain; all if left out",
    )
    tacticity: Literal["isotactic", "syndiotactic", "atactic"] | None = Field(
        None, description="order of the chiral centres along the chains; atactic if left out, where there are any"
    )
    stereo: Literal["trans", "cis", "E", "Z"] = Field("trans", description="the chain across each C=C made")
    salt: Annotated[str, SALTS] = Field("LiFSI", description="salt", json_schema_extra=takes(SALTS.takes()))
    ratio: float = Field(10.0, ge=1, le=1000, description="repeat units for each formula unit of salt: EO:Li of PEO")
    charge_scale: float = Field(
        0.75,
        gt=0,
        le=1,
        description="factor on the charges of the salt between molecules, for the polarisation that is missing",
    )
    density: float = Field(
        0.5, gt=0, le=3, description="that boxes are packed at, before any run", json_schema_extra=unit("g/cm³")
    )
    temperature: tuple[Kelvin, ...] = Field(
        (600.0,), min_length=1, strict=False, description="temperatures", json_schema_extra=unit("K")
    )
    boxes: int = Field(3, ge=1, le=100, description="independently built boxes of each system")
    seed: Seed = Field(0, description="seed of chains, coils and packing")

    @field_validator("temperature", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("temperature")
    @classmethod
    def _each_once(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        for index, value in enumerate(values):
            if value in values[:index]:
                raise refusal(value, "stands twice", "each temperature once", (index,))
        return values

    @model_validator(mode="after")
    def _eliminations_fit(self) -> Self:
        _is_an_elimination(self.polymer, self.eliminate)
        return self


class MatrixSystemSection(Section):
    """A row of the comparison: what it leaves out is as in ``matrix``."""

    name: Name
    polymer: Annotated[str, POLYMERS] | None = Field(
        None, description="another polymer", json_schema_extra=takes(POLYMERS.takes())
    )
    eliminate: str | None = Field(None, description="molecule that its chains have lost", json_schema_extra=ELIMINATION)
    fraction: float | None = Field(None, gt=0, le=1, description="share of the places of each chain that lost it")

    @field_validator("eliminate")
    @classmethod
    def _of_its_polymer(cls, molecule: str | None, info: ValidationInfo) -> str | None:
        _is_an_elimination(info.data.get("polymer"), molecule)
        return molecule
