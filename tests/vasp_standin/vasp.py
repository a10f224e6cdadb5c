#!/usr/bin/env python3
"""Behaves like VASP at the level of files, with ASE's EMT for the electrons, so that tests need no licence.

Reads INCAR, KPOINTS, POTCAR (titles alone) and POSCAR, or 00/POSCAR … NN/POSCAR; writes OUTCAR, OSZICAR, CONTCAR,
WAVECAR (a word) and vasprun.xml beside each, and grids where they are asked for (:mod:`grids`). Honours NSW, EDIFFG,
IMAGES, LCLIMB, IOPT, SPRING, LSTOP and LABORT.
``ML_LMLFF`` marks its steps as those of a force field; with ``ML_MODE = train`` every other one is of DFT.
Plays the faults that the environment variable VASP_STANDIN names (:mod:`faults`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import read
from ase.mep.neb import NEB
from ase.optimize import FIRE
from faults import Faults
from files import Place, read_incar
from grids import write_grids


class StopError(Exception):
    """VASP ends with a message on standard output."""


class Electrons:
    """Evaluates images and writes what VASP would have written for the step."""

    def __init__(self, images: list[Atoms], places: list[Place], incar: dict[str, str], faults: Faults) -> None:
        self.images, self.places, self.incar, self.faults = images, places, incar, faults
        self.step = 0

    def compute(self, atoms: Atoms) -> tuple[float, np.ndarray, np.ndarray | None]:
        """Energy, forces and moments: EMT's, or those of a model of the embedded engine (VASP_STANDIN_MODEL)."""
        if name := os.environ.get("VASP_STANDIN_MODEL"):
            from barriers.engines.mlip.models import ModelSpec, load_model

            (result,) = load_model(ModelSpec(name)).evaluate([atoms], moments=True)
            return result.energy, result.forces, result.moments
        atoms.calc = EMT()
        return atoms.get_potential_energy(), atoms.get_forces(apply_constraint=False), None

    def evaluate(self) -> None:
        """One ionic step of all images."""
        self.step += 1
        self.faults.before(self.step, self.places)
        for number, (image, place) in enumerate(zip(self.images, self.places, strict=True), 1):
            energy, forces, moments = self.compute(image.copy())
            if moments is not None:
                place.moments = moments
            energy, forces, cycles, moments = self.faults.spoil(number, self.step, energy, forces, place)
            image.calc = SinglePointCalculator(image, energy=energy, forces=forces)
            place.write_step(self.step, image, energy, forces, cycles, moments)


def main() -> None:
    """Run."""
    incar = read_incar(Path("INCAR"))
    faults = Faults(incar)
    n_images = int(incar.get("IMAGES", 0))
    names = [f"{number:02d}" for number in range(n_images + 2)] if n_images else ["."]
    structures = [read_poscar(Path(name)) for name in names]
    check_inputs(incar, structures, names if n_images else [])
    inner = names[1:-1] if n_images else names
    images = structures[1:-1] if n_images else structures
    vtst = not faults.no_vtst
    places = [Place(Path(name), incar, image, vtst) for name, image in zip(inner, images, strict=True)]
    print(f" running on    1 total cores\n vasp.6.4.2 stand-in complex\n {len(places)} image(s)", flush=True)
    for place in places:
        place.begin()
    electrons = Electrons(images, places, incar, faults)
    converged = move(electrons, structures, incar, vtst, faults)
    faults.at_end()
    for place, image in zip(places, images, strict=True):
        if {"LCHARG", "LAECHG", "LELF"} & incar.keys():
            write_grids(place.folder, image, incar)
        place.end(image, converged)


def read_poscar(folder: Path) -> Atoms:
    """Read a POSCAR, in the order it has."""
    try:
        return read(folder / "POSCAR", format="vasp")
    except Exception as error:
        raise StopError(f"ERROR: there must be a POSCAR in {folder}: {error}") from error


def check_inputs(incar: dict[str, str], structures: list[Atoms], names: list[str]) -> None:
    """Stop where VASP would stop."""
    first = structures[0]
    species = [symbol for i, symbol in enumerate(first.symbols) if i == 0 or first.symbols[i - 1] != symbol]
    titles = [line.split()[3] for line in Path("POTCAR").read_text().splitlines() if "TITEL" in line]
    if [title.split("_")[0] for title in titles] != species:
        raise StopError(f"ERROR: the type information on POSCAR and POTCAR are incompatible: {species} {titles}")
    if not Path("KPOINTS").exists():
        raise StopError("ERROR: KPOINTS file is missing")
    for name in names[1:-1]:
        if not Path(name, "KPOINTS").exists():
            raise StopError(f"ERROR: KPOINTS of image {name} is missing (HDF5)")
    if any(structure.get_chemical_symbols() != first.get_chemical_symbols() for structure in structures):
        raise StopError("ERROR: images differ")
    if "MAGMOM" in incar:
        pairs = [word.rpartition("*") for word in incar["MAGMOM"].split()]
        if sum(int(times or 1) for times, _, _ in pairs) != len(first):
            raise StopError("ERROR: MAGMOM: wrong number of moments")


def move(electrons: Electrons, structures: list[Atoms], incar: dict[str, str], vtst: bool, faults: Faults) -> bool:
    """Move the ions; whether EDIFFG was met."""
    steps, goal = int(incar.get("NSW", 0)), -float(incar.get("EDIFFG", -0.01))
    electrons.evaluate()
    if not steps:
        return False
    band = len(structures) > 1
    if band:
        for end in (structures[0], structures[-1]):
            end.calc = EMT()
            end.calc = SinglePointCalculator(end, energy=end.get_potential_energy(), forces=end.get_forces())
        spring = -float(incar.get("SPRING", -5))
        climb = vtst and incar.get("LCLIMB", "T").strip(".").upper().startswith("T")
        method = "improvedtangent" if vtst else "aseneb"
        target = NEB(structures, k=spring, climb=climb, method=method, allow_shared_calculator=True)
    else:
        target = structures[0]
    # Without VTST its optimisers are not there, and POTIM = 0 moves nothing.
    idle = not vtst and "IOPT" in incar
    optimizer = FIRE(target, logfile=None, maxstep=0.05 if idle else 0.2)
    while True:
        forces = target.get_forces()
        converged = bool(np.linalg.norm(forces.reshape(-1, 3), axis=1).max() <= goal)
        stop = Path("STOPCAR").exists() and any(word in Path("STOPCAR").read_text() for word in ("LSTOP", "LABORT"))
        if converged or stop or faults.claims(electrons.step) or electrons.step >= steps:
            return faults.says(electrons.step, converged)
        if not idle:
            optimizer.step(forces)
        for place, image in zip(electrons.places, electrons.images, strict=True):
            place.write_contcar(image)
        faults.after(electrons.step, electrons.places)
        electrons.evaluate()


if __name__ == "__main__":
    try:
        main()
    except StopError as stop:
        print(f" {stop}", flush=True)
        sys.exit(1)
