"""The study file's section on hops."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from barriers.study.fields import Name, Section, refusal, takes, unit

Span = Annotated[float, Field(ge=0, le=10, json_schema_extra=unit("Å"))]
Depth = Annotated[float, Field(ge=-10, le=100, json_schema_extra=unit("Å"))]


class HopSection(Section):
    """One Li⁺ jump, found on the bare slab as it was built and carried to every system."""

    name: Name = "sub-surface"
    kind: Literal["vacancy", "divacancy", "interstitial"] = Field(
        "vacancy",
        description="into a vacancy, into one of two neighbouring vacancies, or of an ion added on the surface",
    )
    layer: Literal["surface", "sub-surface", "any"] | None = Field(
        None, description="atomic layer that holds both sites; sub-surface if left out, any for an added ion"
    )
    mechanism: (
        Literal[
            "oxygen dumbbell",
            "single oxygen",
            "anion dumbbell",
            "single anion",
            "anion triangle",
            "tetrahedral",
            "surface",
            "open",
        ]
        | None
    ) = Field(
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

    @field_validator("length", "depth")
    @classmethod
    def _is_a_range(cls, span: tuple[float, float] | None) -> tuple[float, float] | None:
        if span is not None and span[0] > span[1]:
            raise refusal(list(span), "is no range", "the smaller number first")
        return span
