"""The study file as pydantic models: the only door for user input.

Every field carries its description and, where it has one, its unit (``json_schema_extra={"unit": ...}``): the
commented template of ``barriers init`` and the table in the docs are generated from them
(:mod:`barriers.study_template`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from barriers.study_fields import OnFile, eliminations, refusal, takes, unit

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]
Miller = Annotated[int, Field(ge=-9, le=9)]
Angstrom = Annotated[float, Field(json_schema_extra=unit("Å"))]
Force = Annotated[float, Field(json_schema_extra=unit("eV/Å"))]
Length = Annotated[float, Field(gt=2, le=60)]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        pattern=r"^[^/\\\s\p{C}]+$",
        description="name in tables and figures",
        json_schema_extra=takes("1 to 40 characters without spaces, / or \\"),
    ),
]


class _Section(BaseModel):
    # Strict: a quoted "4" or a `true` is no number. Lists of a fixed length are open to Python's lists and tuples.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class CathodeSection(_Section):
    """The bulk crystal, a layered oxide LiMO2 (R-3m), and the ordering of its metals."""

    name: Annotated[str, OnFile("cathodes")] = Field("NCM811", description="cathode on file")
    seed: Seed = Field(0, description="seed of the random ordering of the metals on their sites")
    a: float | None = Field(
        None, gt=2, lt=4, description="hexagonal a; on file if left out", json_schema_extra=unit("Å")
    )
    c: float | None = Field(
        None, gt=8, lt=20, description="hexagonal c; on file if left out", json_schema_extra=unit("Å")
    )


class SurfaceSection(_Section):
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
    vacuum: Angstrom = Field(
        12.0, ge=8, le=60, description="empty height above the topmost atom, fragment included"
    )

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
            raise refusal(
                frozen, f"of {layers} layers leaves no sub-surface layer free", f"1 to {layers - 2}"
            )
        return frozen


class FragmentSection(_Section):
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


class PlacementSection(_Section):
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
    candidates: int = Field(
        2, ge=1, le=24, description="placements relaxed roughly; the lowest in energy goes on"
    )


class SystemSection(_Section):
    """One row of the comparison: the bare slab, or a fragment on it."""

    name: Name
    fragment: FragmentSection | None = Field(None, description="left out: the bare slab")
    placement: PlacementSection = Field(
        default_factory=PlacementSection, description="where the fragment stands"
    )

    @model_validator(mode="after")
    def _placement_fits(self) -> Self:
        if self.fragment is None and "placement" in self.model_fields_set:
            raise refusal(
                "placement", "without a fragment", "a fragment beside it, or neither", ("placement",)
            )
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


class HopSection(_Section):
    """One Li⁺ jump into a vacancy, found on the bare slab and carried to every system."""

    name: Name = "sub-surface"
    layer: Literal["surface", "sub-surface"] = Field(
        "sub-surface", description="atomic layer that holds both sites"
    )
    rank: int = Field(1, ge=1, le=100, description="1 is the shortest such hop, 2 the next, and so on")


class MlipSection(_Section):
    """The embedded machine-learned potential."""

    kind: Literal["mlip"] = Field("mlip", description="engine")
    model: Annotated[str, OnFile("models", or_class=True)] = Field(
        "chgnet", description="model by name, or an ASE calculator; `barriers models` tells about them"
    )
    weights: str | None = Field(
        None,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$",
        description="file with the model's weights, where no wheel carries them",
        json_schema_extra=takes("a path"),
    )
    allow_download: bool = Field(False, description="let the model fetch its weights from the network")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the model runs")
    workers: int | None = Field(
        None, ge=1, le=256, description="processes that share the images of a band; all cores if left out"
    )


class RelaxSection(_Section):
    """Relaxation of slab, interfaces and endpoints; the cell stays fixed."""

    fmax: Force = Field(0.03, gt=0, le=0.5, description="endpoints are relaxed to this largest force")
    rough_fmax: Force = Field(
        0.1, gt=0, le=1, description="slab and interfaces, before a hop is made in them"
    )
    max_steps: int = Field(500, ge=1, le=100_000, description="most steps of one relaxation")


class PathSection(_Section):
    """The first bands, and how many different ones are tried."""

    n_images: int = Field(4, ge=1, le=50, description="intermediate images, endpoints not counted")
    starts: int = Field(
        2, ge=1, le=20, description="first bands tried in a system with a fragment; a bare slab has one"
    )
    displacement: Angstrom = Field(
        0.3, gt=0, le=2, description="size of the seeded displacement of the fragment in further starts"
    )
    seed: Seed = Field(0, description="seed of those displacements")


class NebSection(_Section):
    """Nudged elastic band: plain until roughly converged, then climbing."""

    fmax: Force = Field(0.05, gt=0, le=0.5, description="largest force on the converged band")
    rough_fmax: Force = Field(
        0.3,
        gt=0,
        le=5,
        validate_default=True,
        description="plain band's largest force, where climbing starts; not below fmax",
    )
    max_steps: int = Field(
        300, ge=1, le=100_000, description="most iterations in one run; a further run continues"
    )
    spring: float = Field(1.0, gt=0, le=100, description="spring constant", json_schema_extra=unit("eV/Å²"))

    @field_validator("rough_fmax")
    @classmethod
    def _not_below_fmax(cls, rough: float, info: ValidationInfo) -> float:
        fmax = info.data.get("fmax")
        if fmax is not None and rough < fmax:
            raise refusal(rough, f"is below fmax {fmax}", f"at least {fmax}, at most 5 eV/Å")
        return rough


class ComparisonSection(_Section):
    """What the last line of the report says."""

    reference: str | None = Field(
        None,
        description="system the others are compared with; the first if left out",
        json_schema_extra=takes("name of a system"),
    )
    barrier: Literal["forward", "reverse", "span"] = Field("forward", description="which barrier is compared")


class Study(_Section):
    """A cathode, a surface, systems, hops, an engine, and what to compare."""

    name: str = Field(
        min_length=1,
        max_length=60,
        pattern=r"^[A-Za-z0-9][\w.+@-]*$",
        description="name of the study and of its results folder",
        json_schema_extra=takes("1 to 60 letters, digits or . _ + @ -, a letter or digit first"),
    )
    cathode: CathodeSection = Field(default_factory=CathodeSection, description="the bulk crystal")
    surface: SurfaceSection = Field(default_factory=SurfaceSection, description="the slab")
    systems: tuple[SystemSection, ...] = Field(
        min_length=1, strict=False, description="rows of the comparison"
    )
    hops: tuple[HopSection, ...] = Field((HopSection(),), min_length=1, strict=False, description="Li⁺ jumps")
    engine: MlipSection = Field(default_factory=MlipSection, description="what gives energies and forces")
    relax: RelaxSection = Field(default_factory=RelaxSection, description="relaxations")
    path: PathSection = Field(default_factory=PathSection, description="first bands")
    neb: NebSection = Field(default_factory=NebSection, description="nudged elastic band")
    comparison: ComparisonSection = Field(default_factory=ComparisonSection, description="what is compared")

    @field_validator("engine", mode="before")
    @classmethod
    def _engine_by_name(cls, value: Any) -> Any:  # noqa: ANN401
        return {"kind": value} if isinstance(value, str) else value

    @field_validator("systems", "hops")
    @classmethod
    def _names_differ(cls, rows: tuple[Any, ...]) -> tuple[Any, ...]:
        names = [row.name for row in rows]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise refusal(name, "stands twice", "a name of its own for each", (index, "name"))
        return rows

    @field_validator("comparison")
    @classmethod
    def _reference_is_a_system(cls, comparison: ComparisonSection, info: ValidationInfo) -> ComparisonSection:
        names = [system.name for system in info.data.get("systems", ())]
        if comparison.reference is not None and names and comparison.reference not in names:
            raise refusal(comparison.reference, "is no system", names, ("reference",))
        return comparison

    @property
    def system_names(self) -> tuple[str, ...]:
        """Names of the systems in the order of the file."""
        return tuple(system.name for system in self.systems)

    @property
    def reference(self) -> str:
        """Name of the system the others are compared with."""
        return self.comparison.reference or self.systems[0].name
