"""Files of ABINIT, LAMMPS, eOn and VTST's scripts, made up from a band as far as a reader looks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from ase.cell import Cell
from ase.data import atomic_numbers
from ase.units import Bohr, Hartree, kcal, mol
from numpy.typing import NDArray
from scipy.io import netcdf_file
from written_bands import Band, numbers

Array = NDArray[np.float64]


def write_abinit(folder: Path, band: Band, name: str = "hop", imgmov: int = 5, end: str | None = None) -> Path:
    """A history of two steps and the output that belongs to it."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = list(dict.fromkeys(band.symbols))
    images, atoms = band.positions.shape[:2]
    with netcdf_file(folder / f"{name}_HIST.nc", "w", version=2) as file:  # SciPy writes no scalars beside records
        for dimension, size in {"time": 2, "nimage": images, "natom": atoms, "xyz": 3, "npsp": len(kinds)}.items():
            file.createDimension(dimension, size)
        two = ("time", "nimage")
        values: dict[str, tuple[tuple[str, ...], Array]] = {
            "typat": (("natom",), np.array([kinds.index(symbol) + 1.0 for symbol in band.symbols])),
            "znucl": (("npsp",), np.array([float(atomic_numbers[kind]) for kind in kinds])),
            "amu": (("npsp",), np.ones(len(kinds))),
            "imgmov": ((), np.array(float(imgmov))),
            "etotal": (two, np.array([band.energies + 0.1, band.energies]) / Hartree),
            "xcart": ((*two, "natom", "xyz"), np.array([band.positions + 0.1, band.positions]) / Bohr),
            "fcart": ((*two, "natom", "xyz"), np.array([band.forces * 2, band.forces]) * Bohr / Hartree),
            "rprimd": ((*two, "xyz", "xyz"), np.broadcast_to(band.cell / Bohr, (2, images, 3, 3))),
        }
        for key, (dimensions, value) in values.items():
            variable = file.createVariable(key, "d", dimensions)
            variable[slice(None) if dimensions else ()] = value
    (folder / f"{name}.abo").write_text(abinit_output(band, end))
    return folder


def abinit_output(band: Band, end: str | None = None, scf: str = "") -> str:
    """Output: echo of variables, energies of the last step, and how it ended."""
    reached = " NUDGED ELASTIC BAND has reached energy convergence\n"
    echo = {"ecut": "2.0E+01 Hartree", "nsppol": "2", "tolimg": "1.0E-07 Hartree"}
    for name, directions in (("iatfix", [0, 1, 2]), ("iatfixz", [2])):
        held = [n for n, free in enumerate(band.free, 1) if not free[directions].any()]
        if held:
            echo[name] = "\n                 ".join(map(str, held))
    text = ".Version 9.6.2 of ABINIT \n" + "".join(f"{name:>16}       {value}\n" for name, value in echo.items())
    for number, energy in enumerate(band.energies, 1):
        text += f" NUDGED ELASTIC BAND - CELL # {number:4d}/{len(band.energies):4d}\n{scf}"
        text += f"total_energy        : {energy / Hartree:.14E}\n"
    return text + (reached if end is None else end)


def lammps_log(band: Band, literal: bool = False, scale: float = 1.0) -> str:
    """Log of all partitions: a first row, and the last one with the band's energies."""
    along = np.linalg.norm(np.diff(band.positions, axis=0), axis=(1, 2)).cumsum()
    along = np.concatenate([[0.0], along]) / along[-1]
    pairs = [f"RD{n} PE{n}" for n in range(1, len(band.energies) + 1)]
    shown = "RD1 PE1 RD2 PE2 ... RDN PEN" if literal else " ".join(pairs)
    head = f"    Step MaxReplicaForce MaxAtomForce GradV0 GradV1 GradVc EBF EBR RDT {shown}"
    rows = []
    for step, shift in ((0, 0.3), (40, 0.0)):
        values = [0.02 / scale, 0.0004, 0.1, 0.1, 0.01, 0.4, 0.3, 3.0]
        for place, energy in zip(along, (band.energies + shift) / scale, strict=True):
            values += [place, energy]
        rows.append(f"{step:10d} " + " ".join(repr(float(value)) for value in values))
    return "\n".join(["LAMMPS (29 Sep 2021)", "Running on 5 partitions of processors", head, *rows]) + "\n"


