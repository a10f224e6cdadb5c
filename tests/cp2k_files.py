"""Files of a CP2K band, made up from a band as far as a reader looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from ase.units import Bohr, Hartree
from written_bands import Band, numbers


def cp2k_energies(band: Band, step: int = 7) -> str:
    """``PROJECT-1.ener``: a first step, and the last one with the band's energies."""
    flat = band.positions.reshape(len(band.energies), -1) / Bohr
    apart = np.linalg.norm(np.diff(flat, axis=0), axis=1)
    rows = [np.concatenate([energies, apart]) for energies in (band.energies / Hartree + 0.1, band.energies / Hartree)]
    return "".join(f"{n:10d}{numbers(row)}" for n, row in zip((0, step), rows, strict=True))


def cp2k_restart(band: Band, frames: str = "F", labels: list[str] | None = None, periodic: str = "") -> str:
    """``PROJECT-1.restart``; atoms are held in all directions, or in z alone."""
    names = ["XYZ" if not free.any() else "Z" for free in band.free]
    held = [(n + 1, name) for n, (name, free) in enumerate(zip(names, band.free, strict=True)) if not free.all()]
    fixed = "".join(
        f"     &FIXED_ATOMS\n       COMPONENTS_TO_FIX  {name}\n       LIST  {n}..{n}\n     &END FIXED_ATOMS\n"
        for n, name in held
    )
    replicas = "".join(
        f"     &REPLICA\n       &COORD\n{numbers(positions)}       &END COORD\n     &END REPLICA\n"
        for positions in band.positions
    )
    labels = labels or band.symbols
    kinds = "".join(
        f"     &KIND {label}\n       ELEMENT {symbol}\n     &END KIND\n"
        for label, symbol in dict(zip(labels, band.symbols, strict=True)).items()
    )
    atoms = "".join(f"{label} {numbers(place)}" for label, place in zip(labels, band.positions[0], strict=True))
    cell = "".join(f"       {name} {numbers(row)}" for name, row in zip("ABC", band.cell, strict=True))
    asked = f"     ROTATE_FRAMES  {frames}\n     ALIGN_FRAMES  {frames}\n" if frames else ""
    return (
        f" &MOTION\n   &CONSTRAINT\n{fixed}   &END CONSTRAINT\n   &BAND\n     NUMBER_OF_REPLICA  {len(band.energies)}\n"
        f"{asked}{replicas}   &END BAND\n &END MOTION\n &FORCE_EVAL\n   METHOD  QS\n   &DFT\n     &MGRID\n"
        f"       CUTOFF 400\n     &END MGRID\n   &END DFT\n   &SUBSYS\n     &CELL\n{cell}{periodic}     &END CELL\n"
        f"     &COORD\n{atoms}     &END COORD\n{kinds}   &END SUBSYS\n &END FORCE_EVAL\n"
    )


def cp2k_output(band: Band) -> str:
    """Main output: forces of a line search, then those of the last step."""
    text = " CP2K| version string:                  CP2K version 2023.1\n"
    for scale in (1.1, 1.0):
        for number, (energy, forces) in enumerate(zip(band.energies, band.forces, strict=True), 1):
            text += f" NEB| REPLICA Nr. {number:4d}- Energy and Forces\n"
            text += f" NEB|     Total energy:  {energy / Hartree * scale:.15f}\n"
            text += " NEB|    ATOM                            X                Y                Z\n"
            rows = zip(band.symbols, forces * scale * Bohr / Hartree, strict=True)
            text += "".join(f" NEB|      {symbol} {numbers(row)}" for symbol, row in rows)
    return text


def cp2k_table(step: int = 7, met: str = "YES", scf: str = "") -> str:
    """``PROJECT-BAND<last>.out``: a step that was not converged, and the last one."""
    lines = [f" ** Band  Step  Nr. : {step - 1:4d}", scf] + [f" {name} = 0.1 [ 0.001] ( NO)" for name in TABLE]
    lines += [f" ** Band  Step  Nr. : {step:4d}", scf]
    lines += [f" {name} =   0.00005     [ 0.00100]   ({met:>3s})" for name in TABLE]
    return "\n".join(lines) + "\n"


TABLE = ("RMS DISPLACEMENT", "MAX DISPLACEMENT", "RMS FORCE       ", "MAX FORCE       ")


def write_cp2k(folder: Path, band: Band, project: str = "hop") -> Path:
    """A converged band of CP2K, printed at MEDIUM."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{project}-1.ener").write_text(cp2k_energies(band))
    (folder / f"{project}-1.restart").write_text(cp2k_restart(band))
    (folder / f"{project}.out").write_text(cp2k_output(band))
    (folder / f"{project}-BAND{len(band.energies)}.out").write_text(cp2k_table())
    write_replicas(folder, band, project)
    return folder


def write_replicas(folder: Path, band: Band, project: str = "hop") -> None:
    """Histories of CP2K's replicas, two frames each."""
    for number, (energy, positions) in enumerate(zip(band.energies, band.positions, strict=True), 1):
        frames = ""
        for step, shift in ((0, 0.1), (7, 0.0)):
            frames += f"{len(band.symbols):8d}\n i = {step:8d}, E = {energy / Hartree:18.10f}\n"
            frames += "".join(f"{s} {numbers(p + shift)}" for s, p in zip(band.symbols, positions, strict=True))
        (folder / f"{project}-pos-Replica_nr_{number}-1.xyz").write_text(frames)
