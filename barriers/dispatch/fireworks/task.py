"""The Firetask that runs one job of a study on whatever machine it has come to."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from fireworks import FiretaskBase, FWAction, explicit_serialize
from jobflow import Job, JobStore
from monty.json import MontyDecoder

from barriers.dispatch.execution import Executed, execute
from barriers.dispatch.fireworks import gates
from barriers.dispatch.fireworks.at_once import end_at_once
from barriers.dispatch.fireworks.collections import runs
from barriers.dispatch.fireworks.config import store_of
from barriers.dispatch.fireworks.heartbeat import Heartbeat
from barriers.engines.mlip.pool import CORES
from barriers.secrecy import told


class JobFailedError(RuntimeError):
    """A job that failed: its name, which says system and hop, its folder, and the last words of the code."""


@explicit_serialize
class StudyFiretask(FiretaskBase):
    """Run a job in its own folder, and keep signs of life while it runs.

    A job that was lost before finds its checkpoint in that folder, whichever launch it is in.

    Other Parameters
    ----------------
    job : str
        The job as JSON, so that FireWorks itself need not understand it.
    """

    required_params = ("job",)

    def run_task(self, fw_spec: dict[str, Any]) -> FWAction:
        """Run the job, store its result, and open what waited for it.

        Raises
        ------
        JobFailedError
            If the job raises; FireWorks marks it FIZZLED, and only what depends on it waits.
        """
        about = fw_spec["barriers"]
        job: Job = json.loads(self["job"], cls=MontyDecoder)
        store = store_of(self.launchpad)
        if about["cores"] is not None:
            os.environ[CORES] = str(about["cores"])
        with Heartbeat(runs(self.launchpad), about, about["heartbeat"], self._launch()) as heartbeat:
            done = _execute(job, store, about, heartbeat)
            if done.state == "failed":
                words = f"{job.name}: {done.message}; files and error.txt in {done.folder}"
                heartbeat.end("failed", message=words)
                gates.failed(self.launchpad, [job.uuid])
                raise JobFailedError(words)
            heartbeat.end(done.state, **_numbers(done))
        gates.done(self.launchpad, job.uuid)
        end_at_once(self.launchpad, store, job.uuid, root_of(about["folder"]))
        return FWAction(stored_data={"state": done.state, **_numbers(done)})

    def _launch(self) -> int:
        """Give the number of this launch; FireWorks tells a task no more than its Firework's."""
        launches = self.launchpad.fireworks.find_one({"fw_id": self.fw_id}, {"launches": 1})["launches"]
        return int(launches[-1])


def _execute(job: Job, store: JobStore, about: dict[str, Any], heartbeat: Heartbeat) -> Executed:
    """Run the job; a folder that cannot be made or written to is a failure of the job as any other."""
    root = root_of(about["folder"])
    try:
        return execute(job, store, root, about["scope"], heartbeat.started)
    except OSError as error:
        return Executed("failed", heartbeat.folder or root / "jobs", message=told(error))


def root_of(folder: str) -> Path:
    """Folder of a study's jobs where this process is: variables and ``~`` are those of the machine."""
    return Path(os.path.expandvars(folder)).expanduser()


def _numbers(done: Executed) -> dict[str, Any]:
    return {
        "folder": str(done.folder),
        "message": done.message,
        "force_calls": done.force_calls,
        "seconds": round(done.seconds, 2),
        "barrier": done.barrier,
    }
