"""The band of a system and hop as the report shows it: the finished one, or that of a job that is on its way."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barriers.dispatch.source import cluster_of
from barriers.dispatch.status import JobStatus
from barriers.dispatch.store import results_store
from barriers.documents import BandDoc, BarrierDoc
from barriers.engines.running import running_band
from barriers.report.html.page import render_section
from barriers.workflow.labels import BARRIER
from barriers.workflow.reading import profile_of

if TYPE_CHECKING:
    from jobflow import JobStore

NOTHING = "there is no band yet that can be seen from here"


def band_section(folder: Path, config: Path | None, jobs: Sequence[JobStatus], title: str) -> str:
    """Render the section of the report on a system and hop.

    Parameters
    ----------
    folder : Path
        Results folder of the study.
    config : Path or None
        Configuration folder that was given.
    jobs : sequence of JobStatus
        All jobs of the system and hop.
    title : str
        What the section is called.

    Returns
    -------
    str
        JSON: ``html`` and ``data``, as the page of the report has them; or ``reason``: why there is nothing to be seen.
    """
    barrier = _finished(folder, config, jobs) or _on_its_way(jobs)
    if barrier is None:
        return json.dumps({"reason": NOTHING})
    return render_section(barrier, title)


def _finished(folder: Path, config: Path | None, jobs: Sequence[JobStatus]) -> BarrierDoc | None:
    """Read the barrier from the store of results; or the last band that is there, where no barrier is."""
    if any(job.state == "running" and job.kind == "neb" for job in jobs):
        return None
    barriers = [job for job in jobs if job.name.endswith(f": {BARRIER}") and job.state == "done"]
    bands = [job for job in jobs if job.kind == "neb" and job.state in ("done", "not converged")]
    if not barriers and not bands:
        return None
    store = _store(folder, config)
    for job in barriers:
        if (found := _output(store, job.uuid)) is not None:
            return BarrierDoc.model_validate(found)
    for job in reversed(bands):
        if (found := _output(store, job.uuid)) is not None:
            return _partial(BandDoc.model_validate(found), job.system)
    return None


def _on_its_way(jobs: Sequence[JobStatus]) -> BarrierDoc | None:
    begun = [job for job in jobs if job.kind == "neb" and job.folder]
    for job in sorted(begun, key=lambda job: job.state == "running", reverse=True):
        if (band := running_band(Path(job.folder))) is not None:
            return _partial(band, job.system)
    return None


def _partial(band: BandDoc, system: str) -> BarrierDoc:
    """Put a band into the form of a barrier that is not there; with its profile, where all its energies are known."""
    reason = "the barrier is not read off it yet" if band.converged else f"yet: {band.reason}"
    profile = None
    if None not in band.energies:
        try:
            profile = asdict(profile_of(band))
        except ValueError:  # images that lie on each other, or whatever else an unfinished band may be
            profile = None
    return BarrierDoc(
        system=system, converged=False, reason=reason, band=band, profile=profile, cost=band.cost, paths=[]
    )


def _store(folder: Path, config: Path | None) -> JobStore:
    cluster = cluster_of(folder, config)
    return results_store(folder) if cluster is None else cluster.store()


def _output(store: JobStore, uuid: str) -> dict[str, Any] | None:
    record = store.query_one({"uuid": uuid}, load=True)
    return None if record is None else record["output"]
