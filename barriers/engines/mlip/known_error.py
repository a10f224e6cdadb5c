"""How far a model's barriers are from published DFT: the published hops of the validation page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import hypot, sqrt
from typing import Any

import numpy as np

from barriers.documents import EngineDoc

LIKE_SIGMA = (15.87, 50, 84.13)
"""Percentiles: what lies between the outer two is what lies within one standard deviation of a normal distribution."""

LEAST = 8
"""Hops that say something."""

FAR = 0.5
"""Barriers that are off by more (eV) are counted by themselves: a model that has lost the path, which no ± holds."""


@dataclass(frozen=True)
class KnownError:
    """A model's barriers minus the published ones.

    Attributes
    ----------
    bias : float
        Their median (eV): negative where the barriers come out low.
    scatter : float
        Half the width of the middle 68 % (eV): a standard deviation that some lost paths do not decide.
    hops : int
        How many.
    far : int
        How many of them are off by more than 0.5 eV.
    """

    bias: float
    scatter: float
    hops: int
    far: int

    @property
    def of_a_barrier(self) -> float:
        """Standard error of one barrier (eV): bias and scatter in squares."""
        return hypot(self.bias, self.scatter)

    @property
    def of_a_difference(self) -> float:
        """Standard error of the difference of two barriers (eV): they share the bias alone."""
        return sqrt(2) * self.scatter

    def __str__(self) -> str:
        """Say it: ``low by 0.09 ± 0.07 eV on 20 published hops, 1 of them off by more than 0.5 eV``."""
        side = "low" if self.bias < 0 else "high"
        lost = f", {self.far} of them off by more than {FAR:g} eV" if self.far else ""
        return f"{side} by {abs(self.bias):.2f} ± {self.scatter:.2f} eV on {self.hops} published hops{lost}"


def known_error(engine: EngineDoc) -> KnownError | None:
    """Give the error of the model behind numbers, by the checksum of its weights; None where too few hops are known."""
    known = [row for row in _rows() if row["weights"] == engine.checksum is not None]
    off = [row["span"] - row["published"] for row in known]
    if len(off) < LEAST:
        return None
    low, middle, high = np.percentile(off, LIKE_SIGMA)
    return KnownError(float(middle), float(high - low) / 2, len(off), sum(abs(each) > FAR for each in off))


@cache
def _rows() -> list[dict[str, Any]]:
    """Hops that have a barrier."""
    rows: list[dict[str, Any]] = json.loads((files(__package__) / "published_hops.json").read_text("utf-8"))
    return [row for row in rows if row["span"] is not None]
