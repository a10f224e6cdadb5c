"""Diffusion over temperatures: Arrhenius' activation energy, and Vogel, Fulcher and Tammann where the line bends."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from pydantic import BaseModel, Field
from scipy.optimize import curve_fit

from barriers.analysis.kinetics import BOLTZMANN

SIGNIFICANT = 3.0
"""Standard errors by which ln D must bend over 1/T before a line is given up for it."""


class ActivationDoc(BaseModel):
    """How D depends on temperature."""

    energy: float = Field(description="E of D = D₀ exp(−E/kT) (eV); of the mean slope where it bends")
    energy_error: float = Field(description="its standard error (eV)")
    bend: float | None = Field(None, description="bend of ln D over 1/T in its standard errors; none of two points")
    vogel: tuple[float, float, float] | None = Field(
        None, description="ln(D₀ in cm²/s), B (K) and T₀ (K) of D = D₀ exp[−B/(T − T₀)], only where it bends"
    )
    words: str


def activation(
    temperatures: Sequence[float], diffusivities: Sequence[float], errors: Sequence[float]
) -> ActivationDoc | None:
    """Fit ln D over 1/T, weighed by errors; a Vogel–Fulcher–Tammann law only where it bends significantly downwards.

    Parameters
    ----------
    temperatures : sequence of float
        In K.
    diffusivities, errors : sequence of float
        D and standard errors (cm²/s), positive.

    Returns
    -------
    ActivationDoc or None
        None of fewer than two temperatures.
    """
    at, D = np.asarray(temperatures, dtype=float), np.asarray(diffusivities, dtype=float)
    if len(np.unique(at)) < 2:
        return None
    x, y, weights = 1 / (BOLTZMANN * at), np.log(D), D / np.asarray(errors, dtype=float)
    design = np.stack([np.ones_like(x), -x], axis=1) * weights[:, None]
    covariance = np.linalg.inv(design.T @ design)
    energy = float((covariance @ design.T @ (y * weights))[1])
    error = sqrt(covariance[1, 1])
    document = ActivationDoc(energy=energy, energy_error=error, words=f"E = {energy:.3f} ± {error:.3f} eV (Arrhenius)")
    if len(np.unique(at)) > 3:
        middle = (x - x.mean()) / x.std()
        curve = np.stack([np.ones_like(x), middle, middle**2], axis=1) * weights[:, None]
        spread = np.linalg.inv(curve.T @ curve)
        document.bend = float((spread @ curve.T @ (y * weights))[2] / sqrt(spread[2, 2]))
        if document.bend < -SIGNIFICANT:
            document.vogel = _vogel(at, y, 1 / weights)
            said = "" if document.vogel is None else f", T₀ = {document.vogel[2]:.0f} K"
            document.words = f"ln D bends over 1/T ({-document.bend:.1f} standard errors): Vogel-Fulcher-Tammann{said}"
    return document


def _vogel(at: np.ndarray, y: np.ndarray, errors: np.ndarray) -> tuple[float, float, float] | None:
    def law(T: np.ndarray, start: float, B: float, T0: float) -> np.ndarray:
        return start - B / (T - T0)

    lowest = float(at.min())
    bounds = ([-50, 1, 0], [20, 5e4, lowest - 1])
    try:
        fitted, _ = curve_fit(law, at, y, p0=[y.max() + 3, 1000, lowest / 2], sigma=errors, bounds=bounds)
    except RuntimeError:
        return None
    start, B, T0 = map(float, fitted)
    return start, B, T0
