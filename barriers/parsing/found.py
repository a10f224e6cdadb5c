"""What a reader found in a folder, before it is known whether it makes a band."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.analysis.forces import largest_band_force
from barriers.documents import BandDoc, CostDoc, EngineDoc
from barriers.structures.path.mapping import unwrap
from barriers.structures.surface.slab import frozen_atoms

LOOSEST = 0.1
"""A band with a larger force (eV/Å) across its path is not converged, unless its own code says so."""

Verdict = Literal["ok", "doubtful", "wrong", "unknown"]


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

    def document(self) -> BandDoc:
        """Make the document of the band, converged if nothing speaks against it."""
        assert self.structure is not None
        positions = self._unwrapped(self.structure)
        complete = all(image.energy is not None and image.forces is not None for image in self.images)
        reasons = [*self._missing(), *self.reasons]
        if complete and not reasons:
            reasons = self._loose(self.structure, positions)
        self._warn_of_loose_ends(self.structure)
        moments = [image.moments for image in self.images if image.moments is not None]
        return BandDoc(
            start=f"read from {self.folder}",
            structure=self.structure,
            positions=[rows.tolist() for rows in positions],
            energies=[image.energy for image in self.images],
            forces=[[] if image.forces is None else image.forces.tolist() for image in self.images],
            moments=moments if len(moments) == len(self.images) else None,
            converged=not reasons,
            reason="; ".join(reasons) or None,
            warnings=self.warnings,
            cost=CostDoc(),
            engine=self.engine,
        )

    def _warn_of_loose_ends(self, structure: Structure) -> None:
        free = sorted(set(range(len(structure))) - set(frozen_atoms(structure)))
        for name, image in (("initial", self.images[0]), ("final", self.images[-1])):
            if image.forces is not None and (force := np.linalg.norm(image.forces[free], axis=1).max()) > LOOSEST:
                self.warnings.append(f"{name} endpoint is not relaxed: {force:.3f} eV/Å")

    def _missing(self) -> list[str]:
        last = len(self.images) - 1
        return [
            f"no energy of image {number}{ends}: {self.where[number]}" + ("; give it with --endpoints" if ends else "")
            for number, image in enumerate(self.images)
            for ends in [{0: " (initial)", last: " (final)"}.get(number, "")]
            if image.energy is None
        ]

    def _unwrapped(self, structure: Structure) -> list[NDArray[np.float64]]:
        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        rows = [self.images[0].positions]
        for image in self.images[1:]:
            atoms.set_positions(rows[-1], apply_constraint=False)
            rows.append(unwrap(image.positions, atoms))
        return rows

    def _loose(self, structure: Structure, positions: list[NDArray[np.float64]]) -> list[str]:
        force = largest_band_force(
            positions,
            structure.lattice.matrix,
            [float(image.energy or 0.0) for image in self.images],
            [np.asarray(image.forces) for image in self.images],
            pbc=structure.lattice.pbc,
            frozen=frozen_atoms(structure),
        )
        said = f"largest force across the path {force:.3f} eV/Å"
        if force > LOOSEST:
            return [f"{said}, at most {LOOSEST:g} is a minimum-energy path"]
        return []


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
