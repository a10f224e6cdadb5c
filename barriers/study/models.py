"""The study file as pydantic models: the only door for user input.

Every field carries its description and, where it has one, its unit (``json_schema_extra={"unit": ...}``): the
commented template of ``barriers init`` and the table in the docs are generated from them
(:mod:`barriers.study.template`).
"""

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

from barriers.study.energetics import ElectronsSection, EnergeticsSection, KineticsSection
from barriers.study.engines import KINDS, Engines, EspressoSection, MlipSection, VaspSection
from barriers.study.ensemble import EnsembleSection, check_ensemble
from barriers.study.fields import Angstrom, Force, Section, Seed, StructureFile, refusal, takes, unit
from barriers.study.hops import HopSection
from barriers.study.published import PublishedSection
from barriers.study.slab import CathodeSection, SlabSection, SurfaceSection
from barriers.study.systems import FragmentSection, PlacementSection, SystemSection
from barriers.words import closest

__all__ = [
    "CathodeSection",
    "ComparisonSection",
    "ElectronsSection",
    "EndpointStudy",
    "EndpointsSection",
    "EnergeticsSection",
    "EnsembleSection",
    "EspressoSection",
    "FragmentSection",
    "HopSection",
    "KineticsSection",
    "MlipSection",
    "NebSection",
    "PathSection",
    "PlacementSection",
    "RelaxSection",
    "SlabSection",
    "Study",
    "SurfaceSection",
    "SystemSection",
    "VaspSection",
]


class RelaxSection(Section):
    """Relaxation of slab, interfaces and endpoints; the cell stays fixed."""

    fmax: Force = Field(0.03, gt=0, le=0.5, description="endpoints are relaxed to this largest force")
    rough_fmax: Force = Field(0.1, gt=0, le=1, description="placements, before the lowest is relaxed further")
    max_steps: int = Field(500, ge=1, le=100_000, description="most steps of one relaxation")


class PathSection(Section):
    """The first bands, and how many different ones are tried."""

    from_: Literal["idpp", "linear", "mlip"] = Field(
        "idpp",
        alias="from",
        description="first band: interpolated, on straight lines, or relaxed with the embedded engine, endpoints too, "
        "for an engine that is dearer; a hop that passes a tetrahedral site starts through it",
    )
    min_distance: Angstrom = Field(
        0.0, ge=0, le=3, description="a first band that brings two atoms nearer than this is refused"
    )
    n_images: int = Field(4, ge=1, le=50, description="intermediate images, endpoints not counted")
    starts: int = Field(
        2, ge=1, le=20, description="first bands tried in a system with a fragment; a bare slab has one"
    )
    displacement: Angstrom = Field(
        0.3, gt=0, le=2, description="size of the seeded displacement of the fragment in further starts"
    )
    seed: Seed = Field(0, description="seed of those displacements")


class NebSection(Section):
    """Nudged elastic band: plain until roughly converged, then climbing."""

    fmax: Force = Field(0.05, gt=0, le=0.5, description="largest force on the converged band")
    rough_fmax: Force = Field(
        0.3,
        gt=0,
        le=5,
        validate_default=True,
        description="plain band's largest force, where climbing starts; not below fmax",
    )
    max_steps: int = Field(300, ge=1, le=100_000, description="most iterations in one run; a further run continues")
    spring: float = Field(1.0, gt=0, le=100, description="spring constant", json_schema_extra=unit("eV/Å²"))
    refine: Literal["saddle"] | None = Field(
        None,
        description="search for the saddle from the climbing band once that is rough, instead of converging it all; "
        "with the embedded engine, which does so by itself where a band does not converge",
    )

    verify: bool | None = Field(
        None,
        description="look at the lowest modes of the saddle by 24 single points of a DFT engine; the embedded engine "
        "always looks, with others it is left out unless asked for",
        json_schema_extra=takes("true, false"),
    )

    @property
    def of_band(self) -> dict[str, Any]:
        """What any engine is told to converge a band with."""
        return self.model_dump(include={"fmax", "rough_fmax", "max_steps", "spring"})

    @field_validator("rough_fmax")
    @classmethod
    def _not_below_fmax(cls, rough: float, info: ValidationInfo) -> float:
        fmax = info.data.get("fmax")
        if fmax is not None and rough < fmax:
            raise refusal(rough, f"is below fmax {fmax}", f"at least {fmax}, at most 5 eV/Å")
        return rough


