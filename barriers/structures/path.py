"""First bands: interpolated, carried over from a band that is known, or displaced to search further paths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms
from ase.geometry import find_mic, get_distances
from ase.mep import NEB
from ase.mep.neb import idpp_interpolate
from scipy.interpolate import CubicSpline
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree
from scipy.spatial.transform import Rotation

from barriers.structures.endpoints import frozen_atoms, overlap
from barriers.structures.mapping import unwrap

IDPP_FMAX = 0.02
"""Largest force on the IDPP band (Å⁻³); ASE's default of 0.1 stops half way between crystal neighbours."""

IDPP_STEPS = 100

PASSING = 0.7
"""Atoms nearer than this (Å) on the straight path are parted first: IDPP has no force at zero distance."""


class OverlapError(ValueError):
    """Atoms of a first band overlap."""


def interpolate(initial: Atoms, final: Atoms, n_images: int, method: Literal["idpp", "linear"]) -> list[Atoms]:
    """Draw a band between two endpoints.

    Parameters
    ----------
    initial, final : Atoms
        Endpoints as :func:`~barriers.structures.endpoints.match_order` leaves them.
    n_images : int
        Intermediate images.
    method : {"idpp", "linear"}
        Image dependent pair potential (Smidstrup et al., J. Chem. Phys. 140, 214106), or straight lines.

    Returns
    -------
    list[Atoms]
        ``n_images + 2`` structures without calculators, all with the same frozen atoms. The endpoints have
        the positions given, bit by bit; frozen atoms keep their initial ones in every intermediate image.

    Raises
    ------
    OverlapError
        If atoms overlap in an intermediate image.
    """
    images = _band(initial, final, _straight(initial, final, n_images))
    if method == "idpp":
        for image in images[1:-1]:
            _part(image, unwrap(final.positions, initial) - initial.positions)
        band = NEB(images, method="improvedtangent")
        idpp_interpolate(band, traj=None, log=None, fmax=IDPP_FMAX, steps=IDPP_STEPS, mic=True)
    return _checked(images)


def carry(initial: Atoms, final: Atoms, guide: np.ndarray, n_images: int) -> list[Atoms]:
    """Let the slab of a system follow the converged band of the bare slab.

    Each slab atom keeps the guide's deviation from the straight line; the fragment goes straight.

    Parameters
    ----------
    initial, final : Atoms
        Endpoints of this system, slab atoms first.
    guide : numpy.ndarray, shape (G, M, 3)
        Positions (Å) of the M slab atoms in all images of the guide, endpoints included. Its cell may differ
        from this system's in height, so no atom may be wrapped along c; along the surface it may.
    n_images : int
        Intermediate images; the guide is resampled over its path length if it has another number.

    Returns
    -------
    list[Atoms]
        As of :func:`interpolate`.

    Raises
    ------
    OverlapError
        If atoms overlap in an intermediate image.
    """
    steps = find_mic(np.diff(guide, axis=0).reshape(-1, 3), initial.cell, initial.pbc)[0].reshape(-1, *guide.shape[1:])
    path = np.concatenate([np.zeros_like(guide[:1]), steps.cumsum(axis=0)])
    if len(guide) != n_images + 2:
        length = np.append(0, np.linalg.norm(steps, axis=(1, 2)).cumsum())
        path = CubicSpline(length / length[-1], path)(np.linspace(0, 1, n_images + 2))
    positions = _straight(initial, final, n_images)
    fractions = np.linspace(0, 1, n_images + 2)[:, None, None]
    positions[:, : guide.shape[1]] += (path - fractions * path[-1])[1:-1]
    return _checked(_band(initial, final, positions))


