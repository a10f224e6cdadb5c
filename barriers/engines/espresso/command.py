"""The command line of ``neb.x`` and ``pw.x``: parsed, planned over images, and asked for its version."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

LAUNCHERS = ("-np", "-n", "--np", "--n", "--ntasks", "-c")
"""Options of launchers that say how many processes there are."""

IMAGE_OPTIONS = ("-ni", "-nimage", "-nimages")

VERSION_SECONDS = 60
"""The code is given this time (s) to say its version."""


@dataclass(frozen=True)
class Command:
    """A command line of ``neb.x``, e.g. ``mpirun -np 8 neb.x -ni 4``, in parts."""

    launcher: tuple[str, ...]
    program: str
    options: tuple[str, ...]

    @property
    def processes(self) -> int:
        """Processes that the launcher starts; 1 where it does not say."""
        return _number(self.launcher, LAUNCHERS) or 1

    def neb(self, n_images: int, input_file: str) -> list[str]:
        """Command for a band with so many intermediate images.

        Where the command does not say how many images are evaluated at a time, as many are as divide both processes
        and intermediate images.

        Raises
        ------
        ValueError
            If the images evaluated at a time do not divide the processes, or are more than there are.
        """
        processes, asked = self.processes, _number(self.options, IMAGE_OPTIONS)
        if asked is None:
            planned = max(n for n in range(1, n_images + 1) if processes % n == 0 and n_images % n == 0)
            parallel = ["-ni", str(planned)] if planned > 1 else []
            return [*self.launcher, self.program, *self.options, *parallel, "-inp", input_file]
        fitting = [n for n in range(1, n_images + 1) if processes % n == 0]
        if asked not in fitting:
            raise ValueError(
                f"engine.command: -ni {asked} does not fit {processes} processes and {n_images} images; "
                f"allowed: {', '.join(map(str, fitting))}"
            )
        return [*self.launcher, self.program, *self.options, "-inp", input_file]

    def pw(self, input_file: str) -> list[str]:
        """Command of ``pw.x``, started like ``neb.x`` but without parallel images."""
        options = list(self.options)
        for option in IMAGE_OPTIONS:
            if option in options:
                at = options.index(option)
                del options[at : at + 2]
        return [*self.launcher, self.sibling, *options, "-inp", input_file]

    @property
    def sibling(self) -> str:
        """``pw.x`` of the same installation."""
        return re.sub(r"neb\.x$", "pw.x", self.program)

    def check(self) -> None:
        """Raise ``ValueError`` if a program is not installed here."""
        for program in (*self.launcher[:1], self.program, self.sibling):
            if shutil.which(program) is None:
                raise ValueError(
                    f"engine.command: no program {program!r} here; install Quantum ESPRESSO (on Debian and Ubuntu: apt "
                    f"install quantum-espresso), or give its path in engine.command"
                )


def parse_command(text: str) -> Command:
    """Take a command line apart.

    Raises
    ------
    ValueError
        If it does not start ``neb.x``, or names an input file.
    """
    words = shlex.split(text)
    at = next((number for number, word in enumerate(words) if Path(word).name.endswith("neb.x")), None)
    if at is None:
        raise ValueError(
            f"engine.command: {text!r} does not start neb.x; allowed: e.g. 'neb.x' or 'mpirun -np 8 neb.x -ni 4'"
        )
    options = tuple(words[at + 1 :])
    if {"-inp", "-in", "-i", "-input", "<", ">"} & set(options):
        raise ValueError(f"engine.command: {text!r} names a file; leave input and output out")
    return Command(tuple(words[:at]), words[at], options)


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
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "version.in").write_text("&CONTROL\n/\n", "utf-8")
        try:
            run = subprocess.run(
                command.pw("version.in"),
                cwd=folder,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=VERSION_SECONDS,
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ValueError(f"engine.command: {shlex.join(command.pw(''))} does not start: {error}") from error
    found = re.search(r"Program PWSCF v\.(\S+)", run.stdout)
    if found is None:
        said = (run.stderr or run.stdout).strip().splitlines()
        raise ValueError(
            f"engine.command: {command.sibling} does not say its version; it says: {said[0] if said else 'nothing'}"
        )
    numbers = re.match(r"\d+(?:\.\d+)*", found[1])
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else (0,), found[1]


def _number(words: tuple[str, ...], options: tuple[str, ...]) -> int | None:
    for option, value in pairwise(words):
        if option in options and value.isdigit():
            return int(value)
    joined = [word.partition("=") for word in words]
    return next((int(value) for option, _, value in joined if option in options and value.isdigit()), None)