class ComparisonSection(Section):
    """What the last line of the report says."""

    reference: str | None = Field(
        None,
        description="system the others are compared with; the first if left out",
        json_schema_extra=takes("name of a system"),
    )
    barrier: Literal["forward", "reverse", "span"] = Field("forward", description="which barrier is compared")


StudyName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=60,
        pattern=r"^[A-Za-z0-9][\w.+@-]*$",
        description="name of the study and of its results folder",
        json_schema_extra=takes("1 to 60 letters, digits or . _ + @ -, a letter or digit first"),
    ),
]


class EngineByName(Section):
    """What all forms of a study share: an engine may be given by its name alone."""

    @field_validator("engine", mode="before", check_fields=False)
    @classmethod
    def _engine_by_name(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"kind": value}
        if not isinstance(value, dict):
            return value
        kind = value.get("kind", "mlip")
        if kind not in KINDS:
            raise refusal(kind, "is unknown", ", ".join(map(repr, KINDS)) + closest(kind, KINDS), ("kind",))
        return {**value, "kind": kind}

    @field_validator("neb", check_fields=False)
    @classmethod
    def _neb_fits_the_engine(cls, neb: NebSection, info: ValidationInfo) -> NebSection:
        if (engine := info.data.get("engine")) is None:
            return neb  # it has been refused
        of = f"engine {engine.kind}" if engine.neb == "band" else f"engine.neb {engine.neb}"
        if neb.refine is not None and of != "engine mlip":
            allowed = "null with it, or engine mlip and neb: band; neb: surrogate searches by points of any engine"
            raise refusal(neb.refine, f"is not for {of}", allowed, ("refine",))
        if neb.verify and engine.neb != "band":
            raise refusal(neb.verify, f"is not for {of}", "null with it, or neb: band", ("verify",))
        if neb.verify is False and engine.kind == "mlip":
            raise refusal(neb.verify, f"is not for {of}, which always looks", "true, null", ("verify",))
        return neb


