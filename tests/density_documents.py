"""Documents of densities made up of Gaussians, with their grids in files, as a job leaves them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from densities import gaussians
from interfaces import interface
from pymatgen.core import Structure

from barriers.analysis.density import Grid
from barriers.analysis.electrons import LowdinDoc
from barriers.documents import CostDoc, EngineDoc
from barriers.engines.density import DensityDoc, Electrons, electron_numbers
from barriers.engines.volumetric import record, write_volumetric

SHAPE = (36, 36, 72)
VALENCE = {"Li": 3.0, "O": 6.0, "C": 4.0, "H": 1.0, "F": 7.0}


def made_up(folder: Path, moved: float = 0.2, shift: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> DensityDoc:
    """An interface whose slab gives so many electrons to the fragment: from a Li below it to its first C.

    Parameters
    ----------
    folder : Path
        Where the grids go.
    moved : float
        Electrons.
    shift : tuple of float
        All atoms are shifted by these fractions of the cell, and wrapped.
    """
    structure, n_slab = interface()
    structure.translate_sites(range(len(structure)), shift)
    brought = [VALENCE[site.specie.symbol] for site in structure]
    charges = np.zeros(len(structure))
    giver = int(
        structure.lattice.get_all_distances(structure[n_slab].frac_coords, structure.frac_coords)[0, :n_slab].argmin()
    )
    charges[giver], charges[n_slab] = moved, -moved
    pieces = {"slab": slice(None, n_slab), "fragment": slice(n_slab, None)}
    alone = {
        name: gaussians(Structure.from_sites(structure[atoms]), brought[atoms], SHAPE) for name, atoms in pieces.items()
    }
    whole = gaussians(structure, (np.array(brought) - charges).tolist(), SHAPE)
    elf = Grid(whole.values / whole.values.max(), structure)
    electrons = Electrons(structure, brought, whole, alone["slab"], alone["fragment"], elf=elf)
    difference = electrons.difference()
    assert difference is not None
    grids = []
    for name, grid in {"difference": difference, "elf": elf}.items():
        path = folder / f"{name}.cube"
        quantity = "elf" if name == "elf" else "density"
        write_volumetric(grid, path, quantity)
        grids.append(record(name, path, grid, quantity))
    return DensityDoc(
        **electron_numbers(electrons, difference, n_slab, "valence density"),
        lowdin=LowdinDoc(charges=charges.tolist(), spilling=0.01),
        grids=grids,
        cost=CostDoc(),
        engine=EngineDoc(kind="espresso", name="PBE", version="7.2"),
    )
