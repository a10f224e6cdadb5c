"""The study file as pydantic models: the only door for user input.

Every field carries its description and, where it has one, its unit (``json_schema_extra={"unit": ...}``): the
commented template of ``barriers init`` and the table in the docs are generated from them
(:mod:`barriers.study_template`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


def unit(text: str) -> dict[str, Any]:
    """Attach a unit to a field."""
    return {"unit": text}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class CathodeSection(_Section):
    """The bulk crystal, a layered oxide LiMO2 (R-3m), and the ordering of its metals."""

    name: str = Field("NCM811", description="cathode on file: NCM811, LiNiO2, LiCoO2")
    seed: int = Field(0, ge=0, description="seed of the random ordering of the metals on their sites")
    a: float | None = Field(None, gt=2, lt=4, description="hexagonal a; on file if left out", json_schema_extra=unit("Å"))
    c: float | None = Field(None, gt=8, lt=20, description="hexagonal c; on file if left out", json_schema_extra=unit("Å"))


class SurfaceSection(_Section):
    """The slab: facet, thickness, size, vacuum and frozen layers."""

    facet: tuple[int, int, int] = Field((1, 0, 4), description="Miller indices h, k, l in the hexagonal cell")
    layers: int = Field(4, ge=2, le=20, description="atomic layers of the slab")
    frozen_layers: int = Field(2, ge=1, description="layers held fixed at the bottom")
    min_lengths: tuple[Annotated[float, Field(gt=2)], Annotated[float, Field(gt=2)]] = Field(
        (8.0, 11.0), description="least length of the two surface vectors", json_schema_extra=unit("Å")
    )
    vacuum: float = Field(
        12.0, ge=8, le=60, description="empty height above the topmost atom, fragment included", json_schema_extra=unit("Å")
    )

    @model_validator(mode="after")
    def _some_layers_move(self) -> Self:
        if self.frozen_layers > self.layers - 2:
            raise ValueError(
                f"frozen_layers {self.frozen_layers} of {self.layers} layers leaves no sub-surface layer free; "
                f"allowed: 1 to {self.layers - 2}"
            )
        if not any(self.facet):
            raise ValueError("facet (0, 0, 0) is no plane; allowed: at least one index not zero")
        return self


class FragmentSection(_Section):
    """A capped oligomer, before or after elimination."""

    polymer: str = Field(description="polymer on file: PVDF")
    units: int = Field(2, ge=1, le=12, description="repeat units, capped with hydrogen")
    eliminate: str | None = Field(None, description="molecule eliminated from the chain, e.g. HF; none if left out")


class PlacementSection(_Section):
    """Where the fragment stands on the slab."""

    mode: Literal["at a distance", "bonded"] = Field(
        "at a distance", description="held above the surface, or its C=C carbon bonded to a surface oxygen"
    )
    distance: float = Field(
        5.0,
        ge=1.5,
        le=12,
        description="at a distance: height of the fragment's lowest atom above the topmost slab atom",
        json_schema_extra=unit("Å"),
    )
    bond_length: float = Field(
        1.45, ge=1.1, le=2.2, description="bonded: first length of the C–O bond, before relaxation", json_schema_extra=unit("Å")
    )
    candidates: int = Field(
        2, ge=1, le=24, description="placements relaxed roughly; the lowest in energy goes on"
    )


class SystemSection(_Section):
    """One row of the comparison: the bare slab, or a fragment on it."""

    name: str = Field(min_length=1, max_length=40, pattern=r"^[^/\\\s]+$", description="name in tables and figures, without spaces")
    fragment: FragmentSection | None = Field(None, description="left out: the bare slab")
    placement: PlacementSection = Field(default_factory=PlacementSection, description="where the fragment stands")


class HopSection(_Section):
    """One Li⁺ jump into a vacancy, found on the bare slab and carried to every system."""

    name: str = Field("sub-surface", min_length=1, max_length=40, pattern=r"^[^/\\\s]+$", description="name in tables and figures, without spaces")
    layer: Literal["surface", "sub-surface"] = Field("sub-surface", description="atomic layer that holds both sites")
    rank: int = Field(1, ge=1, le=100, description="1 is the shortest such hop, 2 the next, and so on")


class MlipSection(_Section):
    """The embedded machine-learned potential."""

    kind: Literal["mlip"] = Field("mlip", description="engine: mlip")
    model: str = Field(
        "chgnet", description="model by name (`barriers models` lists them), or an ASE calculator as module:Class"
    )
    weights: str | None = Field(None, description="file with the model's weights, where no wheel carries them")
    allow_download: bool = Field(False, description="let the model fetch its weights from the network")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the model runs")
    workers: int | None = Field(None, ge=1, le=256, description="processes that share the images of a band; all cores if left out")


class RelaxSection(_Section):
    """Relaxation of slab, interfaces and endpoints; the cell stays fixed."""

    fmax: float = Field(0.03, gt=0, le=0.5, description="endpoints are relaxed to this largest force", json_schema_extra=unit("eV/Å"))
    rough_fmax: float = Field(
        0.1, gt=0, le=1.0, description="slab and interfaces, before a hop is made in them", json_schema_extra=unit("eV/Å")
    )
    max_steps: int = Field(500, ge=1, le=100_000, description="most steps of one relaxation")


class PathSection(_Section):
    """The first bands, and how many different ones are tried."""

    n_images: int = Field(4, ge=1, le=50, description="intermediate images, endpoints not counted")
    starts: int = Field(
        2, ge=1, le=20, description="first bands tried in a system with a fragment; a bare slab has one"
    )
    displacement: float = Field(
        0.3, gt=0, le=2, description="size of the seeded displacement of the fragment in further starts", json_schema_extra=unit("Å")
    )
    seed: int = Field(0, ge=0, description="seed of those displacements")


class NebSection(_Section):
    """Nudged elastic band: plain until roughly converged, then climbing."""

    fmax: float = Field(0.05, gt=0, le=0.5, description="largest force on the converged band", json_schema_extra=unit("eV/Å"))
    rough_fmax: float = Field(0.3, gt=0, le=5, description="plain band's largest force, where climbing starts", json_schema_extra=unit("eV/Å"))
    max_steps: int = Field(300, ge=1, le=100_000, description="most iterations in one run; a further run continues")
    spring: float = Field(1.0, gt=0, le=100, description="spring constant", json_schema_extra=unit("eV/Å²"))

    @model_validator(mode="after")
    def _rough_before_fine(self) -> Self:
        if self.rough_fmax < self.fmax:
            raise ValueError(f"rough_fmax {self.rough_fmax} is below fmax {self.fmax}; allowed: fmax or more")
        return self


class ComparisonSection(_Section):
    """What the last line of the report says."""

    reference: str | None = Field(None, description="system the others are compared with; the first if left out")
    barrier: Literal["forward", "reverse", "span"] = Field("forward", description="which barrier is compared")


class Study(_Section):
    """A cathode, a surface, systems, hops, an engine, and what to compare."""

    name: str = Field(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9][\w.+@-]*$", description="name of the study and of its results folder")
    cathode: CathodeSection = Field(default_factory=CathodeSection, description="the bulk crystal")
    surface: SurfaceSection = Field(default_factory=SurfaceSection, description="the slab")
    systems: tuple[SystemSection, ...] = Field(min_length=1, description="rows of the comparison")
    hops: tuple[HopSection, ...] = Field((HopSection(),), min_length=1, description="Li⁺ jumps")
    engine: MlipSection = Field(default_factory=MlipSection, description="what gives energies and forces")
    relax: RelaxSection = Field(default_factory=RelaxSection, description="relaxations")
    path: PathSection = Field(default_factory=PathSection, description="first bands")
    neb: NebSection = Field(default_factory=NebSection, description="nudged elastic band")
    comparison: ComparisonSection = Field(default_factory=ComparisonSection, description="what is compared")

    @field_validator("engine", mode="before")
    @classmethod
    def _engine_by_name(cls, value: Any) -> Any:  # noqa: ANN401
        return {"kind": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _names_match(self) -> Self:
        for what, names in (("systems", self.system_names), ("hops", tuple(hop.name for hop in self.hops))):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what}: name {twice[0]!r} stands twice; allowed: a name of its own for each")
        reference = self.comparison.reference
        if reference is not None and reference not in self.system_names:
            raise ValueError(
                f"comparison.reference: {reference!r} is no system; allowed: {', '.join(self.system_names)}"
            )
        return self

    @property
    def system_names(self) -> tuple[str, ...]:
        """Names of the systems in the order of the file."""
        return tuple(system.name for system in self.systems)

    @property
    def reference(self) -> str:
        """Name of the system the others are compared with."""
        return self.comparison.reference or self.systems[0].name
