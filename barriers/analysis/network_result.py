"""From the barriers of all hops of a crystal to percolating barriers and diffusion: one document."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from barriers.analysis.carrier import Carrier
from barriers.analysis.diffusion import activation, conductivity
from barriers.analysis.kinetics import USUAL_ATTEMPT_FREQUENCY
from barriers.analysis.levels import Levels, fit_levels
from barriers.analysis.network import AXES, Jumps, dimension
from barriers.analysis.network_document import DiffusionRow, NetworkDoc, PercolationRow
from barriers.analysis.translations import Floats

DRAWS, SEED = 100, 20
"""Draws of all barriers that their uncertainties are carried on with."""

SURE = 0.01
"""A correlation factor whose extrapolation changes it by more is not told."""

ACROSS = 1e-12
"""A principal diffusion coefficient below this share of the largest is zero."""

FITS = 0.01
"""Energies that fit each other to this (eV) are not worth a note."""


def network_result(
    jumps: Jumps,
    barriers: ArrayLike,
    *,
    names: Sequence[str],
    temperatures: Sequence[float],
    attempt_frequencies: ArrayLike | None = None,
    charge: int = 1,
    fraction: float | None = None,
    uncertainties: ArrayLike | None = None,
    energies: ArrayLike | None = None,
) -> NetworkDoc:
    """Join the barriers of all distinct hops to what the crystal does: percolating barriers, D(T), conductivity.

    Hops without a barrier are left out, and named: D is then a lower bound, percolating barriers an upper one.

    Parameters
    ----------
    jumps : Jumps
        Every jump of the carrier; of a vacancy, :meth:`~barriers.analysis.network.Jumps.back` of those of the ions.
    barriers : (m, 2)
        Forward and reverse barrier (eV) of each distinct hop; NaN where there is none.
    names : sequence of m str
        Of the hops, for what is said about them.
    temperatures : sequence of float
        In K; without any, no D.
    attempt_frequencies : (m,), optional
        Of each hop, the same both ways (Hz); 1e13 if left out.
    charge : int
        Of the ion, in elementary charges.
    fraction : float, optional
        Carriers per site, between 0 and 1; without it, neither conductivity nor diffusion of a tracer.
    uncertainties : (m,), optional
        Of each hop's saddle (eV), one standard deviation.
    energies : (n,), optional
        Energies of the carrier on sites (eV, from any zero), NaN where not known: needed where no chain of barriers
        connects sites.

    Raises
    ------
    ValueError
        If ``fraction`` is not between 0 and 1, or a number is not above 0 that has to be.
    """
    if fraction is not None and not 0 < fraction < 1:
        raise ValueError(f"fraction: {fraction:g}; allowed: above 0, below 1")
    levels = fit_levels(jumps, barriers, energies)
    document = NetworkDoc(
        carrier=jumps.carrier,
        dimension=dimension(jumps.first, jumps.last, jumps.images, jumps.sites),
        percolation=[PercolationRow(name=name) for name in ("1-D", "2-D", "3-D", *AXES)],
        levels=[float(level) if np.isfinite(level) else None for level in levels.sites],
        misfit=levels.misfit,
        fraction=fraction,
        rows=[],
        notes=_doubts(jumps, levels, names, ", D is a lower bound" if len(temperatures) else ""),
    )
    usual = np.full(len(names), USUAL_ATTEMPT_FREQUENCY)
    walker = Carrier.on(jumps, levels, usual if attempt_frequencies is None else attempt_frequencies)
    if walker is None:
        return document
    errors = _errors(walker, uncertainties, len(names))
    document.percolation = _percolation(walker, names, errors)
    reached = sum(row.barrier is not None for row in document.percolation[:3])
    if reached < document.dimension:
        document.notes.append(
            f"the network goes on in {document.dimension} dimensions, by the hops that have a barrier in {reached}"
        )
    if not reached:
        document.notes.append("no D: no chain of hops connects a site with its own images")
    elif len(temperatures):
        _diffuse(document, walker, temperatures, errors)
        _conduct(document, charge, jumps.sites / abs(float(np.linalg.det(jumps.lattice))))
    return document


def _doubts(jumps: Jumps, levels: Levels, names: Sequence[str], bound: str) -> list[str]:
    """Say which hops are left out, and which energies do not fit."""
    left_out = np.unique(jumps.hop[~np.isfinite(levels.saddles)])
    notes = [f"{names[hop]}: no barrier; its jumps are left out{bound}" for hop in left_out]
    if levels.misfit > FITS:
        notes.append(f"barriers both ways differ by {levels.misfit:.3f} eV from those that energies of sites allow")
    low = np.fmin.reduce(np.stack([levels.saddles - levels.sites[end] for end in (jumps.first, jumps.last)]))
    for hop in np.unique(jumps.hop[low < 0]):
        notes.append(
            f"{names[hop]}: its saddle lies {-np.nanmin(low[jumps.hop == hop]):.3f} eV below a site; "
            "taken as no barrier"
        )
    groups = len(np.unique(levels.group[np.isfinite(levels.sites)]))
    if groups > 1:
        notes.append(f"energies of {groups} groups of sites are counted each from its own lowest: no hop connects them")
    return notes


def _errors(carrier: Carrier, uncertainties: ArrayLike | None, hops: int) -> Floats | None:
    """Errors of the saddles (eV) in each draw, shape (DRAWS, k)."""
    if uncertainties is None:
        return None
    spread = np.nan_to_num(np.asarray(uncertainties, dtype=float))
    draws: Floats = np.random.default_rng(SEED).standard_normal((DRAWS, hops)) * spread
    return draws[:, carrier.jumps.hop]


def _percolation(carrier: Carrier, names: Sequence[str], errors: Floats | None) -> list[PercolationRow]:
    found = carrier.thresholds()
    drawn = [] if errors is None else [carrier.thresholds(error) for error in errors]
    rows = []
    for name in ("1-D", "2-D", "3-D", *AXES):
        row = PercolationRow(name=name)
        if name in found:
            row.barrier, row.hop = found[name].barrier, names[carrier.jumps.hop[found[name].jump]]
            row.uncertainty = float(np.std([one[name].barrier for one in drawn])) if drawn else None
        rows.append(row)
    return rows


def _diffuse(document: NetworkDoc, carrier: Carrier, temperatures: Sequence[float], errors: Floats | None) -> None:
    """Add D and the correlation factor at each temperature, and the Arrhenius fit."""
    try:
        document.rows = [_row(document.carrier, carrier, temperature, errors) for temperature in temperatures]
    except ValueError as problem:
        document.notes.append(f"no D: {problem}")
        return
    for row in document.rows if document.carrier == "vacancy" else []:
        unsure = sum(f is None and d > 0 for f, d in zip(row.correlation, row.principal, strict=True))
        if unsure:
            document.notes.append(
                f"{row.temperature:g} K: no correlation factor along {unsure} of 3 axes: it depends on the supercell"
            )
    line = activation(temperatures, [row.mean for row in document.rows])
    if line is not None:
        document.activation_energy, document.prefactor = line.energy, line.prefactor


def _row(walks: str, carrier: Carrier, temperature: float, errors: Floats | None) -> DiffusionRow:
    tensor = carrier.diffusion(temperature)
    # Axes of equal values are the Cartesian ones, whatever the rounding.
    values, vectors = np.linalg.eigh(np.round(tensor / np.abs(tensor).max(), 10))
    axes = vectors.T[np.argsort(-values, kind="stable")]
    axes *= np.sign(axes[np.arange(3), np.abs(axes).argmax(axis=1)])[:, None]
    principal = np.einsum("ai,ij,aj->a", axes, tensor, axes)
    principal = np.where(principal > ACROSS * principal.max(), principal, 0.0)
    factor = None
    if errors is not None:
        logarithms = [np.log(np.trace(carrier.diffusion(temperature, error))) for error in errors]
        factor = float(np.exp(np.std(logarithms)))
    return DiffusionRow(
        temperature=temperature,
        tensor=tensor.tolist(),
        principal=principal.tolist(),
        axes=axes.tolist(),
        mean=float(np.trace(tensor) / 3),
        factor=factor,
        correlation=_correlation(carrier, temperature, axes, principal) if walks == "vacancy" else [None] * 3,
    )


def _correlation(carrier: Carrier, temperature: float, axes: Floats, principal: Floats) -> list[float | None]:
    """Correlation factor along the principal axes, where there is diffusion and it does not depend on the supercell."""
    found = carrier.correlation(temperature)
    factors, changes = (np.einsum("ai,ij,aj->a", axes, of, axes) for of in (found.tensor, found.change))
    told = (principal > 0) & (np.abs(changes) < SURE)
    return [float(value) if sure else None for value, sure in zip(factors, told, strict=True)]


def _conduct(document: NetworkDoc, charge: int, density: float) -> None:
    """Add what needs the number of carriers; ``density`` is that of sites (1/Å³)."""
    if (fraction := document.fraction) is None:
        return
    for row in document.rows:
        row.conductivity = conductivity(row.principal, fraction * density, charge, row.temperature).tolist()
        pairs = zip(row.correlation, row.principal, strict=True)
        row.tracer = [None if f is None else fraction / (1 - fraction) * f * value for f, value in pairs]
