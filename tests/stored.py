"""Studies made from the stored results of the docs: other names, heights and outcomes of the bare slab's band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from conftest import ROOT

from barriers.documents import BarrierDoc, StudyDoc
from barriers.report.folder import read_results
from barriers.workflow.comparison_job import study_document

REASON = "0.101 eV/Å after 300 iterations, 0.05 asked for"


@cache
def stored() -> StudyDoc:
    """The example study as it was run. Shared: copy before changing it."""
    return read_results(ROOT / "docs" / "data" / "ncm811_pvdf.json")


def barrier_of(system: str, forward: float | None, spread: float = 0.01, hop: str = "sub-surface") -> BarrierDoc:
    """The stored bare slab's barrier with its profile stretched to another height (eV); not converged for None."""
    (bare,) = [barrier for barrier in stored().barriers if barrier.system == "NCM"]
    alone = {"fit_spread": spread, "uncertainty": None, "uncertainty_reverse": None, "uncertainty_parts": {}}
    named = bare.model_copy(update={"system": system, "hop": bare.hop.model_copy(update={"name": hop})} | alone)
    if forward is None:
        lost = dict.fromkeys(("forward", "reverse", "span", "fit_spread", "profile"))
        return named.model_copy(update=lost | {"converged": False, "reason": REASON})
    factor = forward / bare.forward
    heights = ("energies", "slopes", "curve_energy", "forward", "reverse", "span", "reaction_energy")
    profile = bare.profile | {name: (factor * np.array(bare.profile[name])).tolist() for name in heights}
    values = {name: profile[name] for name in ("forward", "reverse", "span")}
    return named.model_copy(update=values | {"profile": profile})


def study_of(values: Mapping[str, tuple[float | None, float]], hops: Sequence[str] = ("sub-surface",)) -> StudyDoc:
    """A study of systems with these forward barriers and fit spreads (eV), the first of them the reference."""
    barriers = [barrier_of(name, *value, hop) for hop in hops for name, value in values.items()]
    return study_document.original("example", barriers, next(iter(values)), "forward")
