"""What is kept in the LaunchPad's database beside FireWorks' own collections.

``barriers_documents``
    Results of jobs, as jobflow stores them.
``barriers_runs``
    One document for each job that was started: who runs it where, its last sign of life, how far it is.
``barriers_gates``
    Jobs that wait for jobs of other workflows.
``barriers_staged``
    What a submit that is under way, or was killed, has added and not released.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pymongo import WriteConcern

if TYPE_CHECKING:
    from fireworks import LaunchPad
    from jobflow import JobStore
    from pymongo.collection import Collection

DOCUMENTS, RUNS, GATES, STAGED = "barriers_documents", "barriers_runs", "barriers_gates", "barriers_staged"

PUT_BACK = ("lost", "repeated")
"""States of a run that is over and whose job is to run again: it got lost, or its end was not a good one."""

INDICES = {
    "workflows": ["metadata.scope"],
    "fireworks": ["spec.barriers.uuid", "spec.barriers.scope", "spec.barriers.parents"],
    DOCUMENTS: ["uuid", "metadata.key", "metadata.alike"],
    RUNS: ["scope"],
    GATES: ["waits_for", "scope"],
    STAGED: ["scope"],
}


def runs(launchpad: LaunchPad) -> Collection[dict[str, Any]]:
    """Collection of what was started."""
    collection: Collection[dict[str, Any]] = launchpad.db[RUNS]
    return collection


def gates(launchpad: LaunchPad) -> Collection[dict[str, Any]]:
    """Collection of what waits for other workflows."""
    collection: Collection[dict[str, Any]] = launchpad.db[GATES]
    return collection


def staged(launchpad: LaunchPad) -> Collection[dict[str, Any]]:
    """Collection of what is not released yet."""
    collection: Collection[dict[str, Any]] = launchpad.db[STAGED]
    return collection


def documents(launchpad: LaunchPad) -> JobStore:
    """Results in the LaunchPad's own database, over its own connection: no password is written anywhere.

    A result counts as stored when it is in the journal: a server that is killed loses nothing it has acknowledged.
    """
    from jobflow import JobStore
    from maggma.stores import MongoStore

    collection = launchpad.db.get_collection(DOCUMENTS, write_concern=WriteConcern(j=True))
    store = JobStore(MongoStore.from_collection(collection))
    store.connect()
    return store


def ensure_indices(launchpad: LaunchPad) -> None:
    """Index what is looked up, so that no look grows with what others have stored."""
    for collection, fields in INDICES.items():
        for field in fields:
            launchpad.db[collection].create_index(field, background=True)


def scope_of(owner: str, study: str) -> str:
    """Whose study it is: jobs and results of another scope are never touched."""
    return f"{owner}/{study}"


def time_there(launchpad: LaunchPad) -> datetime:
    """Time by the database's clock, which all machines share."""
    return utc(launchpad.connection.admin.command("hello")["localTime"])


def utc(moment: datetime) -> datetime:
    """Give a time its zone: what comes from MongoDB is in UTC and does not say so."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
