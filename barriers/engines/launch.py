"""Command lines of codes as clusters have them: launcher, container, program; and how many processes that makes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from barriers.engines.protocol import NotHereError

SRUN = "srun"

LAUNCHERS = re.compile(r"(srun|aprun|ibrun|jsrun|(mpi|orte|prte)(run|exec).*)$")

CONTAINERS = ("apptainer", "singularity", "podman", "docker", "shifter")
"""Programs that run another one in an image; what they run is not looked for outside."""

COUNTS = ("-np", "--np", "-n", "--n", "--ntasks")
"""Options that say how many processes there are. With ``srun``, ``-c`` says how many cores each of them has."""

PER_NODE = ("--ntasks-per-node", "--tasks-per-node", "-ppn", "--ppn", "-npernode", "--npernode", "-perhost")

SHELL = re.compile(r"(&&?|\|\|?|;|\d?[<>].*|module|source|export|.+;)$")
"""Words that a shell would act on; a command is started without one."""

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True)
class Launch:
    """A command line in parts.

    Attributes
    ----------
    before : tuple of str
        Launcher and container, with their options.
    program : str
        The code.
    options : tuple of str
        What follows it.
    """

    before: tuple[str, ...]
    program: str
    options: tuple[str, ...] = ()

    @property
    def launcher(self) -> str:
        """Name of the program that starts the processes; empty where the code is started as it is."""
        return next(filter(LAUNCHERS.match, (Path(word).name for word in self.before)), "")

    @property
    def counted(self) -> tuple[int | None, str]:
        """Processes, and what says so; None where only the job will know it."""
        if not self.launcher:
            return 1, "no launcher"
        by_slurm = self.launcher == SRUN
        # -c of srun is cores a process, and -N nodes; of mpirun they are processes, and processes a node.
        if (number := number_of(self.before, COUNTS if by_slurm else (*COUNTS, "-c"))) is not None:
            return number, "its command"
        if any("$" in word for word in self.before):
            return None, "the job"
        if by_slurm and (number := _number(os.environ.get("SLURM_NTASKS"))) is not None:
            return number, "SLURM_NTASKS"  # goes before --ntasks-per-node, as with srun itself
        nodes = (number_of(self.before, ("-N", "--nodes")) if by_slurm else None) or _number(
            os.environ.get("SLURM_JOB_NUM_NODES")
        )
        if (each := number_of(self.before, PER_NODE if by_slurm else (*PER_NODE, "-N"))) is not None:
            return each * (nodes or 1), "processes a node"
        return (nodes if "SLURM_JOB_ID" in os.environ else None, "one a node") if by_slurm else _of_job()

    @property
    def alone(self) -> Launch:
        """Without its launcher where that would ask a queue for a job, or lacks a variable of one."""
        waits = self.launcher == SRUN and "SLURM_JOB_ID" not in os.environ
        if not waits and not any("$" in word for word in self.before):
            return self
        at = next((number for number, word in enumerate(self.before) if Path(word).name in CONTAINERS), None)
        return replace(self, before=() if at is None else self.before[at:])

    @property
    def line(self) -> str:
        """The command line as it may be typed: a shell fills in its variables."""
        words = (*self.before, self.program, *self.options)
        return " ".join(word if "$" in word else shlex.quote(word) for word in words)

    def check(self) -> None:
        """Raise ``ValueError`` if a program of the command is not here, or a variable in it is not set."""
        inside = any(Path(word).name in CONTAINERS for word in self.before)
        for program in dict.fromkeys((*self.before[:1], *(() if inside else (self.program,)))):
            if shutil.which(program) is None:
                variable = "; a variable in it is not set" if "$" in program else ""
                raise NotHereError(
                    f"engine.command: no program {program!r} here{variable}; load its module before (module load …), "
                    "install it, or give its path in engine.command"
                )

    def words(self) -> list[str]:
        """Give the command, to be started now.

        Raises
        ------
        ValueError
            If a variable in it is not set.
        """
        words = [*self.before, self.program, *self.options]
        if missing := next((word for word in words if "$" in word), None):
            raise ValueError(f"engine.command: {missing} is not set here; allowed: variables that the job has")
        return words

    def plan(self, n_images: int, at_a_time: int | None) -> str:
        """Say how many processes there are and what says so, and how many images share them."""
        number, source = self.counted
        shared = f"; {at_a_time} of {n_images} images at a time" if at_a_time is not None else ""
        if number is None:
            return f"as many processes as the job has{shared}"
        each = f", {number // at_a_time} processes each" if at_a_time else ""
        return f"{number} processes ({source}){shared}{each}"


def take_apart(text: str, find: Callable[[list[str]], int | None], example: str) -> Launch:
    """Take a command line apart; variables that are set here are filled in.

    Parameters
    ----------
    text : str
        The command line.
    find : callable
        Gives the place of the code among the words; None where it is not there.
    example : str
        What is allowed, for the error.

    Raises
    ------
    ValueError
        If it does not start the code, or is for a shell.
    """
    try:
        words = shlex.split(os.path.expandvars(text))
    except ValueError as error:
        raise ValueError(f"engine.command: {text!r}: {error}; allowed: {example}") from None
    odd = next(filter(SHELL.match, words), None) or next(filter(ASSIGNMENT.match, words[:1]), None)
    if odd is not None:
        raise ValueError(
            f"engine.command: {odd!r} is for a shell, and none is started; load modules and set variables before, in "
            f"the batch script or in pre_rocket of my_qadapter.yaml; allowed: {example}"
        )
    at = find(words)
    if at is None:
        raise ValueError(f"engine.command: {text!r} does not start the code; allowed: {example}")
    return Launch(tuple(words[:at]), words[at], tuple(words[at + 1 :]))


def number_of(words: Sequence[str], options: Sequence[str]) -> int | None:
    """Number that the last of some options gives, in any of the forms ``-n 64``, ``-n64``, ``--n=64``."""
    found = None
    for at, word in enumerate(words):
        for option in options:
            value = word.removeprefix(option) if word.startswith(option) else None
            if value == "":
                value = words[at + 1] if at + 1 < len(words) else ""
            if value is not None and (number := _number(value.removeprefix("="))) is not None:
                found = number
    return found


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() and int(text) > 0 else None


def _of_job() -> tuple[int | None, str]:
    """Processes that ``mpirun`` starts in this job; None outside of one."""
    for name in ("SLURM_NTASKS", "NSLOTS", "LSB_DJOB_NUMPROC"):
        if (number := _number(os.environ.get(name))) is not None:
            return number, name
    if tasks := os.environ.get("SLURM_TASKS_PER_NODE"):  # e.g. 32(x2),16
        rows = re.findall(r"(\d+)(?:\(x(\d+)\))?", tasks)
        return sum(int(each) * int(times or 1) for each, times in rows), "SLURM_TASKS_PER_NODE"
    listed = os.environ.get("PBS_NODEFILE")
    if listed and Path(listed).is_file():
        return len(Path(listed).read_text("utf-8").split()), "PBS_NODEFILE"
    return None, "the job"
