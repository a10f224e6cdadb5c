"""Diffusion tensor of one carrier on a periodic network of sites, exactly: the master equation, not a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike
from scipy.constants import angstrom, centi, elementary_charge

from barriers.analysis.kinetics import BOLTZMANN
from barriers.analysis.translations import Floats, Ints, potentials

SAME_PLACE = 1e-6
"""Two ways round that end this near to each other (Å) end at one place."""


@dataclass(frozen=True)
class Activation:
    """An Arrhenius line D = D₀ exp(−E / k_B T).

    Attributes
    ----------
    energy : float
        E (eV).
    prefactor : float
        D₀ in the unit of D.
    """

    energy: float
    prefactor: float


def vacancy_diffusion(
    first: ArrayLike, last: ArrayLike, vectors: ArrayLike, rates: ArrayLike, weights: ArrayLike | None = None
) -> Floats:
    """Diffusion tensor of one carrier, a vacancy for example, that walks on a periodic network.

    The sites of one cell are removed one by one, each jump by way of a removed site being added to the jumps between
    the others with its rate and the first two moments of its displacement. What is left is one site with jumps to its
    own images: D = π Σ Γ Δ Δᵀ / 2. This is the long-time limit of the master equation, with or without detailed
    balance (Trinkle, Philos. Mag. 96, 2714 (2016); Allnatt and Lidiard, Atomic Transport in Solids, 1993). No
    difference of rates is formed (Grassmann, Taksar and Heyman, Oper. Res. 33, 1107 (1985)), so that slow jumps count
    beside others that are 10²⁰ times faster.

    Parameters
    ----------
    first, last : (k,)
        Site of one cell that the carrier leaves with each jump, and one whose image it arrives at; both ways listed.
    vectors : (k, d)
        Displacement of each jump, in Å, or in cells.
    rates : (k,)
        In Hz, above 0.
    weights : (n,), optional
        How often a carrier is on each site, in any unit. Needed only where parts of the network that diffuse
        differently are not connected: it says how many carriers are in each.

    Returns
    -------
    (d, d)
        In the square of the vectors' unit per second.

    Raises
    ------
    ValueError
        If a rate is not above 0, a site can be left for good, or carriers of parts that are not connected would
        need weights.
    """
    first, last = np.asarray(first, dtype=int), np.asarray(last, dtype=int)
    vectors, rates = np.asarray(vectors, dtype=float), np.asarray(rates, dtype=float)
    if not (np.isfinite(rates) & (rates > 0)).all():
        raise ValueError(f"rates: {rates[~(rates > 0)][:1]} Hz; allowed: above 0")
    sites = int(max(first.max(), last.max())) + 1
    part, offsets = potentials(sites, first, last, vectors, np.argsort(-rates, kind="stable"))
    steps = vectors + offsets[first] - offsets[last]
    # Steps within a cage of fast jumps are now exactly zero: no fast rate can hide a slow one by rounding.
    steps[np.abs(steps) < SAME_PLACE] = 0
    tensors, shares = [], []
    for number in np.unique(part[first]):
        members, here = np.flatnonzero(part == number), part[first] == number
        index = np.searchsorted(members, [first[here], last[here]])
        tensors.append(_connected(len(members), index[0], index[1], steps[here], rates[here]))
        shares.append(len(members) if weights is None else np.asarray(weights, dtype=float)[members].sum())
    largest = max(np.abs(tensor).max() for tensor in tensors)
    if weights is None and any(np.abs(tensor - tensors[0]).max() > 1e-6 * largest for tensor in tensors):
        raise ValueError(
            f"{len(tensors)} parts of the network are not connected and diffuse differently: "
            "how many carriers each holds is not known without the energies of their sites"
        )
    result: Floats = np.einsum("p,pij->ij", np.array(shares) / sum(shares), np.array(tensors))
    return result


def _connected(sites: int, first: Ints, last: Ints, steps: Floats, rates: Floats) -> Floats:
    """Diffusion tensor of one connected network, in the unit of the steps."""
    size = (sites, sites)
    rate, mean, square = np.zeros(size), np.zeros((*size, steps.shape[1])), np.zeros((*size, *2 * steps.shape[1:]))
    at = (first, last)
    np.add.at(rate, at, rates)
    np.add.at(mean, at, rates[:, None] * steps)
    np.add.at(square, at, rates[:, None, None] * steps[:, :, None] * steps[:, None, :])
    occupied = _stationary(rate)
    drift = np.einsum("i,ijx->x", occupied, mean)
    if np.abs(drift).max() > 1e-9 * np.abs(np.einsum("i,ijx->x", occupied, np.abs(mean))).max():
        mean[np.arange(sites), np.arange(sites)] -= drift  # seen from a frame that moves along
    for site in range(sites - 1, 0, -1):
        out = rate[site, :site].sum()
        into = (rate[:site, site], mean[:site, site], square[:site, site])
        away = (rate[site, :site] / out, mean[site, :site] / out, square[site, :site] / out)
        own, own_square = mean[site, site] / out, square[site, site] / out
        stay = (own, own_square + 2 * _outer(own, own))
        left = _then((into[0][:, None], into[1][:, None], into[2][:, None]), (np.ones((1, 1)), *stay))
        new = _then(left, (away[0][None], away[1][None], away[2][None]))
        for total, more in zip((rate, mean, square), new, strict=True):
            total[:site, :site] += more
    result: Floats = occupied[0] * square[0, 0] / 2
    return result


def _outer(one: Floats, other: Floats) -> Floats:
    """Product of vectors made symmetric, (…, d, d)."""
    product = one[..., :, None] * other[..., None, :]
    result: Floats = (product + np.swapaxes(product, -1, -2)) / 2
    return result


def _then(one: tuple[Floats, ...], other: tuple[Floats, ...]) -> tuple[Floats, ...]:
    """Rate and moments of one jump followed by another."""
    p, m, s = one
    q, n, t = other
    mean = p[..., None] * n + q[..., None] * m
    return p * q, mean, p[..., None, None] * t + q[..., None, None] * s + 2 * _outer(m, n)


def _stationary(rates: Floats) -> Floats:
    """How often each site is occupied, by Grassmann, Taksar and Heyman."""
    left = rates.copy()
    sites = len(left)
    for site in range(sites - 1, 0, -1):
        out = left[site, :site].sum()
        if not out or not left[:site, site].any():
            raise ValueError("rates: a site can be left, or reached, but not both; allowed: jumps both ways")
        left[:site, site] /= out
        left[:site, :site] += left[:site, site, None] * left[site, :site]
    occupied = np.ones(sites)
    for site in range(1, sites):
        occupied[site] = occupied[:site] @ left[:site, site]
    result: Floats = occupied / occupied.sum()
    return result


def conductivity(diffusivity: ArrayLike, density: float, charge: int, temperature: float) -> Floats:
    """Ionic conductivity by Nernst and Einstein (S/cm): σ = n q² D / k_B T.

    Mehrer, Diffusion in Solids (Springer, 2007), eq. 11.43. Carriers do not feel each other.

    Parameters
    ----------
    diffusivity : array_like
        Diffusion coefficient or tensor of the carrier (cm²/s), not of a tracer.
    density : float
        Carriers per Å³.
    charge : int
        Of the ion, in elementary charges.
    temperature : float
        In K.
    """
    per_volume = density * (centi / angstrom) ** 3
    result: Floats = per_volume * charge**2 * elementary_charge * np.asarray(diffusivity) / (BOLTZMANN * temperature)
    return result


def activation(temperatures: Sequence[float], diffusivities: Sequence[float]) -> Activation | None:
    """Fit an Arrhenius line by least squares in ln D over 1/T; None where fewer than two temperatures have a D.

    Parameters
    ----------
    temperatures : sequence of float
        In K.
    diffusivities : sequence of float
        In any unit; 0 is left out.
    """
    known = [(1 / (BOLTZMANN * t), log(d)) for t, d in zip(temperatures, diffusivities, strict=True) if d > 0]
    if len({inverse for inverse, _ in known}) < 2:
        return None
    inverses, logarithms = np.array(known).T
    slope, at_zero = np.polyfit(inverses, logarithms, 1)
    return Activation(float(-slope), float(np.exp(at_zero)))
