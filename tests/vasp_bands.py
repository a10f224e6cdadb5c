"""Files of VASP, made up from a band: only as far as a reader looks, formats as VASP has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import write
from written_bands import Array, Band

HEAD: dict[str, str] = {"ENCUT": "520.0 eV  38.22 Ry", "ISPIN": "2", "NELM": "60;", "NSW": "100", "EDIFFG": "-.1E-01"}
TITLES = ("PAW_PBE O 08Apr2002", "PAW_PBE Ni_pv 06Sep2000", "PAW_PBE Li_sv 10Sep2004", "PAW_PBE H 15Jun2001")
LINE = "-" * 83


@dataclass
class Run:
    """What an OUTCAR says beside the numbers of its last step."""

    head: dict[str, str] = field(default_factory=dict)
    titles: Sequence[str] = TITLES
    more: str = "  generate k-points for:    2    2    1\n"
    steps: int = 3
    cycles: int = 12
    entropy: float = 0.0
    reached: bool = True
    learned: bool = False
    band: bool = False
    version: str = "6.4.2"
    digits: int = 6
    before: str = ""


USUAL = Run(
    head={
        "NELECT": "22.0", "LREAL": "F", "ISMEAR": "0;   SIGMA  =   0.05", "METAGGA": "F",
    },
)  # fmt: skip


def usual(**more: object) -> dict[int, Run]:
    """Runs of five images with the settings that others are set against."""
    return {image: replace(USUAL, band=0 < image < 4, **more) for image in range(5)}


def outcar(positions: Array, forces: Array, energy: float, cell: Array, counts: Sequence[int], run: Run) -> str:
    """An OUTCAR whose last step has these numbers; those before it are higher."""
    lines = [f" vasp.{run.version} 20Jul23 (build Nov 1 2026) complex", ""]
    lines += [f"   TITEL  = {title}" for title in run.titles]
    lines += [" CHAIN: Running the NEB"] * run.band
    lines += [f"   ions per type =            {''.join(f'{count:4d}' for count in counts)}"]
    lines += [f"   {key:<6} = {value}" for key, value in {**HEAD, **run.head}.items()]
    lines += [run.more, "      direct lattice vectors                 reciprocal lattice vectors"]
    lines += ["   " + "".join(f"{value:13.9f}" for value in (*row, 0, 0, 0)) for row in cell]
    for step in range(1, run.steps + 1):
        above = 0.02 * (run.steps - step)
        lines += [f"{'-' * 39} Iteration {step:6d}({cycle:4d})  {'-' * 39}" for cycle in range(1, run.cycles + 1)]
        lines += ["  free energy    TOTEN  =      -999.00000000 eV", run.before]
        lines += [
            f" POSITION                                       TOTAL-FORCE (eV/Angst){' (ML)' * run.learned}",
            f" {LINE}",
        ]
        for place, force in zip(positions, forces, strict=True):
            lines.append(
                " "
                + "".join(f"{x:13.5f}" for x in place)
                + " "
                + "".join(f"{x:{8 + run.digits}.{run.digits}f}" for x in force)
            )
        lines += [
            f" {LINE}",
            "    total drift:                                0.000000      0.000000      0.000000",
            "",
        ]
        lines += ["  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)", "  " + "-" * 51]
        lines += [f"  free  energy {'ML' if run.learned else '  '} TOTEN  = {energy + above:18.8f} eV", ""]
        zero = energy + above + run.entropy
        lines += [f"  energy  without entropy= {zero:18.8f}  energy(sigma->0) = {zero:18.8f}", ""]
    lines += [" reached required accuracy - stopping structural energy minimisation"] * run.reached
    return "\n".join([*lines, " General timing and accounting informations for this job:", ""])


def place(folder: Path, band: Band, image: int, run: Run | None, shift: float = 0.0) -> None:
    """POSCAR of an image, and its OUTCAR and CONTCAR unless ``run`` is None."""
    folder.mkdir(parents=True, exist_ok=True)
    atoms = Atoms(band.symbols, band.positions[image], cell=band.cell, pbc=True)
    poscar(folder / "POSCAR", atoms, band.free)
    if run is not None:
        poscar(folder / "CONTCAR", atoms, band.free)
        counts = [1] * len(band.symbols)
        numbers = (band.positions[image], band.forces[image], band.energies[image] + shift, band.cell, counts)
        (folder / "OUTCAR").write_text(outcar(*numbers, run), "utf-8")


def poscar(path: Path, atoms: Atoms, free: np.ndarray) -> None:
    """A POSCAR to the last digit, atoms where they are, with selective dynamics."""
    symbols = atoms.get_chemical_symbols()
    rows = ["made up", "1.0", *(" ".join(f"{x:.16f}" for x in row) for row in atoms.cell.array)]
    rows += [" ".join(symbols), " ".join("1" for _ in symbols), "Selective dynamics", "Cartesian"]
    for where, flags in zip(atoms.positions, free, strict=True):
        rows.append(" ".join(f"{x:.16f}" for x in where) + " " + " ".join("T" if flag else "F" for flag in flags))
    path.write_text("\n".join(rows) + "\n", "utf-8")


def write_vasp(
    folder: Path, band: Band, runs: Mapping[int, Run | None] | None = None, shifts: Mapping[int, float] | None = None
) -> Path:
    """A NEB folder: each image with a run like the others', unless ``runs`` has another one, or None, for it."""
    last = len(band.energies) - 1
    for image in range(last + 1):
        usual = Run() if image in (0, last) else Run(band=True)
        run = {image: usual, **(runs or {})}[image]
        place(folder / f"{image:02d}", band, image, run, (shifts or {}).get(image, 0.0))
    return folder


def frames(band: Band, **more: Any) -> list[Atoms]:
    """The band as frames of ASE, with energies and forces."""
    from ase.calculators.singlepoint import SinglePointCalculator

    images = []
    for positions, energy, forces in zip(band.positions, band.energies, band.forces, strict=True):
        atoms = Atoms(band.symbols, positions, cell=band.cell, pbc=True)
        atoms.calc = SinglePointCalculator(atoms, energy=float(energy), forces=forces, **more)
        images.append(atoms)
    return images


def save(folder: Path, **images: Atoms | list[Atoms]) -> Path:
    """Frames as extended XYZ, named as said."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, atoms in images.items():
        write(folder / f"{name}.extxyz", atoms)
    return folder
