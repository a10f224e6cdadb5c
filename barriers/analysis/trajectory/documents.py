"""What is kept of the transport in a matrix: plain numbers, lists and sentences."""

from __future__ import annotations

from pydantic import BaseModel, Field

from barriers.analysis.trajectory.contacts import PairingDoc, ResidenceDoc
from barriers.analysis.trajectory.mechanism import MechanismDoc
from barriers.analysis.trajectory.regime import RegimeDoc
from barriers.analysis.trajectory.shells import ShellDoc


class ConductivityDoc(BaseModel):
    """Conductivity (S/cm) and transference number of the cation, both ways, with standard errors."""

    temperature: float = Field(description="K")
    nernst_einstein: float | None = Field(None, description="of ions that know nothing of each other (S/cm)")
    nernst_einstein_error: float | None = None
    collective: float | None = Field(None, description="of the current of all ions (S/cm)")
    collective_error: float | None = None
    transference: float | None = Field(None, description="share of the ion in the Nernst-Einstein conductivity")
    transference_error: float | None = None
    transference_collective: float | None = Field(None, description="share of its current in that of all")
    transference_collective_error: float | None = None
    reason: str | None = Field(None, description="why there are no numbers")


class MotionDoc(BaseModel):
    """How one kind of particles moves."""

    name: str = Field(description="the ion, an anion, chains (their centres of mass), or backbone (its atoms)")
    count: int = Field(description="particles in all boxes")
    lags: list[float] = Field(description="ps")
    msd: list[float] = Field(description="mean squared displacement (Å²)")
    msd_error: list[float | None] = Field(description="its standard error (Å²); none of too few particles")
    alpha: list[float | None] = Field(description="local exponent, over a third of a decade")
    regime: RegimeDoc
    boxes: list[float] = Field(description="slope/6 of each box over the window (cm²/s), D only if there is one")
    groups: list[list[float]] = Field(
        default_factory=list, description="MSD of each group that is independent of the others (Å²), by lag"
    )


class VanHoveDoc(BaseModel):
    """Self part of the ion's van Hove function at one lag."""

    lag: float = Field(description="ps")
    r: list[float] = Field(description="middles of bins (Å)")
    density: list[float] = Field(description="4πr²G_s (1/Å)")
    alpha2: float = Field(description="non-Gaussian parameter")


class MatrixDoc(BaseModel):
    """What a box is made of: what has to be alike before two matrices are compared."""

    ion: str
    ions: int = Field(description="in one box")
    anions: dict[str, int]
    chains: int
    backbone: float = Field(description="backbone atoms of a chain, mean")
    others: dict[str, int] = Field(description="other molecules, by formula")
    formula: dict[str, int] = Field(description="atoms of one box, by element")
    density: float = Field(description="g/cm³, mean over boxes")
    density_spread: float | None = Field(None, description="standard deviation over boxes (g/cm³)")


class TransportDoc(BaseModel):
    """Transport of an ion in a matrix, of one or several independent boxes."""

    files: list[str]
    matrix: MatrixDoc
    temperature: float | None = Field(None, description="K, as it was told")
    length: float = Field(description="of the shortest trajectory (ps)")
    step: float = Field(description="between frames (ps)")
    drift: float = Field(description="largest drift of the centre of mass, which was taken off (Å)")
    motions: list[MotionDoc]
    shells: list[ShellDoc]
    pairing: PairingDoc | None = None
    residences: list[ResidenceDoc] = Field(default_factory=list)
    van_hove: list[VanHoveDoc] = Field(default_factory=list)
    conductivity: ConductivityDoc | None = None
    mechanism: MechanismDoc
    notes: list[str] = Field(default_factory=list)

    def motion(self, name: str) -> MotionDoc | None:
        """Give the motion of that name, if there is one."""
        return next((motion for motion in self.motions if motion.name == name), None)
