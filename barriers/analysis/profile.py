"""Profiles: energy over true path length along a converged band, and the barriers read off it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PPoly

from barriers.analysis.band import PERIODIC, Array, Images
from barriers.analysis.curves import SHALLOWEST, Curves, curves_of


@dataclass(frozen=True)
class Profile:
    """Energies along a band and the barriers between its ends, in Å, eV and eV/Å.

    Attributes
    ----------
    distances : list[float]
        Path length of each image from the initial one.
    energies : list[float]
        Energy of each image relative to the initial one.
    slopes : list[float]
        dE/ds of each image, minus the tangential force.
    curve_distance, curve_energy : list[float]
        The cubic Hermite curve through the images, sampled for drawing.
    forward, reverse : float
        Saddle minus initial, saddle minus final; the saddle is the curve's highest point.
    span : float
        Largest climb from any point of the path to any later one, walking from initial to final.
    reaction_energy : float
        Final minus initial.
    fits : dict[str, float]
        The forward barrier by `highest_image`, `hermite` (the one reported) and `energies_only`.
    fit_spread : float
        Largest minus smallest of the fits: the least uncertainty of the barrier.
    saddle_distance : float
        Where the saddle is.
    path_length : float
        Length of the whole path.
    saddle_fraction : float
        Where the saddle is, as a fraction of the path: 0 is the initial state, 1 the final.
    curvature : float or None
        d²E/ds² at the saddle (eV/Å²), negative: the slope of the cubic spline through the images' dE/ds. None where
        no saddle lies above both ends.
    minima : list[dict[str, float]]
        Intermediate minima, each a `distance` and an `energy` relative to the initial image.
    checks : dict[str, bool]
        What was looked at, and whether it holds. Each that does not has a line in ``warnings``.
    warnings : list[str]
        What a reader of the barriers has to know, one line each.
    """

    distances: list[float]
    energies: list[float]
    slopes: list[float]
    curve_distance: list[float]
    curve_energy: list[float]
    forward: float
    reverse: float
    span: float
    reaction_energy: float
    fits: dict[str, float]
    fit_spread: float
    saddle_distance: float
    path_length: float
    saddle_fraction: float
    curvature: float | None
    minima: list[dict[str, float]]
    checks: dict[str, bool]
    warnings: list[str]


def analyse(
    positions: Images,
    cell: ArrayLike,
    energies: Images,
    forces: Images,
    *,
    pbc: Sequence[bool] = PERIODIC,
    frozen: Sequence[int] = (),
) -> Profile:
    """Interpolate a band over its path length with its tangential forces and read the barriers off.

    The path length is the summed norm of all atoms' minimum-image displacements; the tangent bisects the two
    segments that meet at an image. The curve is the cubic Hermite interpolant (as in Henkelman and Jónsson,
    J. Chem. Phys. 113, 9978 (2000), appendix), and its extremes are exact.

    Where the energies and both slopes go the same way and the cubic would still turn, its slopes are cut to what is
    monotone (Fritsch and Carlson, SIAM J. Numer. Anal. 17, 238 (1980)): a steep step between two images is no saddle.

    Parameters
    ----------
    positions : (n, N, 3)
        Images of the band, endpoints included (Å).
    cell : (3, 3)
        Lattice vectors as rows (Å), the same for all images.
    energies : (n,)
        Total energies (eV).
    forces : (n, N, 3)
        Forces (eV/Å), without springs.
    pbc : three booleans
        Periodic directions.
    frozen : indices
        Atoms held fixed; their forces do not count.

    Returns
    -------
    Profile
        Barriers with their fit spread and warnings.

    Raises
    ------
    ValueError
        With the first of :func:`barriers.analysis.band.problems`, if there is one.
    """
    return read(curves_of(positions, cell, energies, forces, pbc=pbc, frozen=frozen))


def read(curves: Curves) -> Profile:
    """Read barriers, saddle and minima off the curves of a band, see :func:`analyse`."""
    from scipy.signal import find_peaks

    distances, relative = curves.distances, curves.energies
    points, values = _stationary(curves.hermite)
    top = int(values.argmax())
    saddle, length = float(points[top]), float(distances[-1])
    forward, reaction = float(values[top]), float(relative[-1])
    span = float((values - np.minimum.accumulate(values)).max())
    dips, _ = find_peaks(-values, prominence=SHALLOWEST)
    minima = [{"distance": float(points[i]), "energy": float(values[i])} for i in dips]
    fits = {
        "highest_image": float(relative.max()),
        "hermite": forward,
        "energies_only": float(_stationary(curves.energies_only)[1].max()),
    }
    against = {
        "saddle between the endpoints": _without_saddle(forward, reaction),
        "no minimum below an endpoint": _low_minima(minima, reaction, span),
        "images close enough": [_too_steep(image) for image in curves.steep],
    }
    checks = {name: not lines for name, lines in against.items()}
    drawn = np.linspace(0.0, length, 201)
    return Profile(
        distances=distances.tolist(),
        energies=relative.tolist(),
        slopes=curves.slopes.tolist(),
        curve_distance=drawn.tolist(),
        curve_energy=curves.hermite(drawn).tolist(),
        forward=forward,
        reverse=forward - reaction,
        span=span,
        reaction_energy=reaction,
        fits=fits,
        fit_spread=max(fits.values()) - min(fits.values()),
        saddle_distance=saddle,
        path_length=length,
        saddle_fraction=saddle / length,
        curvature=float(curves.bend(saddle)) if checks["saddle between the endpoints"] else None,
        minima=minima,
        checks=checks,
        warnings=[line for lines in against.values() for line in lines],
    )


def _too_steep(image: int) -> str:
    return f"between images {image} and {image + 1} the forces are too steep for the energies: more images are needed"


def _stationary(curve: PPoly) -> tuple[Array, Array]:
    roots = curve.derivative().roots(extrapolate=False)
    # A flat piece has no single root but a NaN; its knots stand for it.
    points = np.unique(np.concatenate([curve.x, roots[np.isfinite(roots)]]))
    return points, curve(points)


def _without_saddle(forward: float, reaction: float) -> list[str]:
    return [
        f"no saddle above the {name} state: the {barrier} barrier is {height:z.3f} eV"
        for name, barrier, height in (
            ("initial", "forward", forward),
            ("final", "reverse", forward - reaction),
        )
        if height < SHALLOWEST
    ]


def _low_minima(minima: Sequence[dict[str, float]], reaction: float, span: float) -> list[str]:
    return [
        f"an intermediate minimum at {dip['distance']:.2f} Å lies {end - dip['energy']:.3f} eV "
        f"below the {name} state: give the span ({span:.3f} eV)"
        for dip in minima
        for name, end in (("initial", 0.0), ("final", reaction))
        if end - dip["energy"] > SHALLOWEST
    ]
