"""Colours of elements: those of VESTA, moved where two could be taken for each other, or one for the ion that moves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

import numpy as np
from ase.data import chemical_symbols
from matplotlib.colors import to_hex, to_rgb
from monty.serialization import loadfn
from numpy.typing import NDArray

ARROW, MOVING = "#D55E00", "#ffb000"
"""What marks the ion that moves, on paper and in the 3-D views."""

FLAT_COLOURS = {
    "H": "#FFFFFF",
    "Li": "#F0E442",
    "C": "#303030",
    "N": "#3B5BDB",
    "O": "#F4BDB4",
    "F": "#009E73",
    "S": "#A67C00",
    "Mn": "#8A3B7A",
    "Co": "#0A2A66",
    "Ni": "#8DA0B3",
}
"""Colours on paper, chosen so that two elements differ in lightness or in radius, with any kind of colour vision and in
grey; other elements have the same colour on paper and in 3-D."""

COMMON = (
    *("O", "Li", "Ni", "Co", "Mn", "H", "C", "F", "N", "S", "Fe", "P", "Na", "K", "Mg", "Al", "Si", "Ti", "V", "Cr"),
    *("Cl", "Ca", "Zn", "Zr", "La", "Ge", "Br", "I", "Nb", "Sn", "B", "Ta", "Sc", "Cu", "Y", "Mo", "W", "Ga", "Se"),
    *("Te", "Sb", "In", "Ba", "Sr"),
)
"""Elements of materials of batteries: each keeps its distance from all before it, and its colour is moved the less."""

APART = {True: 0.1, False: 0.055}
"""Least distance of two colours in OKLab: of two common elements, and of any two."""

FROM_MARKS = 0.12
"""Least distance of an element's colour from those of the ion that moves."""

GRID = np.stack(np.meshgrid(*[np.linspace(0, 1, 18)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
"""Colours (sRGB) that one may be moved to."""


def colour(symbol: str, flat: bool = True) -> tuple[float, float, float]:
    """Colour of an element (sRGB, 0 to 1), on paper or else in the 3-D views of bands."""
    red, green, blue = to_rgb(FLAT_COLOURS.get(symbol, "") if flat and symbol in FLAT_COLOURS else _colours()[symbol])
    return red, green, blue


def oklab(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give colours (sRGB, 0 to 1, shape (n, 3)) in OKLab, in which distances are those that one sees.

    B. Ottosson, https://bottosson.github.io/posts/oklab (2020). Two colours 0.02 apart can just be told apart.
    """
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    cones = linear @ [
        [0.4122214708, 0.2119034982, 0.0883024619],
        [0.5363325363, 0.6806995451, 0.2817188376],
        [0.0514459929, 0.1073969566, 0.6299787005],
    ]
    found: NDArray[np.float64] = np.cbrt(cones) @ [
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ]
    return found


@cache
def _colours() -> dict[str, str]:
    """Colour of each element in 3-D, chosen one after the other: VESTA's, or the next to it that is free."""
    return dict(_chosen())


def _chosen() -> Iterator[tuple[str, str]]:
    schemes: dict[str, dict[str, list[int]]] = loadfn(str(files("pymatgen.vis") / "ElementColorSchemes.yaml"))
    vesta = {symbol: np.array(values) / 255 for symbol, values in schemes["VESTA"].items()}
    order = (*COMMON, *(each for each in chemical_symbols[1:] if each not in COMMON))
    asked = np.array([vesta.get(symbol, np.full(3, 0.6)) for symbol in order])
    colours = np.vstack([asked, GRID])  # those wanted, then all others
    places = oklab(colours)

    def nearest(marks: Iterable[str]) -> NDArray[np.float64]:
        taken = oklab(np.array([to_rgb(mark) for mark in marks]))
        found: NDArray[np.float64] = np.linalg.norm(places[:, None] - taken, axis=2).min(axis=1)
        return found

    near = nearest(FLAT_COLOURS.values())
    far, far_in_space = nearest((ARROW, MOVING)) >= FROM_MARKS, nearest((MOVING,)) >= FROM_MARKS
    for number, symbol in enumerate(order):
        away = np.linalg.norm(places - places[number], axis=1)
        free = (far_in_space if symbol in FLAT_COLOURS else far) & (near >= APART[symbol in COMMON])
        best = int(np.where(free, np.round(away, 6), np.inf).argmin())
        near = np.minimum(near, np.linalg.norm(places - places[best], axis=1))
        yield symbol, to_hex(colours[best])
