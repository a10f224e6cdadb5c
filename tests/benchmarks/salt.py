"""Whether an oligomer eases that LiFSI comes apart: LiFSI, Li+ and both at trimers of PVDF and PVDF-HF, by PySCF.

Single points on geometries of GFN2, from several starts each. Where a second method is named, the lowest start of each
species is evaluated with that as well. What was computed is kept in build/salt: run it again to go on. Needs tblite
and the extra 'molecules'.

    python tests/benchmarks/salt.py PBE def2-svp 3 PBE0 def2-svpd
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
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

NAMES = ("LiFSI", "LiFSI+PVDF", "LiFSI@PVDF", "LiFSI+PVDF-HF", "LiFSI@PVDF-HF")

FMAX = 0.05
"""Largest force of GFN2 at the end (eV/Å)."""

COARSE = (1, 1e-6)
"""Level of the functional's grid, and change of the energy (Ha) at which a density is self-consistent."""


@dataclass
class RoughMaker(RelaxMaker):
    """Relaxes with GFN2, and takes the energy there from PySCF: forces are those of GFN2."""

    def rests_on(self, elements: Any = None) -> dict[str, Any]:
        """Say whose geometries these are as well."""
        return super().rests_on(elements) | {"geometries": "GFN2", "grid and tolerance": COARSE}

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax and evaluate."""
        from tblite.ase import TBLite

        atoms, evaluator = self.molecule(structure)
        whole = atoms.positions.copy()
        atoms.pbc = False
        atoms.calc = TBLite(method="GFN2-xTB", charge=float(charge_of(structure)), verbosity=0)
        optimizer = LBFGS(atoms, logfile=None, maxstep=0.1)
        converged = bool(optimizer.run(fmax=FMAX, steps=800))
        forces = atoms.get_forces()
        started = perf_counter()
        field = evaluator._field(atoms)  # the energy alone: the gradient would be a third of the time
        field.grids.level, field.conv_tol = COARSE
        energy = float(evaluator._converged(field).e_tot) * units.Ha
        print(f"{structure.formula}: {energy:.3f} eV, {perf_counter() - started:.0f} s", flush=True)
        return RelaxDoc(
            structure=at_positions(structure, structure.cart_coords + atoms.positions - whole),
            energy=energy,
            forces=forces.tolist(),
            converged=converged,
            reason=None if converged else "GFN2 does not relax it",
            max_force=largest_force(forces),
            fmax=FMAX,
            steps=optimizer.nsteps,
            cost=CostDoc(force_calls=1, wall_time=perf_counter() - started, scf_cycles=evaluator.cycles),
            engine=self.describe(),
        )


@dataclass
class RoughEngine(PyscfEngine):
    """PySCF on geometries of GFN2."""

    def relax(self, fmax: float, max_steps: int) -> RoughMaker:
        """Maker of a relaxation with GFN2."""
        return RoughMaker(method=self.method)


def main(functional: str, basis: str, starts: int, better: Sequence[str], folder: Path) -> None:
    reactions = [known_reactions()[name] for name in NAMES]
    rough = ReactionMaker(engine=RoughEngine(functional, basis), starts=starts).make(reactions)
    document = run(rough, folder).output
    for name, species in document.species.items():
        for start in species.starts:
            above = "" if start.energy is None else f"{start.energy - species.energy:.3f} eV above the lowest"
            print(f"{name}, {start.name}: {start.reason or above}")
        lithium = nearest_to_lithium(species.structure)
        print(f"{name}: spread {species.spread or 0:.3f} eV over {len(species.starts)} starts; {lithium}")
    told(reactions, document.energies, f"{functional}/{basis}")
    if not better:
        return
    engine, energies = RoughEngine(*better), {}
    for name, species in document.species.items():
        point = engine.relax(0, 0).make(species.structure)  # it is relaxed with GFN2 already
        point.name = f"{better[0]} {name}"
        energies[name] = run(Flow([point], point.output, name), folder).output.energy
    told(reactions, energies, "/".join(better))


def nearest_to_lithium(structure: Structure) -> str:
    """Atoms within 2.5 Å of lithium, nearest first."""
    for lithium in structure.indices_from_symbol("Li"):
        near = sorted(
            (length, site) for length, site in zip(structure.distance_matrix[lithium], structure, strict=True)
        )
        return ", ".join(f"{site.specie} {length:.2f}" for length, site in near[1:] if length < 2.5)
    return ""


def told(reactions: list[Reaction], energies: dict[str, float], method: str) -> None:
    for reaction in reactions:
        energy = reaction_energy(reaction.reactants, reaction.products, energies)
        print(f"{reaction}: {energy:.2f} eV with {method} on geometries of GFN2", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:], Path("build") / "salt")
