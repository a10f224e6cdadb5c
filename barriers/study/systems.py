"""The study file's sections on systems: fragment, placement and the row they make."""

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

from barriers.study.fields import Angstrom, Name, Section, Seed, StructureFile, refusal, takes, unit
from barriers.study.marks import OnFile, eliminations, is_repeat_unit

Place = Annotated[int, Field(ge=1, le=24)]
Element = Annotated[
    str, Field(pattern=r"^[A-Z][a-z]?$", description="element", json_schema_extra=takes("an element, e.g. O"))
]

POLYMERS = OnFile("polymers", "a repeat unit as SMILES such as [*]CC[*]", is_repeat_unit)


class FragmentSection(Section):
    """A capped oligomer, before or after elimination; or a molecule of your own."""

    polymer: Annotated[str, POLYMERS] | None = Field(
        None, description="polymer on file, or its repeat unit", json_schema_extra=takes(POLYMERS.takes())
    )
    smiles: str | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="instead of polymer: one neutral molecule as SMILES; seed and conformer shape it",
        json_schema_extra=takes("SMILES, e.g. O=C1OCCO1"),
    )
    file: StructureFile | None = Field(
        None,
        description="instead of polymer: a neutral molecule in the shape of a structure file such as XYZ",
        json_schema_extra=takes("a path"),
    )
    units: int = Field(2, ge=1, le=12, description="repeat units")
    caps: Literal["H", "CH3"] = Field("H", description="what closes the two ends")
    eliminate: str | None = Field(
        None,
        description="molecule eliminated from the chain; none if left out",
        json_schema_extra=takes("an elimination of the polymer, e.g. HF of PVDF"),
    )
    everywhere: bool = Field(False, description="eliminate at every place that can, rather than once in the middle")
    positions: tuple[Place, ...] | None = Field(
        None,
        min_length=1,
        strict=False,
        description="bonds of the backbone that become C=C, 1 between its first two atoms",
        json_schema_extra=takes("a list of whole numbers from 1 to 24"),
    )
    stereo: Literal["trans", "cis", "E", "Z"] = Field(
        "trans", description="the chain across each C=C made: trans or cis, or the label E or Z of the double bond"
    )
    conformer: Literal["embedded", "lowest", "alpha", "beta", "gamma"] = Field(
        "embedded",
        description="shape of the chain: one seeded conformer, the lowest of several, or a crystal form of the polymer",
    )
    tacticity: Literal["isotactic", "syndiotactic", "atactic"] = Field(
        "isotactic", description="order of the chiral centres along the chain, where the repeat unit has one"
    )
    seed: Seed = Field(0, description="seed of the conformer and of atactic centres")

    @field_validator("eliminate")
    @classmethod
    def _is_an_elimination(cls, molecule: str | None, info: ValidationInfo) -> str | None:
        polymer = info.data.get("polymer")
        if polymer is not None and molecule is not None and molecule not in eliminations(polymer):
            raise refusal(molecule, f"is no elimination of {polymer}", eliminations(polymer) or "none")
        return molecule

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [name for name in ("polymer", "smiles", "file") if getattr(self, name) is not None]
        if not given:
            raise refusal(None, "makes no fragment", "polymer, smiles or file", ())
        if len(given) > 1:
            raise refusal(getattr(self, given[1]), f"stands beside {given[0]}", "one of the two", (given[1],))
        taken = {"polymer": set(type(self).model_fields), "smiles": {"seed", "conformer"}, "file": set()}[given[0]]
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if name not in (*given, *taken) and value != field.default:
                raise refusal(value, f"stands beside {given[0]}", "for a polymer", (name,))
        if self.smiles is not None and self.conformer not in ("embedded", "lowest"):
            raise refusal(self.conformer, "stands beside smiles", "'embedded', 'lowest'", ("conformer",))
        return self

    @model_validator(mode="after")
    def _eliminations_fit(self) -> Self:
        if self.positions and self.everywhere:
            raise refusal(list(self.positions), "stands beside everywhere", "one of the two", ("positions",))
        set_anyway = self.everywhere or self.positions or self.stereo != "trans"
        if self.eliminate is None and set_anyway:
            where = "positions" if self.positions else "everywhere" if self.everywhere else "stereo"
            raise refusal(getattr(self, where), "eliminates nothing", f"{where} beside eliminate", (where,))
        return self


class PlacementSection(Section):
    """Where the fragment stands on the slab."""

    mode: Literal["at a distance", "in contact", "bonded"] = Field(
        "at a distance",
        description="held above the surface at a given height, at van der Waals distance, or with an atom bonded to it",
    )
    distance: Angstrom = Field(
        5.0,
        ge=1.5,
        le=12,
        description="at a distance: height of the fragment's lowest atom above the topmost slab atom",
    )
    orientation: Literal["flat", "upright"] = Field("flat", description="chain along the surface, or along the normal")
    over: Literal["hop", "sites"] = Field(
        "hop", description="above the first hop, or above each symmetry-distinct site of the surface in turn"
    )
    bond: tuple[Element, Element] = Field(
        ("C", "O"), strict=False, description="bonded: element of the fragment and element of the surface"
    )
    bond_length: Angstrom | None = Field(
        None,
        ge=1.1,
        le=3.2,
        description="bonded: first length of the bond, before relaxation; 1.45 Å for C–O and the sum of the covalent "
        "radii for others if left out",
    )
    screened: int = Field(
        0,
        ge=0,
        le=500,
        description="placements whose energy is calculated once, to choose the candidates; 0: the clearest",
    )
    candidates: int = Field(2, ge=1, le=24, description="placements relaxed roughly; the lowest in energy goes on")
    rank: int = Field(
        1,
        ge=1,
        le=24,
        description="of the different candidates, the one that goes on: 1 is the lowest in energy, 2 the next",
    )
    count: int = Field(1, ge=1, le=12, description="fragments on a face")
    coverage: float | None = Field(
        None, gt=0, le=10, description="instead of count: fragments on a face", json_schema_extra=unit("1/nm²")
    )
    faces: Literal["top", "both"] = Field("top", description="faces that carry fragments")

    @field_validator("rank")
    @classmethod
    def _is_a_candidate(cls, rank: int, info: ValidationInfo) -> int:
        candidates = info.data.get("candidates")
        if candidates is not None and rank > candidates:
            raise refusal(rank, f"of {candidates} candidates is none", f"1 to {candidates}")
        return rank


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
        through_carbon = self.placement.mode == "bonded" and self.placement.bond[0] == "C"
        if through_carbon and self.fragment and self.fragment.polymer and self.fragment.eliminate is None:
            modes = "'at a distance'; 'bonded' with fragment.eliminate, which makes the C=C"
            raise refusal("bonded", "needs a fragment with a C=C", modes, ("placement", "mode"))
        return self

    @model_serializer(mode="wrap")
    def _bare_slab_has_no_placement(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        if self.fragment is None:
            data.pop("placement", None)
        return data
