"""The hop of Au on Al(100) on a model's surface that is corrected at points of EMT, and what a run of it asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conftest import gold_on_aluminium
from jobflow import Flow

from barriers import BarrierMaker, MlipEngine, SurrogateEngine, run
from barriers.dispatch.local import JobEvent, LocalRun
from barriers.files.structures import to_structure

TRUTH = 0.3745
"""Barrier with EMT (eV), forces below 0.01 eV/Å."""

NEAR = "near_emt:NearEMT"


def corrector(expensive: MlipEngine | None = None, prior: str = NEAR, **options: Any) -> SurrogateEngine:
    points = {"points": 11, **options}
    return SurrogateEngine(expensive or MlipEngine(model="emt"), MlipEngine(model=prior, workers=1), **points)


def flaky(folder: Path, **troubles: Any) -> MlipEngine:
    """EMT that has troubles at some of its calls."""
    weights = folder / "troubles.json"
    weights.write_text(json.dumps(troubles))
    return MlipEngine(model="flaky_emt:FlakyEMT", weights=str(weights), workers=1)


def gold(engine: SurrogateEngine, uneven: bool = False, **settings: Any) -> Flow:
    """The hop; if ``uneven``, with copper below its initial hollow, so that its ends are not the same."""
    initial, final = map(to_structure, gold_on_aluminium())
    if uneven:
        initial[4] = final[4] = "Cu"
    return BarrierMaker("gold", engine=engine, **settings).make(initial, final)


def ran(flow: Flow, folder: Path) -> tuple[LocalRun, dict[str, JobEvent]]:
    """Run a flow; give its outcome, and how each job ended."""
    ended: dict[str, JobEvent] = {}

    def note(event: JobEvent) -> None:
        if event.state != "started":
            ended[event.name] = event

    return run(flow, folder, on_event=note), ended


def evaluated(ended: dict[str, JobEvent]) -> list[str]:
    """Points that were evaluated now."""
    return [name for name, event in ended.items() if ": point" in name and event.force_calls]
