"""Fixtures with the real services that jobs are sent through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from external import need
from mongo import Mongod, find_mongod
from slurm import Slurm, has_slurm

__all__ = ["mongod", "slurm"]


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