def displace(images: Sequence[Atoms], atoms: Sequence[int], amplitude: float, seed: int) -> list[Atoms]:
    """Shift and turn a fragment as a rigid body in the intermediate images, to start a search elsewhere.

    One random direction and one random axis serve all images; half of the mean square is shift, half is turn
    (less turn for a fragment too small for it). Bond lengths within the fragment stay.

    Parameters
    ----------
    images : Sequence[Atoms]
        Band with its endpoints, which stay.
    atoms : Sequence[int]
        Indices of the fragment's atoms.
    amplitude : float
        Root mean square displacement of these atoms in the middle of the band (Å); image k of n + 1 gets
        ``amplitude * sin(pi * k / (n + 1))``.
    seed : int
        Seed of direction and axis.

    Raises
    ------
    OverlapError
        If atoms overlap in an intermediate image.
    """
    direction, axis = _unit_vectors(seed)
    chosen = list(atoms)
    displaced = [image.copy() for image in images]
    for image, fraction in zip(displaced[1:-1], np.linspace(0, 1, len(images))[1:-1], strict=True):
        size = amplitude * np.sin(np.pi * fraction)
        arms = _in_one_piece(image[chosen])
        arms -= arms.mean(axis=0)
        radius = np.sqrt((np.cross(axis, arms) ** 2).sum(axis=1).mean())
        turn = min(size / np.sqrt(2), radius)
        angle = 2 * np.arcsin(turn / (2 * radius)) if radius > 0 else 0.0
        moves = np.zeros_like(image.positions)
        moves[chosen] = Rotation.from_rotvec(angle * axis).apply(arms) - arms
        moves[chosen] += np.sqrt(size**2 - turn**2) * direction
        image.set_positions(image.positions + moves)
    return _checked(displaced)


def _straight(initial: Atoms, final: Atoms, n_images: int) -> np.ndarray:
    """Positions of the intermediate images on straight lines, shape (n_images, N, 3)."""
    moves = unwrap(final.positions, initial) - initial.positions
    return initial.positions + np.linspace(0, 1, n_images + 2)[1:-1, None, None] * moves


def _band(initial: Atoms, final: Atoms, positions: np.ndarray) -> list[Atoms]:
    images = [initial.copy(), *(initial.copy() for _ in positions), final.copy()]
    frozen = frozen_atoms(initial) or frozen_atoms(final)
    for image in images:
        image.set_constraint([FixAtoms(frozen)] if frozen else None)
    for image, wanted in zip(images[1:-1], positions, strict=True):
        image.set_positions(wanted, apply_constraint=True)
    return images


def _part(image: Atoms, moves: np.ndarray) -> None:
    """Move atoms that pass through each other apart, square to their relative motion."""
    vectors, distances = get_distances(image.positions, cell=image.cell, pbc=image.pbc)
    positions = image.positions.copy()
    for first, second in np.argwhere(np.triu(distances < PASSING, 1)):
        relative = moves[first] - moves[second]
        along = relative / (np.linalg.norm(relative) or 1.0)
        # The most transverse axis does not turn with the sense of the path: a band run backwards is the same.
        sideways = np.eye(3)[np.abs(along).argmin()]
        sideways = sideways - (sideways @ along) * along
        sideways /= np.linalg.norm(sideways)
        across = vectors[first, second] @ sideways
        shift = (PASSING - abs(across)) / 2 * (1 if across <= 0 else -1) * sideways
        positions[first] += shift
        positions[second] -= shift
    image.set_positions(positions)


def _in_one_piece(fragment: Atoms) -> np.ndarray:
    """Positions of a molecule that periodic boundaries may have cut, joined along its nearest pairs."""
    vectors, distances = get_distances(fragment.positions, cell=fragment.cell, pbc=fragment.pbc)
    order, parents = breadth_first_order(minimum_spanning_tree(distances), 0, directed=False)
    positions = fragment.positions.copy()
    for atom in order[1:]:
        positions[atom] = positions[parents[atom]] + vectors[parents[atom], atom]
    return positions


def _unit_vectors(seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(2, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _checked(images: list[Atoms]) -> list[Atoms]:
    for number, image in enumerate(images[1:-1], start=1):
        pair = overlap(image)
        if pair:
            raise OverlapError(f"image {number} of the first band: {pair}; give endpoints that differ less")
    return images
