"""The study file's sections on a crystal: its file, the ion that moves in it, and its hops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, PrivateAttr, field_validator, model_validator

from barriers.structures.hop.kinds import CrystalMechanism, Kind
from barriers.study.fields import Name, Section, StructureFile, refusal, takes, unit
from barriers.study.hops import SiteOf, Span, in_order
from barriers.words import closest

if TYPE_CHECKING:
    from pymatgen.core import Structure

IONS = ("Li", "Na", "K", "Mg", "Ca", "Zn", "Al")
"""Ions of batteries: what is proposed where a name is no element."""

WORD = takes("1 to 40 characters, no spaces or slashes")

NUMBER_OR_PLACE = "number of an atom of the supercell, from 0, or a list of 3 fractional coordinates there"


def _repeats(value: Any) -> Any:
    """Take ``auto``, or how often a cell is repeated along its three vectors."""
    if value == "auto":
        return value
    three = value if isinstance(value, list | tuple) and len(value) == 3 else [None]
    if not all(isinstance(each, int) and not isinstance(each, bool) and 1 <= each <= 20 for each in three):
        raise refusal(value, "is no supercell", "auto, or a list of 3, each 1 to 20")
    return tuple(value)


Supercell = Annotated[Literal["auto"] | tuple[int, int, int], PlainValidator(_repeats)]
SiteInCell = Annotated[int | tuple[float, float, float] | None, SiteOf(NUMBER_OR_PLACE, 10)]


class CrystalSection(Section):
    """A bulk crystal and the ion that hops in it; sites that are held in part are ordered."""

    file: StructureFile = Field(description="CIF, POSCAR or another structure file, relative to the study file")
    ion: str = Field(
        "Li", description="element that moves", json_schema_extra=takes(f"an element of the crystal: {', '.join(IONS)}")
    )
    name: Name | None = Field(
        None,
        description="of the crystal in tables and figures; its reduced formula if left out",
        json_schema_extra=WORD,
    )
    supercell: Supercell = Field(
        "auto",
        description="repeats of the cell in the file along its vectors; auto: the fewest of the conventional cell that "
        "keep an ion apart from its images, or of the primitive one where sites are held in part",
        json_schema_extra=takes("auto, or a list of 3, each 1 to 20"),
    )
    charge: int = Field(
        0,
        ge=-10,
        le=10,
        description="of the cells of a hop, with a compensating background: −1 for a vacancy of Li⁺, 1 for an added "
        "Li⁺; with engine espresso",
        json_schema_extra=unit("e"),
    )
    relax: bool | None = Field(
        None,
        description="relax cell and ions of the crystal with the study's engine first; if left out, where the engine "
        "is a model on file",
    )
    _relaxed: Any = PrivateAttr(None)

    @field_validator("ion")
    @classmethod
    def _is_an_element(cls, ion: str) -> str:
        if ion in IONS:
            return ion
        from pymatgen.core import Element

        if not Element.is_valid_symbol(ion):
            raise refusal(ion, "is no element", f"an element of the crystal: {', '.join(IONS)}{closest(ion, IONS)}")
        return ion

    @property
    def relaxed(self) -> Structure | None:
        """The cell of the file as it was relaxed before; None where it was not."""
        found: Structure | None = self._relaxed
        return found

    def as_relaxed(self, structure: Structure) -> Self:
        """Give the section of the same crystal, its cell and ions relaxed."""
        section = self.model_copy(update={"relax": False})
        section._relaxed = structure
        return section


class CrystalHopSection(Section):
    """One jump of the ion in the crystal, found on its supercell before that is relaxed."""

    name: Name | None = Field(
        None, description="name in tables and figures; what the hop is if left out", json_schema_extra=WORD
    )
    kind: Kind = Field(
        "vacancy",
        description="into a vacancy, into one of two neighbouring vacancies, of an ion added to an empty site into the "
        "next one, or of such an ion that pushes another there",
    )
    mechanism: CrystalMechanism | None = Field(
        None,
        description="what the ion passes: an edge of two oxygens, one oxygen, the same of other anions, a face of "
        "three, a tetrahedral site, or none of these; of two ions whether they move in line; any if left out",
    )
    length: tuple[Span, Span] | None = Field(
        None, strict=False, description="least and largest length; any if left out"
    )
    label: str | None = Field(
        None,
        description="label of the hop, which chooses it alone",
        json_schema_extra=takes("a label of `barriers hops`, either of both"),
    )
    rank: int = Field(
        1,
        ge=1,
        le=100_000,
        description="1 is the shortest such hop, 2 the next, and so on; where sites are held in part, the next like it "
        "before longer ones",
    )
    from_: SiteInCell = Field(
        None,
        alias="from",
        description=f"the ion that jumps: {NUMBER_OR_PLACE}",
        json_schema_extra=takes("a whole number, or a list of 3 numbers"),
    )
    to: SiteInCell = Field(
        None,
        description="the ion whose site it jumps to, in the same way; the nearest image; of an added ion both are "
        "empty sites, by coordinates",
        json_schema_extra=takes("a whole number, or a list of 3 numbers"),
    )

    @model_validator(mode="before")
    @classmethod
    def _has_no_surface(cls, value: Any) -> Any:
        for key in ("layer", "depth"):
            if isinstance(value, dict) and key in value:
                allowed = "kind, mechanism, length, label"
                raise refusal(value[key], "is of a surface, a crystal has none", allowed, (key,))
        return value

    _ranges = field_validator("length")(in_order)

    @model_validator(mode="after")
    def _two_sites_are_a_hop(self) -> Self:
        if (self.from_ is None) != (self.to is None):
            given, lacking = ("to", "from") if self.from_ is None else ("from", "to")
            value = self.to if self.from_ is None else self.from_
            raise refusal(value, f"stands without {lacking}", "both, or neither", (given,))
        own = type(self)().model_dump(exclude={"name", "kind", "from_", "to"}) if self.from_ is not None else {}
        chosen = [key for key, default in own.items() if getattr(self, key) != default]
        if chosen:
            raise refusal(
                getattr(self, chosen[0]), "stands beside from and to", "from, to and kind alone", (chosen[0],)
            )
        return self
