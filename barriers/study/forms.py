"""The forms that a study file has: of slabs, of a crystal, of two structures, of polymer matrices."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from barriers.study.crystal import CrystalHopSection, CrystalSection
from barriers.study.dynamics import DynamicsSection
from barriers.study.energetics import KineticsSection
from barriers.study.engines import Engines, MlipSection
from barriers.study.fields import Section, refusal
from barriers.study.marks import eliminations
from barriers.study.matrix import MatrixSection, MatrixSystemSection
from barriers.study.models import (
    EndpointStudy,
    EngineByName,
    NebSection,
    PathSection,
    RelaxSection,
    Study,
    StudyName,
    names_differ,
)
from barriers.study.network import NetworkSection
from barriers.study.systems import SystemSection


class CrystalStudy(EngineByName):
    """A crystal, an ion, and the hops of its vacancies."""

    # What a study of slabs may ask for besides, and one of a crystal does not.
    energetics: ClassVar[None] = None
    electrons: ClassVar[None] = None
    published: ClassVar[None] = None

    name: StudyName
    crystal: CrystalSection = Field(description="the bulk crystal and the ion that moves")
    hops: tuple[CrystalHopSection, ...] | None = Field(
        None, min_length=1, strict=False, description="jumps of the ion; every distinct one of a vacancy if left out"
    )
    engine: Engines = Field(
        default_factory=MlipSection, discriminator="kind", description="what gives energies and forces"
    )
    relax: RelaxSection = Field(default_factory=RelaxSection, description="relaxations")
    path: PathSection = Field(default_factory=PathSection, description="first bands")
    neb: NebSection = Field(default_factory=NebSection, description="nudged elastic band")
    kinetics: KineticsSection | None = Field(None, description="attempt frequencies and rates")
    network: NetworkSection | None = Field(
        None, description="what the hops make together; as below where every distinct one is computed"
    )

    @field_validator("hops")
    @classmethod
    def _names_differ(cls, hops: tuple[CrystalHopSection, ...] | None) -> tuple[CrystalHopSection, ...] | None:
        return None if hops is None else names_differ(hops)

    @model_validator(mode="after")
    def _has_an_engine_that_can(self) -> Self:
        if self.crystal.relax and self.engine.kind != "mlip":
            allowed = "false, with a file that another study or a calculation of your own has relaxed"
            raise refusal(True, f"asks engine {self.engine.kind} for a cell", allowed, ("crystal", "relax"))
        if self.crystal.charge and self.engine.kind == "vasp":
            allowed = "0, and NELECT in engine.incar"
            raise refusal(self.crystal.charge, "is not handed to engine vasp", allowed, ("crystal", "charge"))
        return self

    @property
    def relaxes_lattice(self) -> bool:
        """Whether the engine relaxes cell and ions before the supercell is made."""
        if self.crystal.relax is not None:
            return self.crystal.relax
        return self.engine.kind == "mlip" and ":" not in self.engine.model

    @property
    def asked_network(self) -> NetworkSection | None:
        """What is asked of the network; None where single hops are and nothing of it."""
        return self.network or (NetworkSection() if self.hops is None else None)

    @property
    def systems(self) -> tuple[SystemSection, ...]:
        """The one row of the comparison, once the crystal has a name."""
        return (SystemSection(name=self.crystal.name or "crystal"),)


class MatrixStudy(Section):
    """Polymer matrices with salt, side by side. It has no barriers."""

    name: StudyName
    matrix: MatrixSection = Field(description="what the boxes of all systems are made of")
    systems: tuple[MatrixSystemSection, ...] = Field(
        (),
        strict=False,
        description="rows of the comparison, each with what it has of its own; one, as in matrix, if left out",
    )
    dynamics: DynamicsSection = Field(default_factory=DynamicsSection, description="molecular dynamics of each box")

    @field_validator("systems")
    @classmethod
    def _names_differ(cls, rows: tuple[MatrixSystemSection, ...]) -> tuple[MatrixSystemSection, ...]:
        return names_differ(rows)

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        for index, row in enumerate(self.systems):
            own, shared = row.eliminate, self.matrix.eliminate
            polymer, asked = row.polymer or self.matrix.polymer, own or shared
            at: tuple[str | int, ...] = ("systems", index, "eliminate") if own else ("matrix", "eliminate")
            if asked is not None and "*" not in polymer and asked not in eliminations(polymer):
                raise refusal(asked, f"is no elimination of {polymer}", eliminations(polymer) or "none", at)
            if row.fraction is not None and asked is None:
                raise refusal(
                    row.fraction, "eliminates nothing", "fraction beside eliminate", ("systems", index, "fraction")
                )
        if not self.systems and self.matrix.fraction is not None and self.matrix.eliminate is None:
            at = ("matrix", "fraction")
            raise refusal(self.matrix.fraction, "eliminates nothing", "fraction beside eliminate", at)
        return self


AnyStudy = Study | EndpointStudy | CrystalStudy

FORMS: dict[str, type[Section]] = {"endpoints": EndpointStudy, "crystal": CrystalStudy, "matrix": MatrixStudy}
"""Forms by the key that only they have; any other file is a :class:`~barriers.study.models.Study`."""


def form_of(content: Any) -> type[Any]:
    """Say which form a file has."""
    keys = content if isinstance(content, dict) else ()
    return next((form for key, form in FORMS.items() if key in keys), Study)
