"""Δρ as the page's viewer draws its surfaces: the atoms of the interface, and the grid in few points and bytes."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex
from pymatgen.core import Structure
from scipy.signal import resample

from barriers.analysis.density import Grid, Values, cell_height
from barriers.analysis.electrons import ElectronsDoc
from barriers.report.figures.charges import charge_scale, standing
from barriers.report.figures.density import BEYOND, GAIN, LOSS, level_of
from barriers.report.html.scene import DECIMALS, still
from barriers.report.views import arranged, fragment_atoms

MOST_POINTS = 60_000
"""Points of a grid on a page: 160 kB."""

MARGIN = 3.0
"""Δρ is kept so far above and below the outermost atoms (Å)."""

LEVELS = tuple(float(f"{10 ** (power / 10):.1e}") for power in range(-30, 11))
"""Levels that can be chosen (e/Å³), ten in each decade; :data:`~barriers.report.figures.density.LEVEL` is one."""

STOPS = 9
"""Colours of a scale of charges."""

TOP = np.iinfo(np.int16).max


def density_scene(document: ElectronsDoc, difference: Grid) -> dict[str, Any] | None:
    """Give what the viewer needs of a density difference, ready for JSON.

    Parameters
    ----------
    document : ElectronsDoc
        Of an interface.
    difference : Grid
        Δρ (e/Å³), as read from the file that the document names.

    Returns
    -------
    dict[str, Any] or None
        The keys of :func:`~barriers.report.html.scene.still`, and ``volume``: see :func:`volume`; ``levels``: that Δρ
        reaches (e/Å³); ``level``: number of the one that is drawn first; ``gain`` and ``loss``: colours; ``charges``:
        see :func:`charge_colours`. None where Δρ reaches no level.
    """
    structure = standing(document.structure, document.n_slab)
    positions, _, corner = arranged(structure, {})
    placed = Structure(
        structure.lattice,
        structure.species,
        positions,
        coords_are_cartesian=True,
        site_properties=structure.site_properties,
    )
    kept = volume(difference, placed, corner)
    levels = [level for level in LEVELS if level < TOP * kept["step"]]
    if not levels:
        return None
    first = max(0, sum(level <= level_of(difference) for level in levels) - 1)
    shown = {"volume": kept, "levels": levels, "level": first, "gain": GAIN, "loss": LOSS}
    return still(placed, corner) | shown | {"charges": charge_colours(document.bader.charges)}


def charge_colours(charges: Sequence[float]) -> dict[str, Any]:
    """Give charges as the viewer colours atoms by them, on the scale of the flat picture.

    Returns
    -------
    dict[str, Any]
        ``values``: of each atom (e); ``colours``: of each atom; ``most``: where the scale ends (e), as it begins;
        ``scale``: its colours at even distances.
    """
    scale = charge_scale(charges)
    low, high = scale.get_clim()
    return {
        "values": np.round(charges, DECIMALS).tolist(),
        "colours": [to_hex(colour) for colour in scale.to_rgba(np.array(charges))],
        "most": round(float(high or 0.0), 2),
        "scale": [to_hex(colour) for colour in scale.to_rgba(np.linspace(low or 0.0, high or 0.0, STOPS))],
    }


def volume(difference: Grid, placed: Structure, corner: Values) -> dict[str, Any]:
    """Give Δρ on a coarser grid around the atoms where they are drawn.

    The grid has fewer Fourier components, so that no charge is made or lost and its points are where they were. It
    begins a whole number of its steps from the origin of the cell, near the corner of the cell that is drawn.

    Parameters
    ----------
    difference : Grid
        Δρ (e/Å³).
    placed : Structure
        Atoms as they are drawn; they may be outside the cell.
    corner : (3,)
        Lower corner of the cell that is drawn (Å).

    Returns
    -------
    dict[str, Any]
        ``values``: base64 of 16-bit integers, little-endian, the last index runs fastest; ``step``: what one of them
        is worth (e/Å³); ``shape``: their number along the cell vectors, periodic along the first two; ``origin``: place
        of the first (Å); ``vectors``: from a value to the next along each cell vector (Å); ``span``: for the first
        two, indices between which surfaces are drawn: the cell, and beyond it what the fragment reaches.
    """
    lattice = placed.lattice
    low, high = _heights(placed)
    counts = _counts(difference, high - low)
    first = np.rint(lattice.get_fractional_coords(corner) * counts).astype(int)
    first[2] = np.ceil(low * counts[2])
    shape = counts.copy()
    shape[2] = np.floor((high - low) * counts[2])
    values = difference.values
    for axis in range(3):
        values = resample(values, counts[axis], axis=axis)
        values = np.take(values, first[axis] + np.arange(shape[axis]), axis=axis, mode="wrap")
    step = float(np.abs(values).max()) / TOP or 1.0
    vectors = lattice.matrix / counts[:, None]
    return {
        "values": base64.b64encode(np.rint(values / step).astype("<i2").tobytes()).decode(),
        "step": float(f"{step:.6g}"),
        "shape": shape.tolist(),
        "origin": np.round(first @ vectors, DECIMALS).tolist(),
        "vectors": np.round(vectors, DECIMALS + 3).tolist(),
        "span": _span(placed, counts, first),
    }


def _heights(placed: Structure) -> tuple[float, float]:
    """Fractional heights between which Δρ is kept: no more than one cell."""
    heights = placed.frac_coords[:, 2]
    margin = MARGIN / cell_height(placed)
    low, high = heights.min() - margin, heights.max() + margin
    beyond = max(0.0, high - low - 1.0) / 2
    return float(low + beyond), float(high - beyond)


def _counts(difference: Grid, part: float) -> Values:
    """Points along the whole cell vectors, so that a part of the cell's height holds no more than are wanted."""
    lengths = np.array(difference.structure.lattice.abc)
    apart = (np.prod(lengths) * part / MOST_POINTS) ** (1 / 3)
    return np.minimum(difference.shape, np.maximum(2, np.floor(lengths / apart))).astype(int)


def _span(placed: Structure, counts: Values, first: Values) -> list[list[int]]:
    places = placed.frac_coords[fragment_atoms(placed)][:, :2] * counts[:2] - first[:2]
    margin = np.ceil(BEYOND * counts[:2] / placed.lattice.abc[:2])
    low = np.minimum(0, np.floor(places.min(axis=0) - margin))
    high = np.maximum(counts[:2], np.ceil(places.max(axis=0) + margin))
    return np.stack([low, high], axis=1).astype(int).tolist()
