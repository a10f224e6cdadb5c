"""What a reader found in a folder, before it is known whether it makes a band."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from barriers.documents import EngineDoc
from barriers.structures.directions import free_directions

T = TypeVar("T")

Verdict = Literal["ok", "doubtful", "wrong", "unknown"]

KINDS = "kind of energy"
"""Check that all images, endpoints included, have one kind of energy."""


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes
    ----------
    name : str
        What was looked at, such as ``ENCUT`` or ``electrons converged``.
    verdict : {'ok', 'doubtful', 'wrong', 'unknown'}
        Wrong refuses the barrier, doubtful is a warning beside it, unknown is only shown.
    seen : list[str]
        What was seen in each image, or one text for the band.
    says : str
        One line: what is wrong or doubtful, where, and how to mend it; empty where nothing is.
    """

    name: str
    verdict: Verdict
    seen: list[str]
    says: str = ""


@dataclass
class Image:
    """One image.

    Attributes
    ----------
    positions : (N, 3)
        In Å; (0, 3) where the files tell no atoms.
    energy : float or None
        In eV; None where it is not known.
    forces : (N, 3) or None
        True forces, neither projected nor with springs (eV/Å).
    moments : list[float] or None
        Magnetic moments (µB).
    files : list[str]
        Every file that a number of it comes from.
    settings : dict[str, str]
        What enters its energy, as the code says it; only names that are known.
    steps : int or None
        Ionic steps, or iterations of the band, that led to it.
    relaxed : bool or None
        Whether the code says that the relaxation of the image, or of the band, has finished; None where it is silent.
    electrons : bool or None
        Whether the electrons converged in what its numbers come from.
    cell : (3, 3) or None
        Lattice vectors as rows (Å), where the image's own files tell them.
    species : list[str] or None
        Element symbols in order, where the image's own files tell them.
    free : (N, 3) of bool or None
        Directions in which each atom may move, where the image's own files tell them.
    tangential : float or None
        Force along the path (eV/Å) where the forces themselves are not known.
    residual : float or None
        Largest force across the path as the code says it (eV/Å), where the forces themselves are not known.
    words : str
        Which words of its files ``relaxed`` and ``electrons`` rest on, or are missing, and where; for messages.
    """

    positions: NDArray[np.float64]
    energy: float | None = None
    forces: NDArray[np.float64] | None = None
    moments: list[float] | None = None
    files: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    steps: int | None = None
    relaxed: bool | None = None
    electrons: bool | None = None
    cell: NDArray[np.float64] | None = None
    species: list[str] | None = None
    free: NDArray[np.bool_] | None = None
    tangential: float | None = None
    residual: float | None = None
    words: str = ""


@dataclass
class FoundBand:
    """A band as its files tell it.

    Attributes
    ----------
    folder : Path
        Where it was found.
    engine : EngineDoc
        What made it.
    structure : Structure or None
        Initial endpoint: species, cell and frozen atoms of every image. None where the files tell no atoms; then
        ``distances`` are given, and nobody invents a structure.
    images : list[Image]
        All images, endpoints included.
    reasons : list[str]
        Why no barrier can be read off it, beside the checks.
    warnings : list[str]
        What its reader has to know, beside the checks.
    where : list[str]
        What is missing where an image has no energy, for messages.
    name : str
        What ``--band`` calls it: the file or prefix that it comes from.
    checks : list[Check]
        What its reader looked at; the general checks are added to them.
    distances : (n,) or None
        Path length of each image (Å) as the code says it, where there are no atoms to measure it on.
    fraction : bool
        Whether ``distances`` are only fractions of an unknown path length.
    criterion : str or None
        The criterion of its own by which the code calls the band converged, such as ``path_thr 0.2 eV/Å``; None where
        it does not call it so.
    energy_kind : str
        Which energy the images' are: ``free energy F``, or ``total energy`` where a code has only one.
    """

    folder: Path
    engine: EngineDoc
    structure: Structure | None
    images: list[Image]
    where: list[str]
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    name: str = ""
    checks: list[Check] = field(default_factory=list)
    distances: NDArray[np.float64] | None = None
    fraction: bool = False
    criterion: str | None = None
    energy_kind: str = "total energy"

    def __post_init__(self) -> None:
        """Let the structure hold what the images hold that moved: endpoints are often kept without a word of it."""
        free = self.images[len(self.images) // 2].free if self.images else None
        if self.structure is None or free is None or free.all() or len(free) != len(self.structure):
            return
        if (free != free_directions(self.structure)).any():
            self.structure = self.structure.copy(site_properties={"selective_dynamics": free.tolist()})

    def call(self, number: int) -> str:
        """Name an image in a message: endpoints by what they are."""
        return f"image {number}{ {0: ' (initial)', len(self.images) - 1: ' (final)'}.get(number, '') }"


class SeveralBandsError(ValueError):
    """More than one band lies in a folder, and none was asked for by name.

    Parameters
    ----------
    folder : Path
        The folder.
    names : list[str]
        Names of the bands, as ``--band`` takes them.
    """

    def __init__(self, folder: Path, names: list[str]) -> None:
        super().__init__(f"{folder}: several bands: {', '.join(names)}; choose one with --band NAME")
        self.names = names


def the_one(folder: Path, candidates: Mapping[str, T], band: str | None) -> tuple[str, T] | None:
    """Take the one band of a folder, or the one that is called ``band``: its name and what it is; None for none.

    Raises
    ------
    SeveralBandsError
        If there are several, and none is named.
    """
    wanted = {name: each for name, each in candidates.items() if band in {None, name}}
    if len(wanted) > 1:
        raise SeveralBandsError(folder, sorted(wanted))
    return next(iter(wanted.items()), None)


class Reader(NamedTuple):
    """A reader of one code's bands, and what it takes from where: a row of ``barriers parse --codes``.

    Attributes
    ----------
    code : str
        Name of the code.
    read : Callable[[Path, str or None], FoundBand or None]
        ``read_CODE_band(place, band)``: ``place`` is a folder, or the very file that is to be read. None where it holds
        no band of the code, or none of the name ``band``; :class:`SeveralBandsError` where it holds more than one and
        ``band`` is None; ValueError in one line (what, where, how to mend it) where it holds one that cannot be read.
    files : str
        What it looks for.
    energies, forces, cell, frozen, convergence : str
        Where each comes from, or why it is not known.
    versions : str
        Versions of the code whose files were tried.
    """

    code: str
    read: Callable[[Path, str | None], FoundBand | None]
    files: str
    energies: str
    forces: str
    cell: str
    frozen: str
    convergence: str
    versions: str
