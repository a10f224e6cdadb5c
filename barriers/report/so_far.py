"""The document of a study that is on its way: what is there, and a reason for each barrier that is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jobflow import JobStore
from maggma.stores import MemoryStore

from barriers.dispatch.execution import with_inputs
from barriers.dispatch.lattice import kept_lattice
from barriers.dispatch.states import JobState, JobStates
from barriers.dispatch.store import results_store
from barriers.documents import BarrierDoc, StudyDoc
from barriers.study.kept import kept_study
from barriers.study.models import EndpointStudy
from barriers.workflow.comparison_job import study_document
from barriers.workflow.labels import BARRIER, BESIDE
from barriers.workflow.lattice import with_lattice
from barriers.workflow.study import StudyMaker

WAITS = ("waiting", "running")


def so_far(folder: Path) -> StudyDoc | None:
    """Put together what the last run in a results folder has given so far.

    The slab is built again for what is to be known of it, and nothing is computed.

    Parameters
    ----------
    folder : Path
        Results folder.

    Returns
    -------
    StudyDoc or None
        None where no barrier has been asked for here. A note says how much is left.
    """
    states = JobStates(folder).read()
    wanted = [state for state in states if state.name.endswith(f": {BARRIER}")]
    if not wanted:
        return None
    store = results_store(folder)
    barriers = {(state.system, state.hop): _result(state, states, store) for state in wanted}
    beside = {state.name: _result(state, states, store) for state in states if state.name.rpartition(": ")[2] in BESIDE}
    document = _compared(folder, barriers, beside)
    left = sum(state.state in WAITS for state in states)
    if left:
        document.notes.append(f"the last run in {folder} has not ended, {left} of {len(states)} jobs are left")
    return document


def _result(state: JobState, states: list[JobState], store: JobStore) -> Any:
    """Read the document of a job; in its place the reason why it is not there."""
    found = store.query_one({"uuid": state.uuid}, load=True)
    if found is not None:
        return BarrierDoc.model_validate(found["output"]) if state.name.endswith(f": {BARRIER}") else found["output"]
    if state.state in ("failed", "skipped"):
        return state.message
    of_hop = [each for each in states if (each.system, each.hop) == (state.system, state.hop)]
    running = next((each for each in of_hop if each.state == "running"), None)
    if running is None:
        return "not computed yet"
    return f"not computed yet: {running.name} {'was stopped' if running.is_lost else 'runs'}"


def _compared(folder: Path, barriers: dict[tuple[str, str], Any], beside: dict[str, Any]) -> StudyDoc:
    """Compare as the study asks for; alone, where no study file says how."""
    try:
        study, lattice = kept_study(folder), None
        if not isinstance(study, EndpointStudy) and study.relaxes_lattice:
            lattice = kept_lattice(study, folder)
            study = study if lattice is None else with_lattice(study, lattice)
        job = StudyMaker(lattice=lattice).summary(study, barriers, beside=beside)
    except ValueError:  # no study file, or one whose structure files were not kept
        first = next(iter(barriers))[0]
        document: StudyDoc = study_document.original(
            folder.name, list(barriers.values()), first, "forward", wanted=list(barriers)
        )
        return document
    scratch = JobStore(MemoryStore())
    scratch.connect()
    found: StudyDoc = with_inputs(job, scratch).run(scratch).output
    return found
