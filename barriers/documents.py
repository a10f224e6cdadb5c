"""What jobs hand on and studies keep: pydantic documents with a schema version, units in eV and Å."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, Field, field_validator
from pymatgen.core import Lattice, Structure

from barriers.analysis.band import highest_image
from barriers.analysis.electrons import ElectronsRow
from barriers.analysis.energetics import EnergeticsDoc, KineticsDoc, PlacementRow, PlacementsDoc, PublishedDoc
from barriers.analysis.ensemble import EnsembleDoc
from barriers.analysis.modes import ALONG
from barriers.analysis.network_document import NetworkDoc
from barriers.structures.digest import rounded, short_digest, structure_digest
from barriers.structures.hop.hop import Hop

SCHEMA_VERSION = 3
"""Raised when a field changes its meaning; results of another version are computed anew."""

OLDEST_READABLE = 2
"""Results of a study are still shown from this version on: later fields have defaults."""

Vectors = list[list[float]]
"""One vector per atom, shape (N, 3)."""

Line = Annotated[str, AfterValidator(lambda text: " ".join(text.split()))]
"""Text in one line: a code's own words may have several."""

ENERGY_DECIMALS, FORCE_DECIMALS = 6, 5
"""What is computed from a result does not change with noise in its energies (eV) and forces (eV/Å)."""


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

    kind: str = Field(description="engine: mlip, espresso, vasp, pyscf")
    name: str = Field(description="model, code or functional")
    version: str = Field(description="version of the code or model")
    checksum: str | None = Field(None, description="SHA-256 of the weights")
    settings: dict[str, Any] = Field(default_factory=dict, description="settings that change the numbers")
    files: dict[str, str] = Field(default_factory=dict, description="MD5 of each pseudopotential file used")
    potentials: dict[str, str] = Field(default_factory=dict, description="MD5 of the pseudopotential of each element")
    packages: dict[str, str] = Field(default_factory=dict, description="versions of the packages used")


class CostDoc(BaseModel):
    """What a calculation cost."""

    force_calls: int = Field(0, description="energy and force evaluations, those before a restart included")
    earlier_force_calls: int = Field(0, description="those of them before the last restart")
    wall_time: float = Field(0.0, description="seconds, those before a restart included")
    scf_cycles: int = Field(0, description="cycles of all self-consistent calculations of a DFT code")

    @classmethod
    def total(cls, costs: Iterable[CostDoc]) -> CostDoc:
        """Add up what several calculations cost."""
        known = list(costs)
        return cls(
            force_calls=sum(cost.force_calls for cost in known),
            wall_time=sum(cost.wall_time for cost in known),
            scf_cycles=sum(cost.scf_cycles for cost in known),
        )


class StaticDoc(_Document):
    """Energy, forces and moments of one structure."""

    structure: Structure
    energy: float = Field(description="total energy (eV)")
    forces: Vectors = Field(description="forces, frozen atoms included (eV/Å), shape (N, 3)")
    moments: list[float] | None = Field(None, description="magnetic moment of each site (µB)")
    cost: CostDoc
    engine: EngineDoc

    def identity(self) -> dict[str, Any]:
        """Give what a calculation that starts from this takes from it."""
        return {
            "structure": structure_digest(self.structure),
            "energy": rounded(self.energy, ENERGY_DECIMALS),
            "forces": short_digest(rounded(self.forces, FORCE_DECIMALS)),
            "moments": None if self.moments is None else short_digest(rounded(self.moments)),
        }


class RelaxDoc(StaticDoc):
    """A relaxed structure."""

    converged: bool = Field(description="whether the largest force is below fmax")
    reason: str | None = Field(None, description="why not")
    max_force: float = Field(description="largest force on an atom that may move (eV/Å)")
    fmax: float = Field(description="tolerance asked for (eV/Å)")
    energy_left: float | None = Field(None, description="to the minimum, as the last steps show it (eV)")
    went_on_from: str | None = Field(None, description="tolerance of the stored result that it went on from")
    steps: int = Field(description="steps taken")


