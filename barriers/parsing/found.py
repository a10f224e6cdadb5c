"""What a reader found in a folder, before it is known whether it makes a band."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.analysis.forces import largest_band_force
from barriers.documents import BandDoc, CostDoc, EngineDoc
from barriers.structures.path.mapping import unwrap
from barriers.structures.surface.slab import frozen_atoms

LOOSEST = 0.1
"""A band with a larger force (eV/Å) across its path is not converged, whatever its files say."""


@dataclass
class Image:
    """One image: positions (Å, shape (N, 3)), and energy (eV), forces (eV/Å) and moments (µB) where they are known."""

    positions: NDArray[np.float64]
    energy: float | None = None
    forces: NDArray[np.float64] | None = None
    moments: list[float] | None = None


@dataclass
class FoundBand:
    """A band as its files tell it.

    Attributes
    ----------
    folder : Path
        Where it was found.
    engine : EngineDoc
        What made it.
    structure : Structure
        Initial endpoint: species, cell and frozen atoms of every image.
    images : list[Image]
        All images, endpoints included.
    reasons : list[str]
        Why no barrier can be read off it.
    warnings : list[str]
        What its reader has to know.
    where : list[str]
        File of each image, for messages.
    """

    folder: Path
    engine: EngineDoc
    structure: Structure
    images: list[Image]
    where: list[str]
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def document(self) -> BandDoc:
        """Make the document of the band, converged if nothing speaks against it."""
        positions = self._unwrapped()
        complete = all(image.energy is not None and image.forces is not None for image in self.images)
        reasons = [*self._missing(), *self.reasons]
        if complete and not reasons:
            reasons = self._loose(positions)
        self._warn_of_loose_ends()
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

    def _warn_of_loose_ends(self) -> None:
        free = sorted(set(range(len(self.structure))) - set(frozen_atoms(self.structure)))
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

    def _unwrapped(self) -> list[NDArray[np.float64]]:
        atoms = AseAtomsAdaptor.get_atoms(self.structure, msonable=False)
        rows = [self.images[0].positions]
        for image in self.images[1:]:
            atoms.set_positions(rows[-1], apply_constraint=False)
            rows.append(unwrap(image.positions, atoms))
        return rows

    def _loose(self, positions: list[NDArray[np.float64]]) -> list[str]:
        force = largest_band_force(
            positions,
            self.structure.lattice.matrix,
            [float(image.energy or 0.0) for image in self.images],
            [np.asarray(image.forces) for image in self.images],
            pbc=self.structure.lattice.pbc,
            frozen=frozen_atoms(self.structure),
        )
        said = f"largest force across the path {force:.3f} eV/Å"
        if force > LOOSEST:
            return [f"{said}, at most {LOOSEST:g} is a minimum-energy path"]
        return []
