"""Where a band lies as far as the structures evaluated so far tell: a Gaussian process takes the model's place.

A call of a model costs a hundred times more than one of the process, so the whole band is relaxed on the process, and
the model is asked where that is least sure (Koistinen et al., J. Chem. Phys. 147, 152720 (2017); Garrido Torres et al.,
Phys. Rev. Lett. 122, 156001 (2019)).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.singlepoint import SinglePointCalculator
from ase.mep.neb import NEB
from ase.optimize import FIRE

from barriers.analysis.surrogate.process import GradientProcess, Kernel
from barriers.engines.mlip.modes import free_coordinates

KERNEL = Kernel(length=1.0, amplitude=2.5, trend=10.0)
"""Bonds of an oxide stiffen over an ångström or so. Kernels fitted anew in each round took more evaluations."""

MOST_POINTS = 45
"""So many points, those nearest to the band, are drawn through: the cost of more would near that of an evaluation."""

UNSURE = 0.03
"""A band stops where the energy of an image is less sure than this (eV, one standard deviation) ..."""

NEAR, FAR = 0.1, 0.5
"""... unless it is this near to a point; it stops in any case this far from all of them (Å, norm over all atoms)."""

ASKED = 5
"""How sure the process is costs more than a step: it is asked every so many steps."""

SHARPER = 0.3
"""On the process a band is converged to this part of its tolerance."""

MOST_STEPS = 400
"""Most steps of a band on the process."""

LONGEST = 0.2
"""Longest step of a band on the process (Å, norm over all atoms of all images)."""


class Points:
    """Structures that the model was asked for, their free coordinates alone.

    Parameters
    ----------
    like : Atoms
        A structure whose constraints say which coordinates are free.

    Attributes
    ----------
    free : numpy.ndarray
        Which coordinates are free, shape (N, 3).
    places : list[numpy.ndarray]
        Positions (Å), shape (D,) each.
    energies : list[float]
        In eV.
    forces : list[numpy.ndarray]
        In eV/Å, shape (D,) each.
    """

    def __init__(self, like: Atoms) -> None:
        self.free = free_coordinates(like)
        self.places: list[np.ndarray] = []
        self.energies: list[float] = []
        self.forces: list[np.ndarray] = []

    def add(self, image: Atoms) -> None:
        """Take up an evaluated image, once in each place."""
        place = image.positions[self.free]
        if not any((place == known).all() for known in self.places):
            self.places.append(place)
            self.energies.append(image.get_potential_energy())
            self.forces.append(image.get_forces(apply_constraint=False)[self.free])

    def process(self, images: Sequence[Atoms]) -> GradientProcess:
        """Draw a surface through the points nearest to a band."""
        chosen = np.argsort(self.nearest(images).min(axis=0), kind="stable")[:MOST_POINTS]
        places, energies, forces = (np.array(all_)[chosen] for all_ in (self.places, self.energies, self.forces))
        return GradientProcess(places, energies, forces, KERNEL)

    def nearest(self, images: Sequence[Atoms]) -> np.ndarray:
        """Distances (Å, norm over all atoms) of images from points, shape (images, points)."""
        there = np.array([image.positions[self.free] for image in images])
        return np.linalg.norm(there[:, None] - np.array(self.places)[None], axis=2)

    @property
    def state(self) -> dict[str, Any]:
        """All points, for a checkpoint."""
        return {"places": self.places, "energies": self.energies, "forces": self.forces}

    def restore(self, state: dict[str, Any]) -> None:
        """Take the points of a checkpoint in place of those that are here."""
        self.places, self.energies, self.forces = (list(state[name]) for name in ("places", "energies", "forces"))


class ProcessCalculator(Calculator):
    """Puts a process over the free coordinates behind ASE's calculator interface; frozen atoms feel nothing."""

    implemented_properties: tuple[str, ...] = ("energy", "forces")

    def __init__(self, process: GradientProcess, free: np.ndarray) -> None:
        super().__init__()
        self.process, self.free = process, free

    def calculate(self, atoms: Atoms | None = None, properties: Any = None, system_changes: Any = all_changes) -> None:
        """Give energy and forces as the process expects them."""
        super().calculate(atoms, properties, system_changes)
        energy, free_forces = self.process(self.atoms.positions[self.free])
        forces = np.zeros_like(self.atoms.positions)
        forces[self.free] = free_forces
        self.results = {"energy": energy, "forces": forces}


