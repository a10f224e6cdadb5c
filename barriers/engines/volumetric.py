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
    """Read a cube, or a file of the form of VASP's CHGCAR, AECCAR and ELFCAR; of both spins the sum, the ELF's mean.

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
        spins = read_spins(path, quantity)
        values = np.sum if quantity == "density" else np.mean
        return Grid(values([spin.values for spin in spins], axis=0), spins[0].structure)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a whole file with a {quantity} on a grid: {error}") from error


def read_spins(path: Path, quantity: Quantity = "density") -> list[Grid]:
    """Read what a file of VASP's form holds of each spin, up first; one grid where there is no spin."""
    from pymatgen.io.vasp import Chgcar, Elfcar

    data = (Chgcar if quantity == "density" else Elfcar).from_file(str(path))
    if quantity == "elf":
        names = ("spin_up", "spin_down") if "spin_up" in data.data else ("total",)
        return [Grid(data.data[name], data.structure) for name in names]
    total = data.data["total"] / data.structure.volume
    if "diff" not in data.data:
        return [Grid(total, data.structure)]
    excess = data.data["diff"] / data.structure.volume
    return [Grid((total + sign * excess) / 2, data.structure) for sign in (1, -1)]


def read_for(path: Path, structure: Structure, quantity: Quantity = "density") -> Grid:
    """Read a grid whose atoms are those of a structure, and give it that structure, which has more digits.

    A file of VASP's form has its species grouped, as pymatgen sorts them.

    Raises
    ------
    ValueError
        If it is of something else.
    """
    grid = read_volumetric(path, quantity)
    check_atoms(path, grid, structure)
    return Grid(grid.values, structure)


def check_atoms(path: Path, grid: Grid, structure: Structure) -> None:
    """Raise ``ValueError`` if a file's atoms are not those of a structure; see :func:`read_for`."""
    found, expected = grid.structure, structure if path.suffix == CUBE else structure.get_sorted_structure()
    if found.species != expected.species or not np.allclose(
        found.lattice.matrix, expected.lattice.matrix, atol=SAME_PLACE
    ):
        raise ValueError(f"{path}: of {found.formula} in another cell or order; expected: {expected.formula}")
    apart = expected.lattice.get_all_distances(found.frac_coords, expected.frac_coords).diagonal().max()
    if apart > 2 * SAME_PLACE:
        raise ValueError(f"{path}: its atoms are up to {apart:.3f} Å from where they were expected")


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


def difference_file(folder: Path, difference: Grid | None) -> list[GridDoc]:
    """Write Δρ beside the grids that it was made of, where there is one."""
    if difference is None:
        return []
    path = folder / "difference.cube"
    write_volumetric(difference, path)
    return [record("difference", path, difference)]
