"""Bringing a dispatched study home: its results as a study's document, whole or with gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jobflow import Job, JobStore
from maggma.stores import MemoryStore

from barriers.analysis.screen import NOT_YET
from barriers.dispatch.execution import with_inputs
from barriers.dispatch.fireworks.collections import runs
from barriers.dispatch.identity import identify
from barriers.dispatch.matrices import gathered
from barriers.documents import BarrierDoc, StudyDoc
from barriers.engines.openmm.documents import MdDoc
from barriers.study.forms import AnyStudy, MatrixStudy
from barriers.workflow.labels import beside_outputs
from barriers.workflow.lattice import Lattice
from barriers.workflow.matrix_documents import MatrixStudyDoc
from barriers.workflow.study import StudyMaker

if TYPE_CHECKING:
    from fireworks import LaunchPad

    from barriers.dispatch.fireworks.config import Cluster


def collect(study: AnyStudy, cluster: Cluster, lattice: Lattice | None = None) -> StudyDoc:
    """Read barriers off the bands that were computed, and compare them.

    Barriers are read off here, so that they are those of the code as it is now, however long ago the bands were made.

    Parameters
    ----------
    study : Study
        The study that was submitted.
    cluster : Cluster
        Where it was submitted.
    lattice : LatticeDoc, CrystalCellDoc or None
        How its lattice was relaxed before it was submitted.

    Returns
    -------
    StudyDoc
        What is not there yet is a gap in it, with the reason.

    Raises
    ------
    ValueError
        If nothing of the study is on the LaunchPad.
    """
    launchpad, store = cluster.launchpad(), cluster.store()
    scope = cluster.scope(study.name)
    barriers: dict[tuple[str, str], BarrierDoc | str] = {}
    beside: dict[str, Any] = {}
    maker = StudyMaker(lattice=lattice)
    for part in maker.parts(study):
        named = beside_outputs(part)
        for job, _ in identify(part, scope).iterflow():
            if job.output_schema is BarrierDoc:
                key = job.metadata["system"], job.metadata["hop"]
                barriers[key] = _read_off(job, store) or reason_of(job, launchpad)
            elif job.name in named:
                beside[job.name] = _read_off(job, store) or reason_of(job, launchpad)
    document: StudyDoc = _run(maker.summary(study, barriers, beside=beside), store)
    return document


def collect_matrices(study: MatrixStudy, cluster: Cluster) -> MatrixStudyDoc:
    """Put together the runs of boxes that are there; a reason stands for those that are not."""
    launchpad, store = cluster.launchpad(), cluster.store()

    def result(job: Job) -> MdDoc | str:
        found = store.query_one({"uuid": job.uuid}, load=True)
        return reason_of(job, launchpad) if found is None else MdDoc.model_validate(found["output"])

    return gathered(study, cluster.scope(study.name), result)


def _read_off(job: Job, store: JobStore) -> Any:
    """Run an analysis of calculations that are there, such as a barrier of its bands; None where one is missing."""
    parents = sorted(set(job.input_uuids))
    there = store.distinct("uuid", {"uuid": {"$in": parents}})
    return _run(job, store) if len(there) == len(parents) else None


def _run(job: Job, store: JobStore) -> Any:
    """Run a job that takes its inputs from a store and leaves nothing there."""
    scratch = JobStore(MemoryStore())
    scratch.connect()
    return with_inputs(job, store).run(scratch).output


def reason_of(job: Job, launchpad: LaunchPad) -> str:
    """Say why a result is not there: the job behind it that failed, or that it is still under way."""
    behind, level = {job.uuid}, {job.uuid}
    while level:
        found = launchpad.fireworks.find({"spec.barriers.uuid": {"$in": sorted(level)}}, {"spec.barriers.parents": 1})
        level = {uuid for firework in found for uuid in firework["spec"]["barriers"]["parents"]} - behind
        behind |= level
    failed = launchpad.fireworks.find_one(
        {"spec.barriers.uuid": {"$in": sorted(behind)}, "state": "FIZZLED"}, {"name": 1, "spec.barriers.uuid": 1}
    )
    if failed is None:
        return NOT_YET
    run = runs(launchpad).find_one({"_id": failed["spec"]["barriers"]["uuid"]}) or {}
    return run.get("message") or f"{failed['name']} failed"
