"""Trajectories from files: MDAnalysis for MD codes' own, ASE for extended XYZ and the like.

What readers get wrong is kept from results here: times that a file does not hold (DCD, LAMMPS dumps), wrapped
coordinates where unwrapped ones stand beside them, elements guessed from names, offsets left beside the file.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.data import atomic_masses, chemical_symbols

from barriers.analysis.trajectory.bonding import bonds_by_distance, molecules_of
from barriers.analysis.trajectory.frames import Floats, Ints, Trajectory
from barriers.distribution import install

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMED = {".xtc", ".trr", ".nc", ".ncdf"}
"""Formats whose frames have times in ps."""

DUMPS = {".lammpstrj", ".dump"}
NAMELESS = {".xtc", ".trr", ".nc", ".ncdf", ".dcd"}
"""Formats without elements."""

SAME_MASS = 0.3
"""A mass is an element's if it differs by no more than this (u)."""

SAME_TIME = 1e-3
"""Share by which a time between frames that was told may differ from the file's."""


def read_trajectory(file: Path | str, topology: Path | str | None = None, timestep: float | None = None) -> Trajectory:
    """Read a trajectory of a periodic box.

    Parameters
    ----------
    file : Path or str
        XTC, TRR, DCD, NetCDF or a LAMMPS dump through MDAnalysis (extra ``matrix``); extended XYZ, XDATCAR and
        others through ASE.
    topology : Path, str or None
        Elements, bonds and charges of the former: TPR, PSF, PDB, PRMTOP, or LAMMPS data.
    timestep : float or None
        Time between frames (ps): needed where files hold none, checked where they do.

    Raises
    ------
    ValueError
        One line: what the file lacks, and what gives it.
    """
    path = Path(file)
    if not path.is_file():
        raise ValueError(f"{path}: no such file; allowed: a trajectory")
    if timestep is not None and not timestep > 0:
        raise ValueError(f"timestep: {timestep:g} ps; allowed: above 0")
    by_mdanalysis = path.suffix.lower() in NAMELESS | DUMPS
    if not by_mdanalysis and topology is not None:
        raise ValueError(f"topology: {path.name} names its own elements; allowed: none")
    return _by_mdanalysis(path, topology, timestep) if by_mdanalysis else _by_ase(path, timestep)


def _by_ase(path: Path, timestep: float | None) -> Trajectory:
    from ase.io import iread

    if timestep is None:
        raise ValueError(_no_times(path))
    try:
        frames = list(iread(path, index=":", do_not_split_by_at_sign=True))
    except Exception as error:  # ASE's readers raise anything
        text = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: cannot be read: {text[:100]}") from error
    symbols = frames[0].get_chemical_symbols()
    if any(frame.get_chemical_symbols() != symbols for frame in frames):
        raise ValueError(f"{path}: atoms change from frame to frame; allowed: the same atoms in the same order")
    cells = np.array([frame.cell.array for frame in frames])
    positions = np.array([frame.positions for frame in frames])
    return _trajectory(path, positions, cells, np.arange(len(frames)) * timestep, tuple(symbols))


def _by_mdanalysis(path: Path, topology: Path | str | None, timestep: float | None) -> Trajectory:
    try:
        from MDAnalysis import Universe
    except ImportError as missing:
        raise ValueError(f"{path.name}: MDAnalysis reads it, which is not installed; {install('matrix')}") from missing
    suffix, options = path.suffix.lower(), {}
    if suffix in NAMELESS and topology is None:
        raise ValueError(f"topology: {path.name} holds no elements; allowed: --topology TPR, PSF, PDB or LAMMPS data")
    if suffix not in TIMED and timestep is None:
        raise ValueError(_no_times(path))
    if suffix in DUMPS:
        options = {"format": "LAMMPSDUMP", "lammps_coordinate_convention": _convention(path)}
        options |= {} if topology is not None else {"topology_format": "LAMMPSDUMP"}
    with _no_offsets_left(path):
        universe = Universe(str(topology or path), str(path), to_guess=(), **options)
        frames, atoms = universe.trajectory.n_frames, len(universe.atoms)
        positions, cells = np.empty((frames, atoms, 3), dtype=np.float32), np.empty((frames, 3, 3))
        times = np.empty(frames)
        for number, frame in enumerate(universe.trajectory):
            if frame.dimensions is None:
                raise ValueError(f"{path}: no cell in frame {number + 1}; allowed: periodic in three directions")
            positions[number], cells[number] = frame.positions, frame.triclinic_dimensions
            times[number] = frame.time if suffix in TIMED else frame.data.get("step", number)
    unwrapped = options.get("lammps_coordinate_convention", "").endswith("unwrapped")
    species = _elements(universe.atoms, Path(topology or path))
    bonds = universe.bonds.indices if hasattr(universe, "bonds") and len(universe.bonds) else None
    charges = universe.atoms.charges if hasattr(universe.atoms, "charges") else None
    return _trajectory(path, positions, cells, _in_ps(path, times, timestep), species, bonds, charges, unwrapped)


