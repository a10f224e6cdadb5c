"""What surrounds a place in a structure: in words, as a set of anions, and as a fingerprint."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import PeriodicSite, Structure

from barriers.structures.hop.hop import Image
from barriers.structures.hop.ions import anion_reach, anions, size
from barriers.structures.surface.slab import frozen_atoms

METAL_REACH = 3.3
"""Metals within this distance of a Li site (Å) are its neighbours: 2.9 Å in LiMO2, the next ones are at 4.1 Å."""

FINGERPRINT_REACH = 7.9
"""Two places alike up to this distance (Å) have one fingerprint."""

FINGERPRINT_STEP = 0.05
"""Distances that differ by less (Å) may count as one in a fingerprint."""

ITSELF = 1e-3
"""An atom nearer to a place than this (Å) is the one that stands there."""


@dataclass(frozen=True)
class Surroundings:
    """What is around a place.

    Attributes
    ----------
    text : str
        Nearest anions and metals, such as ``O6; Ni 5 Co 1``.
    anions : frozenset
        Nearest anions with the images that are near to the place as given.
    fingerprint : str
        Equal for places that a symmetry operation maps on each other; independent of the order of atoms.
    """

    text: str
    anions: frozenset[tuple[int, Image]]
    fingerprint: str


def metal_reach(structure: Structure, ion: str) -> float:
    """Distance (Å) within which a metal is a neighbour of a site of the ion."""
    return METAL_REACH * size(ion, structure)


def surroundings(structure: Structure, fractions: NDArray[np.float64], ion: str = "Li") -> list[Surroundings]:
    """Describe what is around places.

    Parameters
    ----------
    structure : Structure
        Slab or crystal.
    fractions : ndarray, shape (n, 3)
        Fractional coordinates of the places, which may be atoms.
    ion : str
        Element that moves: not counted among the metals.

    Returns
    -------
    list[Surroundings]
        One for each place.
    """
    if not len(fractions):
        return []
    places = [PeriodicSite(ion, place, structure.lattice) for place in fractions]
    centres, *found = structure.get_neighbor_list(FINGERPRINT_REACH, places, exclude_self=False)
    order = np.argsort(centres, kind="stable")
    first = np.searchsorted(centres[order], range(1, len(places)))
    columns = (np.split(column[order], first) for column in found)
    held = set(frozen_atoms(structure))
    reaches = np.array(
        [
            anion_reach(ion, site.specie.symbol) if found else 0.0
            for site, found in zip(structure, anions(structure), strict=True)
        ]
    )
    reach = metal_reach(structure, ion)
    codes = np.array([2 * site.specie.Z + (index in held) for index, site in enumerate(structure)])
    return [_describe(structure, codes, reaches, reach, ion, *around) for around in zip(*columns, strict=True)]


def _describe(
    structure: Structure,
    codes: NDArray[np.int64],
    reaches: NDArray[np.float64],
    reach: float,
    ion: str,
    atoms: NDArray[np.int64],
    images: NDArray[np.float64],
    distances: NDArray[np.float64],
) -> Surroundings:
    other = distances > ITSELF
    held = [(int(atoms[i]), whole(images[i])) for i in np.flatnonzero(other & (distances < reaches[atoms]))]
    near = [structure[int(atoms[i])].specie for i in np.flatnonzero(other & (distances < reach))]
    metals = [element.symbol for element in near if element.is_metal and element.symbol != ion]
    # The offset keeps round distances, such as those of an ideal lattice, off the steps' edges.
    steps = np.floor(distances[other] / FINGERPRINT_STEP + 0.382).astype(int)
    code = np.stack([codes[atoms[other]], steps], axis=1)
    code = code[np.lexsort(code.T)]
    return Surroundings(
        text=f"{counted([structure[atom].specie.symbol for atom, _ in held], '')}; {counted(metals, ' ')}",
        anions=frozenset(held),
        fingerprint=hashlib.sha256(code.astype("<i8").tobytes()).hexdigest(),
    )


def metals_in(text: str) -> Counter[str]:
    """Count the metals of :attr:`Surroundings.text`."""
    words = text.partition("; ")[2].split()
    return Counter(dict(zip(words[::2], map(int, words[1::2]), strict=False)))


def whole(image: ArrayLike) -> Image:
    """Give a lattice translation as whole numbers."""
    x, y, z = (int(component) for component in np.rint(image))
    return x, y, z


def counted(symbols: Iterable[str], between: str) -> str:
    """Give the number of each symbol in words, the most frequent first; ``none`` without any."""
    counts = sorted(Counter(symbols).items(), key=lambda item: (-item[1], item[0]))
    return " ".join(f"{symbol}{between}{count}" for symbol, count in counts) or "none"