def names_differ(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    """Refuse rows of which two have one name; those without are named later."""
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        if row.name is not None and first.setdefault(row.name, index) < index:
            raise refusal(row.name, "stands twice", "a name of its own for each", (index, "name"))
    return rows


class Study(EngineByName):
    """A cathode, a surface, systems, hops, an engine, and what to compare."""

    name: StudyName
    cathode: CathodeSection = Field(default_factory=CathodeSection, description="the bulk crystal")
    surface: SurfaceSection = Field(default_factory=SurfaceSection, description="the slab")
    slab: SlabSection | None = Field(None, description="a slab of your own, instead of cathode and surface")
    systems: tuple[SystemSection, ...] = Field(min_length=1, strict=False, description="rows of the comparison")
    hops: tuple[HopSection, ...] = Field((HopSection(),), min_length=1, strict=False, description="Li⁺ jumps")
    engine: Engines = Field(
        default_factory=MlipSection, discriminator="kind", description="what gives energies and forces"
    )
    relax: RelaxSection = Field(default_factory=RelaxSection, description="relaxations")
    path: PathSection = Field(default_factory=PathSection, description="first bands")
    neb: NebSection = Field(default_factory=NebSection, description="nudged elastic band")
    comparison: ComparisonSection = Field(default_factory=ComparisonSection, description="what is compared")
    energetics: EnergeticsSection | None = Field(None, description="energies beside the barriers")
    kinetics: KineticsSection | None = Field(None, description="attempt frequencies and rates")
    electrons: ElectronsSection | None = Field(None, description="electron densities, with engine espresso or vasp")
    ensemble: EnsembleSection | None = Field(None, description="the same over several orderings, hops and placements")
    published: PublishedSection | None = Field(None, description="values of others to set the results beside")

    @field_validator("ensemble")
    @classmethod
    def _not_of_one_slab(cls, ensemble: EnsembleSection | None, info: ValidationInfo) -> EnsembleSection | None:
        if ensemble is not None and info.data.get("slab") is not None:
            allowed = "no ensemble: the slab of a file has one ordering; a study for each file"
            raise refusal(ensemble.orderings, "stands beside slab", allowed, ("orderings",))
        return ensemble

    @field_validator("systems", "hops")
    @classmethod
    def _names_differ(cls, rows: tuple[Any, ...]) -> tuple[Any, ...]:
        return names_differ(rows)

    @field_validator("comparison")
    @classmethod
    def _reference_is_a_system(cls, comparison: ComparisonSection, info: ValidationInfo) -> ComparisonSection:
        names = [system.name for system in info.data.get("systems", ())]
        if comparison.reference is not None and names and comparison.reference not in names:
            raise refusal(comparison.reference, "is no system", names, ("reference",))
        return comparison

    @field_validator("electrons")
    @classmethod
    def _engine_gives_densities(cls, asked: ElectronsSection | None, info: ValidationInfo) -> ElectronsSection | None:
        engine = info.data.get("engine")
        if asked is not None and engine is not None and engine.kind == "mlip":
            raise refusal(engine.kind, "gives no electron densities", "engine espresso or vasp, or no electrons")
        return asked

    @field_validator("published")
    @classmethod
    def _published_of_systems(cls, published: PublishedSection | None, info: ValidationInfo) -> PublishedSection | None:
        names = [system.name for system in info.data.get("systems", ())]
        for index, value in enumerate(published.barriers if published and names else ()):
            if value.system not in names:
                raise refusal(value.system, "is no system", names, ("barriers", index, "system"))
        return published

    @field_validator("ensemble")
    @classmethod
    def _ensemble_fits(cls, ensemble: EnsembleSection | None, info: ValidationInfo) -> EnsembleSection | None:
        if ensemble is not None:
            check_ensemble(ensemble, info.data)
        return ensemble

    @model_validator(mode="before")
    @classmethod
    def _one_slab(cls, data: Any) -> Any:
        for other in ("cathode", "surface") if isinstance(data, dict) and data.get("slab") is not None else ():
            if data.get(other) is not None:
                raise refusal(other, "stands beside slab, which is a whole slab already", "one of the two", (other,))
        return data

    @model_serializer(mode="wrap")
    def _no_other_slab(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        for other in ("cathode", "surface") if self.slab is not None else ():
            data.pop(other)
        return data

    @model_validator(mode="after")
    def _has_an_engine_that_relaxes_cells(self) -> Self:
        if self.cathode.relax and self.engine.kind != "mlip":
            allowed = "false, with a, c and z that another study or a calculation of your own has relaxed"
            raise refusal(True, f"asks engine {self.engine.kind} for a cell", allowed, ("cathode", "relax"))
        return self

    @property
    def relaxes_lattice(self) -> bool:
        """Whether the engine relaxes the bulk before the slab is cut: a potential has a lattice of its own."""
        cathode, engine = self.cathode, self.engine
        if self.slab is not None:
            return False
        if cathode.relax is not None:
            return cathode.relax
        given = any(length is not None for length in (cathode.a, cathode.c, cathode.z))
        return engine.kind == "mlip" and ":" not in engine.model and not given

    @property
    def vacuum(self) -> float:
        """Empty height above a slab and what lies on it (Å); of a slab of a file once that is read."""
        if self.slab is not None and self.slab.vacuum is not None:
            return self.slab.vacuum
        return self.surface.vacuum

    @property
    def system_names(self) -> tuple[str, ...]:
        """Names of the systems in the order of the file."""
        return tuple(system.name for system in self.systems)

    @property
    def reference(self) -> str:
        """Name of the system the others are compared with."""
        return self.comparison.reference or self.systems[0].name


class EndpointsSection(Section):
    """The two ends of a hop, as structure files in any format ASE reads."""

    initial: StructureFile = Field(description="initial state, relative to the study file")
    final: StructureFile = Field(description="final state, the same atoms in the same cell")


class EndpointStudy(EngineByName):
    """The barrier between two structures."""

    name: StudyName
    endpoints: EndpointsSection = Field(description="initial and final state")
    engine: Engines = Field(
        default_factory=MlipSection, discriminator="kind", description="what gives energies and forces"
    )
    relax: RelaxSection = Field(default_factory=RelaxSection, description="relaxations")
    path: PathSection = Field(default_factory=PathSection, description="first bands")
    neb: NebSection = Field(default_factory=NebSection, description="nudged elastic band")
