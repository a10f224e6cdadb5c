"""Where a calculation goes on from: the newest structure that can be trusted, in each place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monty.os.path import zpath
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.vasp import Poscar

from barriers.engines.common import at_positions
from barriers.engines.vasp.outputs import Step, image_folders, read_outcar, usable_steps


def read_poscar(path: Path) -> Structure | None:
    """Read POSCAR or CONTCAR; None where it is not whole or holds what is no number."""
    try:
        structure = Poscar.from_file(zpath(str(path)), check_for_potcar=False).structure
    except (OSError, ValueError, IndexError, KeyError, AttributeError, AssertionError):
        return None
    return structure if np.isfinite(structure.frac_coords).all() else None


def newest_structure(place: Path) -> Structure | None:
    """Structure from which a calculation goes on: what its CONTCAR says, or the last step that can be trusted.

    Parameters
    ----------
    place : Path
        Folder with POSCAR and, after a run, OUTCAR and CONTCAR.

    Returns
    -------
    Structure or None
        With the selective dynamics of the POSCAR; None where no run has got so far as a whole step.
    """
    outcar, start = read_outcar(place), read_poscar(place / "POSCAR")
    if outcar is None or start is None or not outcar.steps:
        return None
    moved = read_poscar(place / "CONTCAR")
    last = outcar.steps[-1]
    if last.finite and last.self_consistent and moved is not None and len(moved) == len(start):
        return _moved(start, moved.cart_coords)
    if last.finite:
        return _moved(start, last.positions)  # to be evaluated again, with other electronic settings
    trusted = usable_steps(outcar)
    return _moved(start, trusted[-1].positions) if trusted else None


def sharp_positions(place: Path, step: Step) -> NDArray[np.float64]:
    """Positions (Å) of a step, with the digits of the CONTCAR in its folder, see :func:`sharpened`."""
    return sharpened(read_poscar(place / "CONTCAR"), step.positions)


def sharpened(written: Structure | None, positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions (Å) of an OUTCAR, with the digits of a CONTCAR where it holds the same: OUTCAR has five decimals."""
    if written is None or len(written) != len(positions):
        return positions
    moves = written.lattice.get_fractional_coords(positions) - written.frac_coords
    moves = written.lattice.get_cartesian_coords(moves - np.round(moves))
    return written.cart_coords if np.abs(moves).max() < 2e-5 else positions


def _moved(structure: Structure, positions: Any) -> Structure:
    return Structure(
        structure.lattice,
        structure.species,
        positions,
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": structure.site_properties.get("selective_dynamics")}
        if "selective_dynamics" in structure.site_properties
        else None,
    )


def newest_images(folder: Path, images: Sequence[Structure]) -> list[Structure]:
    """Intermediate images where a stage left them, with the site properties of the given ones."""
    moved = []
    for place, image in zip(image_folders(folder)[1:-1], images, strict=True):
        newest = newest_structure(place) or read_poscar(place / "POSCAR")
        assert newest is not None
        moved.append(at_positions(image, newest.cart_coords))
    return moved
