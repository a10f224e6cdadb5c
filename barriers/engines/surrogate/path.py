"""The band through a corrected saddle: the model's, carried along, with an image at each other hump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from barriers.analysis.curves import Curves, curves_of
from barriers.analysis.stationary import find_stationary
from barriers.analysis.surrogate.humps import nearest_image, other_humps
from barriers.analysis.surrogate.rounds import FIRST_RADIUS, SEARCH_CALLS, SEARCH_FMAX, CorrectedSurface
from barriers.engines.surrogate.frame import Frame

MISJUDGED = 0.3
"""A second hump less than so much (eV) below the saddle may be the higher one.

Models are wrong by some tenths of an eV, at each hump otherwise: what is known of one does not tell of another.
"""

MOST_ACROSS = 15
"""Most evaluations of the model for an image that is relaxed across the path."""

BETWEEN = 0.1
"""A hump further than this (Å) from all images gets one of its own: the curve between two is no calculation."""


@dataclass
class CorrectedPath:
    """A band on a corrected surface.

    Attributes
    ----------
    surface : CorrectedSurface
        Energies and forces.
    frame : Frame
        Coordinates.
    guide : numpy.ndarray
        The model's band (Å), shape (n, D).
    through : dict[int, numpy.ndarray]
        Where the initial state, the saddle and the final state are now (Å), shape (D,), by their images of the guide.
    fmax : float
        Tolerance of the images between them across the path (eV/Å).
    """

    surface: CorrectedSurface
    frame: Frame
    guide: np.ndarray
    through: dict[int, np.ndarray]
    fmax: float

    @property
    def _saddle(self) -> int:
        """Image of the guide that the saddle takes the place of."""
        return sorted(self.through)[1]

    @cached_property
    def images(self) -> np.ndarray:
        """All images (Å), shape (m, D): those of the guide, and each other hump at its own saddle."""
        images = self._laid(self.guide, self.through)
        try:
            curves = self._curves_of(images, [self.surface(x) for x in images])
        except ValueError:
            return images
        places = dict(zip(curves.distances.tolist(), images, strict=True))
        fixed = {float(curves.distances[image]): images[image] for image in self.through}
        for place, height in other_humps(curves, self._saddle).items():
            start = np.array([np.interp(place, curves.distances, column) for column in images.T])
            if height > curves.energies[self._saddle] - MISJUDGED and (hump := self._top_of(start, images)) is not None:
                places = {each: x for each, x in places.items() if each in fixed or abs(each - place) > BETWEEN}
                places[place], fixed[place] = start, hump
        if len(fixed) == len(self.through):
            return images
        order = sorted(places)
        path = np.array([places[each] for each in order])
        return self._laid(path, {order.index(each): x for each, x in fixed.items()})

    def _top_of(self, start: np.ndarray, images: np.ndarray) -> np.ndarray | None:
        """Find the saddle of a hump; None where it is the one that there is."""
        near = int(np.argmin(np.linalg.norm(images - start, axis=1)))
        along = images[min(near + 1, len(images) - 1)] - images[max(near - 1, 0)]
        hump = find_stationary(
            self.surface, start, along, radius=FIRST_RADIUS, fmax=SEARCH_FMAX, most_calls=SEARCH_CALLS
        ).position
        return None if np.linalg.norm(hump - self.through[self._saddle]) < BETWEEN else hump

    @cached_property
    def top(self) -> int:
        """Number of the image at the saddle."""
        return int(np.abs(self.images - self.through[self._saddle]).max(axis=1).argmin())

    def _laid(self, path: np.ndarray, through: Mapping[int, np.ndarray]) -> np.ndarray:
        """Carry a path along with some of its images, and relax the others across it."""
        images = carried(path, through)
        for image in set(range(len(images))) - set(through):
            images[image] = self._across(*images[image - 1 : image + 2])
        return images

    def _across(self, before: np.ndarray, image: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Relax an image across the path: off it, it would pass for a hump."""
        tangent = (after - before) / np.linalg.norm(after - before)

        def plane(x: np.ndarray) -> tuple[float, np.ndarray]:
            energy, forces = self.surface(x - ((x - image) @ tangent) * tangent)
            return energy, forces - (forces @ tangent) * tangent

        found = find_stationary(plane, image, radius=FIRST_RADIUS, fmax=self.fmax, most_calls=MOST_ACROSS)
        return found.position - ((found.position - image) @ tangent) * tangent

    def _curves_of(self, images: np.ndarray, numbers: Sequence[tuple[float, np.ndarray]]) -> Curves:
        lattice = self.frame.structure.lattice
        positions = [self.frame.positions(x) for x in images]
        forces = [self.frame.forces(forces) for _, forces in numbers]
        return curves_of(positions, lattice.matrix, [energy for energy, _ in numbers], forces, pbc=lattice.pbc)

    @cached_property
    def _numbers(self) -> list[tuple[float, np.ndarray]]:
        return [self.surface(x) for x in self.images]

    @property
    def energies(self) -> np.ndarray:
        """Energies (eV), shape (m,)."""
        return np.array([energy for energy, _ in self._numbers])

    @property
    def forces(self) -> np.ndarray:
        """Forces (eV/Å), shape (m, D)."""
        return np.array([forces for _, forces in self._numbers])

    def deviations(self, reference: int) -> np.ndarray:
        """Standard deviations (eV), shape (m,), of the energies above that of image ``reference``."""
        spread = self.surface.covariance(self.images)
        variances = np.diag(spread) + spread[reference, reference] - 2 * spread[reference]
        return np.sqrt(np.maximum(0.0, variances))

    def humps(self) -> dict[int, float]:
        """Find humps besides the saddle that may be higher: energy (eV) by the nearest image.

        Raises
        ------
        ValueError
            If the images are no path any more.
        """
        curves = self._curves_of(self.images, self._numbers)
        found: dict[int, float] = {}
        for place, height in other_humps(curves, self.top).items():
            image, energy = nearest_image(curves, place), self.energies[0] + height
            if energy > self.energies[self.top] - MISJUDGED:
                found[image] = max(energy, found.get(image, -np.inf))
        return found


def carried(path: np.ndarray, through: Mapping[int, np.ndarray]) -> np.ndarray:
    """Carry a path along with some of its images, the others in proportion to their distances.

    Parameters
    ----------
    path : (n, D)
        The path (Å).
    through : mapping
        Where images are now (Å), shape (D,), by their numbers; the first and the last image among them.
    """
    fixed = sorted(through)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    moved = np.array([through[image] - path[image] for image in fixed])
    images: np.ndarray = path + np.array([np.interp(along, along[fixed], column) for column in moved.T]).T
    images[fixed] = [through[image] for image in fixed]
    return images
