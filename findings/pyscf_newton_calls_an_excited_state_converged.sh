#!/usr/bin/env bash
# PySCF 2.14.0: a Kohn-Sham density that does not become self-consistent by DIIS is commonly handed to the second-order
# solver, mf.newton(). That may end in a state in which an orbital is empty that lies below a filled one, and says
# converged = True: it looks for a stationary energy, not for the lowest filling. Here, HF with a proton 2.2 Å away (PBE,
# STO-3G), where two electrons belong to either side. The energy is no ground state's, and the only word of it is a
# warning at verbosity 4. Whoever takes `converged` for an answer has to compare orbital energies with their filling.
#
# Exits 0 if all is as above, 1 if that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pyscf==2.14.0

cat > "$folder/state.py" <<'PYTHON'
from pyscf import dft, gto

molecule = gto.M(atom="H 0 0 -2.2; H 0 0 0; F 0 0 0.95", charge=1, basis="sto-3g", verbose=0)
first = dft.RKS(molecule).density_fit()
first.xc, first.max_cycle = "PBE", 20
first.kernel()
second = first.newton()
second.kernel(first.mo_coeff, first.mo_occ)
filled, empty = second.mo_energy[second.mo_occ > 0].max(), second.mo_energy[second.mo_occ == 0].min()
print(f"DIIS converged: {first.converged}; second order converged: {bool(second.converged)}")
print(f"highest filled orbital {filled:.3f} Ha, lowest empty one {empty:.3f} Ha")
raise SystemExit(0 if not first.converged and second.converged and filled > empty else 1)
PYTHON
"$folder/venv/bin/python" "$folder/state.py"
