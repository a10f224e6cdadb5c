"""Fixtures with the real services that jobs are sent through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from external import need
from mongo import Mongod, find_mongod
from slurm import Slurm, has_slurm

__all__ = ["here", "mongod", "shared_launchpad", "slurm"]


@pytest.fixture(scope="session")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A MongoDB server without credentials, shared: every test takes a database of its own."""
    need(find_mongod() is not None, "mongod (its path in the variable MONGOD)")
    server = Mongod(tmp_path_factory.mktemp("mongod"))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    """Slurm with one node and the partition ``slurm.PARTITION``, which all commands of this session find."""
    need(has_slurm(), "slurm-wlm and munge, and root to start them")
    queue = Slurm()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(queue.configuration))
        try:
            yield queue.start()
        finally:
            queue.stop()


@pytest.fixture(scope="session")
def shared_launchpad(mongod: Mongod, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Configuration folder and database of the tests that run jobs in their own process."""
    from dispatched import write_cluster

    cluster = write_cluster(tmp_path_factory.mktemp("cluster"), mongod.port, name="here")
    with (cluster.folder / "my_launchpad.yaml").open("a") as file:
        file.write("mongoclient_kwargs: {journal: false}\n")  # this server is never killed
    return cluster


@pytest.fixture
def here(shared_launchpad: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty LaunchPad whose jobs are run by ``dispatched.work``, in this process."""
    from dispatched import empty

    monkeypatch.setenv("BARRIERS_CONFIG", str(shared_launchpad.folder))
    monkeypatch.setattr("fireworks.core.rocket.ROCKET_STREAM_LOGLEVEL", "CRITICAL")
    monkeypatch.chdir(tmp_path)
    empty(shared_launchpad)
    return shared_launchpad