def _trajectory(
    path: Path,
    positions: Floats,
    cells: Floats,
    times: Floats,
    species: tuple[str, ...],
    bonds: Ints | None = None,
    charges: Floats | None = None,
    unwrapped: bool = False,
) -> Trajectory:
    """Put it together; hydrogen without a bond in the topology shows that this does not have them all."""
    hydrogens = [number for number, symbol in enumerate(species) if symbol == "H"]
    if bonds is None or not np.isin(hydrogens, bonds).all():
        bonds = bonds_by_distance(positions[0], cells[0], species)
    molecules = molecules_of(bonds, len(species))
    return Trajectory(positions, cells, times, species, bonds, molecules, charges, unwrapped, path.name)


def _no_times(path: Path) -> str:
    return f"timestep: {path.name} holds no times that can be trusted; allowed: --timestep, the ps from frame to frame"


def _in_ps(path: Path, times: Floats, timestep: float | None) -> Floats:
    """Times (ps): those of the file, or its step numbers by the time between frames that was told."""
    if path.suffix.lower() not in TIMED:
        assert timestep is not None
        first: float = times[1] - times[0] if len(times) > 1 else 1.0
        return (times - times[0]) / (first or 1.0) * timestep
    said = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
    if timestep is not None and abs(timestep - said) > SAME_TIME * said:
        raise ValueError(f"timestep: {timestep:g} ps, {path.name} says {said:g} ps; allowed: the same, or none")
    return times


def _convention(path: Path) -> str:
    """Columns of a LAMMPS dump that are read: unwrapped ones where they are there."""
    with path.open(encoding="utf-8", errors="replace") as file:
        columns = next((line.split()[2:] for line in file if line.startswith("ITEM: ATOMS")), [])
    for column, name in (("xu", "unwrapped"), ("xsu", "scaled_unwrapped"), ("x", "unscaled"), ("xs", "scaled")):
        if column in columns:
            return name
    raise ValueError(f"{path}: no coordinates; allowed: columns x, xu, xs or xsu, with their y and z")


def _elements(atoms: Any, topology: Path) -> tuple[str, ...]:
    """Elements as the topology says, or by its masses; never by names: CA is calcium or a carbon."""
    if hasattr(atoms, "elements") and all(str(each).capitalize() in chemical_symbols[1:] for each in atoms.elements):
        return tuple(str(each).capitalize() for each in atoms.elements)
    if not hasattr(atoms, "masses"):
        raise ValueError(
            f"topology: {topology.name} has neither elements nor masses, and names may mislead; "
            "allowed: TPR, PSF, PDB with elements, LAMMPS data, or a dump with the column element"
        )
    species = {}
    for mass in set(atoms.masses.tolist()):
        nearest = int(np.argmin(abs(atomic_masses[1:] - mass))) + 1
        if abs(atomic_masses[nearest] - mass) > SAME_MASS:
            raise ValueError(
                f"topology: {topology.name} has a mass of {mass:g} u, which is no element's (repartitioned hydrogen?); "
                "allowed: a topology with elements (TPR, PDB)"
            )
        species[mass] = chemical_symbols[nearest]
    return tuple(species[mass] for mass in atoms.masses.tolist())


@contextmanager
def _no_offsets_left(path: Path) -> Iterator[None]:
    """Remove the index that MDAnalysis writes beside an XTC or TRR, unless it was there."""
    made = [path.with_name(f".{path.name}_offsets.{ending}") for ending in ("npz", "lock")]
    there = [each.exists() for each in made]
    try:
        yield
    finally:
        for each, before in zip(made, there, strict=True):
            if not before:
                each.unlink(missing_ok=True)
