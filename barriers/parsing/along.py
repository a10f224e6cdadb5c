"""A found band along its path: distances, energies and tangential forces, from whatever its files tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.analysis.band import minimum_image_displacements, problems
from barriers.analysis.curves import curves_of
from barriers.analysis.forces import largest_band_force
from barriers.parsing.found import FoundBand
from barriers.structures.directions import free_part
from barriers.structures.path.mapping import unwrap
from barriers.structures.surface.slab import frozen_atoms

Array = NDArray[np.float64]


class Along(NamedTuple):
    """Numbers of a band along its path.

    Attributes
    ----------
    distances, energies : (n,)
        Path length (Å, or a fraction of an unknown length) and energy (eV) of each image.
    slopes : (n,) or None
        dE/ds (eV/Å); None where no forces are known.
    residual : float or None
        Largest force across the path (eV/Å), where it is known.
    """

    distances: Array
    energies: Array
    slopes: Array | None
    residual: float | None


def order_problems(found: FoundBand) -> list[str]:
    """Say why the images are no path, one line each; energies and forces are not looked at."""
    if found.structure is None:
        steps = np.diff(found.distances) if found.distances is not None else np.array([])
        wrong = np.flatnonzero(steps <= 0)
        if not len(steps):
            return ["neither atoms nor distances are known"]
        return [f"image {i + 1} is no farther along the path than image {i}" for i in wrong]
    positions = unwrapped(found, found.structure)
    lattice = found.structure.lattice
    zeros = [np.zeros_like(rows) for rows in positions]
    held = frozen_atoms(found.structure)
    return problems(positions, lattice.matrix, [0.0] * len(positions), zeros, lattice.pbc, frozen=held)


def along(found: FoundBand) -> Along:
    """Measure a band whose images are a path and whose energies are known."""
    energies = np.array([image.energy for image in found.images], dtype=float)
    given = [image.tangential for image in found.images]
    slopes = None if None in given else -np.array(given, dtype=float)
    said = [image.residual for image in found.images[1:-1] if image.residual is not None]
    residual = max(said) if said else None
    if found.structure is None:
        assert found.distances is not None
        return Along(np.asarray(found.distances, dtype=float), energies, slopes, residual)
    positions, lattice = unwrapped(found, found.structure), found.structure.lattice
    if any(image.forces is None for image in found.images):
        steps = minimum_image_displacements(positions, lattice.matrix, lattice.pbc)
        lengths = np.linalg.norm(steps, axis=(1, 2))
        return Along(np.concatenate([[0.0], np.cumsum(lengths)]), energies, slopes, residual)
    forces = [free_part(np.asarray(image.forces), found.structure) for image in found.images]
    held = frozen_atoms(found.structure)
    arguments = (positions, lattice.matrix, energies.tolist(), forces)
    curves = curves_of(*arguments, pbc=lattice.pbc, frozen=held)
    force = largest_band_force(*arguments, pbc=lattice.pbc, frozen=held)
    return Along(curves.distances, energies, curves.slopes, force)


def unwrapped(found: FoundBand, structure: Structure) -> list[Array]:
    """Positions of all images (Å), each atom in the periodic copy nearest to where the image before has it."""
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    rows = [found.images[0].positions]
    for image in found.images[1:]:
        atoms.set_positions(rows[-1], apply_constraint=False)
        rows.append(unwrap(image.positions, atoms))
    return rows