class CellDoc(RelaxDoc):
    """A crystal whose cell was relaxed with its ions.

    Stresses of a hexagonal one are in the plane and along c, of any other xx, yy, zz, yz, xz, xy.
    """

    stress_before: tuple[float, ...] = Field(description="in the cell as it was built (GPa), > 0 under tension")
    stress: tuple[float, ...] = Field(description="in the relaxed cell (GPa)")


class HopEstimateDoc(BaseModel):
    """What the barriers of a hop are estimated to be, without a converged band."""

    label: str = Field(description="of the hop")
    forward: float | None = Field(None, description="highest point of the band above its first image (eV)")
    reverse: float | None = Field(None, description="above its last image (eV)")
    reason: str | None = Field(None, description="why there is no estimate")


class EstimateDoc(_Document):
    """Estimates of a crystal's hops: no barriers, and not told as such."""

    hops: list[HopEstimateDoc] = Field(description="in the order that they were asked for")
    images: int = Field(description="intermediate images of each band")
    cost: CostDoc
    engine: EngineDoc


PointKind = Literal["initial", "saddle", "final", "path"]
"""What a point of the expensive engine was asked for: the relaxation of an end, the saddle, or the path between."""


class ProposalDoc(_Document):
    """Where the expensive engine is asked next, as the surface corrected so far says, or that it is not."""

    structure: Structure | None = Field(description="what it is asked for; None where nothing further is wanted")
    kind: PointKind
    round: int = Field(description="round, 1 for the first of its stationary point")
    enough: bool = Field(False, description="whether the stationary point is known as well as was asked")
    reason: str | None = Field(None, description="why not; without a structure, why no further point helps")
    energy: float | None = Field(None, description="foretold for the structure (eV); None in the first round")
    forces: Vectors | None = Field(None, description="foretold, frozen atoms at 0 (eV/Å), shape (N, 3)")
    deviation: float | None = Field(None, description="standard deviation of the energy (eV)")
    stationary: Vectors | None = Field(None, description="where the corrected surface is stationary (Å), shape (N, 3)")
    max_force: float | None = Field(None, description="largest true force at the best point so far (eV/Å)")
    gain: float | None = Field(None, description="what is to be gained from that point to the stationary one (eV)")
    forward: float | None = Field(None, description="barrier estimated so far (eV), once there is a saddle")
    uncertainty: float | None = Field(None, description="its standard deviation (eV)")
    warnings: list[str] = Field(default_factory=list)
    model_calls: int = Field(0, description="evaluations of the model for this proposal")

    def identity(self) -> dict[str, Any]:
        """Give what a proposal after this one takes from it, besides what both rest on."""
        if self.structure is None:
            return {"enough": self.enough, "reason": self.reason}
        return {"kind": self.kind, "structure": structure_digest(self.structure)}


class PointDoc(BaseModel):
    """One evaluation of the expensive engine that a correction rests on; species, cell: those of the band."""

    kind: PointKind
    round: int
    positions: Vectors = Field(description="positions (Å), shape (N, 3)")
    energy: float | None = Field(None, description="total energy (eV); None where it failed")
    forces: Vectors | None = Field(None, description="forces, frozen atoms included (eV/Å), shape (N, 3)")
    moments: list[float] | None = Field(None, description="magnetic moment of each site (µB)")
    predicted_energy: float | None = Field(None, description="foretold by the correction before; None in round 1 (eV)")
    predicted_deviation: float | None = Field(None, description="standard deviation foretold (eV)")
    rejected: bool = Field(False, description="whether it was no step forward; it counts as data all the same")
    reason: str | None = Field(None, description="why its numbers are not used: it failed, or its spin flipped")


