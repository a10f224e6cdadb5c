"""The path file of a band on disk: whole or not, mended, put aside, taken over from another folder."""

from __future__ import annotations

import shutil
from pathlib import Path

from barriers.engines.espresso.inputs import PREFIX
from barriers.engines.espresso.outputs import PathFile, read_path

PATH = f"{PREFIX}.path"


def mend_path(folder: Path) -> str | None:
    """Put the newest whole copy in the place of a path file that is not whole or not there.

    Returns
    -------
    str or None
        Name of the copy; None if there was nothing to mend, or nothing to mend it with.
    """
    path = folder / PATH
    if whole(path) is not None:
        return None
    copies = sorted(folder.glob(f"out/{PATH}*"), key=lambda copy: int(copy.name.removeprefix(PATH)), reverse=True)
    for copy in copies:
        if whole(copy) is not None:
            shutil.copyfile(copy, path)
            return copy.name
    path.unlink(missing_ok=True)
    return None


def whole(path: Path) -> PathFile | None:
    """Read a path file; None where it is not there or not whole."""
    try:
        return read_path(path) if path.exists() else None
    except ValueError:
        return None


def resumable(folder: Path) -> PathFile | None:
    """State that a restart can go on from: at least one image of the band has been evaluated."""
    mend_path(folder)
    state = whole(folder / PATH)
    return state if state is not None and (state.iteration > 0 or state.pending_image > 1) else None


def start_over(folder: Path) -> None:
    """Put aside what has been computed, for energies that do not belong together; positions are kept in it."""
    for path in [*folder.glob(PATH), *folder.glob(f"out/{PATH}*"), *folder.glob("neb.*.out")]:
        path.rename(path.with_name(f"before-{path.name}"))


def kept_positions(folder: Path) -> PathFile | None:
    """Band that was put aside by :func:`start_over`."""
    return whole(folder / f"before-{PATH}")
