"""First bands: drawn between two endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from ase import Atoms
from ase.geometry import find_mic, get_distances
from ase.mep import NEB
from ase.mep.neb import idpp_interpolate

from barriers.structures.directions import constraints_of, directions_of
from barriers.structures.path.endpoints import STAYS, frozen_atoms, overlap
from barriers.structures.path.mapping import unwrap
from barriers.structures.path.spacing import evenly
from barriers.structures.rounding import GRID, rounded

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
        Endpoints as :func:`~barriers.structures.path.endpoints.match_order` leaves them.
    n_images : int
        Intermediate images.
    method : {"idpp", "linear"}
        Image dependent pair potential (Smidstrup et al., J. Chem. Phys. 140, 214106), or straight lines.

    Returns
    -------
    list[Atoms]
        ``n_images + 2`` structures without calculators, all with the same frozen atoms. The endpoints have
        the positions given, bit by bit; frozen atoms keep their initial ones in every intermediate image. All
        steps between images are equally long.

    Raises
    ------
    OverlapError
        If atoms overlap in an intermediate image.
    """
    images = band_of(initial, final, straight(initial, final, n_images))
    if method == "idpp":
        for image in images[1:-1]:
            _part(image, unwrap(final.positions, initial) - initial.positions)
        band = NEB(images, method="improvedtangent")
        idpp_interpolate(band, traj=None, log=None, fmax=IDPP_FMAX, steps=IDPP_STEPS, mic=True)
        path = [*(image.positions for image in images[:-1]), unwrap(final.positions, initial)]
        images = band_of(initial, final, evenly(np.array(path), n_images)[1:-1])
    return checked(images)


def through(initial: Atoms, final: Atoms, n_images: int, moving: int, via: Sequence[float] | np.ndarray) -> list[Atoms]:
    """Draw a band on which one atom passes a given point, such as the centre of a tetrahedron.

    The atom goes straight to the point and straight on; the others go straight all the way. Nothing is relaxed: an
    IDPP band would leave the point.

    Parameters
    ----------
    initial, final : Atoms
        Endpoints as :func:`~barriers.structures.path.endpoints.match_order` leaves them.
    n_images : int
        Intermediate images.
    moving : int
        Index of the atom.
    via : array_like, shape (3,)
        The point (Å), in any periodic image.

    Returns
    -------
    list[Atoms]
        As of :func:`interpolate`.

    Raises
    ------
    ValueError
        If the atom is frozen or already stands on the point.
    OverlapError
        If atoms overlap in an intermediate image.
    """
    if moving in frozen_atoms(initial) + frozen_atoms(final):
        raise ValueError(f"atom {moving} ({initial.symbols[moving]}) is frozen and cannot pass a point")
    last = unwrap(final.positions, initial)
    ends = np.array([initial.positions[moving], last[moving]])
    offset = find_mic(np.asarray(via, dtype=float) - ends.mean(axis=0), initial.cell, initial.pbc)[0]
    point = ends.mean(axis=0) + offset
    legs = np.linalg.norm(ends - point, axis=1)
    if legs.min() < STAYS:
        raise ValueError(
            f"atom {moving} ({initial.symbols[moving]}) stands on the point in an endpoint; choose another"
        )
    middle = initial.positions + legs[0] / legs.sum() * (last - initial.positions)
    middle[moving] = point
    path = evenly(np.array([initial.positions, middle, last]), n_images, smooth=False)
    return checked(band_of(initial, final, path[1:-1]))


def checked(images: list[Atoms], least: float = 0.0) -> list[Atoms]:
    """Give a band back if no two atoms overlap in it.

    Parameters
    ----------
    images : list[Atoms]
        Band with its endpoints, which are not looked at.
    least : float
        Least distance (Å) of two atoms, beyond what :func:`~barriers.structures.path.endpoints.overlap` asks.

    Raises
    ------
    OverlapError
        If two atoms are nearer; the message names image and pair.
    """
    for number, image in enumerate(images[1:-1], start=1):
        pair = overlap(image, least)
        if pair:
            raise OverlapError(f"image {number} of the first band: {pair}; give endpoints that differ less")
    return images


def straight(initial: Atoms, final: Atoms, n_images: int) -> np.ndarray:
    """Positions of the intermediate images on straight lines, shape (n_images, N, 3)."""
    moves = unwrap(final.positions, initial) - initial.positions
    return initial.positions + np.linspace(0, 1, n_images + 2)[1:-1, None, None] * moves


def band_of(initial: Atoms, final: Atoms, positions: np.ndarray) -> list[Atoms]:
    """Make a band of endpoints and intermediate positions (Å), shape (n_images, N, 3), held as they are."""
    images = [initial.copy(), *(initial.copy() for _ in positions), final.copy()]
    held = constraints_of(directions_of(initial) & directions_of(final))
    for image in images:
        image.set_constraint(held)
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
        sideways = np.eye(3)[rounded(np.abs(along), GRID).argmin()]
        sideways = sideways - (sideways @ along) * along
        sideways /= np.linalg.norm(sideways)
        across = vectors[first, second] @ sideways
        shift = (PASSING - abs(across)) / 2 * (1 if across <= 0 else -1) * sideways
        positions[first] += shift
        positions[second] -= shift
    image.set_positions(positions)