class RoundDoc(BaseModel):
    """One round of points: how far the barrier was known after it."""

    kind: PointKind
    round: int
    points: int = Field(description="points of the hop so far, those of its ends included")
    forward: float | None = Field(None, description="barrier estimated so far (eV); None while the ends are relaxed")
    uncertainty: float | None = Field(None, description="its standard deviation (eV)")
    max_force: float | None = Field(None, description="largest true force at the best point so far (eV/Å)")
    gain: float | None = Field(None, description="what was still to be gained by the correction (eV)")


class ChosenDoc(RelaxDoc):
    """The placement of a fragment that was kept, and all that were relaxed."""

    kept: int | None = Field(None, description="which of them this is, from 1")
    placements: list[PlacementRow] = Field(default_factory=list)


class EndDoc(RelaxDoc):
    """An end state relaxed on a corrected surface; energy and forces are the corrected surface's."""

    points: list[PointDoc] = Field(description="what the expensive engine was asked for")
    rounds: list[RoundDoc] = Field(default_factory=list)
    gain: float | None = Field(None, description="what the correction still gains from the best point (eV)")
    deviation: float | None = Field(None, description="standard deviation of the energy (eV)")
    model_calls: int = 0
    warnings: list[str] = Field(default_factory=list)

    def identity(self) -> dict[str, Any]:
        """Give what a calculation that starts from this takes from it."""
        known = [
            [rounded(point.positions), rounded(point.energy or 0.0), rounded(point.forces, FORCE_DECIMALS)]
            for point in self.points
            if point.forces is not None
        ]
        return {**super().identity(), "converged": self.converged, "points": short_digest(known)}


class SurrogateDoc(BaseModel):
    """What a barrier from a model's band, corrected at a few points, rests on.

    Barriers are differences between stationary points of the corrected surface. Uncertainties are one standard
    deviation; their parts add in squares.
    """

    forward: float | None = Field(None, description="saddle − initial state (eV)")
    reverse: float | None = Field(None, description="saddle − final state (eV)")
    uncertainty_forward: float | None = Field(None, description="of forward (eV)")
    uncertainty_reverse: float | None = Field(None, description="of reverse (eV)")
    parts_forward: dict[str, float] = Field(
        default_factory=dict,
        description="parts of uncertainty_forward (eV): correction (process), relaxation, tolerance",
    )
    parts_reverse: dict[str, float] = Field(default_factory=dict, description="parts of uncertainty_reverse (eV)")
    raw_forward: float | None = Field(
        None, description="corrected surface on the model's saddle and initial state (eV)"
    )
    raw_reverse: float | None = Field(None, description="corrected surface on the model's saddle and final state (eV)")
    counts: dict[str, int] = Field(default_factory=dict, description="points on initial, saddle, final, path")
    model_calls: int = Field(0, description="evaluations of the model for the corrections and the corrected band")
    model: EngineDoc = Field(description="what the model is")
    model_positions: list[Vectors] = Field(description="the model's own band (Å), shape (n, N, 3)")
    model_energies: list[float | None] = Field(description="energies of the model's own band (eV), shape (n,)")
    deviations: list[float] = Field(
        default_factory=list,
        description="standard deviation of each image's energy above the initial state (eV), shape (n,)",
    )
    points: list[PointDoc] = Field(description="all evaluations, those of the ends included")
    rounds: list[RoundDoc] = Field(description="how the estimate came to be, the ends first")


class IterationDoc(BaseModel):
    """One iteration of a band."""

    stage: Literal["plain", "climbing"]
    iteration: int
    max_force: float = Field(description="largest force on the band (eV/Å)")
    highest_image: float = Field(description="highest image's energy above the initial state (eV)")
    force_calls: int = Field(description="evaluations so far")


class CheckDoc(BaseModel):
    """One thing that was looked at before a band that others made was believed."""

    name: str = Field(description="what was looked at")
    verdict: Literal["ok", "doubtful", "wrong", "unknown"] = Field(description="wrong refuses, doubtful warns")
    seen: list[str] = Field(description="what was seen in each image, or in the band")
    says: str = Field("", description="what is wrong or doubtful, in one line")


