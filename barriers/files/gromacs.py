"""Boxes of a matrix as inputs of GROMACS: coordinates, topology, and run files of a melt."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from math import degrees
from pathlib import Path

from barriers.files.boxes import write_texts
from barriers.structures.matrix.box import Box, MoleculeDoc
from barriers.structures.matrix.parameters import CUTOFF, SWITCH, Parameters

COMMON = f"""\
cutoff-scheme = Verlet
coulombtype = PME
rcoulomb = {CUTOFF / 10:g}
vdwtype = Cut-off
vdw-modifier = Potential-switch
rvdw-switch = {SWITCH / 10:g}
rvdw = {CUTOFF / 10:g}
DispCorr = EnerPres
constraints = h-bonds
"""

DYNAMICS = """\
integrator = sd
dt = 0.002
tc-grps = System
tau-t = 1.0
"""

MINIMISE, MELT, EQUILIBRATE, PRODUCE = "1-minimise", "2-melt", "3-npt", "4-nvt"
"""Names of the run files, in their order."""


def write_gromacs(box: Box, folder: Path, temperature: float) -> list[Path]:
    """Write ``box.gro``, ``box.top``, a run file for each step, and ``run.sh``.

    Parameters
    ----------
    box : Box
        As built.
    folder : Path
        Made if it is not there.
    temperature : float
        Of the run (K).
    """
    texts = {"box.gro": gro_text(box), "box.top": top_text(box), "run.sh": _script()}
    texts |= {f"{name}.mdp": text for name, text in _run_files(temperature, box.document.seed).items()}
    return write_texts(folder, texts)


def gro_text(box: Box) -> str:
    """Write positions and cell (nm), with the digits that the box has."""
    document, positions = box.document, box.positions / 10
    rows = [document.system, str(len(positions))]
    for number, molecule in enumerate(document.molecules, 1):
        for i in range(molecule.atoms):
            atom = molecule.first + i
            x, y, z = positions[atom]
            name = f"{document.species[atom]}{i + 1}"[:5]
            rows.append(
                f"{number % 100000:5d}{_residue(molecule):<5}{name:>5}{(atom + 1) % 100000:5d}{x:9.4f}{y:9.4f}{z:9.4f}"
            )
    edge = document.edge / 10
    return "\n".join([*rows, f"{edge:9.5f} {edge:9.5f} {edge:9.5f}"]) + "\n"


def top_text(box: Box) -> str:
    """Write the topology: a molecule type for each kind, terms within one with charges that are not scaled."""
    kinds = box.kinds
    types = atom_types(kinds.values())
    lines = ["[ defaults ]", "1 2 no 1.0 1.0", "", "[ atomtypes ]"]
    for (symbol, mass, sigma, epsilon), name in types.items():
        lines.append(f"{name} {symbol} {mass:.5f} 0.0 A {sigma:.10g} {epsilon:.10g}")
    names = {kind: f"M{number}" for number, kind in enumerate(kinds, 1)}
    roles = {molecule.kind: _residue(molecule) for molecule in box.document.molecules}
    for kind, parameters in kinds.items():
        lines += _molecule(names[kind], roles[kind], parameters, types)
    lines += ["", "[ system ]", box.document.system, "", "[ molecules ]"]
    for kind, group in groupby(molecule.kind for molecule in box.document.molecules):
        lines.append(f"{names[kind]} {len(list(group))}")
    return "\n".join(lines) + "\n"


def atom_types(kinds: Iterable[Parameters]) -> dict[tuple[str, float, float, float], str]:
    """Name the types of atoms: element, mass (u), sigma (nm), epsilon (kJ/mol)."""
    types: dict[tuple[str, float, float, float], str] = {}
    for kind in kinds:
        for symbol, mass, (sigma, epsilon) in zip(kind.species, kind.masses, kind.lennard_jones, strict=True):
            types.setdefault((symbol, mass, sigma, epsilon), f"{symbol}_{len(types) + 1}")
    return types


def _residue(molecule: MoleculeDoc) -> str:
    return {"chain": "POL", "cation": "CAT", "anion": "ANI"}[molecule.role]


def _molecule(
    name: str, residue: str, kind: Parameters, types: dict[tuple[str, float, float, float], str]
) -> list[str]:
    lines = ["", "[ moleculetype ]", f"{name} 3", "", "[ atoms ]"]
    atoms = zip(kind.species, kind.masses, kind.scaled, kind.lennard_jones, strict=True)
    for number, (symbol, mass, charge, (sigma, epsilon)) in enumerate(atoms, 1):
        of = types[symbol, mass, sigma, epsilon]
        lines.append(f"{number} {of} 1 {residue} {symbol}{number} {number} {charge:.8f} {mass:.5f}")
    sections = {
        "bonds": [f"{i + 1} {j + 1} 1 {r:.10g} {k:.10g}" for i, j, r, k in kind.bonds],
        "pairs": [f"{i + 1} {j + 1} 2 1.0 {qq:.10g} 1.0 {s:.10g} {e:.10g}" for i, j, qq, s, e in kind.pairs],
        "angles": [f"{i + 1} {j + 1} {k + 1} 1 {degrees(a):.10g} {c:.10g}" for i, j, k, a, c in kind.angles],
        "dihedrals": [
            f"{i + 1} {j + 1} {k + 1} {last + 1} 9 {degrees(phase):.10g} {c:.10g} {n}"
            for i, j, k, last, n, phase, c in kind.torsions
        ],
    }
    if kind.scale != 1:  # beyond 1-4 too
        sections["exclusions"] = [f"{i + 1} {j + 1}" for i, j, *_ in kind.pairs]
    for section, rows in sections.items():
        lines += ["", f"[ {section} ]", *rows] if rows else []
    return lines


def _run_files(temperature: float, seed: int) -> dict[str, str]:
    """Minimise, melt from low density, find the density, produce at fixed volume."""
    hot = max(temperature, 600.0)
    bath = f"{DYNAMICS}ld-seed = {seed + 1}\n"
    new = f"gen-vel = yes\ngen-temp = {hot:g}\ngen-seed = {seed + 1}\n"
    pressure = "pcoupl = C-rescale\ntau-p = 5.0\nref-p = 1.0\ncompressibility = 4.5e-5\n"
    output = "nstxout-compressed = 500\nnstenergy = 500\nnstlog = 5000\n"
    return {
        MINIMISE: f"integrator = steep\nnsteps = 20000\nemtol = 200\n{COMMON}",
        MELT: f"{bath}nsteps = 500000\nref-t = {hot:g}\n{new}{pressure}{COMMON}{output}",
        EQUILIBRATE: f"{bath}nsteps = 2500000\nref-t = {temperature:g}\n{pressure}{COMMON}{output}",
        # Displacements are read off this one: fixed volume, and a bath too weak to slow diffusion.
        PRODUCE: f"{bath}nsteps = 50000000\nref-t = {temperature:g}\n{COMMON}{output}".replace(
            "tau-t = 1.0", "tau-t = 20"
        ),
    }


def _script() -> str:
    lines = ["#!/bin/sh", "set -e", "from=box.gro"]
    for name in (MINIMISE, MELT, EQUILIBRATE, PRODUCE):
        lines += [
            f"gmx grompp -f {name}.mdp -c $from -p box.top -o {name}.tpr",
            f"gmx mdrun -deffnm {name}",
            f"from={name}.gro",
        ]
    lines.append("# barriers transport 4-nvt.xtc --topology 4-nvt.tpr --ion Li")
    return "\n".join(lines) + "\n"
