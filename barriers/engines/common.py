"""What all engines do alike: presets as data, structures as atoms and at new positions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import ArrayLike
from pymatgen.core import Structure

from barriers.engines.checked_files import read_yaml
from barriers.structures.alone import carrying, charge_of, spin_of
from barriers.structures.path.mapping import unwrap
from barriers.structures.surface.slab import frozen_atoms
from barriers.words import closest


def load_preset(folder: Path, name: str) -> dict[str, Any]:
    """Read a preset of an engine, without the words about it.

    Parameters
    ----------
    folder : Path
        Folder of the engine's presets.
    name : str
        Name of one.

    Raises
    ------
    ValueError
        If there is no such preset.
    """
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in known:
        raise ValueError(f"engine.preset: {name!r} is not on file; allowed: {', '.join(known)}{closest(name, known)}")
    content: dict[str, Any] = read_yaml(folder / f"{name}.yaml")
    for words in ("about", "hubbard_u_from"):
        content.pop(words, None)
    return content


def from_anywhere(path: str | None) -> str | None:
    """Make a path absolute, ``~`` included: jobs run in folders of their own, not where the study was started."""
    return None if path is None else str(Path(path).expanduser().absolute())


def at_positions(structure: Structure, positions: ArrayLike) -> Structure:
    """Copy of a structure with other Cartesian positions (Å), unwrapped, its site properties, charge and spin kept."""
    moved = Structure(
        structure.lattice,
        structure.species,
        np.asarray(positions, dtype=float),
        coords_are_cartesian=True,
        site_properties=structure.site_properties,
    )
    return carrying(moved, charge_of(structure), spin_of(structure))


def atoms_of(structure: Structure) -> Atoms:
    """Make ASE atoms, frozen ones constrained; a moment or charge that is None is ASE's 0."""
    from pymatgen.io.ase import AseAtomsAdaptor

    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    # pymatgen makes None NaN, which is unequal to itself: ASE then takes stored results for those of other atoms.
    for name in {"initial_magmoms", "initial_charges"} & set(atoms.arrays):
        atoms.arrays[name] = np.nan_to_num(atoms.arrays[name])
    return atoms


def placed(structure: Structure, positions: np.ndarray) -> np.ndarray:
    """Positions (Å) as the study has them: unwrapped, and frozen atoms where they were to the last digit.

    Parameters
    ----------
    structure : Structure
        Where the atoms were before.
    positions : (N, 3)
        Where they are now, in the order of the structure.
    """
    near = unwrap(positions, atoms_of(structure))
    frozen = frozen_atoms(structure)
    near[frozen] = structure.cart_coords[frozen]
    return near
