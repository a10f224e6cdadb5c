"""What a study has left behind that no run of it will want: folders and results of earlier versions, stale errors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from jobflow import Flow, JobStore

from barriers.dispatch.execution import CONTENTS_FILE, ERROR_FILE, unconverged
from barriers.dispatch.identity import identify
from barriers.dispatch.opening import DOCUMENTS
from barriers.dispatch.sqlite import SqliteStore
from barriers.dispatch.store import results_store
from barriers.study.forms import AnyStudy
from barriers.workflow.labels import jobs_of
from barriers.workflow.study import StudyMaker

FIELDS = ["uuid", "name", "metadata.key", "metadata.computed_from.scope", "output.converged", "output.merged_into"]


@dataclass(frozen=True)
class Leftover:
    """Something that can go.

    Attributes
    ----------
    what : str
        ``folder`` of a job, its ``error`` file, or the ``document`` with its result.
    job : str
        Name of the job.
    where : str
        Path, or the uuid that the document is filed under.
    size : int
        Bytes; 0 for a document.
    why : str
        Why nothing needs it.
    """

    what: Literal["folder", "error", "document"]
    job: str
    where: str
    size: int
    why: str


@dataclass(frozen=True)
class Leftovers:
    """What can go, and what may be wanted yet.

    Attributes
    ----------
    found : list of Leftover
        What can go.
    unfinished : list of str
        Jobs of the study that have no result yet, or none that has converged. While there are any, folders and results
        of earlier versions stay: what they hold may be used again.
    """

    found: list[Leftover]
    unfinished: list[str]


def local_leftovers(study: AnyStudy, folder: Path, series: Iterable[Flow] = ()) -> tuple[Leftovers, JobStore]:
    """Look for leftovers in a results folder, whose series stay; give also the store that the documents are in."""
    wanted = {job.uuid: job.name for job in jobs_of(identify(StudyMaker().make(study), ""))}
    store = results_store(folder)
    own = store.docs_store == SqliteStore(folder / DOCUMENTS)
    of_series = [job.uuid for flow in series for job in jobs_of(identify(flow, ""))]
    return leftovers(wanted, store, "", folder, own, also=of_series), store


def leftovers(
    wanted: dict[str, str],
    store: JobStore,
    scope: str,
    root: Path,
    own: bool = True,
    also: Iterable[str] = (),
) -> Leftovers:
    """Look for what no run of a study will want.

    Parameters
    ----------
    wanted : dict
        Names of the jobs of the study as it is now, by uuid.
    store : JobStore
        Connected.
    scope : str
        Owner and study, as results are filed under; empty for a run on this machine.
    root : Path
        Its ``jobs`` holds the folders of the jobs.
    own : bool
        Whether all results of that scope are this study's; if not, documents are left alone.
    also : iterable of str
        Uuids of jobs that are none of the study's, but at work or of a series: what is theirs stays.
    """
    others = set(also)
    records = list(store.query({"metadata.computed_from.scope": scope}, FIELDS))
    results = {each["uuid"]: each for each in records if each["uuid"] in wanted}
    ended = {each["metadata"]["key"] for each in results.values() if not unconverged(each.get("output") or {})}
    unfinished = [
        name for uuid, name in wanted.items() if results.get(uuid, {}).get("metadata", {}).get("key") not in ended
    ]
    kept = {each["metadata"]["key"] for each in records if each["uuid"] in wanted or each["uuid"] in others}
    found = []
    for folder, job, key in _folders(root / "jobs"):
        if key not in kept and not unfinished:
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            found.append(Leftover("folder", job, str(folder), size, "of an earlier version of the study"))
        elif key in ended and (error := folder / ERROR_FILE).exists():
            found.append(Leftover("error", job, str(error), error.stat().st_size, "the job has ended well since"))
    if own and not unfinished:
        found += [
            Leftover("document", each["name"], each["uuid"], 0, "of an earlier version of the study")
            for each in records
            if each["uuid"] not in wanted and each["uuid"] not in others
        ]
    return Leftovers(found, unfinished)


def remove(found: Iterable[Leftover], store: JobStore) -> None:
    """Remove leftovers: documents first, so that no result is left whose folder is gone."""
    for each in sorted(found, key=lambda each: each.what):
        if each.what == "document":
            store.remove_docs({"uuid": each.where})
        elif each.what == "error":
            Path(each.where).unlink(missing_ok=True)
        else:
            shutil.rmtree(each.where, ignore_errors=True)


def _folders(jobs: Path) -> Iterable[tuple[Path, str, str]]:
    """Give the folders that jobs have run in, with name and key; any other is not touched."""
    for note in sorted(jobs.glob(f"*/{CONTENTS_FILE}")):
        content: dict[str, Any] = json.loads(note.read_text("utf-8"))
        if note.parent.name.endswith(f"-{content['key']}") and not note.parent.is_symlink():
            yield note.parent, content["name"], content["key"]