class ForetoldCalculator(SinglePointCalculator):
    """Holds an energy and forces that the model was not asked for."""


def is_evaluated(image: Atoms) -> bool:
    """Whether the model was asked for an image where it stands."""
    calc = image.calc
    foretold = calc is None or isinstance(calc, ForetoldCalculator)
    return not foretold and bool((calc.atoms.positions == image.positions).all())


class HeldBand(NEB):
    """ASE's NEB with some images left where they are."""

    def __init__(self, images: list[Atoms], climb: bool, spring: float, held: Collection[int] = ()) -> None:
        super().__init__(images, k=spring, climb=climb, method="improvedtangent")
        self.held = [image - 1 for image in held]

    def get_forces(self) -> np.ndarray:
        """Forces of the band (eV/Å), shape (n_images × N, 3), none on images that are held."""
        forces: np.ndarray = super().get_forces().reshape(self.nimages - 2, -1, 3)
        forces[self.held] = 0.0
        return forces.reshape(-1, 3)


@dataclass(frozen=True)
class Foretold:
    """A band as foretold.

    Attributes
    ----------
    images : list[Atoms]
        The band, with energies and forces as foretold but for its ends and the images that were held.
    deviations : numpy.ndarray
        Standard deviation of each image's energy (eV), shape (n,); 0 at ends and held images.
    is_whole : bool
        Whether the band went as far as the process leads, and not just as far as that is sure.
    """

    images: list[Atoms]
    deviations: np.ndarray
    is_whole: bool


def foretell(
    images: list[Atoms], points: Points, climb: bool, fmax: float, spring: float, held: Collection[int]
) -> Foretold:
    """Relax a band on the surface through the points, as far as that is sure.

    Parameters
    ----------
    images : list[Atoms]
        The band, endpoints included.
    points : Points
        What is known; at least all images of some band.
    climb : bool
        Whether the highest image climbs.
    fmax : float
        Largest force that the band is wanted with (eV/Å).
    spring : float
        Spring constant (eV/Å²).
    held : collection of int
        Images that stay.
    """
    process = points.process(images)
    moving = [image for image in range(1, len(images) - 1) if image not in held]
    laid = [image.copy() for image in images]
    for number, (image, before) in enumerate(zip(laid, images, strict=True)):
        image.calc = ProcessCalculator(process, points.free) if number in moving else before.calc
    those = [laid[number] for number in moving]

    def deviations() -> np.ndarray:
        covariance = process.covariance(np.array([image.positions[points.free] for image in those]))
        return np.sqrt(np.maximum(0.0, np.diag(covariance)))

    is_whole = True
    optimizer = FIRE(HeldBand(laid, climb, spring, held), logfile=None, maxstep=LONGEST)
    for step, _ in enumerate(optimizer.irun(fmax=SHARPER * fmax, steps=MOST_STEPS)):
        away = points.nearest(those).min(axis=1)
        unsure = step % ASKED == 1 and away.max() > NEAR and deviations()[away > NEAR].max() > UNSURE
        if step and (away.max() > FAR or unsure):
            is_whole = False
            break
    known = np.zeros(len(images))
    known[moving] = deviations()
    for image in those:
        energy, forces = image.get_potential_energy(), image.get_forces(apply_constraint=False)
        image.calc = ForetoldCalculator(image, energy=energy, forces=forces)
    return Foretold(laid, known, is_whole)
