"""Packing molecules into a periodic cube with packmol."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from barriers.engines.openff.needs import packmol

Floats = NDArray[np.floating]

APART = 2.0
"""Least distance of atoms of two molecules as packed (Å)."""

LONGEST = 600
"""Time that packmol has (s)."""


def packed(molecules: Sequence[tuple[Sequence[str], Floats, int]], edge: float, seed: int) -> Floats:
    """Pack rigid molecules.

    Parameters
    ----------
    molecules : sequence of (elements, (n, 3) positions in Å, copies)
        In the order in which they shall stand.
    edge : float
        Of the cube (Å).
    seed : int
        The same seed, the same box.

    Returns
    -------
    (N, 3)
        Positions (Å), each molecule whole.

    Raises
    ------
    ValueError
        One line, if they do not fit.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [
            f"tolerance {APART}",
            "filetype xyz",
            "output packed.xyz",
            f"seed {seed % (2**31 - 2) + 1}",
            f"pbc {edge:.4f} {edge:.4f} {edge:.4f}",
        ]
        for number, (elements, positions, copies) in enumerate(molecules):
            _write_xyz(folder / f"{number}.xyz", elements, positions)
            lines += [f"structure {number}.xyz", f"  number {copies}", "end structure"]
        (folder / "box.inp").write_text("\n".join(lines) + "\n", "utf-8")
        try:
            # It reads its input twice, which a pipe does not allow.
            with (folder / "box.inp").open() as given:
                run = subprocess.run(
                    [packmol()], stdin=given, cwd=folder, capture_output=True, text=True, timeout=LONGEST, check=False
                )
        except subprocess.TimeoutExpired:
            raise ValueError(f"density: packmol found no room in {LONGEST} s; allowed: a lower one") from None
        # A packing that fails is written all the same, and in some versions with the code of success.
        if run.returncode != 0 or "Success!" not in run.stdout:
            raise ValueError(f"density: packmol (code {run.returncode}) packs no such box; allowed: a lower one")
        rows = (folder / "packed.xyz").read_text().splitlines()[2:]
    return np.array([[float(value) for value in row.split()[1:4]] for row in rows])


def _write_xyz(path: Path, elements: Sequence[str], positions: Floats) -> None:
    rows = [f"{element} {x:.6f} {y:.6f} {z:.6f}" for element, (x, y, z) in zip(elements, positions, strict=True)]
    path.write_text(f"{len(rows)}\n\n" + "\n".join(rows) + "\n", "utf-8")