class ReadDoc(BaseModel):
    """What a band that others made was read from."""

    name: str = Field(description="what --band calls it")
    place: str = Field("", description="folder that it lies in")
    files: list[list[str]] = Field(description="files that each image's numbers come from")
    energy: str = Field(description="kind of energy")
    checks: list[CheckDoc] = Field(default_factory=list, description="what the referee saw")


class SaddleDoc(BaseModel):
    """The lowest modes that were found at a climbing image: whether it is a saddle of first order."""

    image: int = Field(description="number of the image")
    curvatures: list[float] = Field(
        description="the two lowest found (eV/Å²); none is below the true one, so one uphill may hide another"
    )
    order: int = Field(description="number of modes downhill; 1 is a saddle between two states")
    overlap: float = Field(description="cosine of the angle between the lowest mode and the path, of atoms if given")
    atoms: list[int] | None = Field(None, description="atoms that were displaced, the others held; None for all")
    force_calls: int = Field(description="evaluations that the search took")
    refined: str | None = Field(None, description="how it was found, where the band itself did not converge to it")

    @property
    def fault(self) -> str | None:
        """What is wrong with it, in words; None for a saddle of first order along the path."""
        found = f"{' and '.join(f'{curvature:.2f}' for curvature in self.curvatures)} eV/Å²"
        if self.atoms is not None:
            found += f" of {len(self.atoms)} atom{'s' * (len(self.atoms) > 1)}, the others held"
        if self.order > 1:
            return f"the saddle at image {self.image} is of order {self.order}: curvatures {found}"
        if self.order < 1:
            return f"no mode leads downhill from image {self.image}: curvatures {found}"
        if self.overlap < ALONG:
            angle = f"overlap with the path {self.overlap:.2f}"
            return f"the mode downhill at image {self.image} is not along the path: {angle}, curvatures {found}"
        return None


class VerificationDoc(_Document):
    """What single points around the saddle of a band say of it."""

    saddle: SaddleDoc | None = None
    reason: str | None = Field(None, description="why nothing is known of it")
    cost: CostDoc = Field(default_factory=CostDoc)


