"""Writing the configuration folder, and setting up a new database."""

from __future__ import annotations

import io
import os
import platform
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fireworks import LaunchPad
from ruamel.yaml import YAML

from barriers.disk import writes_folder
from barriers.dispatch.fireworks.collections import ensure_indices
from barriers.dispatch.fireworks.config import LAUNCHPAD, QUEUE, RESOURCES, WORKER, Cluster
from barriers.dispatch.fireworks.files import LaunchPadFile, WorkerFile, queue_of
from barriers.dispatch.fireworks.private import ADAPTER
from barriers.dispatch.fireworks.resources import ANALYSIS, COMPUTE, Resources
from barriers.dispatch.secret_files import from_environment
from barriers.distribution import install
from barriers.secrecy import hidden, keep_secret
from barriers.study.file import naming_lines, validate
from barriers.study.template import render

KINDS = {"slurm": "SLURM", "pbs": "PBS", "sge": "SGE", "lsf": "LoadSharingFacility"}
"""FireWorks' words for the queueing systems."""

PATIENCE_MS = 300_000
"""Milliseconds that a running job waits for a database that is away; people's commands wait less."""


@dataclass(frozen=True, repr=False)
class Answers:
    """What a person has to say about a cluster.

    Attributes
    ----------
    host : str
        Machine of the database, or a connection string.
    port : int
        Its port; unused with a connection string.
    database : str
        Its name.
    username, password : str or None
        Credentials for that database.
    queue_type : str
        One of :data:`KINDS`.
    queue, account, walltime : str or None
        Left to the queue if None.
    folder : str
        Where jobs run, on the machine that computes.
    cores : int
        Of each calculation.
    """

    host: str
    port: int
    database: str
    username: str | None
    password: str | None
    queue_type: str
    queue: str | None
    account: str | None
    walltime: str | None
    folder: str
    cores: int

    def __post_init__(self) -> None:
        """Keep what is secret so."""
        keep_secret(vars(self))

    def __repr__(self) -> str:
        """Without secrets, for messages and tracebacks."""
        return f"{type(self).__name__}({hidden(vars(self))})"


@writes_folder
def write_cluster(answers: Answers, folder: Path) -> list[Path]:
    """Write the four files, with mode 600 and comments; what is there is overwritten.

    Raises
    ------
    ValueError
        If an answer does not fit; nothing is written then.
    """
    contents = {
        LAUNCHPAD: _launchpad(answers),
        WORKER: render(WorkerFile(name=f"barriers@{platform.node()}", category=[COMPUTE, ANALYSIS])),
        QUEUE: _queue_file(answers, folder),
        RESOURCES: _resources(answers, folder),
    }
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in contents.items():
        path = folder / name
        path.touch(mode=0o600)
        path.chmod(0o600)  # before anything secret is in it
        path.write_text(text, "utf-8")
    return [folder / name for name in contents]


def files_there(folder: Path) -> list[Path]:
    """Those of the four files that are there already."""
    return [path for name in (LAUNCHPAD, WORKER, QUEUE, RESOURCES) if (path := folder / name).exists()]


def prepare_database(cluster: Cluster) -> str:
    """Set up an empty database for FireWorks; one in use is left as it is.

    Returns
    -------
    str
        What was found, for people.

    Raises
    ------
    ValueError
        If it cannot be reached, or holds jobs but no counter of their ids.
    """
    launchpad = cluster.connect()
    server = f"MongoDB {launchpad.connection.server_info()['version']}, database {launchpad.name!r}"
    if launchpad.fw_id_assigner.find_one({}) is not None:
        jobs = launchpad.fireworks.estimated_document_count()
        return f"{server}: in use already, {jobs} jobs; left as it is"
    _refuse_damaged(launchpad, cluster)
    ids = {"next_fw_id": 1, "next_launch_id": 1}
    launchpad.fw_id_assigner.update_one({"_id": -1}, {"$setOnInsert": ids}, upsert=True)
    launchpad.tuneup()
    ensure_indices(launchpad)
    return f"{server}: was empty; set up"


def _refuse_damaged(launchpad: LaunchPad, cluster: Cluster) -> None:
    if launchpad.fireworks.find_one({}, {"_id": 1}) is not None:
        raise ValueError(
            f"{cluster.folder / LAUNCHPAD}: name: database {launchpad.name!r} holds jobs but not the counter of their "
            f"ids (fw_id_assigner); restore it from a backup, or name another database"
        )


def _launchpad(answers: Answers) -> str:
    if answers.password is not None and answers.password.startswith("$"):
        raise ValueError("password: starts with $, as the name of an environment variable does; choose another")
    with naming_lines("host"):
        host = from_environment(answers.host)
    keep_secret({"host": host})
    uri = "://" in host
    content = {
        "host": answers.host,
        "port": None if uri else answers.port,
        "name": answers.database,
        "username": answers.username,
        "password": answers.password,
        "uri_mode": uri,
        "mongoclient_kwargs": {"journal": True, "serverSelectionTimeoutMS": PATIENCE_MS},
    }
    checked = validate(content | {"host": host}, LaunchPadFile)
    return render(checked.model_copy(update={"host": answers.host}) if host != answers.host else checked)


def _queue_file(answers: Answers, folder: Path) -> str:
    content = _adapter(answers, folder)
    further = [key for key in queue_of(content).resources if key not in content]
    stream = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.sort_base_mapping_type_on_output, writer.width = False, False, 10_000
    writer.dump(content, stream)
    return (
        f"# How a job is put into the queue: FireWorks' my_qadapter.yaml.\n"
        f"# pre_rocket is run first, on the machine that computes: what makes barriers and its programs ready there.\n"
        f"# rocket_launch starts the job. What a kind of job asks for in {RESOURCES} comes before what stands here.\n"
        f"{stream.getvalue()}"
        f"# Further keys of the job script: {', '.join(further)}\n"
    )


def _adapter(answers: Answers, folder: Path) -> dict[str, Any]:
    rlaunch = Path(sys.executable).with_name("rlaunch")
    if not os.access(rlaunch, os.X_OK):
        raise ValueError(f"rocket_launch: no program {rlaunch}; {install('fireworks')} in this environment")
    content = {
        "_fw_name": ADAPTER,
        "_fw_q_type": KINDS[answers.queue_type],
        "rocket_launch": f"{shlex.quote(str(rlaunch))} -c {shlex.quote(str(folder))} singleshot",
        "pre_rocket": "; ".join(filter(None, [_activation(), f"export BARRIERS_CONFIG={shlex.quote(str(folder))}"])),
        "queue": answers.queue,
        "account": answers.account,
    }
    return {key: value for key, value in content.items() if value is not None}


def _activation() -> str | None:
    """Command that makes a shell use this Python's environment, where it has one."""
    prefix = Path(sys.prefix)
    if (prefix / "bin" / "activate").is_file():
        return f"source {shlex.quote(str(prefix / 'bin' / 'activate'))}"
    if (conda := os.environ.get("CONDA_EXE")) and os.environ.get("CONDA_PREFIX") == str(prefix):
        return f"source {shlex.quote(str(Path(conda).with_name('activate')))} {shlex.quote(str(prefix))}"
    return None


def _resources(answers: Answers, folder: Path) -> str:
    calculation = {"cores": answers.cores} | ({"walltime": answers.walltime} if answers.walltime else {})
    content = {"folder": answers.folder, "kinds": dict.fromkeys(("static", "relax", "neb"), calculation)}
    with naming_lines(RESOURCES):
        return render(validate(content, Resources, queue_of(_adapter(answers, folder))))
