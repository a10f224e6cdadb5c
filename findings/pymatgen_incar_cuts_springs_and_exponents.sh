#!/usr/bin/env bash
# pymatgen 2026.10.24 (pymatgen-core 2026.10.16): an INCAR that is read, or made from a dictionary, loses parts of numbers.
# SPRING is listed as a whole number, so SPRING = -0.5, a nudged elastic band with weak springs, becomes 0: no springs, and
# the images slide off; -2.75 becomes -2. VASP reads SPRING as a real number. Fortran's exponents are cut off:
# EDIFF = 1.0D-5 becomes 1.0. Keywords of VTST are unknown, so LGLOBAL = .T. becomes the text .t. and stays one.
# No warning is given. Whoever reads an INCAR to change one line of it, as custodian does, writes the others changed.
#
# Exits 0 if all is as above, 1 if that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pymatgen==2026.10.24 pymatgen-core==2026.10.16

cat > "$folder/incar.py" <<'PYTHON'
from pymatgen.io.vasp import Incar

for text in ("SPRING = -0.5", "SPRING = -2.75", "EDIFF = 1.0D-5", "LGLOBAL = .T."):
    print(f"{text} -> {str(Incar.from_str(text)).strip()}")
print(f"{{'SPRING': -0.5}} -> {str(Incar({'SPRING': -0.5})).strip()}")
PYTHON

seen=$("$folder/venv/bin/python" -W error "$folder/incar.py")
echo "$seen"
[ "$seen" = "SPRING = -0.5 -> SPRING = 0
SPRING = -2.75 -> SPRING = -2
EDIFF = 1.0D-5 -> EDIFF = 1.0
LGLOBAL = .T. -> LGLOBAL = .t.
{'SPRING': -0.5} -> SPRING = 0" ]
