"""The study file's section on what the hops of a crystal make together."""

from __future__ import annotations

from pydantic import Field

from barriers.study.energetics import Kelvin
from barriers.study.fields import Section, takes


class NetworkSection(Section):
    """The network of a crystal's hops: percolating barriers, diffusion tensor and conductivity."""

    temperatures: tuple[Kelvin, ...] = Field(
        (250.0, 300.0, 350.0, 400.0),
        min_length=1,
        strict=False,
        description="temperatures of diffusion tensor and conductivity",
        json_schema_extra=takes("a list of numbers from 50 to 2000"),
    )
    vacancies: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="fraction of the ion's sites that are empty, for conductivity and the ions' own diffusion; neither "
        "if left out",
    )
