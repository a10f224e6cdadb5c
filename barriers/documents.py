"""What jobs hand on and studies keep: pydantic documents with a schema version, units in eV and Å."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field
from pymatgen.core import Structure

from barriers.structures.hop.hop import Hop

SCHEMA_VERSION = 3
"""Raised when a field changes its meaning; results of another version are computed anew."""

Vectors = list[list[float]]
"""One vector per atom, shape (N, 3)."""

Line = Annotated[str, AfterValidator(lambda text: " ".join(text.split()))]
"""Text in one line: a code's own words may have several."""


class _Document(BaseModel):
    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")

    @classmethod
    @cache
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        """Give pydantic's JSON schema, not to be changed.

        It is kept, since jobflow asks for it whenever a reference to a field of a document is made.
        """
        return super().model_json_schema(*args, **kwargs)


class EngineDoc(BaseModel):
    """What gave the energies and forces."""

    kind: str = Field(description="engine: mlip, espresso, vasp")
    name: str = Field(description="model, code or functional")
    version: str = Field(description="version of the code or model")
    checksum: str | None = Field(None, description="SHA-256 of the weights, or of what stands for them")
    settings: dict[str, Any] = Field(default_factory=dict, description="settings that change the numbers")
    files: dict[str, str] = Field(default_factory=dict, description="MD5 of each pseudopotential file used")
    packages: dict[str, str] = Field(default_factory=dict, description="versions of the packages used")


class CostDoc(BaseModel):
    """What a calculation cost."""

    force_calls: int = Field(0, description="energy and force evaluations, those before a restart included")
    earlier_force_calls: int = Field(0, description="those of them before the last restart")
    wall_time: float = Field(0.0, description="seconds, those before a restart included")
    scf_cycles: int = Field(0, description="cycles of all self-consistent calculations of a DFT code")


class StaticDoc(_Document):
    """Energy, forces and moments of one structure."""

    structure: Structure
    energy: float = Field(description="total energy (eV)")
    forces: Vectors = Field(description="forces, frozen atoms included (eV/Å), shape (N, 3)")
    moments: list[float] | None = Field(None, description="magnetic moment of each site (µB)")
    cost: CostDoc
    engine: EngineDoc


class RelaxDoc(StaticDoc):
    """A relaxed structure."""

    converged: bool = Field(description="whether the largest force is below fmax")
    reason: str | None = Field(None, description="why not")
    max_force: float = Field(description="largest force on an atom that may move (eV/Å)")
    fmax: float = Field(description="tolerance asked for (eV/Å)")
    steps: int = Field(description="steps taken")


class IterationDoc(BaseModel):
    """One iteration of a band."""

    stage: Literal["plain", "climbing"]
    iteration: int
    max_force: float = Field(description="largest force on the band (eV/Å)")
    highest_image: float = Field(description="highest image's energy above the initial state (eV)")
    force_calls: int = Field(description="evaluations so far")


class BandDoc(_Document):
    """Images, energies and forces of one band, converged or not."""

    start: str = Field(description="how the first band was made")
    structure: Structure = Field(description="initial endpoint: species, cell and frozen atoms of every image")
    positions: list[Vectors] = Field(description="positions of every image (Å), shape (n, N, 3)")
    energies: list[float | None] = Field(description="total energies (eV), shape (n,)")
    forces: list[Vectors] = Field(description="forces, frozen atoms included (eV/Å), shape (n, N, 3)")
    moments: list[list[float]] | None = Field(None, description="magnetic moments (µB), shape (n, N)")
    converged: bool
    reason: str | None = Field(None, description="why the band is not converged")
    merged_into: str | None = Field(None, description="start whose converged path this band fell onto, and stopped")
    history: list[IterationDoc] = Field(default_factory=list, description="convergence history")
    settings: dict[str, Any] = Field(default_factory=dict, description="NEB settings")
    warnings: list[str] = Field(default_factory=list, description="what was noticed on the way")
    cost: CostDoc
    engine: EngineDoc


