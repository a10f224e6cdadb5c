"""A results folder of a study of many hops in the middle of its run, as far as the states of its jobs go."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path

from barriers.dispatch.states import JobState, JobStates

JOBS = ("relax initial", "relax final", "band idpp", "barrier")
SYSTEMS = ("NCM", "NCM@PVDF")
FAILS_EVERY = 50


def many_jobs(folder: Path, hops: int, finished: float = 0.6) -> None:
    """Write the states of all jobs of two systems, and the files of the bands that have begun.

    Parameters
    ----------
    folder : Path
        Results folder; made.
    hops : int
        Hops of each system.
    finished : float
        Part of them that is done; every 50th has failed.
    """
    folder.mkdir(parents=True)
    began, states = time.time() - 60.0 * hops, []
    for number in range(hops * len(SYSTEMS)):
        system, hop = SYSTEMS[number % len(SYSTEMS)], f"vacancy-{number // len(SYSTEMS) + 1}"
        done, failed = number < finished * hops * len(SYSTEMS), number % FAILS_EVERY == 7
        for place, what in enumerate(JOBS):
            kind = {"band idpp": "neb", "barrier": "analysis"}.get(what, "relax")
            values = {"state": "waiting"}
            if done:
                values = {"state": "done", "started": began + 60 * number, "ended": began + 60 * number + 50}
                values |= {"host": platform.node(), "force_calls": 120}
            if done and failed and place >= 2:
                values |= {"state": "failed", "message": "no SCF"} if place == 2 else {"state": "skipped"}
            if done and kind == "neb":
                values["folder"] = str(_band(folder / "jobs" / f"{number}", 0.3 + (number % 20) / 100))
            name, uuid = f"{system} {hop}: {what}", f"{number}-{what}"
            states.append(JobState(uuid, name, kind, system, hop, len(states) + 1, **values))
    JobStates(folder).begin(states)


def _band(folder: Path, height: float) -> Path:
    folder.mkdir(parents=True)
    profile = [[0.0, 0.5, 1.0, 1.5, 2.0], [0.0, height / 2, height, height / 2, 0.05]]
    told = {"kind": "neb", "stage": "climbing", "max_force": 0.04, "target": 0.05, "highest_image": height}
    lines = [
        json.dumps(told | {"iteration": number, "force_calls": 5 * number, "profile": profile}) for number in (0, 1)
    ]
    (folder / "neb-0123456789ab.progress.jsonl").write_text("\n".join(lines) + "\n")
    return folder
