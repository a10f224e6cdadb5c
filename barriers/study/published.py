"""The study file's section on values that others published, which the results are set beside."""

from __future__ import annotations

from pydantic import Field

from barriers.study.fields import Name, Section, takes, unit


class PublishedBarrier(Section):
    """A barrier that others published."""

    system: Name
    barrier: float = Field(ge=0, le=10, description="the barrier that is compared", json_schema_extra=unit("eV"))


class PublishedSection(Section):
    """Published values that the results are set beside; nothing is fitted to them."""

    source: str = Field(
        min_length=1, max_length=300, description="where they were published", json_schema_extra=takes("a reference")
    )
    barriers: tuple[PublishedBarrier, ...] = Field(min_length=1, strict=False, description="barriers by system")
    differs: tuple[str, ...] = Field(
        (),
        strict=False,
        description="what was done otherwise there, as the table will say",
        json_schema_extra=takes("a list of texts"),
    )
