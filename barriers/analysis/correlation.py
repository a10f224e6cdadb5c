"""Correlation factor of a tracer that changes places with vacancies, on any periodic network."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import connected_components

from barriers.analysis.diffusion import vacancy_diffusion
from barriers.analysis.network import percolation
from barriers.analysis.translations import Floats, Ints, lattice_basis, potentials, shortened

WORK = 400_000
"""Elements of the largest array of Green's functions: a fraction of a second."""

CELLS = 30_000
"""Cells of a supercell at most."""

LONGEST = (20, 8, 3, 1)
"""Cells along one vector of a supercell are at most so many times those along another; less where work is too much."""

SHRINK = (0.6, 0.8, 1.0)
"""Sizes of supercells that are extrapolated from, over the largest."""

STIFFEST = 1e6
"""Jumps made more often than the bottleneck's by more than this factor, or less, change the tracer's walk no more."""


@dataclass(frozen=True)
class Correlation:
    """Correlation factor of a tracer.

    Attributes
    ----------
    tensor : (3, 3)
        f in Cartesian axes. With the diffusion tensor D of charge, D½ f D½ is the tracer's; zero where D is.
    change : (3, 3)
        How much the last size of supercell changed it: what the extrapolation is worth.
    """

    tensor: Floats
    change: Floats


def correlation_factor(
    first: ArrayLike, last: ArrayLike, images: ArrayLike, lattice: ArrayLike, fluxes: ArrayLike
) -> Correlation:
    """Correlation factor of a tracer among ions that are otherwise the same, in the limit of few vacancies.

    A vacancy walks as if there were no tracer: one ion merely has a name. Between two jumps of the tracer the vacancy
    walks until it meets the tracer for the first time; over which jump, follows from the vacancy's Green's functions in
    a periodic supercell. So the tracer's jumps are a Markov chain, and it is solved. Supercells of several sizes are
    extrapolated in 1/N to a crystal with one vacancy among infinitely many sites. Method: Koiwa and Ishioka, Philos.
    Mag. A 47, 927 (1983); with the Green's function of the infinite crystal, Trinkle, Philos. Mag. 97, 2514 (2017).

    Parameters
    ----------
    first, last, images : (k,), (k,), (k, 3)
        Jumps of the vacancy in one cell, both ways listed.
    lattice : (3, 3)
        Cell vectors (Å), in rows.
    fluxes : (k,)
        How often each jump is made at equilibrium, in any unit: occupation of the site that is left times the rate,
        exp(−saddle / k_B T). The same both ways.
    """
    first, last, images = (np.asarray(values, dtype=int) for values in (first, last, images))
    flux, matrix = np.asarray(fluxes, dtype=float), np.asarray(lattice, dtype=float)
    sites = int(max(first.max(), last.max())) + 1
    part, cells = potentials(sites, first, last, images, np.argsort(-flux, kind="stable"))
    closed = images + cells[first] - cells[last]
    tracer, change, free = (np.zeros((3, 3)) for _ in range(3))
    for number in np.unique(part[first]):
        here, members = part[first] == number, np.flatnonzero(part == number)
        basis = shortened(lattice_basis(closed[here]), matrix)
        if not len(basis):
            continue
        steps = np.rint(np.linalg.lstsq(basis.T, closed[here].T, rcond=None)[0].T).astype(int)
        ends = np.searchsorted(members, first[here]), np.searchsorted(members, last[here])
        often, scale = _limited(len(members), *ends, steps, flux[here])
        along = basis @ matrix
        alone = len(members) * vacancy_diffusion(*ends, steps, often)
        value, moved = _extrapolated(len(members), *ends, steps, often, alone)
        tracer += scale * along.T @ value @ along
        change += scale * along.T @ moved @ along
        free += scale * along.T @ alone @ along
    root = _inverse_root(free)
    return Correlation(root @ tracer @ root, root @ change @ root)


