"""Which key of the configuration to mend, from what the queue or a failed job says."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from barriers.dispatch.fireworks.config import LAUNCHPAD, QUEUE, RESOURCES, Cluster
from barriers.distribution import install
from barriers.secrecy import hide
from barriers.workflow.labels import Kind


def refused(cluster: Cluster, lines: Sequence[str], kinds: Sequence[Kind]) -> str:
    """Say which key the queue does not take, of a job of one of these kinds."""
    said = re.search(r"response reads: (b'.*'|b\".*\")", "\n".join(lines))
    text = ast.literal_eval(said[1]).decode(errors="replace") if said else "\n".join(lines)
    words = next((hide(line.strip()) for line in text.splitlines() if line.strip()), "no word")
    asked = cluster.resources().kinds
    for key in ("partition", "queue", "account", "walltime", "time limit"):
        if key in words.lower():
            name = {"partition": "queue", "time limit": "walltime"}.get(key, key)
            values = {kind: value for kind in kinds if (value := getattr(getattr(asked, kind), name))}
            kind, shown = next(iter(values.items()), (None, cluster.qadapter().get(name)))
            where = f"{RESOURCES}: kinds.{kind}.{name}" if kind else f"{QUEUE}: {name}"
            return f"{cluster.folder}/{where}: {shown!r} is refused by the queue: {words}"
    return f"{cluster.folder / QUEUE}: the queue refuses the job: {words}"


def blame(cluster: Cluster, text: str, job: str) -> str:
    """Say which key is to mend, from what a failed job left."""
    text = hide(text)
    adapter = cluster.folder / QUEUE
    if missing := re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", text):
        return (
            f"{adapter}: pre_rocket: the Python of job {job} has no {missing[1]!r}; activate the environment with "
            f"FireWorks ({install('fireworks')}), and start its rlaunch in rocket_launch"
        )
    if re.search(r"pymongo\.errors\.(ServerSelectionTimeout|AutoReconnect|NetworkTimeout|ConnectionFailure)", text):
        return (
            f"{cluster.folder / LAUNCHPAD}: host: the machine of job {job} cannot reach the database; name it as that "
            f"machine knows it, and let it through the firewall"
        )
    if "pymongo.errors.OperationFailure" in text:
        return f"{cluster.folder / LAUNCHPAD}: password: the machine of job {job} is refused by the database"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if lines and lines[-1].startswith(f"ValueError: {cluster.folder}"):
        return lines[-1].removeprefix("ValueError: ")
    for line in lines:
        if "No such file" in line or "not found" in line or "Permission denied" in line:
            return f"{adapter}: {'rocket_launch' if 'rlaunch' in line else 'pre_rocket'}: job {job} says: {line}"
    return (
        f"{adapter}: rocket_launch: job {job} ended without an answer; its last words: {lines[-1] if lines else 'none'}"
    )
