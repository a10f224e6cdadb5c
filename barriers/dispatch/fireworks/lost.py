"""Which jobs of a study need help: lost, never started, failed, not converged, or without their result.

Judged by the database's clock. A fresh sign of life outweighs everything else; a job that is silent is asked for in
the queue, or as a process where it ran on this machine; only what neither knows anything of is lost by its silence.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobflow import JobStore

from barriers.dispatch.fireworks.collections import PUT_BACK, runs, time_there, utc
from barriers.dispatch.fireworks.heartbeat import SILENT_BEATS, is_there
from barriers.dispatch.fireworks.in_queue import states_in_queue
from barriers.dispatch.fireworks.suspect import Suspect, Trouble
from barriers.secrecy import hide

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.config import Cluster

FRESH_BEATS = 2
"""Whose last sign of life is no older is alive, whatever a queue says: it may be another queue."""

PATIENT_BEATS = 60
"""Silent for so long, a job is lost even though the queue still has it: nothing moves in it any more."""

START_SECONDS, UNSENT_SECONDS = 60, 300
"""How long a job may take until its first sign of life, and until its place in the queue is known (s)."""

MANY = 1000
"""Results that are looked up at once."""


class Look:
    """One look at the jobs of a study."""

    def __init__(self, cluster: Cluster, scope: str, states: Iterable[str]) -> None:
        launchpad = cluster.launchpad()
        which = {"spec.barriers.scope": scope, "state": {"$in": list(states)}}
        fields = {"fw_id": 1, "state": 1, "launches": 1, "spec.barriers": 1}
        self.fireworks = list(launchpad.fireworks.find(which, fields).sort("fw_id"))
        newest = [firework["launches"][-1] for firework in self.fireworks if firework["launches"]]
        self.launches = {each["launch_id"]: each for each in launchpad.launches.find({"launch_id": {"$in": newest}})}
        uuids = [firework["spec"]["barriers"]["uuid"] for firework in self.fireworks]
        self.runs = {run["_id"]: run for run in runs(launchpad).find({"_id": {"$in": uuids}})}
        self.now = time_there(launchpad)
        adapter = cluster.qadapter()
        self.queued = states_in_queue(
            adapter.q_type, self._queue_ids(), adapter.q_commands[adapter.q_type]["status_cmd"]
        )

    def suspects(self) -> list[Suspect]:
        """Find who needs help, but for results that are missing."""
        judges = {
            "RUNNING": self._running,
            "RESERVED": self._reserved,
            "FIZZLED": self._failed,
            "COMPLETED": self._unconverged,
        }
        found = (judges[firework["state"]](firework) for firework in self.fireworks)
        return [suspect for suspect in found if suspect is not None]

    def without_result(self, store: JobStore) -> list[Suspect]:
        """Find completed jobs whose result is not in the store.

        Raises
        ------
        ValueError
            If none of several is: then it is rather another store.
        """
        done = {each["spec"]["barriers"]["uuid"]: each for each in self.fireworks if each["state"] == "COMPLETED"}
        uuids = list(done)
        there: set[str] = set()
        for first in range(0, len(uuids), MANY):
            there.update(store.distinct("uuid", {"uuid": {"$in": uuids[first : first + MANY]}}))
        missing = [each for uuid, each in done.items() if uuid not in there]
        if len(missing) == len(done) > 1:
            raise ValueError(
                f"the store has none of the results of {len(done)} jobs that ended; is store.yaml the workers' own?"
            )
        return [self._suspect("no result", "", each) for each in missing]

    def _suspect(self, trouble: Trouble, words: str, firework: dict[str, Any], sure: bool = True) -> Suspect:
        record = self.runs.get(firework["spec"]["barriers"]["uuid"], {})
        if record.get("state") == "running" and record != self._run(firework):
            silent = (self.now - utc(record["beat"])).total_seconds()
            if silent < SILENT_BEATS * record["every"]:  # put back by hand while it ran
                return Suspect("silent", _joined(words, "an earlier start of it runs"), firework, record, silent, True)
        return Suspect(trouble, words, firework, record, self._silence(firework), sure)

    def _queue_ids(self) -> set[str]:
        """Numbers of the jobs that are not known to be alive."""
        ids = set()
        for firework in self.fireworks:
            silent = firework["state"] == "RUNNING" and self._silence(firework) >= FRESH_BEATS * self._every(firework)
            if (silent or firework["state"] == "RESERVED") and (queue_id := self._queue_id(firework)):
                ids.add(queue_id)
        return ids

    def _launch(self, firework: dict[str, Any]) -> dict[str, Any]:
        return self.launches.get(firework["launches"][-1], {}) if firework["launches"] else {}

    def _run(self, firework: dict[str, Any]) -> dict[str, Any]:
        """What was told in this launch; what an earlier one told says nothing of this one."""
        run = self.runs.get(firework["spec"]["barriers"]["uuid"], {})
        return run if firework["launches"] and run.get("launch") == firework["launches"][-1] else {}

    def _queue_id(self, firework: dict[str, Any]) -> str | None:
        history = self._launch(firework).get("state_history", [])
        reserved = [entry["reservation_id"] for entry in history if "reservation_id" in entry]
        queue_id: str | None = self._run(firework).get("queue_id") or (reserved[-1] if reserved else None)
        return queue_id

    def _every(self, firework: dict[str, Any]) -> float:
        return float(self._run(firework).get("every") or firework["spec"]["barriers"]["heartbeat"])

    def _silence(self, firework: dict[str, Any]) -> float:
        """Seconds since the last sign of life, or else since FireWorks knows of this launch."""
        if beat := self._run(firework).get("beat"):
            return (self.now - utc(beat)).total_seconds()
        history = self._launch(firework).get("state_history")
        since = (
            datetime.fromisoformat(str(history[-1].get("updated_on", history[-1]["created_on"]))) if history else None
        )
        if since is None:
            return float("inf")
        return (self.now - utc(since)).total_seconds()

    def _is_queued(self, queue_id: str | None) -> bool | None:
        """Whether the queue has a job; None where that is not known."""
        return self.queued[queue_id] is not None if queue_id in self.queued else None

    def _running(self, firework: dict[str, Any]) -> Suspect | None:
        run, silent, every = self._run(firework), self._silence(firework), self._every(firework)
        if silent < FRESH_BEATS * every:
            return None
        queue_id, on_this_machine = self._queue_id(firework), _process_is_there(run)
        queued = self._is_queued(queue_id)
        if False in (queued, on_this_machine):
            what = f"queue job {queue_id}" if queued is False else f"process {run['pid']} on {run['host']}"
            words = _joined(f"{what} is gone", self._last_words(firework))
            return self._suspect("lost", words, firework, sure=on_this_machine is False)
        longest = SILENT_BEATS * every if run else max(SILENT_BEATS * every, START_SECONDS)
        if silent < longest:
            return None
        words = f"no sign of life for {silent:.0f} s"
        if True in (queued, on_this_machine) and silent < PATIENT_BEATS * every:
            what = f"the queue still has job {queue_id}" if queued else f"process {run['pid']} is still there"
            return self._suspect("silent", f"{words}, but {what}", firework)
        return self._suspect("lost", words, firework, sure=False)

    def _reserved(self, firework: dict[str, Any]) -> Suspect | None:
        queue_id, silent = self._queue_id(firework), self._silence(firework)
        if queue_id is None and silent > UNSENT_SECONDS:
            return self._suspect("not started", "was never put into the queue", firework, sure=False)
        if self._is_queued(queue_id) is False:
            words = _joined(f"queue job {queue_id} is gone", self._last_words(firework))
            return self._suspect("not started", words, firework, sure=False)
        return None

    def _failed(self, firework: dict[str, Any]) -> Suspect:
        run = self._run(firework)
        action = self._launch(firework).get("action") or {}
        trace = action.get("stored_data", {}).get("_exception", {}).get("_stacktrace", "")
        words = run.get("message") if run.get("state") == "failed" else None
        return self._suspect("failed", words or _last_line(trace), firework)

    def _unconverged(self, firework: dict[str, Any]) -> Suspect | None:
        run, kind = self._run(firework), firework["spec"]["barriers"]["kind"]
        goes_on = run.get("state") == "unconverged" and kind != "analysis"  # which only reads what others computed
        if not goes_on and run.get("state") not in PUT_BACK:
            return None
        return self._suspect("not converged", run.get("message", ""), firework)

    def _last_words(self, firework: dict[str, Any]) -> str:
        """What the queue wrote when it ended the job, as far as its folder can be seen from here."""
        folder = Path(self._launch(firework).get("launch_dir", ""))
        try:
            files = sorted(folder.glob("*.error"), key=lambda path: path.stat().st_mtime)
            text = files[-1].read_text("utf-8", "replace") if files else ""
        except OSError:
            return ""
        told = [line for line in text.splitlines() if re.search(r"error|kill|cancel|exceed", line, re.IGNORECASE)]
        return _last_line(told[-1] if told else text)


def _process_is_there(run: dict[str, Any]) -> bool | None:
    """Whether the process of a run lives; None where it ran on another machine."""
    return is_there(run["pid"], run["process_started"]) if run.get("host") == platform.node() else None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return hide(lines[-1])[:300] if lines else ""


def _joined(*parts: str) -> str:
    return ": ".join(part for part in parts if part)