def write_lammps(
    folder: Path, band: Band, units: str = "metal", criterion: str = "force tolerance", literal: bool = False
) -> Path:
    """A band of LAMMPS with the replicas' own logs."""
    folder.mkdir(parents=True, exist_ok=True)
    scale = {"metal": 1.0, "real": kcal / mol, "lj": 1.0}[units]
    (folder / "log.lammps").write_text(lammps_log(band, literal, scale))
    for number, energy in enumerate(band.energies / scale):
        (folder / f"log.lammps.{number}").write_text(
            f"LAMMPS (29 Sep 2021)\nProcessor partition = {number}\nunits {units}\n"
            f"  Stopping criterion = max iterations\n  Stopping criterion = {criterion}\n"
            f"  Energy initial, next-to-last, final = \n      0.1  {energy + 0.1}  {energy}\n"
        )
    return folder


def write_eon(folder: Path, band: Band, ending: str = "GOOD", atoms: bool = True) -> Path:
    """A band of eOn; its cell stands along the axes in its own way, atoms sorted by element."""
    folder.mkdir(parents=True, exist_ok=True)
    relative = band.energies - band.energies[0]
    path = np.diff(band.positions, axis=0)
    steps = np.linalg.norm(path, axis=(1, 2))
    along = np.concatenate([[0.0], steps.cumsum()])
    tangents = np.concatenate([path[:1], path])
    slopes = (band.forces * tangents).sum(axis=(1, 2)) / np.concatenate([steps[:1], steps])
    rows = zip(along, relative, slopes, strict=True)
    text = "".join(f"{n:3d} {x:.12f} {e:.12f} {f:.12f}\n" for n, (x, e, f) in enumerate(rows))
    (folder / "neb.dat").write_text("img    rxn_coord       energy       f_para\n" + text)
    lines = [f"{0 if ending == 'GOOD' else 1} termination_reason", f"{ending} termination_reason_text"]
    lines += ["EAM_AL potential_type", f"{band.energies[0]:.12e} energy_reference"]
    for number, energy in enumerate(relative):
        lines += [f"{energy:.12f} image{number}_energy", f"0.05 image{number}_force"]
        lines.append(f"0.01 image{number}_projected_force")
    (folder / "results.dat").write_text("\n".join(lines) + "\n")
    (folder / "config.ini").write_text("[Optimizer]\nconverged_force = 0.02\n")
    if atoms:
        (folder / "neb.con").write_text("".join(eon_image(band, number) for number in range(len(relative))))
    return folder


def eon_image(band: Band, number: int) -> str:
    """One image of ``neb.con``, wrapped into the cell as eOn does."""
    inside = np.linalg.solve(band.cell.T, band.positions[number].T).T % 1.0 @ band.cell
    lengths = Cell(band.cell).cellpar()
    kinds = sorted(set(band.symbols))
    groups = [[atom for atom, symbol in enumerate(band.symbols) if symbol == kind] for kind in kinds]
    text = "made up\n" + json.dumps({"energy": band.energies[number], "frame_index": number}) + "\n"
    text += numbers(lengths[:3]) + numbers(lengths[3:])
    text += f"h\nh\n{len(kinds)}\n{' '.join(str(len(group)) for group in groups)}\n"
    text += " ".join(["1.0"] * len(kinds)) + "\n"
    for count, (kind, group) in enumerate(zip(kinds, groups, strict=True), 1):
        text += f"{kind}\nCoordinates of Component {count}\n"
        for atom in group:
            text += f"{numbers(inside[atom]).rstrip()} {0 if band.free[atom].any() else 7} {atom}\n"
    return text


def write_vtst(folder: Path, band: Band, forces: bool = True) -> Path:
    """``neb.dat`` of nebbarrier.pl and ``nebef.dat`` of nebef.pl."""
    folder.mkdir(parents=True, exist_ok=True)
    path = np.diff(band.positions, axis=0)
    along = np.concatenate([[0.0], np.linalg.norm(path, axis=(1, 2)).cumsum()])
    slopes = (band.forces * np.concatenate([path[:1], path])).sum(axis=(1, 2)) / np.linalg.norm(path[0])
    relative = band.energies - band.energies[0]
    (folder / "neb.dat").write_text(
        "".join(f"{n:3d} {along[n]:16.8f} {relative[n]:16.8f} {slopes[n]:16.8f} {n:4d}\n" for n in range(len(along)))
    )
    if forces:
        (folder / "nebef.dat").write_text(
            "".join(f"{n:4d} {0.02:16.8f} {band.energies[n]:16.8f} {relative[n]:16.8f}\n" for n in range(len(along)))
        )
    return folder
