"""One carrier on the network of a crystal: where it rests, how it jumps, how it diffuses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from barriers.analysis.correlation import Correlation, correlation_factor
from barriers.analysis.diffusion import vacancy_diffusion
from barriers.analysis.kinetics import BOLTZMANN, jump_rate
from barriers.analysis.levels import Levels
from barriers.analysis.network import Jumps, Threshold, percolation
from barriers.analysis.reduction import reduced
from barriers.analysis.translations import Floats, Ints

SQUARE_CENTIMETRES = 1e-16
"""Å² in cm²."""


@dataclass(frozen=True)
class Carrier:
    """A network reduced to what is different in it, by the hops that have a barrier, with energies and frequencies.

    Attributes
    ----------
    jumps : Jumps
        Of the reduced network.
    levels, saddles : (n,), (k,)
        Energies of sites and saddles (eV).
    frequencies : (k,)
        Attempt frequency of each jump (Hz).
    copies : (n,)
        Number of sites that each stands for.
    compared : bool
        Whether all energies have one zero.
    """

    jumps: Jumps
    levels: Floats
    saddles: Floats
    frequencies: Floats
    copies: Ints
    compared: bool

    @classmethod
    def on(cls, jumps: Jumps, levels: Levels, frequencies: ArrayLike) -> Carrier | None:
        """Make it of jumps, levels and the attempt frequency (Hz) of each distinct hop; None if none has a barrier."""
        known = np.flatnonzero(np.isfinite(levels.saddles))
        if not len(known):
            return None
        small, sites, kept, copies = reduced(jumps.only(known))
        of_hop = np.asarray(frequencies, dtype=float)
        compared = len(np.unique(levels.group[sites[np.unique(small.first)]])) == 1
        return cls(small, levels.sites[sites], levels.saddles[known[kept]], of_hop[small.hop], copies, compared)

    def thresholds(self, errors: Floats | float = 0.0) -> dict[str, Threshold]:
        """Percolating barriers, with an error (eV) added to each jump's saddle."""
        jumps = self.jumps
        return percolation(jumps.first, jumps.last, jumps.images, jumps.sites, self.saddles + errors)

    def diffusion(self, temperature: float, errors: Floats | float = 0.0) -> Floats:
        """Diffusion tensor (cm²/s) at a temperature (K), with an error (eV) added to each jump's saddle.

        A saddle below the site that is left counts as no barrier.

        Raises
        ------
        ValueError
            If the temperature is too low for a rate, or parts are not connected whose energies cannot be compared.
        """
        heights = np.maximum(self.saddles + errors - self.levels[self.jumps.first], 0)
        pairs = zip(heights.tolist(), self.frequencies.tolist(), strict=True)
        rates = [jump_rate(height, temperature, frequency) for height, frequency in pairs]
        if min(rates) == 0:
            raise ValueError(f"temperature: {temperature:g} K is too low for a rate; allowed: higher")
        weights = self.copies * np.exp(-self.levels / (BOLTZMANN * temperature)) if self.compared else None
        return (
            vacancy_diffusion(self.jumps.first, self.jumps.last, self.jumps.vectors, rates, weights)
            * SQUARE_CENTIMETRES
        )

    def correlation(self, temperature: float) -> Correlation:
        """Correlation factor of a tracer at a temperature (K)."""
        jumps = self.jumps
        above = (self.saddles - self.saddles.min()) / (BOLTZMANN * temperature)
        fluxes = self.frequencies * np.exp(-above) * self.copies[jumps.first]
        return correlation_factor(jumps.first, jumps.last, jumps.images, jumps.lattice, fluxes)
