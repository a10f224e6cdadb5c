#!/usr/bin/env bash
# pymatgen 2026.10.24 (pymatgen-core 2026.10.16) with ASE 3.29.0: a structure of which some sites have a magnetic moment
# and others none holds None for the latter (pymatgen says so in a warning). AseAtomsAdaptor.get_atoms makes
# that NaN in initial_magmoms. NaN is unequal to itself, so ASE takes such atoms for changed at every question: a
# SinglePointCalculator made for the very same atoms says that it has no energy ("not available"), which is how ASE's NEB
# keeps the energies of its ends, and any other calculator computes each energy and each force anew.
#
# Exits 0 if all is as above, 1 if that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pymatgen==2026.10.24 pymatgen-core==2026.10.16 ase==3.29.0

cat > "$folder/moments.py" <<'PYTHON'
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor


class Counting(EMT):
    calls = 0

    def calculate(self, *args, **kwargs):
        self.calls += 1
        super().calculate(*args, **kwargs)


for moments in ([0.6, 0.0], [0.6, None]):
    structure = Structure(Lattice.cubic(3.2), ["Ni", "Al"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    structure.add_site_property("magmom", moments)
    atoms = AseAtomsAdaptor.get_atoms(structure, msonable=False)
    atoms.calc = SinglePointCalculator(atoms, energy=-1.0)
    try:
        stored = atoms.get_potential_energy()
    except PropertyNotImplementedError as error:
        stored = error
    atoms.calc = Counting()
    for _ in range(3):
        atoms.get_potential_energy()
    print(f"{atoms.get_initial_magnetic_moments()}: stored energy {stored}; computed {atoms.calc.calls} times")
PYTHON

seen=$("$folder/venv/bin/python" -W ignore "$folder/moments.py")
echo "$seen"
[ "$seen" = '[0.6 0. ]: stored energy -1.0; computed 1 times
[0.6 nan]: stored energy The property "energy" is not available.; computed 3 times' ]
