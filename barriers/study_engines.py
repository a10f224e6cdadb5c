"""The study file's sections on engines: one for each, told apart by ``kind``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from barriers.study_fields import Section, takes, unit
from barriers.study_marks import ByElement, Keywords, OnFile, is_class


class MlipSection(Section):
    """The embedded machine-learned potential."""

    kind: Literal["mlip"] = Field("mlip", description="engine")
    model: Annotated[str, OnFile("models", "module:Class", is_class)] = Field(
        "chgnet", description="model by name, or an ASE calculator; `barriers models` tells about them"
    )
    weights: str | None = Field(
        None,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$",
        description="file with the model's weights, where no wheel carries them",
        json_schema_extra=takes("a path"),
    )
    allow_download: bool = Field(False, description="let the model fetch its weights from the network")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the model runs")
    workers: int | None = Field(
        None,
        ge=1,
        le=256,
        description="processes that share the images of a band; one for each core, up to 8, if left out",
    )


class EspressoSection(Section):
    """Quantum ESPRESSO: pw.x for single structures, neb.x for bands. What is left out is the preset's."""

    kind: Literal["espresso"] = Field("espresso", description="engine")
    preset: Annotated[str, OnFile("espresso/presets")] = Field(
        "slab", description="slab: spin, U, D3(BJ), smearing, dipole correction; insulator: closed-shell with a gap"
    )
    command: str = Field(
        "neb.x",
        pattern=r"neb\.x",
        description="command line of neb.x, e.g. mpirun -np 8 neb.x -ni 4; pw.x is started the same way without -ni",
        json_schema_extra=takes("a command with neb.x in it"),
    )
    pseudopotentials: str | None = Field(
        None,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$",
        description="pseudopotential set",
        json_schema_extra=takes("sssp-1.3-efficiency, debian-pbesol, or a YAML file"),
    )
    pseudo_dir: str | None = Field(
        None,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$",
        description="folder of its files; $ESPRESSO_PSEUDO and /usr/share/espresso/pseudo if left out",
        json_schema_extra=takes("a path"),
    )
    kspacing: float | None = Field(
        None,
        gt=0.05,
        le=5,
        description="spacing of the k-mesh, 2π included; one point along the normal of a slab",
        json_schema_extra=unit("1/Å"),
    )
    dipole: bool | None = Field(
        None,
        description="dipole correction along the third cell vector, the normal of a slab",
        json_schema_extra=takes("true, false"),
    )
    hubbard_u: Annotated[dict[str, float] | None, ByElement(0, 20, "eV")] = Field(
        None, description="U on the d shell", json_schema_extra=unit("eV")
    )
    moments: Annotated[dict[str, float] | None, ByElement(-10, 10, "µB")] = Field(
        None, description="magnetic moments at the start", json_schema_extra=unit("µB")
    )
    keywords: Annotated[dict[str, Any], Keywords()] = Field(
        {}, description="further keywords of pw.x, e.g. {ecutwfc: 60, tot_charge: -1}"
    )
    max_seconds: int | None = Field(
        None,
        ge=10,
        le=10_000_000,
        description="each run of a code stops softly after so many seconds, before the walltime; the next continues",
    )


Engines = MlipSection | EspressoSection
"""Any engine's section."""

KINDS = ("mlip", "espresso")
"""Names of the engines."""