class BandDoc(_Document):
    """Images, energies and forces of one band, converged or not."""

    start: str = Field(description="how the first band was made")
    structure: Structure = Field(
        description="initial endpoint: species, cell and frozen atoms of every image; of others, maybe no atoms"
    )
    positions: list[Vectors] = Field(description="positions of every image (Å), shape (n, N, 3)")
    energies: list[float | None] = Field(description="total energies (eV), shape (n,)")
    forces: list[Vectors] = Field(description="forces, frozen atoms included (eV/Å), shape (n, N, 3)")
    moments: list[list[float]] | None = Field(None, description="magnetic moments (µB), shape (n, N)")
    converged: bool
    reason: str | None = Field(None, description="why the band is not converged")
    merged_into: str | None = Field(None, description="start whose converged path this band fell onto, and stopped")
    joints: list[int] = Field(
        default_factory=list, description="images that are relaxed minima, where bands of their own meet"
    )
    inserted: int = Field(0, description="images beyond those asked for")
    saddles: list[SaddleDoc] = Field(default_factory=list, description="what was found at climbing images")
    saddle_left: float | None = Field(None, description="highest image to saddle, as the last steps show it (eV)")
    went_on_from: str | None = Field(None, description="tolerance of the stored band that it went on from")
    history: list[IterationDoc] = Field(default_factory=list, description="convergence history")
    settings: dict[str, Any] = Field(default_factory=dict, description="NEB settings")
    warnings: list[str] = Field(default_factory=list, description="what was noticed on the way")
    surrogate: SurrogateDoc | None = Field(None, description="of a band on a corrected surface: what it rests on")
    read: ReadDoc | None = Field(None, description="of a band that others made: its files, and what was checked")
    cost: CostDoc
    engine: EngineDoc

    @field_validator("structure", mode="before")
    @classmethod
    def _without_atoms(cls, value: Any) -> Any:
        """Read back a band of others whose files tell no atoms: pymatgen writes such a structure, but reads none."""
        return Structure(Lattice.cubic(1.0), [], []) if isinstance(value, dict) and not value["sites"] else value

    @property
    def refined(self) -> SaddleDoc | None:
        """The saddle at the highest image, where the band itself did not converge to it."""
        found = (saddle for saddle in self.saddles if saddle.refined and saddle.image == highest_image(self.energies))
        return next(found, None)

    def identity(self) -> dict[str, Any]:
        """Give what a calculation that starts from this takes from it."""
        return {
            "start": self.start,
            "structure": structure_digest(self.structure),
            "positions": short_digest(rounded(self.positions)),
            "energies": [None if energy is None else rounded(energy, ENERGY_DECIMALS) for energy in self.energies],
            "converged": self.converged,
        }


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
    uncertainty: float | None = Field(None, description="of forward: one standard deviation (eV)")
    uncertainty_reverse: float | None = Field(None, description="of reverse: one standard deviation (eV)")
    uncertainty_parts: dict[str, float] = Field(
        default_factory=dict,
        description="those of forward known, added in squares (eV): fit, tolerance, starts, ends of a band; "
        "correction, relaxation, tolerance of a corrected barrier",
    )
    raw: float | None = Field(None, description="corrected surface on the model's saddle and initial state (eV)")
    points: dict[str, int] = Field(
        default_factory=dict, description="single points of the expensive engine on initial, saddle, final, path"
    )
    model_calls: int | None = Field(None, description="evaluations of the model beside them")
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

    @property
    def correction(self) -> SurrogateDoc | None:
        """What a corrected barrier rests on; None of any other, and of a whole band that followed a correction."""
        known = self.band.surrogate
        return None if known is None or known.forward is None or self.uncertainty is None else known

    def plus_minus(self, which: Literal["forward", "reverse", "span"] = "forward") -> float | None:
        """Give what stands behind ± (eV): one standard deviation, or the spread of the fits in older results."""
        if self.uncertainty is None:
            return self.fit_spread
        if self.correction is not None and which == "reverse":
            return self.correction.uncertainty_reverse
        return self.uncertainty_reverse if which == "reverse" else self.uncertainty


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
    uncertainty: float | None = Field(
        None, validation_alias=AliasChoices("uncertainty", "fit_spread"), description="one standard deviation (eV)"
    )
    difference: float | None = Field(None, description="barrier minus the reference's (eV)")
    difference_uncertainty: float | None = None
    reason: str | None = Field(None, description="why there is no barrier or no difference")


class LatticeDoc(BaseModel):
    """The lattice of a cathode as an engine relaxed it. Of two numbers the first is along a, the second along c."""

    of: str = Field(description="digest of what was relaxed, and with what")
    a: float = Field(description="hexagonal a (Å)")
    c: float = Field(description="hexagonal c (Å)")
    z: float = Field(description="height of oxygen, in c")
    strain: tuple[float, float] = Field(description="relative change against the lattice it started from")
    stress_before: tuple[float, float] = Field(description="stress in the lattice it started from (GPa)")
    stress: tuple[float, float] = Field(description="stress that is left (GPa)")
    source: str = Field(description="where the lattice it started from comes from")
    atoms: int = Field(description="atoms of the cell that was relaxed")
    cost: CostDoc
    engine: EngineDoc


class CrystalCellDoc(BaseModel):
    """Cell and ions of a crystal as an engine relaxed them. Of six numbers: xx, yy, zz, yz, xz, xy."""

    of: str = Field(description="digest of what was relaxed, and with what")
    structure: Structure = Field(description="the relaxed cell")
    strain: tuple[float, float, float] = Field(description="relative change of the cell's lengths")
    volume_change: float = Field(description="relative change of its volume")
    space_groups: tuple[str, str] = Field(description="before and after")
    stress_before: tuple[float, ...] = Field(description="stress in the cell that it started from (GPa)")
    stress: tuple[float, ...] = Field(description="stress that is left (GPa)")
    source: str = Field(description="file that it started from")
    cost: CostDoc
    engine: EngineDoc


