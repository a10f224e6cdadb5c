"""Functions on grids as files: cubes and VASP's own, read to e/Å³ and written from it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from ase.io.cube import read_cube, write_cube
from ase.units import Bohr
from pymatgen.core import Structure

from barriers.analysis.density import SAME_PLACE, Grid
from barriers.analysis.electrons import GridDoc, Quantity
from barriers.engines.common import atoms_of

CUBE = ".cube"


def read_volumetric(path: Path, quantity: Quantity = "density") -> Grid:
    """Read a cube, or a file of the form of VASP's CHGCAR, AECCAR and ELFCAR; the total, where there is spin.

    Parameters
    ----------
    path : Path
        A name that ends with ``.cube``, or any other for VASP's form.
    quantity : str
        ``density`` or ``elf``.

    Raises
    ------
    ValueError
        If the file is not whole.
    """
    from pymatgen.io.ase import AseAtomsAdaptor

    try:
        if path.suffix == CUBE:
            with path.open(encoding="utf-8") as file:
                content = read_cube(file)
            values = content["data"] / (Bohr**3 if quantity == "density" else 1.0)
            return Grid(values, AseAtomsAdaptor.get_structure(content["atoms"]))
        from pymatgen.io.vasp import Chgcar, Elfcar

        data = (Chgcar if quantity == "density" else Elfcar).from_file(str(path))
        volume = data.structure.volume if quantity == "density" else 1.0
        return Grid(data.data["total"] / volume, data.structure)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a whole file with a {quantity} on a grid: {error}") from error


def read_for(path: Path, structure: Structure, quantity: Quantity = "density") -> Grid:
    """Read a grid whose atoms are those of a structure, and give it that structure, which has more digits.

    Raises
    ------
    ValueError
        If it is of something else.
    """
    grid = read_volumetric(path, quantity)
    found = grid.structure
    if found.species != structure.species or not np.allclose(
        found.lattice.matrix, structure.lattice.matrix, atol=SAME_PLACE
    ):
        raise ValueError(f"{path}: of {found.formula} in another cell or order; expected: {structure.formula}")
    apart = structure.lattice.get_all_distances(found.frac_coords, structure.frac_coords).diagonal().max()
    if apart > 2 * SAME_PLACE:
        raise ValueError(f"{path}: its atoms are up to {apart:.3f} Å from where they were expected")
    return Grid(grid.values, structure)


def write_volumetric(grid: Grid, path: Path, quantity: Quantity = "density") -> None:
    """Write a cube, or VASP's form where the name does not end with ``.cube``; species are grouped there."""
    partial = path.with_name(f"{path.name}.part")
    if path.suffix == CUBE:
        values = grid.values * (Bohr**3 if quantity == "density" else 1.0)
        with partial.open("w", encoding="utf-8") as file:
            write_cube(file, atoms_of(grid.structure), values, comment=f"{quantity} of {grid.structure.formula}")
    else:
        from pymatgen.io.vasp import Chgcar, Poscar

        volume = grid.structure.volume if quantity == "density" else 1.0
        poscar = Poscar(grid.structure.get_sorted_structure().copy(site_properties={}))
        Chgcar(poscar, {"total": grid.values * volume}).write_file(str(partial))
    partial.replace(path)


def record(name: str, path: Path, grid: Grid, quantity: Quantity = "density") -> GridDoc:
    """Say of a file which grid it holds."""
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    return GridDoc(name=name, quantity=quantity, path=str(path), sha256=checksum, shape=grid.shape)
