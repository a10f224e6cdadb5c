"""Jobs that have nothing to do: they would wait in a queue for it.

Where a job ends, those behind it are completed before they are ready: FireWorks finds them with a completed launch as
soon as what they wait for has ended, and completes them then. What is ready without that, as in a study that is
submitted again, is run by the launching process.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fireworks import FWAction
from fireworks.core.firework import Launch
from jobflow import Job, JobStore
from monty.json import MontyDecoder

from barriers.dispatch.execution import execute, stored_calculation, with_inputs
from barriers.dispatch.fireworks import gates
from barriers.dispatch.identity import contents

if TYPE_CHECKING:
    from fireworks import LaunchPad


def end_at_once(launchpad: LaunchPad, store: JobStore, uuid: str, root: Path) -> None:
    """Complete the jobs behind one that its result leaves nothing to do for, and those behind them.

    Parameters
    ----------
    launchpad : LaunchPad
        The database.
    store : JobStore
        Connected, the result in it.
    uuid : str
        Of the job, which is still running.
    root : Path
        Folder of the study's jobs.
    """
    which = {"spec.barriers.parents": uuid, "spec.barriers.may_end_at_once": True, "state": "WAITING", "launches": []}
    for firework in launchpad.fireworks.find(which).sort("fw_id"):
        job = _job(firework)
        if not _ends_at_once(job, store):
            continue
        done = execute(job, store, root, firework["spec"]["barriers"]["scope"])
        action = FWAction(stored_data={"state": done.state, "folder": str(done.folder)})
        number = launchpad.get_new_launch_id()
        launch = Launch("COMPLETED", str(done.folder), action=action, launch_id=number, fw_id=firework["fw_id"])
        launchpad.launches.insert_one(launch.to_db_dict())
        # Not if a process that got its other inputs meanwhile was as fast.
        mine = {"fw_id": firework["fw_id"], "state": "WAITING", "launches": []}
        launchpad.fireworks.update_one(mine, {"$push": {"launches": number}})
        gates.done(launchpad, job.uuid)
        end_at_once(launchpad, store, job.uuid, root)


def nothing_to_do(firework: dict[str, Any], store: JobStore) -> bool:
    """Whether a ready job has nothing to compute: it says so itself, or its result is stored."""
    with suppress(Exception):  # what it rests on is not on this machine: the queue finds out
        inputs, about = with_inputs(_job(firework), store), firework["spec"]["barriers"]
        if about.get("may_end_at_once") and _says_so(inputs):
            return True
        return stored_calculation(store, inputs, contents(inputs, about["scope"])) is not None
    return False


def _job(firework: dict[str, Any]) -> Job:
    job: Job = json.loads(firework["spec"]["_tasks"][0]["job"], cls=MontyDecoder)
    return job


def _ends_at_once(job: Job, store: JobStore) -> bool:
    with suppress(ValueError):  # an input is not there yet
        return _says_so(with_inputs(job, store))
    return False


def _says_so(inputs: Job) -> bool:
    return bool(inputs.maker.ends_at_once(*inputs.function_args, **inputs.function_kwargs))
