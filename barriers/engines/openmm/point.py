"""A point of a run: where atoms are and how fast they move; and what is read off it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from barriers.engines.openmm.system import openmm

if TYPE_CHECKING:
    from openmm import Context

U_PER_NM3 = 1.66053907e-3
"""In g/cm³."""

KB = 8.31446262e-3
"""Boltzmann's constant (kJ/mol/K): OpenMM's energies are u nm²/ps²."""


@dataclass(frozen=True)
class Point:
    """Positions (nm), velocities (nm/ps) and box vectors (nm): (N, 3), (N, 3), (3, 3)."""

    positions: np.ndarray
    velocities: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, context: Context) -> Self:
        """Read it off a context; atoms do not jump across the box's border."""
        state = context.getState(positions=True, velocities=True)
        positions, velocities = state.getPositions(asNumpy=True)._value, state.getVelocities(asNumpy=True)._value
        if not (np.isfinite(positions).all() and np.isfinite(velocities).all()):
            raise FloatingPointError("NaN")
        return cls(positions, velocities, np.array(state.getPeriodicBoxVectors(asNumpy=True)._value))

    def put(self, context: Context) -> None:
        """Let a context go on from here."""
        context.setPeriodicBoxVectors(*self.vectors)
        context.setPositions(self.positions)
        context.setVelocities(self.velocities)

    def as_json(self) -> dict[str, str]:
        """Write it so that every bit is read back."""
        return {name: base64.b64encode(each.tobytes()).decode() for name, each in vars(self).items()}

    @classmethod
    def from_json(cls, content: dict[str, str]) -> Self:
        """Read it back."""
        return cls(**{name: np.frombuffer(base64.b64decode(text)).reshape(-1, 3) for name, text in content.items()})


@contextmanager
def plain_words(name: str, what: str) -> Iterator[None]:
    """Say what OpenMM's own errors mean for a box, in one line with what to do."""
    try:
        yield
    except FloatingPointError:
        raise RuntimeError(_lost(name, what)) from None
    except openmm().OpenMMException as error:
        words = " ".join(str(error).split())
        if "NaN" in words:
            raise RuntimeError(_lost(name, what)) from error
        if "periodic box size has decreased" in words:
            raise RuntimeError(
                f"{name}: {what}: the box has become narrower than twice the cutoff of its forces; allowed: more chains"
            ) from error
        raise RuntimeError(f"{name}: {what}: OpenMM says: {words[:200]}") from error


def _lost(name: str, what: str) -> str:
    return (
        f"{name}: {what}: coordinates became NaN, as where Li⁺ falls onto a bare F (LiF) or atoms are packed onto "
        "each other; allowed: a timestep of 1 or 2 fs, another seed, or a box packed less densely"
    )


def minimised(context: Context, temperature: float, seed: int) -> Point:
    """Minimise the energy, and give velocities of a temperature (K)."""
    openmm().LocalEnergyMinimizer.minimize(context, 10.0, 5000)
    context.setVelocitiesToTemperature(temperature, 1 + seed)
    return Point.of(context)


def density(masses: np.ndarray, vectors: np.ndarray) -> float:
    """Density (g/cm³) of masses (u) in a box of these vectors (nm)."""
    return float(masses.sum()) / float(abs(np.linalg.det(vectors))) * U_PER_NM3


def temperature(masses: np.ndarray, constraints: int, velocities: np.ndarray) -> float:
    """Temperature (K) of masses (u) and velocities (nm/ps), (N,) and (N, 3), of which so many bonds are fixed."""
    return float(masses @ (velocities**2).sum(axis=1)) / ((3 * len(masses) - constraints) * KB)


def scaled(context: Context, point: Point, factor: float) -> Point:
    """Scale a box by a factor, molecules as they are, each around its centre."""
    positions: Any = point.positions.copy()
    for molecule in context.getMolecules():
        atoms = list(molecule)
        positions[atoms] += (factor - 1) * positions[atoms].mean(axis=0)
    return Point(positions, point.velocities, point.vectors * factor)
