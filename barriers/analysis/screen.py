"""A screen of many crystals: what each one has, in which order, and how good the first estimates were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from pydantic import BaseModel, Field
from scipy.stats import spearmanr

from barriers.analysis.network_document import NetworkDoc

ROOM = 300.0
"""Temperature of the diffusion that a screen tells (K)."""

FEWEST = 3
"""Structures with both numbers from which on orders are compared."""

NOT_YET = "not computed yet"
"""Why there is no result of a job that has not run."""

State = Literal["barrier", "estimated", "no way through", "not converged", "waiting", "failed", "the same", "refused"]

STATES: tuple[State, ...] = get_args(State)
"""From that with the most to tell to that with the least."""

UNFINISHED: tuple[State, ...] = ("not converged", "waiting", "failed")
"""States that a further run looks at again."""


class Percolating(BaseModel):
    """The lowest barriers over which an ion gets through a crystal (eV); none where it does not."""

    one: float | None = Field(None, description="in one dimension")
    two: float | None = Field(None, description="in two dimensions")
    three: float | None = Field(None, description="in three dimensions")

    @classmethod
    def of(cls, network: NetworkDoc) -> Percolating:
        """Take them from what all hops make together."""
        found = {row.name: row.barrier for row in network.percolation}
        return cls(one=found.get("1-D"), two=found.get("2-D"), three=found.get("3-D"))


class ScreenRow(BaseModel):
    """One structure file of a screen."""

    name: str = Field(description="of its study and results folder")
    file: str = Field(description="name of the file")
    state: State = Field(description="how far it got")
    reason: str | None = Field(None, description="why no further")
    formula: str | None = Field(None, description="reduced formula")
    space_group: str | None = Field(None, description="symbol of the space group")
    dimension: int | None = Field(None, description="directions, 0 to 3, in which the network of all hops goes on")
    hops: int | None = Field(None, description="distinct hops of a vacancy")
    atoms: int | None = Field(None, description="atoms of the supercell")
    estimate: Percolating = Field(Percolating(), description="percolating barriers as the first pass estimates them")
    barrier: Percolating = Field(Percolating(), description="percolating barriers of converged bands")
    uncertainty: float | None = Field(None, description="of the one in one dimension, one standard deviation (eV)")
    diffusion: float | None = Field(None, description="D of a vacancy at 300 K, a third of the trace (cm²/s), of bands")
    calls: int = Field(0, description="evaluations of the first pass")
    seconds: float = Field(0.0, description="time of the first pass (s)")
    band_calls: int = Field(0, description="evaluations of relaxations and bands")
    band_seconds: float = Field(0.0, description="time of these (s)")
    notes: list[str] = Field(default_factory=list, description="what is in doubt, one line each")


class ScreenDoc(BaseModel):
    """A screen: its rows, those with the lowest barriers first."""

    name: str
    ion: str
    model: str = Field(description="what gives the energies")
    best: int = Field(description="structures that get bands")
    rows: list[ScreenRow]
    left: int = Field(0, description="structures that are not looked at yet")
    correlation: float | None = Field(None, description="Spearman's, of estimates and barriers")
    compared: int = Field(0, description="structures that have both")


def ranked(rows: Iterable[ScreenRow]) -> list[ScreenRow]:
    """Order rows: barriers first, then estimates, each the lowest first, then what has neither, by state and name."""

    def place(row: ScreenRow) -> tuple[bool, float, bool, float, int, str]:
        low, guess = row.barrier.one, row.estimate.one
        return low is None, low or 0.0, guess is None, guess or 0.0, STATES.index(row.state), row.name

    return sorted(rows, key=place)


def chosen(rows: Iterable[ScreenRow], best: int) -> list[ScreenRow]:
    """Give the rows with the lowest estimates, the lowest first: those that get bands."""
    estimated = [(row.estimate.one, row.name, row) for row in rows if row.estimate.one is not None]
    return [row for _, _, row in sorted(estimated, key=lambda each: each[:2])[:best]]


def rank_correlation(rows: Sequence[ScreenRow]) -> tuple[float | None, int]:
    """Give Spearman's correlation of estimates and barriers in one dimension, and of how many structures.

    None of fewer than :data:`FEWEST`, or where all of one kind are equal.
    """
    pairs = [
        (row.estimate.one, row.barrier.one)
        for row in rows
        if row.estimate.one is not None and row.barrier.one is not None
    ]
    if len(pairs) < FEWEST or any(len(set(values)) == 1 for values in zip(*pairs, strict=True)):
        return None, len(pairs)
    guesses, heights = zip(*pairs, strict=True)
    return float(spearmanr(guesses, heights).statistic), len(pairs)
