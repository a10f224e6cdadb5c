"""The study file's section on hops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import Field, GetCoreSchemaHandler, field_validator, model_validator
from pydantic_core import CoreSchema, core_schema

from barriers.structures.hop.kinds import SlabKind, SlabMechanism
from barriers.study.fields import Name, Section, refusal, takes, unit

Span = Annotated[float, Field(ge=0, le=10, json_schema_extra=unit("Å"))]
Depth = Annotated[float, Field(ge=-10, le=100, json_schema_extra=unit("Å"))]

UNNAMED = "sub-surface"
"""Name of a hop whose section gives none."""


@dataclass(frozen=True)
class SiteOf:
    """Annotation of an end of a hop: the number of an atom, or three fractional coordinates.

    Attributes
    ----------
    words : str
        What is allowed.
    most : float
        How far from the first cell the coordinates may lie (cells).
    """

    words: str = "the number of an atom, from 0 on, or fractional coordinates [x, y, z]"
    most: float = 9

    def takes(self) -> str:
        """Say what is allowed."""
        return self.words

    def check(self, value: Any) -> int | tuple[float, ...] | None:
        """Return the number or the coordinates, or raise the refusal."""
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        numbers = value if isinstance(value, list | tuple) and len(value) == 3 else [None]
        if all(
            isinstance(each, int | float) and not isinstance(each, bool) and abs(each) <= self.most for each in numbers
        ):
            return tuple(map(float, numbers))
        raise refusal(value, "is no site", self.words)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.check)


End = Annotated[int | tuple[float, float, float] | None, SiteOf()]


def in_order(span: tuple[float, float] | None) -> tuple[float, float] | None:
    """Give a range back, or refuse one whose larger number comes first."""
    if span is not None and span[0] > span[1]:
        raise refusal(list(span), "is no range", "the smaller number first")
    return span


class HopSection(Section):
    """One Li⁺ jump, found on the bare slab as it was built and carried to every system."""

    name: Name = UNNAMED
    from_: End = Field(
        None, alias="from", description="site that the ion starts from, which with `to` chooses the hop, as asked"
    )
    to: End = Field(None, description="site that it comes to; in the image nearest to `from`")
    kind: SlabKind = Field(
        "vacancy",
        description="into a vacancy, into one of two neighbouring vacancies, or of an ion added on the surface",
    )
    layer: Literal["surface", "sub-surface", "any"] | None = Field(
        None, description="atomic layer that holds both sites; sub-surface if left out, any for an added ion"
    )
    mechanism: SlabMechanism | None = Field(
        None,
        description="what the ion passes: an edge of two oxygens, one oxygen, the same of other anions, a face of "
        "three, a tetrahedral site, the free surface, or none of these; any if left out",
    )
    length: tuple[Span, Span] | None = Field(
        None, strict=False, description="least and largest length; any if left out"
    )
    depth: tuple[Depth, Depth] | None = Field(
        None,
        strict=False,
        description="least and largest depth of the middle below the topmost atom, negative above it; any if left out",
    )
    label: str | None = Field(
        None,
        description="label of the hop, which chooses it alone",
        json_schema_extra=takes("a label of `barriers hops`, either of both"),
    )
    rank: int = Field(1, ge=1, le=100_000, description="1 is the shortest such hop, 2 the next, and so on")

    _ranges = field_validator("length", "depth")(in_order)

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_sites(cls, data: Any) -> Any:
        """Give a hop between two atoms a name of its own: the default speaks of another."""
        if isinstance(data, dict) and "name" not in data:
            ends = [data.get("from", data.get("from_")), data.get("to")]
            if all(isinstance(end, int) for end in ends):
                return {**data, "name": "-".join(map(str, ends))}
        return data

    @model_validator(mode="after")
    def _has_both_sites(self) -> Self:
        sites = {"from": self.from_, "to": self.to}
        given = [name for name, site in sites.items() if site is not None]
        if len(given) == 1:
            lacks = "to" if given == ["from"] else "from"
            raise refusal(sites[given[0]], f"has no {lacks}", f"{lacks} beside it", (given[0],))
        for name in ("layer", "mechanism", "length", "depth", "label") if given else ():
            if (value := getattr(self, name)) is not None:
                raise refusal(value, "stands beside from and to, which choose the hop", "kind and rank", (name,))
        return self

    @property
    def ends(self) -> tuple[int | tuple[float, float, float], int | tuple[float, float, float]] | None:
        """Both sites, where the hop is chosen by them."""
        return None if self.from_ is None or self.to is None else (self.from_, self.to)
