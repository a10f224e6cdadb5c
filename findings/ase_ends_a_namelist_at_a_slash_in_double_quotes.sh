#!/usr/bin/env bash
# ASE 3.29.0, ase.io.espresso.read_fortran_namelist, which reads inputs of Quantum ESPRESSO.
#
# Fortran takes strings in '…' and in "…" alike; ASE knows '…' only, so the first / of a path in "…" ends the namelist
# and every key after it is lost without a word. An input with outdir = "/scratch/run" before its other keys
# comes back without them, with '…' it has them all.
# Exit status 0 while keys after such a path are lost.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet ase==3.29.0
"$work/env/bin/python" - <<'PYTHON'
import io

from ase import __version__
from ase.io.espresso import read_fortran_namelist

TEXT = """&CONTROL
  outdir = "/scratch/run"
  calculation = 'relax'
  tefield = .true.
/
&SYSTEM
  ibrav = 0, nat = 2, ntyp = 1
/
"""
found = {quote: dict(read_fortran_namelist(io.StringIO(TEXT.replace('"', quote)))[0]["control"]) for quote in "'\""}
for quote, keys in found.items():
    print(f"ASE {__version__}: in {quote}…{quote}: {sorted(keys)}")
raise SystemExit(0 if "tefield" in found["'"] and "tefield" not in found['"'] else "both quotes are alike now")
PYTHON