class CrystalDoc(BaseModel):
    """What the barriers of a study rest on below their engine: the supercell of a crystal."""

    formula: str = Field(description="reduced")
    space_group: str = Field(
        description="of the cell that is repeated, once it is relaxed; of the file, its sites held in part"
    )
    supercell: tuple[int, int, int] = Field(description="repeats of the cell along its vectors")
    atoms: int
    image_distance: float = Field(description="shortest lattice vector of the supercell (Å)")
    source: str = Field(description="file of the crystal")
    ion: str = Field("", description="element that moves")
    charge: int = Field(0, description="of the cells of a hop (e)")
    ordering: str = Field("", description="where sites of the file are held in part: what they hold here, chosen how")
    lattice: CrystalCellDoc | None = Field(None, description="of a study that relaxes it first")
    structure: Structure | None = Field(None, description="the supercell that the hops were found on")


class SlabDoc(BaseModel):
    """What the barriers of a study rest on below their engine: how much there is of the slab."""

    thickness: float = Field(description="topmost atom above the lowest one, as built (Å)")
    to_frozen: dict[str, float] = Field(
        default_factory=dict, description="by hop: least distance of the moving ion to a frozen atom (Å)"
    )
    lattice: LatticeDoc | None = Field(None, description="of a study that relaxes it first")
    formula: str = Field(
        "", description="of the slab; of an ensemble, this and what follows is that of its first member"
    )
    atoms: int | None = None
    frozen: int | None = Field(None, description="atoms that are held")
    image_distance: float | None = Field(None, description="shortest in-plane lattice vector (Å)")
    termination: str = ""
    dipole: float | None = Field(
        None, description="of the formal charges along the normal per area, for each layer of this termination (e/Å)"
    )
    metals: str = Field("", description="as counted, and how far that is from what was asked for")
    ordering: str = Field("", description="how the metals were put on their sites")


class StudyDoc(_Document):
    """All barriers of a study and their comparison."""

    name: str
    barriers: list[BarrierDoc]
    which: Literal["forward", "reverse", "span"]
    reference: str
    rows: list[ComparisonRowDoc] = Field(description="one for each barrier and each gap, in the study's order")
    gaps: list[GapDoc] = Field(default_factory=list, description="barriers that are not there")
    notes: list[str] = Field(default_factory=list, description="what is to be known of the slab, such as a polar face")
    slab: SlabDoc | None = Field(None, description="the bare slab as it was built; None where no study built it")
    crystal: CrystalDoc | None = Field(None, description="of a study of a crystal: its supercell")
    sentences: list[str] = Field(description="the result in words: a line for each hop and system beside the reference")
    ensemble: EnsembleDoc | None = Field(None, description="of an ensemble: its members, and their distribution")
    energetics: EnergeticsDoc | None = Field(None, description="energies beside the barriers, where asked for")
    kinetics: KineticsDoc | None = Field(None, description="attempt frequencies, where asked for")
    network: NetworkDoc | None = Field(None, description="of a study of a crystal: what its hops make together")
    placements: list[PlacementsDoc] = Field(default_factory=list, description="of each system with a fragment")
    electrons: list[ElectronsRow] = Field(default_factory=list, description="electron densities, where asked for")
    published: PublishedDoc | None = Field(None, description="values of others that the study names")

    @property
    def lattice(self) -> LatticeDoc | CrystalCellDoc | None:
        """How the lattice below the slab, or the crystal, was relaxed first; None where it was not."""
        below = self.slab or self.crystal
        return below.lattice if below else None

    def paired(self) -> list[tuple[ComparisonRowDoc, BarrierDoc | None]]:
        """Set each row of the comparison beside its barrier, None where that is a gap."""
        barriers = {(barrier.system, barrier.hop_name): barrier for barrier in self.barriers}
        return [(row, barriers.get((row.system, row.hop))) for row in self.rows]
