"""Whether the highest image of a band is a saddle of first order, and a band pushed off one that is not."""

from __future__ import annotations

import numpy as np
from ase import Atoms

from barriers.analysis.band import minimum_image_displacements
from barriers.documents import SaddleDoc
from barriers.engines.mlip.modes import CALLS, SHARE, modes_at, push_down
from barriers.engines.mlip.pool import Evaluator

LEAST = 8
"""Directions that a search for the lowest modes at a saddle may always ask for."""


def tangent_at(images: list[Atoms], image: int) -> np.ndarray:
    """Give the direction of a path at one of its images, shape (N, 3), of unit length."""
    around = [images[image + step].positions for step in (-1, 0, 1)]
    steps = minimum_image_displacements(around, images[0].cell.array, images[0].pbc)
    tangent: np.ndarray = sum(step / np.linalg.norm(step) for step in steps)
    return tangent / np.linalg.norm(tangent)


def saddle_of(images: list[Atoms], evaluator: Evaluator, calls: int, top: int) -> tuple[SaddleDoc, np.ndarray]:
    """Find the lowest modes at an image that climbed.

    Parameters
    ----------
    images : list[Atoms]
        The band, evaluated.
    evaluator : Evaluator
        The model.
    calls : int
        What led to it took.
    top : int
        Number of the image.

    Returns
    -------
    SaddleDoc
        What was found.
    (N, 3)
        A unit vector: the lowest mode; of a saddle of higher order, across the path, another mode downhill.
    """
    tangent = tangent_at(images, top)
    # The atoms that move along the path are those that may move across it: the ion above all.
    start = np.random.default_rng(0).normal(size=tangent.shape) * np.linalg.norm(tangent, axis=1, keepdims=True)
    most = max(LEAST, calls // (CALLS * SHARE))
    found, vectors = modes_at(images[top], evaluator, start, most, tangent)
    overlaps = np.abs(np.einsum("maj,aj->m", vectors, tangent))
    document = SaddleDoc(
        image=top,
        curvatures=found.curvatures[:2].tolist(),
        order=found.order,
        overlap=float(overlaps[0]),
        force_calls=CALLS * found.calls,
    )
    if found.order < 2:
        return document, vectors[0]
    mode = vectors[int(overlaps[: found.order].argmin())]
    mode = mode - tangent * float((tangent * mode).sum())
    return document, mode / np.linalg.norm(mode)


def off_saddle(images: list[Atoms], evaluator: Evaluator, saddle: SaddleDoc, mode: np.ndarray) -> list[Atoms] | None:
    """Push a band to the side of a mode at its highest image on which the energy is lower.

    Parameters
    ----------
    images, evaluator
        As for :func:`saddle_of`.
    saddle, mode
        What that gave.

    Returns
    -------
    list[Atoms] or None
        A new band between the same ends, pushed less the farther an image is from the saddle; None where neither side
        is lower.
    """
    push = push_down(images[saddle.image], evaluator, mode)
    if push is None:
        return None
    steps = minimum_image_displacements([image.positions for image in images], images[0].cell.array, images[0].pbc)
    along = np.append(0.0, np.linalg.norm(steps, axis=(1, 2)).cumsum())
    shares = np.interp(along, [0.0, along[saddle.image], along[-1]], [0.0, 1.0, 0.0])
    between = [image.copy() for image in images[1:-1]]
    for image, share in zip(between, shares[1:-1], strict=True):
        image.positions += share * push
    return [images[0], *between, images[-1]]
