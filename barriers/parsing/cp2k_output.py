"""Standard output of a CP2K band: forces, printed at PRINT_LEVEL MEDIUM, and the version."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from ase import units
from numpy.typing import NDArray

from barriers.parsing.files import beginning, files_with, read_text

Array = NDArray[np.float64]
LAST_DIGIT = 2e-9
"""Energies (Ha) that are equal to the last digit of ``.ener``."""
BLOCK = re.compile(
    r"NEB\| REPLICA Nr\. +(\d+)- Energy and Forces\n +NEB\| +Total energy: +(\S+)\n.*\n"
    r"((?: +NEB\| +[A-Z]\S* +-?\d.*\n)+)"
)
"""Number, energy (Ha) and forces (Ha/bohr) of a replica in the output."""


def read_forces(folder: Path, last: Array) -> tuple[Array | None, Path | None]:
    """Read the true forces of every image (eV/Å) where an output has them for exactly these energies (Ha)."""
    for path in files_with(folder, "CP2K|"):
        blocks = BLOCK.findall(read_text(path))
        for start in reversed([row for row, block in enumerate(blocks) if block[0] == "1"]):
            group = blocks[start : start + len(last)]
            energies = np.array([float(block[1]) for block in group])
            if len(group) == len(last) and np.abs(energies - last).max() < LAST_DIGIT:
                rows = [[line.split()[2:5] for line in block[2].splitlines()] for block in group]
                return np.array(rows, dtype=float) * units.Hartree / units.Bohr, path
    return None, None


def version_of(folder: Path) -> str:
    """Version that an output names."""
    for path in files_with(folder, "CP2K| version"):
        if match := re.search(r"CP2K\| version string: +CP2K version (\S+)", beginning(path)):
            return match[1]
    return "unknown"
