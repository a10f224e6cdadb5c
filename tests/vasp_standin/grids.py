"""Grids that VASP writes: CHGCAR, AECCAR0, AECCAR2 and ELFCAR, made up of Gaussians.

Each atom has the electrons of its POTCAR in a Gaussian, and a narrower one of its core. Of each pair of unlike
neighbours the heavier atom has taken a tenth of an electron from the lighter. Spin up has three fifths of them. The
ELF is the density as a part of its largest value, halved for spin down, on every second point, as VASP has it.

The fine grid is that of the INCAR (NGXF, NGYF, NGZF); else it depends on the species, as it does in VASP where PREC
takes it from the POTCARs.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from ase import Atoms

SPACING, VALENCE, CORE, TAKEN, NEIGHBOUR = 0.3, 0.5, 0.3, 0.1, 3.2
"""Å between points; widths (Å) of the Gaussians; electrons taken over a bond; longest bond (Å)."""


def write_grids(folder: Path, atoms: Atoms, incar: dict[str, str]) -> None:
    """Write the files that the INCAR asks for."""
    asked = {key for key in ("LCHARG", "LAECHG", "LELF") if incar.get(key, "F").strip(".").upper().startswith("T")}
    if not asked:
        return
    if "LELF" in asked and incar.get("NPAR") != "1":
        print(" ERROR: ELF needs NPAR=1", flush=True)
        raise SystemExit(1)
    shape = tuple(int(incar.get(f"NG{axis}F", usual)) for axis, usual in zip("XYZ", usual_grid(atoms), strict=True))
    valence = gaussians(atoms, electrons_of(atoms), shape, VALENCE)
    spins = [0.6 * valence, 0.4 * valence] if incar.get("ISPIN") == "2" else [valence]
    volume = atoms.get_volume()
    total = [valence * volume, *([(spins[0] - spins[1]) * volume] if len(spins) == 2 else [])]
    if "LCHARG" in asked:
        write(folder / "CHGCAR", atoms, total, augmentation=True)
    if "LAECHG" in asked:
        core = gaussians(atoms, np.maximum(atoms.numbers - 3.0, 0.0), shape, CORE)
        write(folder / "AECCAR0", atoms, [core * volume])
        write(folder / "AECCAR2", atoms, [valence * volume])
    if "LELF" in asked:
        coarse = valence[::2, ::2, ::2] / valence.max()
        write(folder / "ELFCAR", atoms, [coarse / number for number in range(1, len(spins) + 1)])


def usual_grid(atoms: Atoms) -> list[int]:
    """Even numbers of points, two fewer where there is one species alone."""
    fewer = 2 * (len(set(atoms.symbols)) == 1)
    return [2 * int(np.ceil(length / SPACING / 2)) - fewer for length in atoms.cell.lengths()]


def electrons_of(atoms: Atoms) -> np.ndarray:
    """Valence electrons of each atom, those that it has taken included."""
    potcars = re.findall(r"VRHFIN =(\w+).*?ZVAL\s*=\s*([\d.]+)", Path("POTCAR").read_text(), re.S)
    electrons = np.array([float(dict(potcars)[symbol]) for symbol in atoms.symbols])
    near = atoms.get_all_distances(mic=True) < NEIGHBOUR
    heavier = np.sign(atoms.numbers[:, None] - atoms.numbers[None, :])
    return electrons + TAKEN * (heavier * near).sum(axis=1)


def gaussians(atoms: Atoms, electrons: np.ndarray, shape: tuple[int, ...], width: float) -> np.ndarray:
    """Sum Gaussians and their images in reciprocal space (e/Å³)."""
    numbers = np.stack(np.meshgrid(*(np.fft.fftfreq(n, 1 / n) for n in shape), indexing="ij"), axis=-1)
    waves = 2 * np.pi * numbers @ atoms.cell.reciprocal().array
    phases = np.exp(-2j * np.pi * numbers @ atoms.get_scaled_positions(wrap=False).T) @ electrons
    parts = phases * np.exp(-((waves**2).sum(axis=-1)) * width**2 / 2) / atoms.get_volume()
    return np.fft.ifftn(parts).real * np.prod(shape)


def write(path: Path, atoms: Atoms, blocks: list[np.ndarray], augmentation: bool = False) -> None:
    """Write a file as VASP does: the structure, then of each block its points, x fastest, five on a line."""
    symbols = list(dict.fromkeys(atoms.symbols))
    lines = ["made up", "   1.00000000000000"]
    lines += [" ".join(f"{length:12.6f}" for length in vector) for vector in atoms.cell.array]
    lines += ["   " + "   ".join(symbols), " ".join(f"{list(atoms.symbols).count(symbol):6d}" for symbol in symbols)]
    lines += ["Direct", *(" ".join(f"{x:9.6f}" for x in place) for place in atoms.get_scaled_positions(wrap=True)), ""]
    for number, block in enumerate(blocks):
        if number and augmentation:
            lines += [" ".join(f"{0.0:.12E}" for _ in atoms)]
        lines += [" ".join(f"{n:4d}" for n in block.shape)]
        values = block.ravel(order="F")
        lines += [" " + " ".join(f"{x:.11E}" for x in values[at : at + 5]) for at in range(0, len(values), 5)]
        for atom in range(1, len(atoms) + 1) if augmentation else ():
            lines += [f"augmentation occupancies {atom:3d} {2:3d}", "  0.1000000E+00  0.2000000E-01"]
    path.write_text("\n".join(lines) + "\n")
