"""Whether an oligomer eases that LiFSI comes apart: LiFSI, Li+ and both at trimers of PVDF and PVDF-HF, by PySCF.

All starts are relaxed with GFN2; of each species the lowest ones there, so many as the third word says, are evaluated
with PySCF. With a second method the lowest of those is evaluated as well. What was computed is kept in build/salt: run
it again to go on. Needs tblite and the extra 'molecules'.

    python tests/benchmarks/salt.py PBE def2-svp 2 PBE0 def2-svpd
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from ase import units
from ase.optimize import LBFGS
from jobflow import Flow
from pymatgen.core import Structure

from barriers import PyscfEngine, ReactionMaker, known_reactions, run
from barriers.analysis.forces import largest_force
from barriers.analysis.interface import reaction_energy
from barriers.documents import CostDoc, RelaxDoc
from barriers.engines.common import at_positions
from barriers.engines.pyscf.jobs import RelaxMaker
from barriers.structures.alone import charge_of
from barriers.structures.polymer.reactions import Reaction
from barriers.structures.polymer.species import build_species

NAMES = ("LiFSI", "LiFSI+PVDF", "LiFSI@PVDF", "LiFSI+PVDF-HF", "LiFSI@PVDF-HF")

STARTS = 3
"""Conformers, and places of lithium."""

FMAX = 0.05
"""Largest force of GFN2 at the end (eV/Å)."""

COARSE = (1, 1e-6)
"""Level of the functional's grid, and change of the energy (Ha) at which a density is self-consistent."""


class RoughMaker(RelaxMaker):
    """Relaxes with GFN2."""

    def rests_on(self, _elements: Any = None) -> dict[str, Any]:
        """Say whose energies and geometries these are."""
        return {"engine": "GFN2"}

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax."""
        from tblite.ase import TBLite

        started, (atoms, _) = perf_counter(), self.molecule(structure)
        whole = atoms.positions.copy()
        atoms.pbc = False
        atoms.calc = TBLite(method="GFN2-xTB", charge=float(charge_of(structure)), verbosity=0)
        optimizer = LBFGS(atoms, logfile=None, maxstep=0.1)
        converged = bool(optimizer.run(fmax=FMAX, steps=800))
        return RelaxDoc(
            structure=at_positions(structure, structure.cart_coords + atoms.positions - whole),
            energy=atoms.get_potential_energy(),
            forces=atoms.get_forces().tolist(),
            converged=converged,
            reason=None if converged else "GFN2 does not relax it",
            max_force=largest_force(atoms.get_forces()),
            fmax=FMAX,
            steps=optimizer.nsteps,
            cost=CostDoc(force_calls=optimizer.nsteps, wall_time=perf_counter() - started),
            engine=self.describe(),
        )


class PointMaker(RoughMaker):
    """Takes the energy there from PySCF: forces are those of GFN2."""

    def rests_on(self, elements: Any = None) -> dict[str, Any]:
        """Say whose energies and geometries these are."""
        return RelaxMaker.rests_on(self, elements) | {"geometries": "GFN2", "grid and tolerance": COARSE}

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax and evaluate."""
        document, started = super().relaxed(structure), perf_counter()
        atoms, evaluator = self.molecule(document.structure)
        field = evaluator._field(atoms)  # the energy alone: the gradient would be a third of the time
        field.grids.level, field.conv_tol = COARSE
        energy = float(evaluator._converged(field).e_tot) * units.Ha
        print(f"{structure.formula}: {energy:.3f} eV, {perf_counter() - started:.0f} s", flush=True)
        return document.model_copy(update={"energy": energy})


class RoughEngine(PyscfEngine):
    """GFN2."""

    def relax(self, fmax: float, max_steps: int) -> RoughMaker:
        """Maker of a relaxation with GFN2."""
        return RoughMaker(method=self.method)


def main(functional: str, basis: str, lowest: int, better: Sequence[str], folder: Path) -> None:
    reactions = [known_reactions()[name] for name in NAMES]
    rough = run(ReactionMaker(engine=RoughEngine(), starts=STARTS).make(reactions), folder).output
    for row in rough.reactions:
        print(
            f"{row.equation}: {row.energy or 0:.2f} eV with GFN2, spread {row.spread or 0:.2f} eV; {row.reason or ''}"
        )
    points, again = {}, {}
    for name, species in rough.species.items():
        print(f"{name}: {nearest_to_lithium(species.structure)}")
        kept = sorted((start.energy, start.name) for start in species.starts if start.energy is not None)
        for start in species.starts:
            print(f"  {start.name}: {start.reason or f'{start.energy - kept[0][0]:.3f} eV'} with GFN2")
        placed = build_species(name, starts=STARTS).starts
        energies = {start: point(functional, basis, placed[start], name, folder) for _, start in kept[:lowest]}
        best = min(energies, key=lambda start: energies[start])
        points[name] = energies[best]
        for start, energy in energies.items():
            print(f"  {start}: {energy - energies[best]:.3f} eV with {functional}/{basis}", flush=True)
        if better:
            again[name] = point(better[0], better[1], placed[best], name, folder)
    told(reactions, points, f"{functional}/{basis}")
    if better:
        told(reactions, again, "/".join(better))


def point(functional: str, basis: str, placed: Structure, name: str, folder: Path) -> float:
    """Energy (eV) where GFN2 relaxes a start."""
    job = PointMaker(method=PyscfEngine(functional, basis).method).make(placed)
    job.name = f"{functional}/{basis} {name}"
    return float(run(Flow([job], job.output, name), folder).output.energy)


def nearest_to_lithium(structure: Structure) -> str:
    """Atoms within 2.5 Å of lithium, nearest first."""
    for lithium in structure.indices_from_symbol("Li"):
        apart = structure.distance_matrix[lithium]
        near = [atom for atom in apart.argsort()[1:] if apart[atom] < 2.5]
        return ", ".join(f"{structure[atom].specie} {apart[atom]:.2f}" for atom in near)
    return ""


def told(reactions: Sequence[Reaction], energies: Mapping[str, float], method: str) -> None:
    for reaction in reactions:
        energy = reaction_energy(reaction.reactants, reaction.products, energies)
        print(f"{reaction}: {energy:.2f} eV with {method} on geometries of GFN2", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:], Path("build") / "salt")
