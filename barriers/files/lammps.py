"""Boxes of a matrix as inputs of LAMMPS: a data file, its force field, and a run of a melt.

An anion's charges are scaled where it meets others, not within it. LAMMPS has one charge for both, so that tabulated
terms make up for what is lacking within: bonds made after the lists of 1-4 atoms are.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import degrees
from pathlib import Path

import numpy as np

from barriers.files.boxes import write_texts
from barriers.files.gromacs import atom_types
from barriers.structures.matrix.box import Box
from barriers.structures.matrix.parameters import CUTOFF, EWALD

KCAL = 4.184
"""In kJ."""

COULOMB = 332.06371
"""Of two charges of 1 e at 1 Å (kcal/mol), as LAMMPS has it."""

LJ14, COULOMB14 = 0.5, 0.8333333333
"""Factors of Sage on 1-4 terms."""

NEAREST, FARTHEST, POINTS = 1.5, 10.0, 8000
"""Distances (Å) of the tabulated terms."""

Rows = list[tuple[int, ...]]


class _Numbered(dict[tuple[float, ...], int]):
    """Types by their parameters, numbered from 1 as they come."""

    def __missing__(self, key: tuple[float, ...]) -> int:
        self[key] = len(self) + 1
        return self[key]


def write_lammps(box: Box, folder: Path, temperature: float) -> list[Path]:
    """Write ``box.data``, ``box.settings``, ``box.table``, ``box.pairs`` and ``run.in``.

    Parameters
    ----------
    box : Box
        As built.
    folder : Path
        Made if it is not there.
    temperature : float
        Of the run (K).
    """
    return write_texts(folder, lammps_texts(box) | {"run.in": _run(temperature, box.document.seed)})


def lammps_texts(box: Box) -> dict[str, str]:
    """Give the files that describe box and force field, by name."""
    kinds = box.kinds
    names = atom_types(kinds.values())
    types = {key: number for number, key in enumerate(names, 1)}
    bond_types, angle_types, dihedral_types, added = _Numbered(), _Numbered(), _Numbered(), _Numbered()
    atoms: list[str] = []
    bonds: Rows = []
    angles: Rows = []
    dihedrals: Rows = []
    pairs: Rows = []
    positions = box.positions
    of_hydrogen: set[int] = set()
    for number, molecule in enumerate(box.document.molecules, 1):
        kind, first = kinds[molecule.kind], molecule.first + 1
        rows = zip(kind.species, kind.masses, kind.scaled, kind.lennard_jones, strict=True)
        for at, (symbol, mass, charge, (sigma, epsilon)) in enumerate(rows, first):
            x, y, z = positions[at - 1]
            atoms.append(f"{at} {number} {types[symbol, mass, sigma, epsilon]} {charge:.8f} {x:.4f} {y:.4f} {z:.4f}")
        for i, j, length, k in kind.bonds:
            bonds.append((bond_types[length, k], first + i, first + j))
            if "H" in (kind.species[i], kind.species[j]):
                of_hydrogen.add(bonds[-1][0])
        angles += [(angle_types[angle, c], first + i, first + j, first + k) for i, j, k, angle, c in kind.angles]
        dihedrals += [
            (dihedral_types[n, phase, c], first + i, first + j, first + k, first + last)
            for i, j, k, last, n, phase, c in kind.torsions
            if c
        ]
        for i, j, product, *_ in kind.pairs if kind.scale != 1 else ():
            lacking = round(product * (1 - kind.scale**2), 8)
            pairs.append((added[(lacking,)], first + i, first + j))
    counts = {"atoms": len(atoms), "bonds": len(bonds), "angles": len(angles), "dihedrals": len(dihedrals)}
    held = {"atom": len(types), "bond": len(bond_types), "angle": len(angle_types), "dihedral": len(dihedral_types)}
    edge = box.document.edge
    data = [f"{box.document.system}, box {box.document.number}: charges of the salt are scaled", ""]
    data += [f"{count} {what}" for what, count in counts.items()]
    data += [f"{count} {what} types" for what, count in held.items() if count]
    data += [f"0 {edge:.4f} {axis}lo {axis}hi" for axis in "xyz"]
    data += ["", "Masses", "", *(f"{number} {mass:.5f} # {symbol}" for (symbol, mass, *_), number in types.items())]
    data += ["", "Atoms # full", "", *atoms]
    for title, listed in (("Bonds", bonds), ("Angles", angles), ("Dihedrals", dihedrals)):
        if listed:
            data += ["", title, "", *(f"{n} " + " ".join(map(str, row)) for n, row in enumerate(listed, 1))]
    table, made, settings = _tables(added, pairs, len(bond_types))
    most = int(max(np.bincount([row[1] for row in pairs]), default=0))
    styles = "hybrid harmonic table spline " + str(POINTS) if added else "harmonic"
    own = "harmonic " if added else ""
    head = [
        "units real",
        "atom_style full",
        "boundary p p p",
        f"pair_style lj/cut/coul/long {CUTOFF:g}",
        "pair_modify mix arithmetic tail yes",
        f"kspace_style pppm {EWALD:g}",
        f"special_bonds lj 0 0 {LJ14} coul 0 0 {COULOMB14}",
        f"bond_style {styles}",
        "angle_style harmonic",
        "dihedral_style charmm",
        f"read_data box.data extra/bond/types {len(added)} extra/bond/per/atom {most}",
    ]
    head += [f"pair_coeff {n} {n} {e / KCAL:.10g} {s * 10:.10g}" for (_, _, s, e), n in types.items()]
    head += [f"bond_coeff {n} {own}{k / KCAL / 200:.10g} {r * 10:.10g}" for (r, k), n in bond_types.items()]
    head += [f"angle_coeff {n} {c / KCAL / 2:.10g} {degrees(a):.10g}" for (a, c), n in angle_types.items()]
    head += [
        f"dihedral_coeff {n} {c / KCAL:.10g} {int(m)} {round(degrees(phase))} 0.0"
        for (m, phase, c), n in dihedral_types.items()
    ]
    head += [
        *settings,
        f"variable elements string '{' '.join(symbol for symbol, *_ in types)}'",
        f"variable hydrogen string '{' '.join(map(str, sorted(of_hydrogen)))}'",
    ]
    texts = {"box.data": data, "box.settings": head, "box.table": table, "box.pairs": made}
    return {name: "\n".join(lines) + "\n" for name, lines in texts.items()}


def _tables(added: _Numbered, pairs: Rows, after: int) -> tuple[list[str], list[str], list[str]]:
    """Give the tabulated terms, the commands that make them, and their coefficients."""
    distances = np.linspace(NEAREST, FARTHEST, POINTS)
    table = ["# what scaled charges lack of the terms within an anion: a product of charges over the distance"]
    for (product,), number in added.items():
        table += ["", f"LACK_{number}", f"N {POINTS}", ""]
        table += [
            f"{n} {r:.8f} {COULOMB * product / r:.10g} {COULOMB * product / r**2:.10g}"
            for n, r in enumerate(distances, 1)
        ]
    made = [f"create_bonds single/bond {after + kind} {i} {j} special no" for kind, i, j in pairs]
    coefficients = [f"bond_coeff {after + n} table box.table LACK_{n}" for n in added.values()]
    return table, made, coefficients


def _run(temperature: float, seed: int) -> str:
    """Minimise, melt from low density, find the density, produce at fixed volume."""
    hot = max(temperature, 600.0)
    pressure = "iso 1.0 1.0 5000.0"
    return "\n".join(_run_lines(temperature, hot, pressure, seed + 1)) + "\n"


def _run_lines(temperature: float, hot: float, pressure: str, seed: int) -> Iterator[str]:
    yield "# A restart file would list 1-4 atoms anew, from the added bonds too: run this to its end, or read_dump."
    yield "include box.settings"
    yield "include box.pairs"
    yield "thermo 1000"
    yield "thermo_style custom step temp press density pe ebond eangle edihed evdwl ecoul elong etail"
    yield "minimize 1e-6 1e-6 2000 20000"
    yield "reset_timestep 0"
    yield 'if "${hydrogen} != \'\'" then "fix held all shake 1e-5 50 0 b ${hydrogen}"'
    yield f"velocity all create {hot:g} {seed} dist gaussian"
    yield "timestep 1.0"
    yield f"fix bath all npt temp {hot:g} {hot:g} 100.0 {pressure}"
    yield "run 1000000"
    yield "timestep 2.0"
    yield f"fix bath all npt temp {temperature:g} {temperature:g} 100.0 {pressure}"
    yield "run 2500000"
    yield "unfix bath"
    yield "# displacements are read off this one: fixed volume, 0.5 ps between frames"
    yield f"fix bath all nvt temp {temperature:g} {temperature:g} 1000.0"
    yield "dump frames all custom 500 run.lammpstrj id mol type element xu yu zu"
    yield "dump_modify frames sort id element ${elements}"
    yield "run 50000000"
