"""Vibrations of a few atoms among others that stay: displacements, Hessian, frequencies, attempt frequency."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.geometry import get_distances
from numpy.typing import ArrayLike
from scipy.constants import angstrom, atomic_mass, elementary_charge, tera

from barriers.analysis.band import PERIODIC, Array

DELTA = 0.01
"""Length of a displacement (Å): that of ASE and phonopy."""

SOFTEST = 0.1
"""A mode nearer to zero than this (THz) is neither real nor imaginary: finite displacements do not tell."""

_TO_HERTZ = np.sqrt(elementary_charge / angstrom**2 / atomic_mass) / (2 * np.pi)


def atoms_around(
    ends: ArrayLike,
    cell: ArrayLike,
    moving: int,
    radius: float,
    *,
    pbc: Sequence[bool] = PERIODIC,
    frozen: Sequence[int] = (),
) -> list[int]:
    """Choose the atoms that vibrate with a hopping ion: itself, and free ones near it in either end of the hop.

    Parameters
    ----------
    ends : (n, N, 3)
        Structures (Å), usually both endpoints.
    cell : (3, 3)
        Lattice vectors as rows (Å).
    moving : int
        Index of the ion.
    radius : float
        Atoms nearer than this (Å) to the ion, in any of the structures, vibrate with it.
    pbc : three booleans
        Periodic directions.
    frozen : indices
        Atoms held fixed.

    Returns
    -------
    list[int]
        Ascending; the ion is among them.
    """
    apart = [get_distances([end[moving]], end, cell, pbc)[1][0] for end in np.asarray(ends, dtype=float)]
    near = np.min(apart, axis=0) < radius
    near[list(frozen)] = False
    near[moving] = True
    return np.flatnonzero(near).tolist()


def displaced(positions: ArrayLike, atoms: Sequence[int], delta: float = DELTA) -> Array:
    """List the structures whose forces make the Hessian of some atoms.

    Parameters
    ----------
    positions : (N, 3)
        A minimum or a saddle (Å).
    atoms : m indices
        Atoms that vibrate.
    delta : float
        Displacement (Å).

    Returns
    -------
    (6 m, N, 3)
        Positions (Å): for each atom in turn x forward, x back, y forward, y back, z forward, z back.
    """
    steps = np.array([sign * delta * axis for axis in np.eye(3) for sign in (1, -1)])
    structures = np.tile(np.asarray(positions, dtype=float), (len(atoms), 6, 1, 1))
    for number, atom in enumerate(atoms):
        structures[number, :, atom] += steps
    return structures.reshape(-1, *np.shape(positions))


def hessian(forces: ArrayLike, atoms: Sequence[int], delta: float = DELTA) -> Array:
    """Make the Hessian of some atoms from forces, by central differences.

    H_ij = -[F_j(+i) - F_j(-i)] / 2δ, made symmetric; frozen surroundings as in Li and Jensen, Theor. Chem. Acc. 107,
    211 (2002).

    Parameters
    ----------
    forces : (6 m, N, 3)
        Forces (eV/Å) of the structures of :func:`displaced`, in its order.
    atoms : m indices
        The same atoms.
    delta : float
        The same displacement (Å).

    Returns
    -------
    (3 m, 3 m)
        In eV/Å².

    Raises
    ------
    ValueError
        If the number of structures is not six for each atom, or a force is not finite.
    """
    array = np.asarray(forces, dtype=float)
    if len(array) != 6 * len(atoms):
        raise ValueError(f"forces: {len(array)} structures for {len(atoms)} atoms; allowed: {6 * len(atoms)}")
    if not np.isfinite(array).all():
        raise ValueError("forces: not all are finite; allowed: calculations that ended well")
    pairs = array[:, list(atoms)].reshape(3 * len(atoms), 2, 3 * len(atoms))
    matrix = -(pairs[:, 0] - pairs[:, 1]) / (2 * delta)
    symmetric: Array = (matrix + matrix.T) / 2
    return symmetric


def frequencies(matrix: ArrayLike, masses: ArrayLike) -> Array:
    """Vibrational frequencies of a Hessian.

    ν = √λ / 2π with the eigenvalues λ of H_ij / √(m_i m_j).

    Parameters
    ----------
    matrix : (3 m, 3 m)
        Hessian (eV/Å²).
    masses : (m,)
        Masses (atomic mass units).

    Returns
    -------
    (3 m,)
        In THz, ascending; imaginary ones negative, as phonopy gives them.
    """
    roots = np.sqrt(np.repeat(np.asarray(masses, dtype=float), 3))
    values = np.linalg.eigvalsh(np.asarray(matrix, dtype=float) / np.outer(roots, roots))
    found: Array = np.sign(values) * np.sqrt(np.abs(values)) * _TO_HERTZ / tera
    return found


def attempt_frequency(minimum: ArrayLike, saddle: ArrayLike) -> float:
    """Attempt frequency of harmonic transition-state theory (Hz).

    ν* = Π ν_i(minimum) / Π' ν_i(saddle), the product without the imaginary mode: Vineyard, J. Phys. Chem. Solids 3,
    121 (1957), eq. 19.

    Parameters
    ----------
    minimum, saddle : (n,)
        Frequencies (THz) of the same atoms, imaginary ones negative.

    Raises
    ------
    ValueError
        If the numbers of modes differ, the minimum has an imaginary mode, the saddle has not exactly one, or a mode
        is nearer to zero than 0.1 THz.
    """
    at_minimum, at_saddle = np.sort(np.asarray(minimum, dtype=float)), np.sort(np.asarray(saddle, dtype=float))
    if at_minimum.shape != at_saddle.shape:
        raise ValueError(
            f"{at_minimum.size} modes at the minimum and {at_saddle.size} at the saddle: not the same atoms"
        )
    for name, modes, allowed in (("minimum", at_minimum, 0), ("saddle", at_saddle, 1)):
        imaginary = int((modes < 0).sum())
        if imaginary != allowed:
            softest = ", ".join(f"{mode:.2f}" for mode in modes[: max(imaginary, allowed) + 1])
            raise ValueError(
                f"{imaginary} imaginary modes at the {name}, allowed: {allowed}; lowest frequencies {softest} THz"
            )
        if np.abs(modes).min() < SOFTEST:
            raise ValueError(f"a mode of {np.abs(modes).min():.3f} THz at the {name} is too soft; allowed: {SOFTEST:g}")
    return float(np.exp(np.log(at_minimum).sum() - np.log(at_saddle[1:]).sum()) * tera)
