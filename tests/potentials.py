"""Potentials whose saddles are known, and bands on their minimum-energy paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes
from ase.mep import NEB
from ase.optimize import FIRE
from scipy.optimize import minimize, root

Band = tuple[np.ndarray, np.ndarray, np.ndarray]

SCALE = 0.005  # eV for a unit of energy: the first barrier becomes 0.53 eV
UNIT = 2.0  # Å for a unit of length

_A = np.array([-200.0, -100.0, -170.0, 15.0])
_a, _b, _c = np.array([-1.0, -1.0, -6.5, 0.7]), np.array([0.0, 0.0, 11.0, 0.6]), np.array([-10.0, -10.0, -6.5, 0.7])
_x0, _y0 = np.array([1.0, 0.0, -0.5, -1.0]), np.array([0.0, 0.5, 1.5, 1.0])


def mueller_brown(point: np.ndarray) -> tuple[float, np.ndarray]:
    """Energy (eV) and gradient (eV/Å) of the surface of Müller and Brown, Theor. Chim. Acta 53, 75 (1979), scaled."""
    x, y = point[:2] / UNIT
    dx, dy = x - _x0, y - _y0
    terms = _A * np.exp(_a * dx**2 + _b * dx * dy + _c * dy**2)
    gradient = np.array([(terms * (2 * _a * dx + _b * dy)).sum(), (terms * (_b * dx + 2 * _c * dy)).sum(), 0.0])
    return SCALE * terms.sum(), SCALE / UNIT * gradient


def stationary(guess: tuple[float, float]) -> tuple[np.ndarray, float]:
    """The point without a force next to ``guess`` (in the surface's own units), and its energy (eV)."""
    found = root(lambda point: mueller_brown(point)[1][:2], UNIT * np.array(guess), tol=1e-13)
    return np.array([*found.x, 0.0]), mueller_brown(found.x)[0]


MINIMA = [stationary(guess) for guess in ((-0.558, 1.442), (-0.050, 0.467), (0.623, 0.028))]
SADDLES = [stationary(guess) for guess in ((-0.822, 0.624), (0.212, 0.293))]


class MuellerBrown(Calculator):
    """One atom on the scaled surface."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        energy, gradient = mueller_brown(self.atoms.positions[0])
        self.results = {"energy": energy, "forces": -gradient[None]}


def mueller_brown_band(start: np.ndarray, end: np.ndarray, between: int) -> Band:
    """A climbing band, converged to 1e-3 eV/Å."""
    images = [Atoms("Li", [start + (end - start) * f]) for f in np.linspace(0, 1, between + 2)]
    for image in images:
        image.calc = MuellerBrown()
    for climb, fmax in ((False, 0.1), (True, 1e-3)):
        assert FIRE(NEB(images, k=2.0, climb=climb, method="improvedtangent"), logfile=None).run(fmax, 2000)
    return (
        np.array([image.positions for image in images]),
        np.array([image.get_potential_energy() for image in images]),
        np.array([image.get_forces() for image in images]),
    )


@dataclass
class RandomPath:
    """A smooth random energy along a curved path in six dimensions, whose highest point is known.

    Across the path the potential is a valley: on its floor the force is along the path.
    """

    rng: np.random.Generator
    bending: float

    def __post_init__(self) -> None:
        rng = self.rng
        self.length, self.height, self.tilt = rng.uniform(2, 5), rng.uniform(0.2, 1), rng.uniform(-0.3, 0.3)
        self.waves = rng.normal(0, 0.15 * self.height, 4) / np.arange(1, 5) ** 1.5
        self.sway, self.phase = rng.normal(0, self.bending * self.length / 6, 5), rng.uniform(0, 6, 5)

    def energy(self, t: np.ndarray) -> np.ndarray:
        """Energy (eV), 0 at t = 0."""
        waves = sum(
            wave * np.sin((k + 1) * np.pi * t) ** 2 * np.cos(np.pi * t * (k % 2)) for k, wave in enumerate(self.waves)
        )
        return self.height * np.sin(np.pi * t) ** 2 + self.tilt * t + waves

    def place(self, t: np.ndarray) -> np.ndarray:
        """Positions of two atoms (Å), flat."""
        sway = [sway * np.sin((k % 2 + 1) * np.pi * t + self.phase[k]) for k, sway in enumerate(self.sway)]
        return np.stack([self.length * t, *sway], axis=-1)

    @property
    def barrier(self) -> float:
        """The highest point (eV)."""
        t = np.linspace(0, 1, 401)
        top = t[self.energy(t).argmax()]
        found = minimize(lambda t: -self.energy(t[0]), [top], bounds=[(0, 1)], tol=1e-12)
        return float(-found.fun)

    def band(self, images: int, unevenness: float) -> Band:
        """Images on the path, evenly spaced up to a random part of a step."""
        t = np.linspace(0, 1, 4001)
        walked = np.linalg.norm(np.diff(self.place(t), axis=0), axis=1).cumsum()
        fractions = np.linspace(0, 1, images)
        fractions[1:-1] += self.rng.uniform(-unevenness, unevenness, images - 2) / (images - 1)
        at = np.interp(fractions * walked[-1], [0, *walked], t)
        along, slope = _slope(self.place, at), _slope(self.energy, at)
        forces = -(slope / (along**2).sum(axis=1))[:, None] * along
        return self.place(at).reshape(-1, 2, 3), self.energy(at), forces.reshape(-1, 2, 3)


def _slope(function: Callable[[np.ndarray], np.ndarray], t: np.ndarray) -> np.ndarray:
    return (function(t + 1e-5) - function(t - 1e-5)) / 2e-5
