"""``pp.x`` and ``projwfc.x`` after a run of ``pw.x``: grids as cubes, and Löwdin's charges."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from barriers.engines.espresso.attempts import CRASH
from barriers.engines.espresso.command import Command
from barriers.engines.espresso.faults import failure, find_fault
from barriers.engines.espresso.inputs import PREFIX
from barriers.engines.processes import end_orphan, note_running

PLOTS = {"density": 0, "elf": 8, "reference": 21}
"""Numbers of ``pp.x``: valence density, both spins; ELF; density with the cores of PAW, which no grid resolves."""

DONE = "JOB DONE"


@dataclass(frozen=True)
class Lowdin:
    """Electrons of each atom (e), its moment (µB; None without spin), and the part of the electrons left over."""

    electrons: list[float]
    moments: list[float] | None
    spilling: float


def make_cube(command: Command, folder: Path, name: str, max_seconds: int | None) -> Path:
    """Let ``pp.x`` write a cube, if that has not been done before.

    Parameters
    ----------
    command : Command
        How the codes are started.
    folder : Path
        Folder of a finished run of ``pw.x``.
    name : str
        One of :data:`PLOTS`.
    max_seconds : int or None
        Most time (s).

    Raises
    ------
    EspressoError
        In the code's own words.
    """
    cube = cube_of(folder, name)
    if not cube.exists():
        partial = folder / f"{name}.part"
        text = (
            f"&INPUTPP\n  prefix = '{PREFIX}'\n  outdir = './out/'\n  filplot = 'out/{name}.pp'\n"
            f"  plot_num = {PLOTS[name]}\n/\n"
            f"&PLOT\n  iflag = 3\n  output_format = 6\n  fileout = '{partial.name}'\n/\n"
        )
        refused = run_post(command, "pp.x", folder, name, text, max_seconds)
        if refused is not None or not partial.exists():
            raise failure(f"pp.x ({name}): {refused or 'wrote nothing'}", folder)
        partial.replace(cube)
        (folder / "out" / f"{name}.pp").unlink(missing_ok=True)
    return cube


def cube_of(folder: Path, name: str) -> Path:
    """Cube of a grid, there once it is whole."""
    return folder / f"{name}.cube"


def project(command: Command, folder: Path, max_seconds: int | None) -> Lowdin | str:
    """Let ``projwfc.x`` project the wavefunctions, if that has not been done before.

    Returns
    -------
    Lowdin or str
        What it says, or why it cannot: some pseudopotentials have no atomic orbitals.
    """
    output = folder / "lowdin.out"
    if not output.exists() or DONE not in output.read_text("utf-8", "replace"):
        text = (
            f"&PROJWFC\n  prefix = '{PREFIX}'\n  outdir = './out/'\n  filpdos = 'out/pdos'\n  filproj = 'out/proj'\n/\n"
        )
        refused = run_post(command, "projwfc.x", folder, "lowdin", text, max_seconds)
        if refused is not None:
            return refused
    try:
        return read_lowdin(output.read_text("utf-8", "replace"))
    except ValueError as error:
        return str(error)


def run_post(command: Command, program: str, folder: Path, name: str, text: str, max_seconds: int | None) -> str | None:
    """Run a program after ``pw.x`` in its folder, and end it where its time is up.

    Returns
    -------
    str or None
        What the code itself refuses it with; None for success.

    Raises
    ------
    EspressoError
        If it takes too long or is killed: the same again may succeed.
    """
    end_orphan(folder)
    (folder / CRASH).unlink(missing_ok=True)
    source, output = folder / f"{name}.in", folder / f"{name}.out"
    source.write_text(text, "utf-8")
    with output.open("wb") as file:
        process = subprocess.Popen(
            command.post(program, source.name),
            cwd=folder,
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        note_running(folder, process.pid)
        try:
            process.wait(max_seconds)
        except subprocess.TimeoutExpired:
            late = f"{program} ({name}) took more than max_seconds ({max_seconds} s); run again with more"
            raise failure(late, folder) from None
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    said = output.read_text("utf-8", "replace")
    if found := find_fault(said):
        return found[1]
    if process.returncode != 0 or DONE not in said:
        ended = f"exit code {process.returncode} without a word of success; run again to go on"
        raise failure(f"{program} ({name}): {ended}", folder)
    return None


def read_lowdin(text: str) -> Lowdin:
    """Read the charges and the spilling from the output of ``projwfc.x``.

    Raises
    ------
    ValueError
        If they are not there.
    """
    spilling = re.search(r"Spilling Parameter: +(-?[\d.]+)", text)
    blocks = re.split(r"Atom # *(\d+): total charge *=", text.partition("Lowdin Charges")[2])[1:]
    totals: dict[int, float] = {}
    moments: dict[int, float] = {}
    for number, block in zip(blocks[::2], blocks[1::2], strict=True):
        totals.setdefault(int(number), float(block.split(",")[0]))
        if moment := re.search(r"polarization *= *(-?[\d.]+)", block):
            moments.setdefault(int(number), float(moment[1]))
    if spilling is None or not totals:
        raise ValueError("projwfc.x says no Löwdin charges")
    order = sorted(totals)
    return Lowdin(
        [totals[atom] for atom in order],
        [moments[atom] for atom in order] if len(moments) == len(totals) else None,
        float(spilling[1]),
    )


def kind_of(pseudopotential: Path) -> str:
    """Kind of a pseudopotential as its header names it: NC, SL, US, USPP, PAW; empty for formats before UPF."""
    header = pseudopotential.read_text("utf-8", "replace").partition("<PP_HEADER")[2].partition("<PP_MESH")[0]
    found = re.search(r'pseudo_type="\s*(\w+)|^\s*(NC|SL|US|PAW)\s', header, re.M)
    return (found[1] or found[2]) if found else ""
