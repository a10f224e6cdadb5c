"""Mean squared displacements over all time origins, of each particle and of their sum; the self part of van Hove."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from barriers.analysis.trajectory.frames import Floats, Ints

LONGEST = 0.5
"""Lags go up to this share of the trajectory: longer ones have hardly two independent origins."""

PER_DECADE = 20
"""Lags a decade."""


def lags(frames: int) -> Ints:
    """Give lags in frames, evenly on a logarithmic scale, from one to half of the trajectory."""
    most = int(LONGEST * (frames - 1))
    count = int(PER_DECADE * np.log10(most)) + 1
    return np.unique(np.round(np.geomspace(1, most, count)).astype(int))


def squared(paths: Floats, at: Ints) -> NDArray[np.float64]:
    """Mean squared displacement of each particle, averaged over all time origins.

    By Fourier transform: G. R. Kneller et al., Comput. Phys. Commun. 91, 191 (1995).

    Parameters
    ----------
    paths : (T, M, 3)
        Unwrapped positions (Å).
    at : (L,)
        Lags, in frames.

    Returns
    -------
    (L, M)
        In Å².
    """
    return shared(paths, paths, at)


def shared(one: Floats, other: Floats, at: Ints) -> NDArray[np.float64]:
    """Mean product of displacements, ⟨Δa(t)·Δb(t)⟩ (Å²), of particles pairwise: (T, M, 3), (T, M, 3) → (L, M)."""
    frames = len(one)
    result = np.empty((len(at), one.shape[1]))
    for number in range(one.shape[1]):
        a = one[:, number] - one[0, number].astype(float)
        b = other[:, number] - other[0, number].astype(float)
        product = np.cumsum(np.einsum("tx,tx->t", a, b))
        ends = product[-1] - np.where(at > 0, product[at - 1], 0.0) + product[frames - 1 - at]
        transforms = [np.fft.rfft(each, 2 * frames, axis=0) for each in (a, b)]
        crossed = np.fft.irfft((transforms[0] * transforms[1].conj()).sum(axis=1), 2 * frames)
        result[:, number] = (ends - crossed[at] - crossed[-at]) / (frames - at)
    return result


def collective(paths: Floats, charges: Floats, at: Ints) -> NDArray[np.float64]:
    """Mean squared displacement of Σ z r (e²Å²), shape (L,): of the current that all ions make together."""
    dipole = np.einsum("tnx,n->tx", paths - paths[0].astype(float), charges)
    return squared(dipole[:, None], at)[:, 0]


def van_hove(paths: Floats, lag: int, width: float = 0.25) -> tuple[Floats, Floats, float]:
    """Self part of the van Hove function at a lag, and how far it is from a Gaussian.

    Parameters
    ----------
    paths : (T, M, 3)
        Unwrapped positions (Å).
    lag : int
        In frames.
    width : float
        Of the bins (Å).

    Returns
    -------
    (B,), (B,), float
        Middles of bins (Å); 4πr²G_s(r, t) (1/Å), whose integral is 1; α₂ = 3⟨r⁴⟩/5⟨r²⟩² − 1, 0 for a Gaussian and
        above it where some particles hop and others stay.
    """
    moved = np.linalg.norm(paths[lag:] - paths[:-lag], axis=2).ravel()
    edges = np.arange(0.0, moved.max() + 2 * width, width)
    density, _ = np.histogram(moved, edges, density=True)
    second, fourth = (moved**2).mean(), (moved**4).mean()
    return (edges[1:] + edges[:-1]) / 2, density, float(3 * fourth / (5 * second**2) - 1)
