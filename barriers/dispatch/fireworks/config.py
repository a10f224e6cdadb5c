"""The folder that says where the jobs are kept and where they run.

Three files are FireWorks' own (``my_launchpad.yaml``, ``my_fworker.yaml``, ``my_qadapter.yaml``), so its commands take
the same folder (``lpad -c FOLDER``); ``resources.yaml`` is ours (:mod:`barriers.dispatch.fireworks.resources`). They
are checked before they are used: what is wrong is said in one line with file and key, and never with a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fireworks import FWorker, LaunchPad
from fireworks.queue.queue_adapter import QueueAdapterBase
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

from barriers.dispatch.fireworks.collections import documents, scope_of
from barriers.dispatch.fireworks.database import connect
from barriers.dispatch.fireworks.files import LaunchPadFile, WorkerFile, queue_of
from barriers.dispatch.fireworks.queues import Queue
from barriers.dispatch.fireworks.resources import Resources
from barriers.dispatch.secret_files import read_secret_file
from barriers.dispatch.store import config_folder, configured_store
from barriers.secrecy import keep_secret
from barriers.study.describe import by_key
from barriers.study.file import Form, naming_lines, parse_yaml, validate, yaml_text

if TYPE_CHECKING:
    from jobflow import JobStore

LAUNCHPAD, WORKER, QUEUE, RESOURCES = "my_launchpad.yaml", "my_fworker.yaml", "my_qadapter.yaml", "resources.yaml"


@dataclass(frozen=True)
class Cluster:
    """A configuration folder.

    Attributes
    ----------
    folder : Path
        With the four files; each is read when it is asked for.
    """

    folder: Path

    def launchpad(self) -> LaunchPad:
        """Connect to the database of the jobs.

        Raises
        ------
        ValueError
            One line with file and key: no such file, an unknown key, no answer, wrong credentials, or a database that
            was never set up.
        """
        launchpad = self.connect()
        if launchpad.fw_id_assigner.find_one({}) is None:
            raise ValueError(
                f"{self.folder / LAUNCHPAD}: name: database {launchpad.name!r} is not set up; run "
                f"`barriers setup fireworks`, or name another"
            )
        return launchpad

    def connect(self) -> LaunchPad:
        """Connect to the database as :meth:`launchpad` does, set up or not."""
        file = self._launchpad_file()
        try:
            return connect(file)
        except ValueError as error:  # of its own kind where the database may answer later
            raise type(error)(f"{self.folder / LAUNCHPAD}: {error}") from None

    def fworker(self) -> FWorker:
        """Read which jobs this worker takes."""
        return FWorker.from_dict(self._section(WORKER, WorkerFile).model_dump())

    def qadapter(self) -> QueueAdapterBase:
        """Read how jobs are put into the queue."""
        self._queue()
        return CommonAdapter.from_dict(self._content(QUEUE))

    def resources(self) -> Resources:
        """Read what jobs ask for, checked against the queue's job script."""
        return self._section(RESOURCES, Resources, self._queue())

    @property
    def owner(self) -> str:
        """Whose studies are submitted from here."""
        return self.resources().owner

    def scope(self, study: str) -> str:
        """Give the scope of a study of this owner that is on the LaunchPad.

        Raises
        ------
        ValueError
            If nothing of it is.
        """
        scope = scope_of(self.owner, study)
        if self.launchpad().fireworks.find_one({"spec.barriers.scope": scope}, {"_id": 1}) is None:
            raise ValueError(f"{study}: no such study of {self.owner} on the LaunchPad; `barriers submit` adds it")
        return scope

    def store(self) -> JobStore:
        """Open where the results go: what ``store.yaml`` in the folder says, else the LaunchPad's own database."""
        return configured_store(self.folder) or documents(self.launchpad())

    def _launchpad_file(self) -> LaunchPadFile:
        path = _existing(self.folder / LAUNCHPAD)
        content = read_secret_file(path)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: is no list of keys with values; allowed: {', '.join(by_key(LaunchPadFile))}")
        with naming_lines(path):
            return validate(content, LaunchPadFile)

    def _queue(self) -> Queue:
        content = self._content(QUEUE)
        with naming_lines(self.folder / QUEUE):
            return queue_of(content)

    def _section(self, name: str, form: type[Form], context: Any = None) -> Form:
        content = self._content(name)
        with naming_lines(self.folder / name):
            return validate(content, form, context)

    def _content(self, name: str) -> Any:
        path = _existing(self.folder / name)
        with naming_lines(path):
            content = parse_yaml(yaml_text(path))
        keep_secret(content)
        return content


def find_cluster(folder: Path | None = None) -> Cluster:
    """Find the configuration folder.

    Parameters
    ----------
    folder : Path or None
        The folder; if None, that of ``$BARRIERS_CONFIG``, else ``~/.barriers``.

    Raises
    ------
    ValueError
        If it is not there.
    """
    cluster = Cluster(config_folder(folder))
    if not cluster.folder.is_dir():
        raise ValueError(
            f"{cluster.folder}: no such folder; run `barriers setup fireworks`, or name another with --config"
        )
    return cluster


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ValueError(f"{path}: no such file; `barriers setup fireworks` writes it")
    return path


def store_of(launchpad: LaunchPad) -> JobStore:
    """Open where results go, for a job that has its LaunchPad already and may have no configuration folder."""
    keep_secret(launchpad.to_dict())
    return configured_store(config_folder()) or documents(launchpad)
