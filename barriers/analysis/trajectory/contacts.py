"""Who is bound to an ion, frame by frame: pairing with anions, and how long a partner stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import e, exp, log
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from barriers.analysis.trajectory.frames import Floats, Ints, Trajectory
from barriers.analysis.trajectory.regime import BLOCKS
from barriers.analysis.trajectory.shells import neighbours, spread

FRAMES = 1000
"""Most frames that contacts are looked for in, evenly from all."""

PER_DECADE = 10
"""Lags a decade of the decay of contacts."""


@dataclass(frozen=True)
class Contacts:
    """Contacts of ions with other atoms: one entry each, ion and atom by their places in ``ions`` and ``atoms``.

    Attributes
    ----------
    frames : (F,)
        Numbers of the frames that were looked at.
    ions, atoms : (M,), (A,)
        Numbers of the ions, and of the atoms that may bind them.
    frame, ion, atom : (C,)
        Places in those three.
    """

    frames: Ints
    ions: Ints
    atoms: Ints
    frame: Ints
    ion: Ints
    atom: Ints

    def touching(self, groups: Ints) -> NDArray[np.bool_]:
        """Which ions touch which group, shape (F, M, G).

        ``groups`` (A,) is each atom's group, counted from 0; atoms of −1 are in none.
        """
        of = groups[self.atom]
        inside = of >= 0
        touch = np.zeros((len(self.frames), len(self.ions), int(groups.max(initial=-1)) + 1), dtype=bool)
        touch[self.frame[inside], self.ion[inside], of[inside]] = True
        return touch


class PairingDoc(BaseModel):
    """Shares of the ions that are free, in a contact pair, or in a larger aggregate, with standard errors."""

    free: float = Field(description="no anion in the first shell")
    pair: float = Field(description="one anion, which has no other ion")
    aggregate: float = Field(description="several anions, or one that several ions share")
    errors: tuple[float, float, float] = Field(description="of the three")
    cutoffs: dict[str, float] = Field(description="distance (Å) below which an anion's atom of an element touches")


class ResidenceDoc(BaseModel):
    """How long a partner stays, or comes back to, an ion."""

    partner: str
    time: float | None = Field(None, description="until 1/e of the contacts are left, those by chance aside (ps)")
    bound: Literal["exact", "at least", "at most"] = Field("exact", description="what the time is")
    moved: float | None = Field(None, description="how far the ion goes meanwhile (Å, root mean square)")


def contacts(trajectory: Trajectory, ions: Ints, atoms: Ints, cutoffs: Mapping[str, float]) -> Contacts:
    """Find the atoms within their elements' cutoffs (Å) of each ion."""
    limits = np.array([cutoffs.get(trajectory.species[atom], 0.0) for atom in atoms])
    atoms, limits = atoms[limits > 0], limits[limits > 0]
    frames = spread(len(trajectory.positions), FRAMES)
    found = []
    for place, frame in enumerate(frames):
        now = trajectory.positions[frame]
        first, last, apart = neighbours(now[atoms], now[ions], trajectory.cell, max(limits, default=0.1))
        near = (apart <= limits[last]) & (ions[first] != atoms[last])
        found.append(np.stack([np.full(near.sum(), place), first[near], last[near]]))
    frame, ion, atom = np.concatenate(found, axis=1)
    return Contacts(frames, ions, atoms, frame, ion, atom)


def pairing(touches: list[NDArray[np.bool_]], cutoffs: dict[str, float]) -> PairingDoc:
    """Sort ions by the anions that touch them, (F, M, G) of each box; errors are those of ions or of blocks in time."""
    shares = [np.stack(_states(touch), axis=2).astype(float) for touch in touches]
    means = np.mean([share.mean(axis=(0, 1)) for share in shares], axis=0)
    ions = np.concatenate([share.mean(axis=0) for share in shares])
    blocks = np.array([b.mean(axis=(0, 1)) for share in shares for b in np.array_split(share, BLOCKS)])
    errors = [each.std(axis=0, ddof=1) / np.sqrt(len(each)) for each in (ions, blocks) if len(each) > 1]
    free, pair, aggregate = map(float, means)
    first, second, third = map(float, np.max(errors, axis=0))
    return PairingDoc(free=free, pair=pair, aggregate=aggregate, errors=(first, second, third), cutoffs=cutoffs)


def _states(touch: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], ...]:
    """Whether each ion is free, in a contact pair, or in an aggregate, (F, M) each."""
    anions, ions = touch.sum(axis=2), touch.sum(axis=1)
    shared = (touch & (ions > 1)[:, None, :]).any(axis=2)
    pair = (anions == 1) & ~shared
    return anions == 0, pair, (anions > 0) & ~pair


def decay(touches: list[NDArray[np.bool_]]) -> tuple[Ints, Floats] | None:
    """Share of contacts that are there again after a lag, those by chance taken off: 1 at no lag, 0 in the end.

    Returns
    -------
    (L,), (L,)
        Lags in frames looked at, up to half of them, and the share; None where nobody ever meets or parts.
    """
    frames = min(map(len, touches))
    most = frames // 2
    at = np.unique(np.round(np.geomspace(1, most, int(PER_DECADE * np.log10(most)) + 2)).astype(int))
    there = float(np.mean([touch.mean() for touch in touches if touch.size] or [0.0]))
    if not 0 < there < 1:
        return None
    again = [np.mean([(touch[:-lag] & touch[lag:]).mean() for touch in touches if touch.size]) / there for lag in at]
    return np.concatenate([[0], at]), np.concatenate([[1.0], (np.array(again) - there) / (1 - there)])


def residence(partner: str, touches: list[NDArray[np.bool_]], step: float) -> ResidenceDoc | None:
    """Time after which 1/e of the contacts are left (ps); ``step`` is the time between the frames looked at (ps).

    A contact that is broken and made again counts as never broken: vibrations at the cutoff do not end it.
    """
    found = decay(touches)
    if found is None:
        return None
    at, share = found
    below = np.flatnonzero(share < 1 / e)
    if not below.size:
        return ResidenceDoc(partner=partner, time=float(at[-1] * step), bound="at least")
    last = int(below[0])
    if last == 1:
        return ResidenceDoc(partner=partner, time=float(at[1] * step), bound="at most")
    high, low = log(share[last - 1]), log(max(share[last], exp(-20)))
    time = at[last - 1] + (at[last] - at[last - 1]) * (high + 1) / (high - low)
    return ResidenceDoc(partner=partner, time=float(time * step))
