"""From barriers to transport: jump rates, diffusion coefficients, and their ratio between systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, hypot, inf, log
from typing import Literal

from scipy.constants import angstrom, centi, physical_constants

BOLTZMANN = physical_constants["Boltzmann constant in eV/K"][0]
"""k_B (eV/K), CODATA."""

USUAL_ATTEMPT_FREQUENCY = 1e13
"""Attempt frequency (Hz) where none was calculated: the order of an ion's vibration."""

NOT_INCLUDED = (
    "one kind of jump, at one concentration and ordering: no correlation, no interaction of vacancies, no other hops",
    "the ion's own diffusion needs the fraction of sites that let it jump; the number here is that of the vacancy",
    "harmonic and classical: no zero-point energy, no tunnelling, no anharmonic or electronic entropy, no recrossing",
    "the factor of the band is not that of the model or functional behind the energies, which is larger",
)
"""What a rate or diffusion coefficient of this module does not hold, one line each."""


Network = tuple[int, Literal[1, 2, 3]]
"""Number of sites that can be jumped to, and dimensions of the network that sites of this kind make."""


@dataclass(frozen=True)
class ArrheniusRow:
    """Rate and diffusion coefficient at one temperature.

    Attributes
    ----------
    temperature : float
        In K.
    inverse : float
        1000 / T (1/K).
    rate : float
        Jumps in one direction (Hz).
    diffusivity : float or None
        In cm²/s; None where the jump has no one length, or the network of sites is not known.
    factor : float
        Rate and diffusion coefficient lie between the number divided and multiplied by this, by the uncertainty of
        the barrier.
    """

    temperature: float
    inverse: float
    rate: float
    diffusivity: float | None
    factor: float


@dataclass(frozen=True)
class Ratio:
    """How many times faster one system is than another.

    Attributes
    ----------
    value : float
        Rate over the reference's rate.
    low, high : float
        By one uncertainty of the difference of barriers.
    """

    value: float
    low: float
    high: float


def jump_rate(barrier: float, temperature: float, attempt_frequency: float = USUAL_ATTEMPT_FREQUENCY) -> float:
    """Rate of one jump in one direction (Hz).

    Γ = ν* exp(-E / k_B T): Vineyard, J. Phys. Chem. Solids 3, 121 (1957), eq. 18.

    Parameters
    ----------
    barrier : float
        From the state that is left to the saddle (eV), not below zero.
    temperature : float
        In K, above zero.
    attempt_frequency : float
        In Hz, above zero.

    Raises
    ------
    ValueError
        If a number is out of its limits.
    """
    _check("temperature", temperature, "K")
    _check("attempt_frequency", attempt_frequency, "Hz")
    if not 0 <= barrier < inf:
        raise ValueError(f"barrier: {barrier:g} eV; allowed: not below 0")
    return attempt_frequency * exp(-barrier / (BOLTZMANN * temperature))


def diffusivity(rate: float, jump_length: float, directions: int, dimensions: Literal[1, 2, 3]) -> float:
    """Diffusion coefficient of independent jumps of equal length (cm²/s).

    D = z Γ a² / 2d, the random walk of Einstein and Smoluchowski: Mehrer, Diffusion in Solids (Springer, 2007),
    chapter 4.

    Parameters
    ----------
    rate : float
        Of a jump in one direction (Hz).
    jump_length : float
        Length a of a jump (Å).
    directions : int
        Number z of sites that can be jumped to: 2 on a line, 6 in a triangular layer.
    dimensions : {1, 2, 3}
        Dimensionality d of the network of sites.

    Raises
    ------
    ValueError
        If a number is out of its limits.
    """
    _check("rate", rate, "Hz")
    _check("jump_length", jump_length, "Å")
    if dimensions not in (1, 2, 3):
        raise ValueError(f"dimensions: {dimensions}; allowed: 1, 2, 3")
    if directions <= dimensions:
        raise ValueError(f"directions: {directions} for {dimensions} dimensions; allowed: at least {dimensions + 1}")
    return directions * rate * (jump_length * angstrom / centi) ** 2 / (2 * dimensions)


def arrhenius(
    barrier: float,
    uncertainty: float,
    temperatures: Sequence[float],
    *,
    jump_length: float | None,
    network: Network | None,
    attempt_frequency: float = USUAL_ATTEMPT_FREQUENCY,
) -> list[ArrheniusRow]:
    """Tabulate rate and diffusion coefficient over temperature.

    Parameters
    ----------
    barrier, uncertainty : float
        In eV; the uncertainty is usually the fit spread.
    temperatures : sequence of float
        In K.
    jump_length, attempt_frequency
        As for :func:`diffusivity` and :func:`jump_rate`.
    network : (int, int) or None
        ``directions`` and ``dimensions`` of :func:`diffusivity`; no diffusion coefficient without it or a jump length.

    Returns
    -------
    list[ArrheniusRow]
        In the order of the temperatures. An uncertainty u multiplies or divides a rate by exp(u / k_B T).
    """
    rows = []
    for temperature in temperatures:
        rate = jump_rate(barrier, temperature, attempt_frequency)
        spread = times(uncertainty, temperature)
        coefficient = diffusivity(rate, jump_length, *network) if network and jump_length is not None else None
        rows.append(ArrheniusRow(temperature, 1000 / temperature, rate, coefficient, spread))
    return rows


def times(uncertainty: float, temperature: float) -> float:
    """Factor by which an uncertainty of a barrier (eV) may multiply or divide a rate at a temperature (K)."""
    return exp(uncertainty / (BOLTZMANN * temperature))


def ratio(
    barriers: tuple[float, float],
    uncertainties: tuple[float, float],
    temperature: float,
    attempt_frequencies: tuple[float, float] = (USUAL_ATTEMPT_FREQUENCY, USUAL_ATTEMPT_FREQUENCY),
) -> Ratio:
    """Say how many times faster a hop is in one system than in the reference.

    Γ/Γ₀ = ν*/ν*₀ exp[-(E - E₀) / k_B T]. The uncertainty of E - E₀ is both uncertainties in quadrature; the ratio is
    multiplied and divided by exp of it over k_B T.

    Parameters
    ----------
    barriers, uncertainties : (system, reference)
        In eV.
    temperature : float
        In K.
    attempt_frequencies : (system, reference)
        In Hz. If they are equal they cancel, whatever they are.

    Raises
    ------
    ValueError
        If a number is out of its limits.
    """
    rates = [jump_rate(barriers[i], temperature, attempt_frequencies[i]) for i in (0, 1)]
    if min(rates) == 0:
        raise ValueError(f"temperature: {temperature:g} K is too low for a rate; allowed: higher")
    logarithm = log(rates[0]) - log(rates[1])
    spread = hypot(*uncertainties) / (BOLTZMANN * temperature)
    return Ratio(exp(logarithm), exp(logarithm - spread), exp(logarithm + spread))


def _check(field: str, value: float, unit: str) -> None:
    if not 0 < value < inf:
        raise ValueError(f"{field}: {value:g} {unit}; allowed: above 0")
