"""The command line of ``neb.x`` and ``pw.x``: parsed, planned over images, and asked for its version."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from barriers.engines.launch import SRUN, Launch, number_of, take_apart

IMAGE_OPTIONS = ("-ni", "-nimage", "-nimages")

VERSION_SECONDS = 60
"""The code is given this time (s) to say its version."""


@dataclass(frozen=True)
class Command(Launch):
    """A command line of ``neb.x``, e.g. ``mpirun -np 8 neb.x -ni 4``, in parts."""

    @property
    def processes(self) -> int | None:
        """Processes that are started; None where only the job will know it."""
        return self.counted[0]

    def images_at_a_time(self, n_images: int) -> int | None:
        """Images of a band that are evaluated at a time; None where that is left to the job.

        Where the command does not say it, as many as divide both processes and intermediate images.

        Raises
        ------
        ValueError
            If the images evaluated at a time do not divide the processes, or are more than there are.
        """
        processes, asked = self.processes, number_of(self.options, IMAGE_OPTIONS)
        if processes is None:
            return asked
        fitting = [n for n in range(1, n_images + 1) if processes % n == 0]
        if asked is None:
            return max(n for n in fitting if n_images % n == 0)
        if asked not in fitting:
            raise ValueError(
                f"engine.command: -ni {asked} does not fit {processes} processes and {n_images} images; "
                f"allowed: {', '.join(map(str, fitting))}"
            )
        return asked

    def neb(self, n_images: int, input_file: str) -> list[str]:
        """Command for a band with so many intermediate images.

        Raises
        ------
        ValueError
            If images and processes do not fit, see :meth:`images_at_a_time`, or a variable in it is not set.
        """
        return [*self.for_neb(n_images).words(), "-inp", input_file]

    def pw(self, input_file: str) -> list[str]:
        """Command of ``pw.x``, started like ``neb.x`` but without parallel images."""
        return [*self.for_pw().words(), "-inp", input_file]

    def plans(self, n_images: int) -> list[str]:
        """Say, in a line each, how structures and bands are computed."""
        return [
            f"single structures: {self.for_pw().line}: {self.plan(1, None)}",
            f"bands: {self.for_neb(n_images).line}: {self.plan(n_images, self.images_at_a_time(n_images))}",
        ]

    def for_neb(self, n_images: int) -> Launch:
        """With the images that are evaluated at a time, where the command does not say it."""
        at_a_time = self.images_at_a_time(n_images)
        if number_of(self.options, IMAGE_OPTIONS) is not None or (at_a_time or 1) == 1:
            return self
        return replace(self, options=(*self.options, "-ni", str(at_a_time)))

    def for_pw(self) -> Launch:
        """Start ``pw.x`` as ``neb.x``, but without parallel images."""
        options = list(self.options)
        for option in IMAGE_OPTIONS:
            if option in options:
                at = options.index(option)
                del options[at : at + 2]
        return Launch(self.before, self.sibling, tuple(options))

    def post(self, program: str, input_file: str) -> list[str]:
        """Command of a program that works on what ``pw.x`` left."""
        return [*self.for_post(program).words(), "-inp", input_file]

    def for_post(self, program: str) -> Launch:
        """Start a program of the same installation, e.g. ``pp.x``, on as many processes; it has other options."""
        return Launch(self.before, re.sub(r"neb\.x$", program, self.program))

    @property
    def sibling(self) -> str:
        """``pw.x`` of the same installation."""
        return re.sub(r"neb\.x$", "pw.x", self.program)

    def check(self) -> None:
        """Raise ``ValueError`` if a program is not installed here."""
        super().check()
        self.for_pw().check()


def parse_command(text: str) -> Command:
    """Take a command line apart.

    Raises
    ------
    ValueError
        If it does not start ``neb.x``, is for a shell, or names an input file.
    """

    def find(words: list[str]) -> int | None:
        return next((number for number, word in enumerate(words) if Path(word).name.endswith("neb.x")), None)

    launch = take_apart(text, find, "a command that starts neb.x, e.g. 'neb.x' or 'mpirun -np 8 neb.x -ni 4'")
    if {"-inp", "-in", "-i", "-input"} & set(launch.options):
        raise ValueError(f"engine.command: {text!r} names a file; leave input and output out")
    return Command(launch.before, launch.program, launch.options)


@cache
def code_version(command: Command) -> tuple[tuple[int, ...], str]:
    """Ask ``pw.x`` for its version.

    Returns
    -------
    tuple
        Numbers, e.g. ``(6, 7)``, and the text, e.g. ``6.7MaX``.

    Raises
    ------
    ValueError
        If it does not say one.
    """
    asked = Command(command.alone.before, command.program, command.options)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "version.in").write_text("&CONTROL\n/\n", "utf-8")
        try:
            run = subprocess.run(
                asked.pw("version.in"),
                cwd=folder,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=VERSION_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ValueError(f"engine.command: {shlex.join(asked.pw(''))} does not start: {error}") from error
    versions = re.findall(r"Program PWSCF v\.(\S+)", run.stdout)
    mpi = "; allowed: the mpirun that it was built with, or srun --mpi=… (srun --mpi=list)"
    if not versions:
        # Open MPI frames what it says with lines of dashes.
        said = [line.strip() for line in (run.stderr or run.stdout).splitlines() if re.search(r"\w", line)]
        raise ValueError(
            f"engine.command: {command.sibling} does not say its version; it says: {said[0] if said else 'nothing'}"
            f"{mpi if asked.launcher == SRUN else ''}"
        )
    if len(versions) > 1:
        raise ValueError(
            f"engine.command: {asked.launcher} starts {len(versions)} copies of {command.sibling} that know nothing "
            f"of each other, or it was built without MPI{mpi}"
        )
    return numbers_of(versions[0]), versions[0]


def numbers_of(version: str) -> tuple[int, ...]:
    """Numbers of a version: (6, 7) of ``6.7MaX``; (0,) where there are none."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else (0,)
