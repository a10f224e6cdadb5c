"""Structures from and to files, in any format ASE knows."""

from __future__ import annotations

import hashlib
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Lattice, Structure

from barriers.documents import BandDoc
from barriers.words import in_ascii

if TYPE_CHECKING:
    from ase import Atoms

FORMATS = ("extxyz", "cif", "vasp")
"""Endings of structure files that are written."""

WHOLE = 1e-3
"""How far from one the occupancy of a site may lie by rounding."""

LONGEST_STEM = 120
"""Characters of a file's name that names of systems and hops may take: file systems take 255 bytes in all."""


def read_endpoints(initial: Path | str, final: Path | str) -> tuple[Structure, Structure, list[str]]:
    """Read the two ends of a hop, in one order of atoms.

    Parameters
    ----------
    initial, final : Path or str
        Structure files; the last structure counts where a file holds several. Frozen atoms come from the files
        (POSCAR's selective dynamics, extxyz's move mask, a trajectory's constraints).

    Returns
    -------
    tuple[Structure, Structure, list[str]]
        Both endpoints, the final one in the order of the initial one, and warnings.

    Raises
    ------
    EndpointError
        One line, if a file cannot be read or the two are no pair of endpoints.
    """
    from barriers.structures.path.endpoints import check_endpoints, match_order

    start, end = _read(initial), _read(final)
    check_endpoints(start, end)
    matched, warnings = match_order(start, end)
    start.set_constraint(matched.constraints)  # either file may be the one that names the frozen atoms
    return to_structure(start), to_structure(matched), [*_blocks(initial), *_blocks(final), *warnings]


def read_structure(path: Path | str) -> tuple[Structure, list[str]]:
    """Read one structure with what may move of it, and what is to be known of the file.

    Raises
    ------
    EndpointError
        One line that names the file, if it cannot be read or its atoms overlap.
    """
    from barriers.structures.path.endpoints import check_alone

    atoms = _read(path)
    check_alone(str(path), atoms)
    return to_structure(atoms), _blocks(path)


def read_crystal_file(path: Path, field: str) -> Structure:
    """Read a crystal, partial occupancies kept, in any format that pymatgen knows.

    Parameters
    ----------
    path : Path
        The file.
    field : str
        Field of the study file that names it.

    Raises
    ------
    ValueError
        One line that names field and file, if it is no such file.
    """
    try:
        return Structure.from_file(path)
    except FileNotFoundError:
        raise ValueError(f"{field}: {path}: no such file") from None
    except Exception as error:  # pymatgen's readers raise anything
        reason = str(error).splitlines() or [type(error).__name__]
        raise ValueError(f"{field}: {path}: not a crystal that can be read: {reason[0][:200]}") from error


def to_structure(atoms: Atoms) -> Structure:
    """Turn ASE atoms into a structure that keeps positions unwrapped, periodicity and what may move."""
    from barriers.structures.directions import directions_of

    x, y, z = (bool(axis) for axis in atoms.pbc)
    return Structure(
        Lattice(atoms.cell.complete().array, pbc=(x, y, z)),
        atoms.get_chemical_symbols(),
        atoms.positions,
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": directions_of(atoms).tolist()},
    )


def stem(*names: str) -> str:
    """Join names of systems and hops to the name of a file, without its ending: other names, another file.

    Plain names stay as they are, but for the @ and → of usual ones: ASE takes what follows an @ for the number of an
    image, and not every file system takes a →. Any others lose what would make them mistaken for another, or is no
    ASCII, and have a digest behind a ``=`` instead.
    """
    given = [name for name in names if name]
    text = "--".join(given).translate({ord("@"): "+", ord("→"): ","})
    if all(re.fullmatch(r"[\w.@→]+(-[\w.@→]+)*", name, re.ASCII) for name in given) and len(text) <= LONGEST_STEM:
        return text
    legible = re.sub(r"[^\w.+,-]+", "-", in_ascii(text))[:LONGEST_STEM]
    return f"{legible}={hashlib.sha256('/'.join(given).encode()).hexdigest()[:8]}"


def kind_of_hop(kind: str, hop: str) -> str:
    """Name of the file of one kind for a hop; there is one alone where the hop has no name."""
    return f"{kind}-{stem(hop)}" if hop else kind


