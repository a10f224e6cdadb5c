"""First bands that follow a known one: the bare slab's, or given images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from barriers.structures.path.endpoints import SAME_PLACE
from barriers.structures.path.interpolate import band_of, checked
from barriers.structures.path.mapping import ON_SITE, pair_atoms, unwrap
from barriers.structures.path.spacing import evenly


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
        Intermediate images; the guide may have another number.

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
    bent = np.concatenate([np.zeros_like(guide[:1]), steps.cumsum(axis=0)])
    lengths = np.append(0, np.linalg.norm(steps, axis=(1, 2)).cumsum())
    fractions = (lengths / lengths[-1])[:, None, None]
    path = initial.positions + fractions * (unwrap(final.positions, initial) - initial.positions)
    path[:, : guide.shape[1]] += bent - fractions * bent[-1]
    return checked(band_of(initial, final, evenly(path, n_images)[1:-1]))


def given(initial: Atoms, final: Atoms, images: Sequence[Atoms] | np.ndarray, n_images: int) -> list[Atoms]:
    """Take a band from images that are known, such as those of another code.

    The images are bent to the endpoints, as :func:`carry` does, and spaced evenly.

    Parameters
    ----------
    initial, final : Atoms
        Endpoints as :func:`~barriers.structures.path.endpoints.match_order` leaves them.
    images : Sequence[Atoms] or numpy.ndarray, shape (G, N, 3)
        Structures, or positions (Å), in order, first and last included; atoms in the order of the endpoints.
    n_images : int
        Intermediate images.

    Returns
    -------
    list[Atoms]
        As of :func:`~barriers.structures.path.interpolate`.

    Raises
    ------
    ValueError
        If there are fewer than three images, an image has other atoms, another cell or another order of atoms, two
        successive images are the same, or the first or last one is not near the endpoint.
    OverlapError
        If atoms overlap in an intermediate image.
    """
    if len(images) < 3:
        raise ValueError(f"{len(images)} images given; allowed: three or more, first and last included")
    guide = np.array([_positions(image, number, initial) for number, image in enumerate(images)])
    for number, wanted, name in ((0, initial, "initial"), (len(guide) - 1, final, "final")):
        apart = find_mic(guide[number] - wanted.positions, initial.cell, initial.pbc)[1]
        if apart.max() > ON_SITE:
            atom = int(apart.argmax())
            raise ValueError(
                f"image {number}: atom {atom} ({initial.symbols[atom]}) is {apart[atom]:.2f} Å from its place in the "
                f"{name} structure; allowed: {ON_SITE} Å, atoms in the same order"
            )
    for number, (before, after) in enumerate(pairwise(guide)):
        _check_step(initial, before, after, number)
    return carry(initial, final, guide, n_images)


def _positions(image: Atoms | np.ndarray, number: int, initial: Atoms) -> np.ndarray:
    if isinstance(image, Atoms):
        if len(image) == len(initial) and (image.numbers != initial.numbers).any():
            atom = int(np.flatnonzero(image.numbers != initial.numbers)[0])
            raise ValueError(f"image {number}: atom {atom} is {image.symbols[atom]}, not {initial.symbols[atom]}")
        if np.abs(image.cell - initial.cell).max() > SAME_PLACE:
            raise ValueError(f"image {number}: its cell is not that of the endpoints")
    positions = np.asarray(image.positions if isinstance(image, Atoms) else image, dtype=float)
    if positions.shape != initial.positions.shape:
        raise ValueError(f"image {number}: positions of shape {positions.shape}; allowed: {initial.positions.shape}")
    if not np.isfinite(positions).all():
        raise ValueError(f"image {number}: a position is no number")
    return positions


def _check_step(initial: Atoms, before: np.ndarray, after: np.ndarray, number: int) -> None:
    """Refuse a step without length, or with atoms that have changed places."""
    pair = [initial.copy(), initial.copy()]
    for atoms, positions in zip(pair, (before, after), strict=True):
        atoms.set_positions(positions, apply_constraint=False)
    order, _ = pair_atoms(*pair)
    changed = np.flatnonzero(order != np.arange(len(order)))
    if len(changed):
        raise ValueError(f"images {number} and {number + 1}: atoms {changed[0]} and {order[changed[0]]} change places")
    if find_mic(after - before, initial.cell, initial.pbc)[1].max() < SAME_PLACE:
        raise ValueError(f"images {number} and {number + 1} are the same")
