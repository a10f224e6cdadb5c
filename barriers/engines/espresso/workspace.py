"""Folder of one calculation, found again by what it computes, here or where an earlier run was."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from barriers.engines.checkpoint import Checkpoint
from barriers.engines.espresso.results import SCHEMA


def open_workspace(kind: str, inputs: Any, continue_from: str | None) -> Checkpoint:
    """Make the folder of a calculation, or find the one an earlier run left.

    Parameters
    ----------
    kind : str
        ``static``, ``relax`` or ``neb``.
    inputs : Any
        Everything the result depends on.
    continue_from : str or None
        Folder that is searched for the same calculation where it is not in the current folder. What is found there
        is copied, wavefunctions and charge densities aside.

    Raises
    ------
    ValueError
        If that folder does not exist.
    """
    checkpoint = Checkpoint(kind, inputs)
    if not checkpoint.folder.exists() and continue_from is not None:
        root = Path(continue_from)
        if not root.is_dir():
            raise ValueError(f"engine.continue_from: no folder {continue_from!r}")
        earlier = next((path for path in sorted(root.rglob(checkpoint.folder.name)) if path.is_dir()), None)
        if earlier is not None:
            shutil.copytree(earlier, checkpoint.folder, ignore=bulky)
            for state in (checkpoint.path, checkpoint.progress):
                if (earlier.parent / state.name).exists():
                    shutil.copyfile(earlier.parent / state.name, state)
    checkpoint.folder.mkdir(exist_ok=True)
    return checkpoint


def bulky(folder: str, names: list[str]) -> set[str]:
    """Say what is not copied: of ``PREFIX.save``, all but the XML with the results."""
    if folder.endswith(".save"):
        return {name for name in names if name != Path(SCHEMA).name}
    return shutil.ignore_patterns("*.wfc*", "*.mix*", "*.hub*", "pseudo", "running.json")(folder, names)
