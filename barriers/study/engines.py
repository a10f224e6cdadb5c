"""The study file's sections on engines: one for each, told apart by ``kind``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from barriers.study.fields import Section, refusal, takes, unit
from barriers.study.marks import ByElement, Keywords, OnFile, is_class

HubbardU = Annotated[
    dict[str, float] | None,
    ByElement(0, 20, "eV"),
    Field(description="U on the d shell", json_schema_extra=unit("eV")),
]
Moments = Annotated[
    dict[str, float] | None,
    ByElement(-10, 10, "µB"),
    Field(description="magnetic moments at the start", json_schema_extra=unit("µB")),
]
MeshSpacing = Annotated[
    float | None,
    Field(
        gt=0.05,
        le=5,
        description="spacing of the k-mesh, 2π included; one point along the normal of a slab",
        json_schema_extra=unit("1/Å"),
    ),
]
SoftStop = Annotated[
    int | None,
    Field(
        ge=10,
        le=10_000_000,
        description="each run of a code stops softly after so many seconds, before the walltime; the next continues",
    ),
]

Neb = Annotated[
    Literal["band", "surrogate", "surrogate then band"],
    Field(
        description="the engine's own band; or a model's band, corrected at few single points of the engine, and the "
        "engine's own band where those do not suffice"
    ),
]
Points = Annotated[int, Field(ge=6, le=60, description="most single points of a hop, for neb: surrogate")]
Prior = Annotated[
    str,
    OnFile("models", "module:Class", is_class),
    Field(validate_default=True, description="the model that is corrected, for neb: surrogate"),
]
Uncertainty = Annotated[
    float,
    Field(
        ge=0.001,
        le=0.1,
        description="standard deviation that a barrier is given with at most, for neb: surrogate",
        json_schema_extra=unit("eV"),
    ),
]


class _Engine(Section):
    """What engines share: their barriers may be corrections of a model's."""

    @field_validator("points", "prior", "uncertainty", check_fields=False)
    @classmethod
    def _for_a_correction(cls, value: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        if (neb := info.data.get("neb")) is None:
            return value  # what neb is has been refused; the rest depends on it
        corrected = neb != "band"
        if not corrected and value != cls.model_fields[name].default:
            raise refusal(value, "is of no use with neb: band", "neb: surrogate, or neb: surrogate then band beside it")
        if corrected and name == "prior" and value == info.data.get("model") and info.data.get("weights") is None:
            raise refusal(value, "is the engine's own model", "another one")
        return value


class MlipSection(_Engine):
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
    neb: Neb = "band"
    points: Points = 15
    prior: Prior = "chgnet"
    uncertainty: Uncertainty = 0.010


class EspressoSection(_Engine):
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
        json_schema_extra=takes("sssp-1.3-efficiency, debian-pbesol, a YAML file, or SSSP's JSON"),
    )
    pseudo_dir: str | None = Field(
        None,
        pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$",
        description="folder of its files; $ESPRESSO_PSEUDO and /usr/share/espresso/pseudo if left out",
        json_schema_extra=takes("a path"),
    )
    kspacing: MeshSpacing = None
    dipole: bool | None = Field(
        None,
        description="dipole correction along the third cell vector, the normal of a slab",
        json_schema_extra=takes("true, false"),
    )
    hubbard_u: HubbardU = None
    moments: Moments = None
    keywords: Annotated[dict[str, Any], Keywords()] = Field(
        {}, description="further keywords of pw.x, e.g. {ecutwfc: 60, tot_charge: -1}"
    )
    max_seconds: SoftStop = None
    neb: Neb = "band"
    points: Points = 15
    prior: Prior = "chgnet"
    uncertainty: Uncertainty = 0.010


class VaspSection(_Engine):
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
    potcars: Annotated[dict[str, Any] | None, Keywords()] = Field(
        None, description="POTCAR by element, e.g. {Ni: Ni_pv}"
    )
    kspacing: MeshSpacing = None
    dipole: bool | None = Field(
        None,
        description="dipole correction along the third cell vector; where there is vacuum along it, if left out",
        json_schema_extra=takes("true, false"),
    )
    hubbard_u: HubbardU = None
    moments: Moments = None
    incar: Annotated[dict[str, Any], Keywords()] = Field({}, description="further INCAR keywords, e.g. {ENCUT: 600}")
    without_vtst: Literal["refuse", "plain band"] = Field(
        "refuse",
        description="where VASP has no VTST and no image can climb: stop, or converge the plain band and say so",
    )
    max_seconds: SoftStop = None
    neb: Neb = "band"
    points: Points = 15
    prior: Prior = "chgnet"
    uncertainty: Uncertainty = 0.010


Engines = MlipSection | EspressoSection | VaspSection
"""Any engine's section."""

KINDS = ("mlip", "espresso", "vasp")
"""Names of the engines."""
