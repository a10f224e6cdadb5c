"""Crystals whose hops are known, from published space groups and coordinates (rounded), partial occupancies kept."""

from __future__ import annotations

from collections import deque

import numpy as np
from pymatgen.core import Lattice, Structure

from barriers.structures.network.network import Network


def olivine() -> Structure:
    """LiFePO4: Pnma, Streltsov et al., Acta Cryst. B 49, 147 (1993)."""
    return Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(10.332, 6.010, 4.692),
        ["Li", "Fe", "P", "O", "O", "O"],
        [
            [0, 0, 0],
            [0.2822, 0.25, 0.9747],
            [0.0949, 0.25, 0.4182],
            [0.0968, 0.25, 0.7428],
            [0.4571, 0.25, 0.2060],
            [0.1656, 0.0465, 0.2848],
        ],
    )


def sodium_cobalt_oxide() -> Structure:
    """O3-NaCoO2: R-3m, Takahashi et al., J. Solid State Chem. 172, 22 (2003)."""
    return Structure.from_spacegroup(
        "R-3m", Lattice.hexagonal(2.889, 15.609), ["Na", "Co", "O"], [[0, 0, 0.5], [0, 0, 0], [0, 0, 0.2303]]
    )


def sulfide_spinel() -> Structure:
    """MgSc2S4: Fd-3m, a of Patrie et al., C. R. Acad. Sci. 258, 4541 (1964); Mg at the origin, S 2.45 Å from it."""
    return Structure.from_spacegroup(
        "Fd-3m", Lattice.cubic(10.627), ["Mg", "Sc", "S"], [[0] * 3, [5 / 8] * 3, [0.383] * 3]
    )


def cubic_garnet() -> Structure:
    """Li7La3Zr2O12: Ia-3d, Awaka et al., Chem. Lett. 40, 60 (2011); Li on 24d and, split in two, on 96h.

    The occupancies are close to theirs and add up to seven Li.
    """
    return Structure.from_spacegroup(
        "Ia-3d",
        Lattice.cubic(12.968),
        ["La", "Zr", "O", {"Li": 0.54}, {"Li": 0.448}],
        [
            [1 / 8, 0, 1 / 4],
            [0, 0, 0],
            [0.2821, 0.1006, 0.1948],
            [3 / 8, 0, 1 / 4],
            [0.0966, 0.6853, 0.5773],
        ],
    )


def tetragonal_garnet() -> Structure:
    """Li7La3Zr2O12: I41/acd, Awaka et al., J. Solid State Chem. 182, 2046 (2009), moved to the first origin."""
    published = [
        [0, 0.25, 0.375],
        [0.1813, 0.4313, 0.125],
        [0.0796, 0.0863, 0.8099],
        [0, 0.25, 0.125],
        [0.1270, 0, 0.25],
        [0, 0, 0],
        [-0.0335, 0.0546, 0.1528],
        [0.0535, 0.8520, 0.5332],
        [0.1496, 0.0274, 0.4461],
    ]
    return Structure.from_spacegroup(
        "I4_1/acd",
        Lattice.tetragonal(13.134, 12.663),
        ["Li", "Li", "Li", "La", "La", "Zr", "O", "O", "O"],
        np.add(published, [0, -0.25, 0.125]),
    )


def argyrodite() -> Structure:
    """Li6PS5Cl: F-43m, after Kraft et al., J. Am. Chem. Soc. 139, 10909 (2017): Li on half of 48h, S and Cl mixed."""
    return Structure.from_spacegroup(
        "F-43m",
        Lattice.cubic(9.859),
        [{"Li": 0.5}, "P", "S", {"S": 0.615, "Cl": 0.385}, {"Cl": 0.615, "S": 0.385}],
        [[0.3225, 0.0251, 0.6775], [0, 0, 0.5], [0.1195, -0.1195, 0.6195], [0.25, 0.25, 0.75], [0, 0, 0]],
    )


def thiophosphate() -> Structure:
    """Li10GeP2S12: P42/nmc, after Kuhn et al., Phys. Chem. Chem. Phys. 15, 11620 (2013), four kinds of Li sites.

    The occupancies of Li are made up, to add up to ten.
    """
    return Structure.from_spacegroup(
        "P4_2/nmc",
        Lattice.tetragonal(8.694, 12.600),
        [{"Ge": 0.5, "P": 0.5}, "P", "S", "S", "S", {"Li": 0.5}, "Li", {"Li": 0.6}, {"Li": 0.8}],
        [
            [0, 0.5, 0.6907],
            [0, 0, 0.5],
            [0, 0.1842, 0.4083],
            [0, 0.2951, 0.0950],
            [0, 0.6973, 0.7904],
            [0.2562, 0.2720, 0.1824],
            [0, 0.5, 0.9448],
            [0.2474, 0.2474, 0],
            [0, 0, 0.2516],
        ],
    )


def dimension(network: Network, hops: set[int] | None = None) -> int:
    """Rank of the lattice translations that connect a site with its images, the best connected site's.

    Parameters
    ----------
    network : Network
        Sites and jumps.
    hops : set[int]
        The distinct hops that are open; all if left out.
    """
    is_open = np.isin(network.hop, list(hops)) if hops is not None else np.ones(len(network.hop), bool)
    jumps: dict[int, list[tuple[int, np.ndarray]]] = {}
    for first, last, image in zip(network.first[is_open], network.last[is_open], network.images[is_open], strict=True):
        jumps.setdefault(int(first), []).append((int(last), image))
    cells: dict[int, np.ndarray] = {}
    ranks = [0]
    for start in jumps:
        if start in cells:
            continue
        cells[start] = np.zeros(3, int)
        queue, ways = deque([start]), [np.zeros(3, int)]
        while queue:
            here = queue.popleft()
            for there, image in jumps[here]:
                if there not in cells:
                    cells[there] = cells[here] + image
                    queue.append(there)
                ways.append(cells[here] + image - cells[there])
        ranks.append(int(np.linalg.matrix_rank(np.array(ways))))
    return max(ranks)