def band_text(band: BandDoc) -> str:
    """Give all images of a band as extended XYZ, each with its energy and forces as far as it has them."""
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write
    from pymatgen.io.ase import AseAtomsAdaptor

    images = []
    for positions, energy, forces in zip(band.positions, band.energies, band.forces, strict=True):
        atoms = AseAtomsAdaptor.get_atoms(band.structure, msonable=False)
        atoms.positions = positions
        known = (
            {"forces": np.array(forces)} if len(forces) == len(atoms) else {}
        )  # one that was never computed has none
        atoms.calc = SinglePointCalculator(atoms, energy=energy, **known)
        images.append(atoms)
    text = StringIO()
    write(text, images, format="extxyz")
    return text.getvalue()


def write_band(band: BandDoc, path: Path) -> None:
    """Write all images of a band to one extended XYZ file; see :func:`band_text`."""
    path.write_text(band_text(band), "utf-8")


def write_structure(structure: Structure, path: Path) -> None:
    """Write a structure in the format of its ending, atoms in their order.

    Parameters
    ----------
    structure : Structure
        The structure.
    path : Path
        ``.vasp`` is a POSCAR with selective dynamics, ``.extxyz`` has the frozen atoms in its move mask and the
        numbers of the layers; ``.cif`` can hold neither, nor the orientation of the cell.
    """
    if path.suffix == ".extxyz":
        from ase.io import write
        from pymatgen.io.ase import AseAtomsAdaptor

        atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
        own = sorted(set(atoms.arrays) - {"numbers", "positions"})
        write(path, atoms, format="extxyz", columns=["symbols", "positions", *own, "move_mask"])
    else:
        structure.to(filename=str(path), fmt="cif" if path.suffix == ".cif" else "poscar")


def _read(path: Path | str) -> Atoms:
    from ase import Atoms
    from ase.io import read

    from barriers.structures.path.endpoints import EndpointError

    try:
        atoms = read(path, index=-1, do_not_split_by_at_sign=True)
    except FileNotFoundError as error:
        raise EndpointError(f"{path}: no such file") from error
    except Exception as error:  # ASE's readers raise anything
        text = " ".join(str(error).split()) or type(error).__name__
        raise EndpointError(f"{path}: not a structure file that ASE can read: {text[:200]}") from error
    if not len(atoms):
        raise EndpointError(f"{path}: holds no atoms")
    if shared := _not_full(atoms):
        names = _names_of_blocks(path)
        block = f", data_{names[-1]}" if len(names) > 1 else ""
        raise EndpointError(
            f"{path}{block}: {shared} on one site; allowed: one whole atom on each site: order the structure first, "
            f"e.g. with pymatgen's OrderDisorderedStructureTransformation"
        )
    return Atoms(atoms.numbers, atoms.positions, cell=atoms.cell, pbc=atoms.pbc, constraint=atoms.constraints)


def _blocks(path: Path | str) -> list[str]:
    """Say which block of a CIF was read, where it holds several structures."""
    names = _names_of_blocks(path)
    return [f"{path}: holds {len(names)} structures, the last was read: data_{names[-1]}"] if len(names) > 1 else []


def _names_of_blocks(path: Path | str) -> list[str]:
    """Name the blocks of a CIF that hold a structure; the last one is read. Other files have none."""
    if Path(path).suffix != ".cif":
        return []
    from ase.io.cif import parse_cif

    return [block.name for block in parse_cif(str(path)) if block.has_structure()]


def _not_full(atoms: Atoms) -> str:
    """Say what a site holds that is not one whole atom, which ASE reads as one; empty where every site does."""
    sites = [*atoms.info.get("occupancy", {}).values()]  # of a CIF
    shares = atoms.arrays.get("occupancy", np.ones(len(atoms)))  # of a PDB file, where 0 is what nobody has filled in
    sites += [{atom.symbol: share} for atom, share in zip(atoms, shares, strict=True) if share]
    shared = [site for site in sites if len(site) > 1 or abs(sum(site.values()) - 1) > WHOLE]
    return " + ".join(f"{share:g} {element}" for element, share in shared[0].items()) if shared else ""
