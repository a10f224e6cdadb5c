"""Images at equal distances along a path, or more of them where it is steep."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from ase import Atoms
from scipy.interpolate import make_interp_spline

EVEN = 1e-10
"""Largest deviation of a step from the mean step, as a fraction of it."""

ROUNDS = 200


def evenly(path: np.ndarray, n_images: int, smooth: bool = True) -> np.ndarray:
    """Place images on a curve through given structures so that all steps between them are equally long.

    The length of a step is the norm of the displacement of all atoms.

    Parameters
    ----------
    path : numpy.ndarray, shape (G, N, 3)
        Positions (Å) along the path, endpoints included, each atom unwrapped from one to the next.
    n_images : int
        Intermediate images.
    smooth : bool
        A cubic spline through the structures (a parabola through three), or straight lines between them.

    Returns
    -------
    numpy.ndarray, shape (n_images + 2, N, 3)
        The endpoints are those given.
    """
    lengths = np.append(0, np.linalg.norm(np.diff(path, axis=0), axis=(1, 2)).cumsum())
    curve = make_interp_spline(lengths / lengths[-1], path, k=min(3, len(path) - 1) if smooth else 1)
    wanted = np.linspace(0, 1, n_images + 2)
    where = wanted
    for _ in range(ROUNDS):
        images = curve(where)
        steps = np.linalg.norm(np.diff(images, axis=0), axis=(1, 2))
        if np.ptp(steps) < EVEN * steps.mean():
            break
        where = np.interp(wanted, np.append(0, steps.cumsum()) / steps.sum(), where)
    return np.concatenate([path[:1], images[1:-1], path[-1:]])


def halved(images: Sequence[Atoms], steps: Collection[int]) -> list[Atoms]:
    """Put an image half way into some steps of a band.

    Parameters
    ----------
    images : Sequence[Atoms]
        The band, each atom unwrapped from one image to the next.
    steps : collection of int
        Number of the image before each of those steps.
    """
    filled = []
    for number, image in enumerate(images):
        filled.append(image)
        if number in steps:
            between = image.copy()
            between.positions = (image.positions + images[number + 1].positions) / 2
            filled.append(between)
    return filled
