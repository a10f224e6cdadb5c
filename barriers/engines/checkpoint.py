"""What a running calculation keeps on disk: a checkpoint each iteration, and a line of progress.

Files carry a digest of the calculation's input in their names, so jobs that share a folder do not meet, and a job
that runs again in the same folder finds its own.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from monty.json import MontyDecoder, MontyEncoder

from barriers.contents import digest
from barriers.disk import writing
from barriers.engines.progress import LINES, NOW

LOOKS_EVERY = 1.0
"""Least time (s) between two states of a band that are left for whoever watches."""

DECIMALS = 4
"""Of its positions (Å), energies (eV) and forces (eV/Å): enough to be looked at."""


class Checkpoint:
    """State of one calculation in the current folder.

    Parameters
    ----------
    kind : str
        ``relax`` or ``neb``.
    inputs : Any
        Everything the result depends on, as for :func:`~barriers.contents.canonical`.

    Attributes
    ----------
    folder : Path
        Where a code that writes files of its own may run; not made here.
    """

    def __init__(self, kind: str, inputs: Any) -> None:
        name = f"{kind}-{digest(inputs)[:12]}"
        self.kind = kind
        self.path = Path.cwd() / f"{name}.checkpoint.json"
        self.folder = Path.cwd() / name
        self.progress = Path.cwd() / f"{name}{LINES}"
        self.now = Path.cwd() / f"{name}{NOW}"
        self._left_at = -LOOKS_EVERY
        self._started = time.monotonic()
        self._before = 0.0

    def load(self) -> dict[str, Any] | None:
        """Read the last whole state; None where there is none."""
        if not self.path.exists():
            return None
        state: dict[str, Any] = json.loads(self.path.read_text("utf-8"), cls=MontyDecoder)
        self._before = state["wall_time"]
        return state

    @property
    def wall_time(self) -> float:
        """Seconds spent, earlier runs included."""
        return self._before + time.monotonic() - self._started

    def save(self, state: dict[str, Any], progress: dict[str, Any]) -> None:
        """Replace the state in one step, so that a kill leaves the old one or the new one, and log progress."""
        _replace(self.path, json.dumps(state | {"wall_time": self.wall_time}, cls=MontyEncoder))
        self.tell(progress)

    def show(self, positions: Any, energies: Any, forces: Any) -> dict[str, Any]:
        """Leave a band as it is now for whoever watches, and give what a line of progress tells of it.

        Parameters
        ----------
        positions : (n, N, 3)
            Of every image, as the first band has them: no atom jumps by a lattice vector (Å).
        energies : (n,)
            Total energies (eV).
        forces : (n, N, 3)
            In eV/Å.

        Returns
        -------
        dict[str, Any]
            ``profile``: path length (Å) and energy above the first image (eV) of each image.
        """
        places, heights = np.asarray(positions, dtype=float), np.asarray(energies, dtype=float)
        if time.monotonic() - self._left_at >= LOOKS_EVERY:
            self._left_at = time.monotonic()
            band = {"positions": places, "energies": heights, "forces": np.asarray(forces, dtype=float)}
            _replace(self.now, json.dumps({name: np.round(each, DECIMALS).tolist() for name, each in band.items()}))
        steps = np.linalg.norm(np.diff(places, axis=0).reshape(len(places) - 1, -1), axis=1)
        lengths = np.concatenate([[0.0], np.cumsum(steps)])
        return {"profile": np.round([lengths, heights - heights[0]], DECIMALS).tolist()}

    def tell(self, progress: dict[str, Any]) -> None:
        """Log progress."""
        with self.progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": self.kind, "wall_time": round(self.wall_time, 2)} | progress) + "\n")


def _replace(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    with writing(path):
        partial.write_text(text, "utf-8")
        partial.replace(path)
