"""How far a model's barriers are from published DFT: the hops of the validation page."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import hypot, sqrt
from statistics import mean, stdev
from typing import Any

from barriers.documents import EngineDoc


@dataclass(frozen=True)
class KnownError:
    """A model's barriers minus the published ones.

    Attributes
    ----------
    bias : float
        Their mean (eV): negative where the barriers come out low.
    scatter : float
        Their standard deviation over the hops (eV).
    hops : int
        How many.
    """

    bias: float
    scatter: float
    hops: int

    @property
    def of_a_barrier(self) -> float:
        """Standard error of one barrier (eV): bias and scatter in squares."""
        return hypot(self.bias, self.scatter)

    @property
    def of_a_difference(self) -> float:
        """Standard error of the difference of two barriers (eV): they share the bias alone."""
        return sqrt(2) * self.scatter

    def __str__(self) -> str:
        """Say it: ``low by 0.09 ± 0.07 eV on 3 known hops``."""
        side = "low" if self.bias < 0 else "high"
        return f"{side} by {abs(self.bias):.2f} ± {self.scatter:.2f} eV on {self.hops} known hops"


def known_error(engine: EngineDoc) -> KnownError | None:
    """Give the error of the model behind numbers, by the checksum of its weights; None unless two hops are known."""
    off = [row["forward"] - row["published"] for row in _rows() if row["weights"] == engine.checksum]
    return KnownError(mean(off), stdev(off), len(off)) if len(off) > 1 else None


@cache
def _rows() -> list[dict[str, Any]]:
    """Hops that have both numbers."""
    rows: list[dict[str, Any]] = json.loads((files(__package__) / "known_hops.json").read_text("utf-8"))
    return [row for row in rows if row["forward"] is not None and row["published"] is not None]
