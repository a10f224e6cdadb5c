"""A short digest of a structure that noise in the last digits does not change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pymatgen.core import Structure

from barriers.structures import rounding
from barriers.structures.alone import charge_of, spin_of

DECIMALS = rounding.GRID
"""Lengths are told apart from 1e-6 Å on: far below any tolerance, far above noise."""


def rounded(values: ArrayLike, decimals: int = DECIMALS) -> Any:
    """Round numbers of any shape as :func:`~barriers.structures.rounding.rounded`, to plain floats or lists of them."""
    return rounding.rounded(values, decimals).tolist()


def structure_digest(structure: Structure) -> str:
    """Formula and short SHA-256 of what a structure is, atoms in their order.

    Species, cell, periodicity and Cartesian positions, not wrapped, both to 1e-6 Å; every site property that has a
    value, since a code may read any of them. Atoms that are all free are so with ``selective_dynamics`` or without.
    A charge and a spin count where there are any.

    Parameters
    ----------
    structure : Structure
        Any.
    """
    content = {
        "species": [site.species_string for site in structure],
        "cell": rounded(structure.lattice.matrix),
        "pbc": list(map(bool, structure.lattice.pbc)),
        "positions": rounded(structure.cart_coords),
        "properties": {name: _property(name, values) for name, values in sorted(structure.site_properties.items())},
    }
    content["properties"] = {name: values for name, values in content["properties"].items() if values is not None}
    whole = {"charge": charge_of(structure), "spin": spin_of(structure)}
    content |= {name: value for name, value in whole.items() if value}
    return f"{structure.composition.formula} {short_digest(content)}"


def short_digest(content: Any) -> str:
    """Sixteen digits of the SHA-256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()[:16]


def _property(name: str, values: Sequence[Any]) -> list[Any] | None:
    """Values of a site property as they count; None where no site has one."""
    if name == "selective_dynamics":
        free = [[True] * 3 if value is None else list(map(bool, value)) for value in values]
        return None if np.all(free) else free
    if all(value is None for value in values):
        return None
    return [_plain(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return rounded(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
