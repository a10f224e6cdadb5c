"""Energies of elimination: PVDF → PVDF-HF + HF, single points by PySCF on geometries of GFN2.

The published number is 1.11 eV, PBE/def2-TZVP on geometries of GFN2, trimers. Needs tblite and the extra 'molecules'.

    python tests/benchmarks/elimination.py PBE def2-tzvp
"""

from __future__ import annotations

import sys
from pathlib import Path

from jobflow import Flow

from barriers import MlipEngine, PyscfEngine, known_reactions, run
from barriers.analysis.interface import reaction_energy
from barriers.structures.intact import rearranged
from barriers.structures.polymer.species import build_species


def main(functional: str, basis: str, folder: Path) -> None:
    reaction = known_reactions()["PVDF-HF"]
    rough, engine = MlipEngine(model="tblite.ase:TBLite"), PyscfEngine(functional, basis, None)
    energies = {}
    for name in reaction.species:
        placed = build_species(name).first
        relax = rough.relax(0.02, 500).make(placed)
        point = engine.static().make(relax.output.structure)
        relax.name, point.name = f"relax {name}", f"static {name}"
        relaxed, document = run(Flow([relax, point], [relax.output, point.output], name), folder).output
        if change := rearranged(placed, relaxed.structure):
            raise SystemExit(f"{name}: {change}")
        energies[name] = document.energy
        print(f"{name}: {document.energy:.3f} eV, {document.cost.wall_time:.0f} s", flush=True)
    energy = reaction_energy(reaction.reactants, reaction.products, energies)
    print(f"{reaction}: {energy:.2f} eV with {functional}/{basis} on geometries of GFN2")


if __name__ == "__main__":
    main(*sys.argv[1:3], Path("build") / "elimination")
