"""Made-up trajectories whose transport is known beforehand."""

from __future__ import annotations

import numpy as np

from barriers.analysis.trajectory.bonding import molecules_of
from barriers.analysis.trajectory.frames import Trajectory

SIDE = 40.0
BESIDE = np.array([0.0, 2.0, 0.0])
"""From a partner to the ion (Å)."""

CHAIN = ("C",) * 24 + ("O",) + ("C",) * 25
"""One place for an ion in the middle of a chain of 50 atoms."""


def walk(seed: int, frames: int, particles: int, step: float) -> np.ndarray:
    """Random walks, (T, M, 3): D = step²/2 for each frame."""
    return np.cumsum(np.random.default_rng(seed).normal(0, step, (frames, particles, 3)), axis=0)


def fractional(seed: int, frames: int, particles: int, hurst: float) -> np.ndarray:
    """Fractional Brownian motion, MSD = 3 t^2H, from the covariance of its steps."""
    lag = np.arange(frames)
    covariance = 0.5 * (abs(lag + 1.0) ** (2 * hurst) + abs(lag - 1.0) ** (2 * hurst) - 2.0 * lag ** (2 * hurst))
    square = np.linalg.cholesky(covariance[abs(lag[:, None] - lag)])
    noise = np.random.default_rng(seed).normal(size=(frames, particles * 3))
    return np.cumsum(square @ noise, axis=0).reshape(frames, particles, 3)


def trapped(seed: int, frames: int, particles: int) -> np.ndarray:
    """Brownian motion on a spring, of variance 1 Å² in each direction; it forgets within ten frames."""
    noise = np.random.default_rng(seed).normal(size=(frames, particles, 3))
    paths = np.empty_like(noise)
    paths[0] = noise[0]
    for frame in range(1, frames):
        paths[frame] = 0.9 * paths[frame - 1] + np.sqrt(1 - 0.81) * noise[frame]
    return paths


def box(
    paths: np.ndarray, species: tuple[str, ...], bonds: list[tuple[int, int]] | None = None, side: float = SIDE,
    step: float = 1.0, name: str = "made up",
) -> Trajectory:  # fmt: skip
    """Atoms in a cube (Å), wrapped into it, a frame each ``step`` ps."""
    pairs = np.array(bonds or [], dtype=int).reshape(-1, 2)
    cells = np.tile(np.eye(3) * side, (len(paths), 1, 1))
    molecules = molecules_of(pairs, len(species))
    return Trajectory(paths % side, cells, np.arange(len(paths)) * step, species, pairs, molecules, name=name)


def chains(centres: np.ndarray) -> tuple[np.ndarray, tuple[str, ...], list[tuple[int, int]]]:
    """Stiff chains along x whose oxygen is where the centres (T, M, 3) are: paths, species, bonds."""
    along = (np.arange(len(CHAIN)) - CHAIN.index("O"))[:, None] * np.array([1.5, 0.0, 0.0])
    paths = (centres[:, :, None] + along).reshape(len(centres), -1, 3)
    count = centres.shape[1]
    bonds = [(50 * chain + atom, 50 * chain + atom + 1) for chain in range(count) for atom in range(49)]
    return paths, CHAIN * count, bonds


def grid(count: int, side: float = SIDE) -> np.ndarray:
    """Places (count³, 3) on a cubic grid."""
    axis = np.arange(count) * side / count
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)


def matrix(
    seed: int = 0, frames: int = 400, carrier: str = "chains", chain_step: float = 0.4, side: float = SIDE
) -> Trajectory:
    """27 chains, 27 Li and 27 F⁻ in a box, each Li carried by its chain or its anion, or hopping from chain to chain.

    Chains walk; carried by anions, Li and F⁻ walk together while chains stand.
    """
    random = np.random.default_rng(seed)
    places = grid(3, side)
    still = np.tile(places, (frames, 1, 1))
    tremble = random.normal(0, 0.05, (2, *still.shape))
    moving = still + walk(seed, frames, len(places), chain_step)
    free = still + np.array([0.0, 0.0, side / 6]) + walk(seed + 1000, frames, len(places), 0.3)
    if carrier == "chains":
        centres, ions, anions = moving, moving + BESIDE, free
    elif carrier == "anions":
        centres, ions, anions = still, free + BESIDE, free
    else:
        jumps = (
            np.eye(3)[random.integers(0, 3, still.shape[:2])]
            * random.choice([-1, 0, 0, 0, 1], still.shape[:2])[..., None]
        )
        centres, ions, anions = still, still + np.cumsum(jumps, axis=0) * side / 3 + BESIDE, free
    paths, species, bonds = chains(centres)
    count = len(places)
    together = np.concatenate([paths, ions + tremble[0], anions + tremble[1]], axis=1)
    return box(together, species + ("Li",) * count + ("F",) * count, bonds, side)
