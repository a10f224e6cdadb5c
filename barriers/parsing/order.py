"""Order of images that stand in a file each: from the geometry, not from the alphabet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from barriers.analysis.band import SHORTEST_STEP, minimum_image_displacements
from barriers.parsing.found import Check

FIRST = {"initial", "init", "ini", "reactant", "reactants", "is", "start", "first", "begin"}
LAST = {"final", "fin", "product", "products", "fs", "end", "last", "stop"}
"""What people call endpoints, as a word of a file's name."""

AS_SHORT = 1.01
"""The order of the names is believed where its path is no longer than this many times the shortest."""


def path_order(frames: Sequence[Atoms], names: Sequence[str]) -> list[int]:
    """Order images along their path.

    Names decide where they can: endpoints by what they are called, the rest by their numbers, as long as the
    geometry agrees. Else the tree of the nearest neighbours is the path.

    Parameters
    ----------
    frames : sequence of Atoms
        The same atoms in the same order.
    names : sequence of str
        Names of their files.

    Raises
    ------
    ValueError
        One line, if two are the same structure, they lie on no path, or an endpoint by its name lies within it.
    """
    apart = _distances(frames)
    for one, other in np.argwhere(np.triu(apart < SHORTEST_STEP, 1)):
        raise ValueError(f"{names[one]} and {names[other]} are the same structure; move one of them away")
    tree = minimum_spanning_tree(apart).toarray()
    tree += tree.T
    named = sorted(range(len(names)), key=lambda index: (_place(names[index]), natural(names[index])))
    length = sum(apart[one, other] for one, other in pairwise(named))
    if length <= AS_SHORT * tree.sum() / 2:
        return named
    neighbours = (tree > 0).sum(axis=1)
    if neighbours.max() > 2:
        where = names[int(neighbours.argmax())]
        raise ValueError(f"the images lie on no single path: it branches at {where}; number them along the path")
    ends = sorted(np.flatnonzero(neighbours == 1).tolist(), key=named.index)
    for index, name in enumerate(names):
        if _place(name) and index not in ends:
            raise ValueError(f"{name} is called an endpoint, but lies within the path")
    order = breadth_first_order(tree, ends[0], directed=False, return_predecessors=False)
    return [int(index) for index in order]


def _distances(frames: Sequence[Atoms]) -> NDArray[np.float64]:
    """Distance (Å) between any two images over all atoms, by the shortest way of each atom."""
    first = frames[0]
    rows = np.array([frame.positions for frame in frames])
    pairs = np.stack(np.broadcast_arrays(rows[:, None], rows[None, :]))
    flat = pairs.reshape(2, -1, 3)
    moves = minimum_image_displacements(flat, first.cell.complete().array, first.pbc)[0].reshape(pairs.shape[1:])
    return np.asarray(np.linalg.norm(moves, axis=(2, 3)))


def natural(name: str) -> list[tuple[int, str]]:
    """Key under which image2 comes before image10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _place(name: str) -> int:
    """−1 for what is called an initial endpoint, 1 for a final one, 0 for anything else."""
    words = set(re.split(r"[^a-z]+", name.partition(".")[0].lower()))
    return (1 if words & LAST else 0) - (1 if words & FIRST else 0)


def number_check(names: Sequence[str]) -> Check:
    """See that no number of a row of files is left out."""
    rows: dict[str, list[int]] = {}
    for name in names:
        digits = re.findall(r"\d+", name.partition(".")[0])
        if digits:
            rows.setdefault(re.sub(r"\d+(?=[^\d]*$)", "#", name.partition(".")[0]), []).append(int(digits[-1]))
    for stem, numbers in rows.items():
        steps = set(np.diff(sorted(numbers)).tolist())
        if len(steps) > 1:
            stride = min(steps)
            missing = sorted(set(range(min(numbers), max(numbers), stride)) - set(numbers))
            says = f"files are missing: {', '.join(stem.replace('#', str(number)) for number in missing)}"
            return Check("image files", "wrong", list(names), says)
    return Check("image files", "ok", list(names))
