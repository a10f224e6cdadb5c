"""A real Slurm of the tests' own: one node, no systemd, no cgroups, its folder and its ports."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes

import psutil
from external import end_service, free_port, start_service, wait_for

PARTITION = "barriers"

CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
InactiveLimit=0
KillWait=3
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName={partition} Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""


def has_slurm() -> bool:
    """Whether Slurm and munge are installed, and may be started: that takes root."""
    return os.geteuid() == 0 and all(map(shutil.which, ("slurmctld", "slurmd", "munged", "sbatch")))


@dataclass
class Slurm:
    """The controller, the node and munge, each in the foreground, as children of the tests.

    Attributes
    ----------
    folder : Path
        Configuration, state and logs. Its path is short: sockets allow no long one.
    """

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="slurm-")))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def configuration(self) -> Path:
        """File that Slurm's commands find in the variable ``SLURM_CONF``."""
        return self.folder / "slurm.conf"

    def start(self) -> Slurm:
        """Start it and wait until its node is idle."""
        munge = self.folder / "munge"
        for folder in (self.folder, munge, self.folder / "state", self.folder / "spool"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711)
        key = munge / "key"
        key.write_bytes(token_bytes(1024))
        key.chmod(0o400)
        self.configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().split(".")[0],
                controller_port=free_port(),
                node_port=free_port(),
                folder=self.folder,
                cores=os.cpu_count(),
                memory=psutil.virtual_memory().total * 9 // 10 // 2**20,
                partition=PARTITION,
            )
        )
        files = [
            f"--{name}={munge / name.partition('-')[0]}" for name in ("key-file", "socket", "pid-file", "seed-file")
        ]
        self._start("munged", "--foreground", "--force", *files, f"--log-file={munge / 'log'}")
        wait_for((munge / "socket").exists, 10, "munge")
        self._start("slurmctld", "-D", "-f", self.configuration)
        self._start("slurmd", "-D", "-f", self.configuration)
        wait_for(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%t"), 30, f"Slurm, logs in {self.folder}")
        return self

    def ask(self, *command: str) -> str:
        """Run one of Slurm's commands; what it prints, whatever its exit code."""
        environment = os.environ | {"SLURM_CONF": str(self.configuration)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout

    def jobs(self) -> list[str]:
        """Ids of the jobs that wait or run."""
        return self.ask("squeue", "-h", "-o", "%i").split()

    def drain(self) -> None:
        """Cancel every job and wait until none is left."""
        for job in self.jobs():
            self.ask("scancel", job)
        wait_for(lambda: not self.jobs(), 30, "draining the queue")

    def stop(self) -> None:
        """End everything, jobs first: a step that outlives the controller would never end."""
        try:
            self.drain()
        finally:
            for process in reversed(self.processes):
                end_service(process)
            for step in self.steps():
                with contextlib.suppress(psutil.NoSuchProcess):
                    step.kill()
            shutil.rmtree(self.folder, ignore_errors=True)

    def steps(self) -> list[psutil.Process]:
        """Processes that watch over a job."""
        running = psutil.process_iter(["name", "cwd"])
        mark = ("slurmstepd", str(self.folder))
        return [process for process in running if (process.info["name"], process.info["cwd"]) == mark]

    def _start(self, name: str, *options: str | Path) -> None:
        environment = os.environ | {"SLURM_CONF": str(self.configuration)}
        self.processes.append(start_service([name, *options], self.folder / f"{name}.log", environment))
