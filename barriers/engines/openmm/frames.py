"""The trajectory's file: frames are added, and those after the last whole segment are cut off."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from barriers.disk import writing


def add_frame(path: Path, positions: np.ndarray, vectors: np.ndarray, time: float, step: int) -> None:
    """Add a frame to an XTC file.

    Parameters
    ----------
    path : Path
        Made if it is not there.
    positions, vectors : (N, 3), (3, 3)
        In nm.
    time : float
        In ps.
    step : int
        Its number.
    """
    from openmm.app.internal.xtc_utils import xtc_write_frame

    with writing(path):
        xtc_write_frame(
            str(path).encode(),
            np.ascontiguousarray(positions, dtype=np.float32),
            np.ascontiguousarray(vectors, dtype=np.float32),
            np.float32(time),
            np.int32(step),
        )


def cut(path: Path, size: int) -> None:
    """Take off what a killed run wrote after the last whole segment, which ended at ``size`` (bytes).

    Raises
    ------
    ValueError
        One line, if less is there than had been written.
    """
    there = path.stat().st_size if path.is_file() else 0
    if there < size:
        raise ValueError(
            f"{path}: {there} bytes, its last checkpoint knows of {size}; allowed: the file as it was left "
            "(remove the job's folder to begin anew)"
        )
    if there > size:
        os.truncate(path, size)
