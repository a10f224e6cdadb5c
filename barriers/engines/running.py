"""A band while it is on its way: what its job's folder holds for whoever watches, of every engine alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from monty.json import MontyEncoder

from barriers.disk import writing
from barriers.documents import BandDoc, CostDoc, EngineDoc, IterationDoc, RelaxDoc
from barriers.engines.progress import NOW, newest_last, progress_of

FIRST = "band.json"
"""File that a band's job writes into its folder before it computes anything."""

BEGINS = "nothing of it is computed yet"


def leave_first(positions: np.ndarray, initial: RelaxDoc, final: RelaxDoc, start: str, engine: EngineDoc) -> None:
    """Write the first band, endpoints included, into the current folder: the energies between them are not known."""
    inner = len(positions) - 2
    band = BandDoc(
        start=start,
        structure=initial.structure,
        positions=positions.tolist(),
        energies=[initial.energy, *[None] * inner, final.energy],
        forces=np.zeros_like(positions).tolist(),
        converged=False,
        reason=BEGINS,
        cost=CostDoc(),
        engine=engine,
    )
    with writing(FIRST):
        Path(FIRST).write_text(json.dumps(band, cls=MontyEncoder), "utf-8")


def running_band(folder: Path) -> BandDoc | None:
    """Read the band of a job as it is now; None where none has begun, or this machine does not see the folder.

    A file that is being written is left out: the next look finds it whole.
    """
    first = _read(folder / FIRST)
    if first is None:
        return None
    band = BandDoc.model_validate(first)
    rows = progress_of(folder, "neb")
    known = [{name: row[name] for name in IterationDoc.model_fields} for row in rows if "highest_image" in row]
    band.history = [IterationDoc(**row) for row in known]
    newest = newest_last(folder, f"*{NOW}")
    if not newest or (now := _read(newest[-1])) is None:
        return band
    last = rows[-1] if known else {}
    reached = BEGINS
    if last:
        reached = f"{last['max_force']:.3f} eV/Å after {len(known)} iterations, {last['target']:g} asked for"
    cost = CostDoc(force_calls=last.get("force_calls", 0), wall_time=last.get("wall_time", 0.0))
    return band.model_copy(update={**now, "reason": reached, "cost": cost})


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
