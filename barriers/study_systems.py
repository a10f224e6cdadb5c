"""The study file's sections on atoms: cathode, surface, systems and hops."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from barriers.study_fields import Angstrom, Section, Seed, refusal, takes, unit
from barriers.study_marks import OnFile, eliminations

Miller = Annotated[int, Field(ge=-9, le=9)]
Length = Annotated[float, Field(gt=2, le=60, json_schema_extra=unit("Å"))]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=r"^[^/\\\s\p{C}]+$",
        description="name in tables and figures",
        json_schema_extra=takes("1 to 40 characters, no spaces or slashes"),
    ),
]


class CathodeSection(Section):
    """The bulk crystal, a layered oxide LiMO2 (R-3m), and the ordering of its metals."""

    name: Annotated[str, OnFile("cathodes")] = Field("NCM811", description="cathode on file")
    seed: Seed = Field(0, description="seed of the random ordering of the metals on their sites")
    a: float | None = Field(
        None, gt=2, lt=4, description="hexagonal a; on file if left out", json_schema_extra=unit("Å")
    )
    c: float | None = Field(
        None, gt=8, lt=20, description="hexagonal c; on file if left out", json_schema_extra=unit("Å")
    )


class SurfaceSection(Section):
    """The slab: facet, thickness, size, vacuum and frozen layers."""

    facet: tuple[Miller, Miller, Miller] = Field(
        (1, 0, 4), strict=False, description="Miller indices h, k, l in the hexagonal cell"
    )
    layers: int = Field(4, ge=3, le=20, description="atomic layers of the slab")
    frozen_layers: int = Field(
        2,
        ge=1,
        le=18,
        validate_default=True,
        description="layers held fixed at the bottom; two or more stay free",
    )
    min_lengths: tuple[Length, Length] = Field(
        (8.0, 11.0),
        strict=False,
        description="least length of the two surface vectors",
        json_schema_extra=unit("Å"),
    )
    vacuum: Angstrom = Field(12.0, ge=8, le=60, description="empty height above the topmost atom, fragment included")

    @field_validator("facet")
    @classmethod
    def _is_a_plane(cls, facet: tuple[int, int, int]) -> tuple[int, int, int]:
        if not any(facet):
            raise refusal(list(facet), "is no plane", "at least one index that is not 0")
        return facet

    @field_validator("frozen_layers")
    @classmethod
    def _sub_surface_moves(cls, frozen: int, info: ValidationInfo) -> int:
        layers = info.data.get("layers")
        if layers is not None and frozen > layers - 2:
            raise refusal(frozen, f"of {layers} layers leaves no sub-surface free", f"at most {layers - 2}")
        return frozen


class FragmentSection(Section):
    """A capped oligomer, before or after elimination."""

    polymer: Annotated[str, OnFile("polymers")] = Field(description="polymer on file")
    units: int = Field(2, ge=1, le=12, description="repeat units, capped with hydrogen")
    eliminate: str | None = Field(
        None,
        description="molecule eliminated from the chain; none if left out",
        json_schema_extra=takes("an elimination of the polymer, e.g. HF of PVDF"),
    )

    @field_validator("eliminate")
    @classmethod
    def _is_an_elimination(cls, molecule: str | None, info: ValidationInfo) -> str | None:
        polymer = info.data.get("polymer")
        if polymer is not None and molecule is not None and molecule not in eliminations(polymer):
            raise refusal(molecule, f"is no elimination of {polymer}", eliminations(polymer))
        return molecule


class PlacementSection(Section):
    """Where the fragment stands on the slab."""

    mode: Literal["at a distance", "bonded"] = Field(
        "at a distance", description="held above the surface, or its C=C carbon bonded to a surface oxygen"
    )
    distance: Angstrom = Field(
        5.0,
        ge=1.5,
        le=12,
        description="at a distance: height of the fragment's lowest atom above the topmost slab atom",
    )
    bond_length: Angstrom = Field(
        1.45, ge=1.1, le=2.2, description="bonded: first length of the C–O bond, before relaxation"
    )
    candidates: int = Field(2, ge=1, le=24, description="placements relaxed roughly; the lowest in energy goes on")


class SystemSection(Section):
    """One row of the comparison: the bare slab, or a fragment on it."""

    name: Name
    fragment: FragmentSection | None = Field(None, description="left out: the bare slab")
    placement: PlacementSection = Field(default_factory=PlacementSection, description="where the fragment stands")

    @model_validator(mode="after")
    def _placement_fits(self) -> Self:
        if self.fragment is None and "placement" in self.model_fields_set:
            allowed = "a fragment in the same system, or no placement"
            raise refusal(self.placement.mode, "places no fragment", allowed, ("placement",))
        if self.placement.mode == "bonded" and self.fragment and self.fragment.eliminate is None:
            modes = "'at a distance'; 'bonded' with fragment.eliminate, which makes the C=C"
            raise refusal("bonded", "needs a fragment with a C=C", modes, ("placement", "mode"))
        return self

    @model_serializer(mode="wrap")
    def _bare_slab_has_no_placement(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        if self.fragment is None:
            data.pop("placement", None)
        return data


class HopSection(Section):
    """One Li⁺ jump into a vacancy, found on the bare slab and carried to every system."""

    name: Name = "sub-surface"
    layer: Literal["surface", "sub-surface"] = Field("sub-surface", description="atomic layer that holds both sites")
    rank: int = Field(1, ge=1, le=100, description="1 is the shortest such hop, 2 the next, and so on")
