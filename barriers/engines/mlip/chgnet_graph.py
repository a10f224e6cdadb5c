"""The graph that CHGNet reads, built from arrays: its own converter takes twenty times as long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from pymatgen.io.ase import AseAtomsAdaptor

if TYPE_CHECKING:
    from chgnet.graph.crystalgraph import CrystalGraph


def graph_of(atoms: Atoms, atom_cutoff: float, bond_cutoff: float) -> CrystalGraph:
    """Build the graph of a structure that is periodic in all directions, as CHGNet takes every one.

    Parameters
    ----------
    atoms : Atoms
        Structure.
    atom_cutoff, bond_cutoff : float
        Longest distance (Å) of neighbours, and of bonds that have an angle between them.

    Returns
    -------
    CrystalGraph
        That of ``chgnet.graph.CrystalGraphConverter``, but for the order of neighbours.

    Raises
    ------
    ValueError
        If an atom has no neighbour.
    """
    import torch
    from chgnet.graph.crystalgraph import CrystalGraph

    cell, fractional = atoms.cell.array, atoms.get_scaled_positions(wrap=False)
    centre, other, image, length = AseAtomsAdaptor.get_structure(atoms).get_neighbor_list(atom_cutoff)
    if alone := len(atoms) - len(np.unique(centre)):
        raise ValueError(f"{alone} atoms have no neighbour within {atom_cutoff:g} Å, where CHGNet says nothing")
    first, undirected = _undirected(centre, other, image)
    integers = {
        "atomic_number": atoms.numbers,
        "atom_graph": np.column_stack([centre, other]),
        "directed2undirected": undirected,
        "undirected2directed": first,
        "bond_graph": _angles(centre, undirected, np.flatnonzero(length < bond_cutoff)),
    }
    numbers = {"atom_frac_coord": fractional, "lattice": cell, "neighbor_image": image}
    graph = CrystalGraph(
        **{name: torch.tensor(array, dtype=torch.int32) for name, array in integers.items()},
        **{name: torch.tensor(array, dtype=torch.float32) for name, array in numbers.items()},
        atom_graph_cutoff=atom_cutoff,
        bond_graph_cutoff=bond_cutoff,
    )
    graph.atom_frac_coord.requires_grad_()
    return graph


def _undirected(centre: np.ndarray, other: np.ndarray, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the pairs of neighbours: the first row of each pair, and the pair of each row."""
    far = np.abs(image).max(axis=0).astype(int)
    widths = (*[centre.max() + 1] * 2, *(2 * far + 1))
    codes = [
        np.ravel_multi_index((*ends, *(shift + far).T.astype(int)), widths)
        for *ends, shift in ((centre, other, image), (other, centre, -image))
    ]
    _, first, pair = np.unique(np.minimum(*codes), return_index=True, return_inverse=True)
    return first, pair


def _angles(centre: np.ndarray, undirected: np.ndarray, short: np.ndarray) -> np.ndarray:
    """Pair every two short bonds of an atom, in both orders: atom, pair and row of one, pair and row of the other."""
    short = short[np.argsort(centre[short], kind="stable")]
    counts = np.bincount(centre[short], minlength=centre.max() + 1)[centre[short]]
    begins = np.searchsorted(centre[short], centre[short])
    one = np.repeat(np.arange(len(short)), counts)
    nth = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
    two = np.repeat(begins, counts) + nth
    one, two = short[one[one != two]], short[two[one != two]]
    return np.column_stack([centre[one], undirected[one], one, undirected[two], two])
