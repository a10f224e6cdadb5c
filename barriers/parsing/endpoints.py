"""Energies of endpoints that stand elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase.geometry import find_mic
from ase.io import read
from pymatgen.core import Structure

from barriers.engines.vasp.outputs import read_outcar
from barriers.engines.vasp.restart import read_poscar
from barriers.parsing.found import FoundBand, Image
from barriers.parsing.vasp import image_of

FARTHEST = 0.5
"""An endpoint's own calculation ends with no atom farther (Å) from where the band has it."""


def use_endpoints(found: FoundBand, endpoints: tuple[str, str]) -> None:
    """Give a band the energies of its endpoints.

    Parameters
    ----------
    found : FoundBand
        The band; its first and last image are changed.
    endpoints : tuple[str, str]
        For each a number (eV), or a folder or file of its own relaxation.

    Raises
    ------
    ValueError
        If there is no energy, or the atoms are others.
    """
    if found.structure is None:
        raise ValueError(f"--endpoints: {found.folder} tells no atoms, so nothing can be said to belong to it")
    for which, text in zip((0, -1), endpoints, strict=True):
        image = found.images[which]
        try:
            image.energy = float(text)
            image.forces = np.zeros_like(image.positions)
            name = "initial" if which == 0 else "final"
            found.warnings.append(f"forces of the {name} endpoint are not known and were taken as zero, as relaxed")
        except ValueError:
            found.images[which] = _read(found, found.structure, image, Path(text))


def _read(found: FoundBand, initial: Structure, image: Image, path: Path) -> Image:
    if not path.exists():
        raise ValueError(f"--endpoints: {path}: neither a number nor a file or folder")
    folder = path if path.is_dir() else path.parent
    outcar = read_outcar(folder) if path.is_dir() or path.name.startswith("OUTCAR") else None
    if outcar is not None and outcar.steps:
        structure = read_poscar(folder / "CONTCAR") or read_poscar(folder / "POSCAR") or initial
        read_image = image_of(folder, structure, outcar)
        symbols = [site.specie.symbol for site in structure]
    elif path.is_dir():
        raise ValueError(f"--endpoints: no OUTCAR with a whole step in {path}")
    else:
        try:
            atoms = read(path, index=-1)
            forces = atoms.get_forces(apply_constraint=False)
            read_image = Image(atoms.positions, float(atoms.get_potential_energy()), forces)
            symbols = atoms.get_chemical_symbols()
        except Exception as error:  # ASE's readers raise anything
            text = " ".join(str(error).split()) or type(error).__name__
            raise ValueError(f"--endpoints: no energy in {path}: {text[:100]}") from error
    if symbols != [site.specie.symbol for site in initial]:
        raise ValueError(f"--endpoints: {path} has other atoms, or another order of them, than {found.folder}")
    lattice = initial.lattice
    _, moves = find_mic(read_image.positions - image.positions, lattice.matrix, lattice.pbc)
    if moves.max() > FARTHEST:
        raise ValueError(
            f"--endpoints: {path} is another structure than the band's: atom {int(moves.argmax())} is "
            f"{moves.max():.2f} Å away, at most {FARTHEST:g} Å is a relaxation"
        )
    return read_image