def tracer_diffusion(sites: int, first: Ints, last: Ints, steps: Ints, fluxes: Floats, cells: Ints) -> Floats:
    """Diffusion tensor of a tracer among N − 1 ions in a supercell with one vacancy, times N − 1, exactly.

    Parameters
    ----------
    sites : int
        Number of sites of a cell; all are connected.
    first, last : (k,)
        Jumps of the vacancy, both ways listed.
    steps : (k, d)
        How many cells each goes.
    fluxes : (k,)
        As for :func:`correlation_factor`.
    cells : (d,)
        Cells of the supercell along each vector, more than a jump goes.

    Returns
    -------
    (d, d)
        In units of the cell vectors, for a vacancy that is on all sites of one cell together once.
    """
    green = _green(sites, first, last, steps, fluxes, cells)

    def between(here: Ints, there: Ints, apart: Ints) -> Floats:
        values: Floats = green[(*np.moveaxis(apart % cells, -1, 0), here, there)]
        return values

    # After jump e the vacancy is where the tracer was before, the tracer on the site that jump e left.
    e, f = np.nonzero(first[:, None] == last[None, :])
    target, start, from_ = first[e], last[e], first[f]
    zero = np.zeros_like(steps[e])
    met = (
        between(start, from_, -steps[f] - steps[e])
        - between(start, target, -steps[e])
        - between(target, from_, -steps[f])
        + between(target, target, zero)
    )
    chain = np.zeros((len(first), len(first)))
    chain[e, f] = met * fluxes[f]
    chain[chain < 1e-9] = 0
    chain /= chain.sum(axis=1, keepdims=True)
    # Jumps that follow each other for good, as those into a dead end and out of it, have a constant of their own.
    number = connected_components(chain, directed=True, connection="weak")[1]
    same = number[:, None] == number[None, :]
    later = np.linalg.solve(np.eye(len(first)) - chain + same / same.sum(axis=1), chain @ steps)
    cross = np.einsum("e,ei,ej->ij", fluxes, steps, later)
    result: Floats = np.einsum("e,ei,ej->ij", fluxes, steps, steps) / 2 + (cross + cross.T) / 2
    return result


def _inverse_root(tensor: Floats) -> Floats:
    values, axes = np.linalg.eigh(tensor)
    kept = values > 1e-12 * values.max()
    result: Floats = (axes[:, kept] / np.sqrt(values[kept])) @ axes[:, kept].T
    return result


def _limited(sites: int, first: Ints, last: Ints, steps: Ints, fluxes: Floats) -> tuple[Floats, float]:
    """Fluxes over that of the bottleneck, within what floating-point numbers carry, and the bottleneck's."""
    images = np.pad(steps, ((0, 0), (0, 3 - steps.shape[1])))
    bottleneck = fluxes[percolation(first, last, images, sites, -np.log(fluxes), {})["1-D"].jump]
    return np.clip(fluxes / bottleneck, 1 / STIFFEST, STIFFEST), float(bottleneck)


def _extrapolated(
    sites: int, first: Ints, last: Ints, steps: Ints, fluxes: Floats, free: Floats
) -> tuple[Floats, Floats]:
    """Tensor of the tracer in units of the lattice, without vacancies, and by how much the last size changes it."""
    # A supercell that the vacancy crosses along each vector in the same time, as far as the work allows.
    lengths = np.sqrt(np.diag(np.linalg.inv(free)))
    for longest in LONGEST:
        shape = np.clip(np.rint(lengths.max() / lengths), 1, longest).astype(int)
        least = ceil(max((2 * np.abs(steps).max(axis=0) + 1) / shape) / SHRINK[0])
        most = int((min(WORK / sites**2, CELLS) / shape.prod()) ** (1 / len(shape)))
        if most >= max(least, 5):
            break
    sizes = [ceil(max(most, least, 5) * shrink) for shrink in SHRINK]
    found = [tracer_diffusion(sites, first, last, steps, fluxes, size * shape) for size in sizes]
    cells = [float(size) ** len(shape) for size in sizes]
    limits = [(cells[b] * found[b] - cells[a] * found[a]) / (cells[b] - cells[a]) for a, b in ((0, 1), (1, 2))]
    return limits[1], limits[1] - limits[0]


def _green(sites: int, first: Ints, last: Ints, steps: Ints, fluxes: Floats, cells: Ints) -> Floats:
    """Green's function of the vacancy's walk between site i of cell 0 and site j of cell R, shape (*cells, n, n)."""
    walk = np.zeros((*cells, sites, sites))
    np.add.at(walk, (*np.moveaxis(steps % cells, -1, 0), first, last), -fluxes)
    here = (0,) * len(cells)
    np.add.at(walk[here], (first, first), fluxes)
    axes = tuple(range(len(cells)))
    waves = np.fft.fftn(walk, axes=axes)
    waves[here] += fluxes.mean()  # singular without; a constant added to the whole function is of no consequence
    inverse = np.linalg.inv(waves)
    result: Floats = np.fft.ifftn(inverse, axes=axes).real
    return result