class PathDoc(BaseModel):
    """One of the bands tried for a hop."""

    start: str
    converged: bool
    reason: str | None = None
    merged_into: str | None = Field(None, description="start whose converged path this band fell onto")
    forward: float | None = Field(None, description="barrier of this path (eV)")
    path: int | None = Field(None, description="number of the distinct path, 1 for the lowest")
    force_calls: int


class BarrierDoc(_Document):
    """The barrier of one hop in one system, with what it rests on.

    ``forward`` is saddle minus initial state, ``reverse`` saddle minus final state, ``span`` the largest climb
    from any earlier to any later point of the path. All are None where the band is not converged.
    """

    system: str
    hop: Hop | None = None
    converged: bool
    reason: str | None = None
    forward: float | None = Field(None, description="saddle − initial state (eV)")
    reverse: float | None = Field(None, description="saddle − final state (eV)")
    span: float | None = Field(None, description="largest climb along the path (eV)")
    fit_spread: float | None = Field(None, description="spread of the fits: the least uncertainty (eV)")
    definition: str = Field(
        "maximum of the cubic Hermite curve through the energies and tangential forces of the band, over the path "
        "length with minimum-image displacements",
        description="how the saddle energy was read off",
    )
    profile: dict[str, Any] | None = Field(None, description="barriers.analysis.profile.Profile as a dictionary")
    motion: dict[str, Any] | None = Field(
        None, description="barriers.analysis.motion.Motion as a dictionary: how far the ion goes, and all else"
    )
    band: BandDoc
    paths: list[PathDoc] = Field(default_factory=list, description="every band tried")
    n_paths: int | None = Field(None, description="number of distinct converged paths")
    path_spread: float | None = Field(None, description="highest minus lowest barrier of the distinct paths (eV)")
    bonds: list[str] = Field(
        default_factory=list, description="bonds between fragment and surface in the initial endpoint"
    )
    checks: dict[str, bool] = Field(default_factory=dict, description="what was checked, and whether it held")
    warnings: list[str] = Field(default_factory=list)
    cost: CostDoc = Field(description="bands and endpoints together")
    fingerprint: dict[str, str] = Field(
        default_factory=dict, description="what must be equal for two barriers to be compared"
    )
    versions: dict[str, str] = Field(default_factory=dict, description="versions of the packages used")

    @property
    def hop_name(self) -> str:
        """Name of the hop; empty where it has none."""
        return self.hop.name if self.hop else ""


class GapDoc(BaseModel):
    """A barrier that a study wants and does not have."""

    system: str
    hop: str = Field("", description="name of the hop, empty where it has none")
    reason: Line = Field(description="why it is not there")


class ComparisonRowDoc(BaseModel):
    """One system's barrier of one hop against the reference's."""

    system: str
    hop: str
    barrier: float | None = Field(None, description="the barrier compared (eV)")
    fit_spread: float | None = None
    difference: float | None = Field(None, description="barrier minus the reference's (eV)")
    difference_uncertainty: float | None = None
    reason: str | None = Field(None, description="why there is no barrier or no difference")


class StudyDoc(_Document):
    """All barriers of a study and their comparison."""

    name: str
    barriers: list[BarrierDoc]
    which: Literal["forward", "reverse", "span"]
    reference: str
    rows: list[ComparisonRowDoc] = Field(description="one for each barrier and each gap, in the study's order")
    gaps: list[GapDoc] = Field(default_factory=list, description="barriers that are not there")
    notes: list[str] = Field(default_factory=list, description="what is to be known of the slab, such as a polar face")
    sentences: list[str] = Field(description="the result in words: a line for each hop and system beside the reference")

    def paired(self) -> list[tuple[ComparisonRowDoc, BarrierDoc | None]]:
        """Set each row of the comparison beside its barrier, None where that is a gap."""
        barriers = {(barrier.system, barrier.hop_name): barrier for barrier in self.barriers}
        return [(row, barriers.get((row.system, row.hop))) for row in self.rows]
