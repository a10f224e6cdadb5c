"""Whether an oligomer eases that LiFSI comes apart: LiFSI, Li+ and both at trimers of PVDF and PVDF-HF, by PySCF.

Single points on geometries of GFN2, from several starts each. With a second basis the lowest start of each species is
evaluated there with that as well. What was computed is kept in build/salt: run it again to go on. Needs tblite and the
extra 'molecules'.

    python tests/benchmarks/salt.py PBE def2-svp 3 def2-svpd
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase.optimize import LBFGS
from jobflow import Flow
from pymatgen.core import Structure

from barriers import PyscfEngine, ReactionMaker, known_reactions, run
from barriers.analysis.interface import reaction_energy
from barriers.documents import RelaxDoc, StaticDoc
from barriers.engines.common import at_positions, atoms_of
from barriers.engines.pyscf.jobs import RelaxMaker, StaticMaker
from barriers.structures.alone import charge_of, together
from barriers.structures.polymer.reactions import Reaction

NAMES = ("LiFSI", "LiFSI+PVDF", "LiFSI@PVDF", "LiFSI+PVDF-HF", "LiFSI@PVDF-HF")


@dataclass
class RoughMaker(RelaxMaker):
    """Relaxes with GFN2 and evaluates once with PySCF."""

    def rests_on(self, elements: Any = None) -> dict[str, Any]:
        """Say which geometries these are as well."""
        return super().rests_on(elements) | {"geometries": "GFN2"}

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax and evaluate."""
        from tblite.ase import TBLite

        atoms = atoms_of(structure)
        atoms.positions, atoms.pbc = together(structure), False
        atoms.calc = TBLite(method="GFN2-xTB", charge=float(charge_of(structure)), verbosity=0)
        converged = LBFGS(atoms, logfile=None, maxstep=0.1).run(fmax=0.02, steps=800)
        relaxed = at_positions(structure, atoms.positions - together(structure) + structure.cart_coords)
        largest = float((atoms.get_forces() ** 2).sum(axis=1).max() ** 0.5)
        point = self.point(relaxed)
        numbers = {name: getattr(point, name) for name in ("energy", "forces", "cost", "engine")}
        reason = None if converged else "GFN2 is not relaxed"
        return RelaxDoc(
            structure=relaxed, converged=converged, reason=reason, max_force=largest, fmax=0.02, steps=1, **numbers
        )

    def point(self, structure: Structure) -> StaticDoc:
        """Evaluate once."""
        static = StaticMaker(method=self.method)
        return static.make.original(static, structure)


@dataclass
class RoughEngine(PyscfEngine):
    """PySCF on geometries of GFN2."""

    def relax(self, fmax: float, max_steps: int) -> RoughMaker:
        """Maker of a relaxation with GFN2."""
        return RoughMaker(method=self.method)


def main(functional: str, basis: str, starts: int, better: str, folder: Path) -> None:
    reactions = [known_reactions()[name] for name in NAMES]
    rough = ReactionMaker(engine=RoughEngine(functional, basis), starts=starts).make(reactions)
    document = run(rough, folder).output
    for name, species in document.species.items():
        for start in species.starts:
            above = "" if start.energy is None else f"{start.energy - species.energy:.3f} eV above the lowest"
            print(f"{name}, {start.name}: {start.reason or above}")
    told(reactions, document.energies, f"{functional}/{basis}")
    static, energies = PyscfEngine(functional, better).static(), {}
    for name, species in document.species.items():
        point = static.make(species.structure)
        point.name = f"static {name}"
        energies[name] = run(Flow([point], point.output, name), folder).output.energy
    told(reactions, energies, f"{functional}/{better}")


def told(reactions: list[Reaction], energies: dict[str, float], method: str) -> None:
    for reaction in reactions:
        energy = reaction_energy(reaction.reactants, reaction.products, energies)
        print(f"{reaction}: {energy:.2f} eV with {method} on geometries of GFN2", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], Path("build") / "salt")
