"""What ``neb.x`` and ``pw.x`` leave behind, in eV and Å. Units are converted here and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import units
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PathFile:
    """State of a band after its last whole iteration, from ``PREFIX.path``.

    Attributes
    ----------
    iteration : int
        Iterations done.
    last_iteration : int
        Iterations that were asked for.
    pending_image : int
        Image whose evaluation was interrupted; 0 for none.
    constant_potential : bool
        Whether electrons were exchanged with a reservoir (FCP, GC-SCF).
    energies : (n,)
        Total energies (eV).
    positions, forces : (n, N, 3)
        In Å and eV/Å; forces on frozen atoms are 0 in this file.
    free : (N, 3) of bool
        Directions in which atoms move, as ``if_pos`` of the first image has them.
    """

    iteration: int
    last_iteration: int
    pending_image: int
    constant_potential: bool
    energies: Array
    positions: Array
    forces: Array
    free: NDArray[np.bool_]


@dataclass(frozen=True)
class Iteration:
    """One row of the history: energies (eV) and QE's error of each image, its largest force component (eV/Å)."""

    number: int
    climbing: bool
    energies: list[float]
    errors: list[float]


def read_path(path: Path) -> PathFile:
    """Read ``PREFIX.path`` or one of its copies ``PREFIX.path<N>``.

    Raises
    ------
    ValueError
        If the file is not whole.
    """
    try:
        return path_state(path.read_text("utf-8", "replace"))
    except (ValueError, IndexError):
        raise ValueError(f"{path}: is not whole") from None


def path_state(text: str) -> PathFile:
    """Read the text of a path file; ValueError or IndexError where it is not whole.

    From 7.0 on the header also says whether the potential is constant; each image then has a line with its electrons,
    Fermi energy and error below its energy. Quick-min appends its own fields, in blocks that look like images.
    """
    lines = text.partition("QUICK-MIN FIELDS")[0].splitlines()
    if lines[0].strip() != "RESTART INFORMATION" or lines[4].strip() != "NUMBER OF IMAGES" or not text.endswith("\n"):
        raise ValueError
    iteration, last, pending, n_images = (int(lines[row]) for row in (1, 2, 3, 5))
    starts = [row for row, line in enumerate(lines) if line.startswith("Image:")]
    constant = lines[6].strip() == "APPLY CONSTANT BIAS" and lines[7].strip().upper().startswith("T")
    skip = 3 if constant else 2
    n_atoms = starts[1] - starts[0] - skip
    blocks = [[line.split() for line in lines[start + skip : start + skip + n_atoms]] for start in starts]
    numbers = np.array([[row[:6] for row in block] for block in blocks], dtype=float)
    energies = np.array([lines[start + 1] for start in starts], dtype=float)
    if numbers.shape != (n_images, n_atoms, 6) or not (np.isfinite(numbers).all() and np.isfinite(energies).all()):
        raise ValueError
    return PathFile(
        iteration=iteration,
        last_iteration=last,
        pending_image=pending,
        constant_potential=constant,
        energies=energies * units.Hartree,
        positions=numbers[..., :3] * units.Bohr,
        forces=-numbers[..., 3:] * units.Hartree / units.Bohr,
        free=np.array([row[6:9] for row in blocks[0]], dtype=int) != 0,
    )


def read_history(outputs: list[Path]) -> list[Iteration]:
    """Read the iterations of a band from the standard outputs of its runs, in their order."""
    rows = [row for output in outputs for row in iterations(output.read_text("utf-8", "replace"))]
    history = {row.number: row for row in rows}
    return [history[number] for number in sorted(history)]


def iterations(text: str) -> list[Iteration]:
    """Read the iterations that the standard output of one run tells."""
    found = []
    climbing = re.search(r"CI_scheme\s+=\s+no-CI", text) is None
    for part in re.split(r"-{20,} iteration +", text)[1:]:
        rows = re.findall(r"^ +\d+ +(-?[\d.]+) +([\d.]+) +[TF] *$", part, re.M)
        if rows:
            energies, errors = ([float(row[column]) for row in rows] for column in (0, 1))
            found.append(Iteration(int(part.split()[0]), climbing, energies, errors))
    return found


def pw_outputs(folder: Path, prefix: str) -> list[Path]:
    """List the ``PW.out`` of the images of a band, in the order of the images."""
    return sorted(folder.glob(f"out/{prefix}_*/PW.out"), key=lambda path: int(path.parent.name.rpartition("_")[2]))


def count_scf(outputs: list[Path]) -> tuple[int, int]:
    """Count converged self-consistent calculations, and the cycles of all of them."""
    texts = [path.read_text("utf-8", "replace") for path in outputs]
    return (
        sum(text.count("End of self-consistent calculation") for text in texts),
        sum(len(re.findall(r"^ +iteration # *\d+", text, re.M)) for text in texts),
    )


def read_moments(output: Path) -> list[list[float]]:
    """Read the magnetic moment of each site (µB) at the end of each self-consistent calculation; empty without spin."""
    ends = []
    for part in output.read_text("utf-8", "replace").split("End of self-consistent calculation")[:-1]:
        block = re.search(r"Magnetic moment per site[^\n]*\n((?: *atom[^\n]*\n)+)", part)
        if block:
            ends.append([float(value) for value in re.findall(r"magn *[:=] *(-?[\d.]+)", block[1])])
    return ends
