"""The services that the tests of dispatch run on."""

from __future__ import annotations

from pathlib import Path

import pytest
from external import need, wait_for
from mongo import DATABASE, PASSWORD, USER, Mongod, find_mongod
from pymongo import MongoClient
from pymongo.errors import OperationFailure
from slurm import Slurm


@pytest.mark.mongo
def test_a_killed_server_has_its_documents_after_a_restart(tmp_path: Path) -> None:
    need(find_mongod() is not None, "mongod")
    server = Mongod(tmp_path, auth=True).start()
    try:
        who = {"username": USER, "password": PASSWORD, "authSource": DATABASE}
        with MongoClient("127.0.0.1", server.port, journal=True, **who) as client:
            client[DATABASE].things.insert_one({"_id": 1})
            server.kill()
            server.restart()
            assert client[DATABASE].things.find_one() == {"_id": 1}
        with MongoClient("127.0.0.1", server.port) as stranger, pytest.raises(OperationFailure, match="auth"):
            stranger[DATABASE].things.find_one()
    finally:
        server.stop()


@pytest.mark.slurm
def test_a_drained_queue_leaves_no_step_behind(slurm: Slurm) -> None:
    slurm.ask("sbatch", "--output=/dev/null", "--wrap=sleep 300")
    wait_for(lambda: "R" in slurm.ask("squeue", "-h", "-o", "%t"), 20, "start of the job")
    wait_for(lambda: bool(slurm.steps()), 20, "step of the job")
    slurm.drain()
    wait_for(lambda: not slurm.steps(), 20, "end of the step")
    assert not slurm.jobs()
