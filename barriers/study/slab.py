"""The study file's sections on the slab: cathode and surface."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from barriers.structures.cathode.names import ALIASES
from barriers.study.fields import Angstrom, Section, Seed, StructureFile, refusal, takes, unit
from barriers.study.marks import OnFile, is_formula

Miller = Annotated[int, Field(ge=-9, le=9)]
A_FORMULA = "a formula such as LiNi0.7Co0.2Mn0.1O2; other crystals by crystal: {file: …}"
Length = Annotated[float, Field(gt=2, le=60, json_schema_extra=unit("Å"))]


class CathodeSection(Section):
    """The bulk crystal, a layered oxide LiMO2 (R-3m), and the ordering of its metals."""

    name: Annotated[str, OnFile("cathodes", A_FORMULA, is_formula)] = Field(
        "NCM811", description="cathode on file, or its formula"
    )
    file: str | None = Field(
        None,
        description="CIF of the crystal, instead of the name; its metals are ordered anew",
        json_schema_extra=takes("a path"),
    )
    ordering: Literal["random", "sqs", "ewald"] = Field(
        "random", description="of the metals: random, quasi-random, or lowest in electrostatic energy of the samples"
    )
    samples: int = Field(100, ge=1, le=10_000, description="orderings that sqs or ewald chooses from")
    seed: Seed = Field(0, description="seed of the ordering, of the antisites and of the lithium taken out")
    tolerance: float = Field(
        0.05, ge=0, le=1, description="an element's fraction may differ by this much from the composition asked for"
    )
    antisites: float = Field(0.0, ge=0, le=0.5, description="fraction of the Li sites exchanged with Ni")
    lithium: float = Field(1.0, gt=0, le=1, description="x in LixMO2")
    a: float | None = Field(
        None,
        gt=2,
        lt=4,
        description="hexagonal a; on file, or by Vegard's rule, if left out",
        json_schema_extra=unit("Å"),
    )
    c: float | None = Field(
        None,
        gt=8,
        lt=20,
        description="hexagonal c; on file, or by Vegard's rule, if left out",
        json_schema_extra=unit("Å"),
    )

    z: float | None = Field(
        None, gt=0.2, lt=0.3, description="height of oxygen in c; on file, or by Vegard's rule, if left out"
    )
    relax: bool | None = Field(
        None,
        description="relax lattice and ions of the bulk with the study's engine before the slab is cut; if left out, "
        "where the engine is a model on file and a, c and z are left out too",
    )

    @field_validator("name", mode="before")
    @classmethod
    def _by_its_name_on_file(cls, name: Any) -> Any:
        return ALIASES.get(name, name) if isinstance(name, str) else name

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key in ("name", "a", "c", "z") if getattr(self, key) != type(self).model_fields[key].default]
        if self.file is not None and given:
            raise refusal(self.file, f"stands beside {given[0]}", "a file alone, or a name", ("file",))
        return self


class SurfaceSection(Section):
    """The slab: facet, termination, thickness, size, vacuum and frozen layers."""

    facet: tuple[Miller, Miller, Miller] = Field(
        (1, 0, 4), strict=False, description="Miller indices h, k, l in the hexagonal cell"
    )
    termination: str | None = Field(
        None,
        description="label of the termination; the non-polar one with the fewest broken bonds if left out",
        json_schema_extra=takes("a label that `barriers check` lists"),
    )
    polar: Literal["move", "hydroxyl", "fluorine", "keep"] = Field(
        "move",
        description="what is done about a polar termination: half of its ions moved to the other face, "
        "a cap of OH or F, or nothing",
    )
    symmetric: bool = Field(False, description="both faces with the same termination")
    frozen: Literal["bottom", "core", "none"] | None = Field(
        None,
        description="layers that are held: the lowest; the middle ones, so that both faces relax; or none; "
        "if left out, the core of a symmetric slab and the bottom of any other",
    )
    layers: int = Field(5, ge=3, le=20, description="atomic layers of the slab")
    frozen_layers: int = Field(
        2,
        ge=1,
        le=18,
        validate_default=True,
        description="number of layers held fixed; two or more stay free",
    )
    frozen_thickness: Angstrom | None = Field(
        None, gt=0, le=60, description="instead of frozen_layers: thickness of the part that is held"
    )
    min_lengths: tuple[Length, Length] = Field(
        (8.0, 11.0),
        strict=False,
        description="least length of the two surface vectors",
        json_schema_extra=unit("Å"),
    )
    vacuum: Angstrom = Field(12.0, ge=8, le=60, description="empty height above the topmost atom, fragment included")
    rattle: Angstrom = Field(
        0.0,
        ge=0,
        le=0.2,
        description="seeded displacement of the free atoms, which breaks a perfect crystal's symmetry",
    )

    @property
    def has_core(self) -> bool:
        """Whether the middle of the slab is held, so that both faces relax."""
        return self.frozen == "core" or (self.frozen is None and self.symmetric)

    @field_validator("facet")
    @classmethod
    def _is_a_plane(cls, facet: tuple[int, int, int]) -> tuple[int, int, int]:
        if not any(facet):
            raise refusal(list(facet), "is no plane", "at least one index that is not 0")
        return facet

    @field_validator("frozen")
    @classmethod
    def _faces_relax_alike(cls, frozen: str | None, info: ValidationInfo) -> str | None:
        if frozen == "bottom" and info.data.get("symmetric"):
            raise refusal(frozen, "stands beside symmetric: true, whose faces relax alike", ("core", "none"))
        return frozen

    @field_validator("frozen_thickness")
    @classmethod
    def _of_something_held(cls, thickness: float | None, info: ValidationInfo) -> float | None:
        if thickness is not None and info.data.get("frozen") == "none":
            raise refusal(thickness, "stands beside frozen: none", "one of the two")
        return thickness

    @field_validator("frozen_layers")
    @classmethod
    def _sub_surface_moves(cls, frozen: int, info: ValidationInfo) -> int:
        layers = info.data.get("layers")
        if layers is not None and frozen > layers - 2:
            raise refusal(frozen, f"of {layers} layers leaves no sub-surface free", f"at most {layers - 2}")
        return frozen


class SlabSection(Section):
    """A slab of your own, instead of cathode and surface: its atoms and the order of its metals are kept."""

    file: StructureFile = Field(description="the slab, relative to the study file: POSCAR, CIF, extended XYZ, ...")
    frozen: Literal["file", "bottom", "core", "none"] | None = Field(
        None,
        description="atoms that are held: those of the file, the lowest layers, the middle ones, or none; if left out, "
        "those of the file, and where it holds none the bottom",
    )
    frozen_layers: int | None = Field(
        None, ge=1, le=40, description="number of layers held at the bottom or in the core, each a plane of Li"
    )
    frozen_thickness: Angstrom | None = Field(
        None, gt=0, le=60, description="instead of frozen_layers: thickness of that part; 0.4 of the slab if left out"
    )
    vacuum: Angstrom | None = Field(
        None,
        ge=8,
        le=60,
        description="empty height above the topmost atom, fragment included; that of the file if left out",
    )

    @model_validator(mode="after")
    def _one_way_to_hold(self) -> Self:
        given = [name for name in ("frozen_layers", "frozen_thickness") if getattr(self, name) is not None]
        if not given:
            return self
        if len(given) == 2:
            raise refusal(self.frozen_thickness, "stands beside frozen_layers", "one of the two", ("frozen_thickness",))
        if self.frozen not in ("bottom", "core"):
            words = f"stands beside frozen: {self.frozen or 'left out'}"
            raise refusal(getattr(self, given[0]), words, "with frozen: bottom or core", (given[0],))
        return self
