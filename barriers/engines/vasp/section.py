"""The study file's section on VASP."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from barriers.study_fields import Section, takes, unit


class VaspSection(Section):
    """VASP, with VTST or without. What is left out is the preset's."""

    kind: Literal["vasp"] = Field("vasp", description="engine")
    preset: Literal["oxide"] = Field("oxide", description="spin, U, D3(BJ), smearing, dipole correction for slabs")
    command: str = Field(
        "vasp_std",
        min_length=1,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$",
        description="command line of VASP, e.g. mpirun -np 64 vasp_std; the cores must divide by the images of a band",
        json_schema_extra=takes("a command"),
    )
    ncore: int | None = Field(None, ge=1, le=100_000, description="cores that share a band (NCORE)")
    kpar: int | None = Field(None, ge=1, le=100_000, description="groups of k-points (KPAR)")
    potcar_functional: str | None = Field(
        None,
        pattern=r"^[A-Z0-9_a-z]+$",
        description="set of POTCARs, in pymatgen's words",
        json_schema_extra=takes("e.g. PBE_54, PBE_64"),
    )
    potcars: dict[str, str] | None = Field(None, description="POTCAR by element, e.g. {Ni: Ni_pv}")
    kspacing: float | None = Field(
        None,
        gt=0.05,
        le=5,
        description="spacing of the k-mesh, 2π included; one point along the normal of a slab",
        json_schema_extra=unit("1/Å"),
    )
    dipole: bool | None = Field(
        None,
        description="dipole correction along the third cell vector; where there is vacuum along it, if left out",
        json_schema_extra=takes("true, false"),
    )
    hubbard_u: dict[str, float] | None = Field(None, description="U on the d shell", json_schema_extra=unit("eV"))
    moments: dict[str, float] | None = Field(
        None, description="magnetic moments at the start", json_schema_extra=unit("µB")
    )
    incar: dict[str, Any] = Field(default_factory=dict, description="further INCAR keywords, e.g. {ENCUT: 600}")
    without_vtst: Literal["refuse", "plain band"] = Field(
        "refuse",
        description="where VASP has no VTST and no image can climb: stop, or converge the plain band and say so",
    )
    max_seconds: int | None = Field(
        None,
        ge=10,
        le=10_000_000,
        description="each run of VASP stops softly after so many seconds, before the walltime; the next continues",
    )
