#!/usr/bin/env bash
# ASE 3.29.0, ase.io.read of eOn's .con files.
#
# eOn knows periodic cells only and writes its bands (neb.con) with every atom wrapped into the cell. ASE reads the cell,
# but with pbc = False in all directions, so an atom that crosses an edge jumps through the whole cell: who asks for the
# minimum image gets none. An Al adatom hops 2.86 Å from site to site across the edge in four steps; the file is ASE's own,
# wrapped as eOn wraps it. Seen: a path of 10.0 instead of 2.9 Å, and an EMT energy of 15.55 instead of 6.92 eV.
# Exit status 0 while a periodic slab comes back as a cluster and its path is longer by more than 3 Å.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet ase==3.29.0
cd "$work"
"$work/env/bin/python" - <<'PYTHON'
import numpy as np
from ase import __version__
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.geometry import find_mic
from ase.io import read, write


def length(band):
    steps = [b.get_positions() - a.get_positions() for a, b in zip(band, band[1:])]
    return sum(np.linalg.norm(find_mic(step, band[0].cell, band[0].pbc)[0]) for step in steps)


slab = fcc100("Al", (3, 3, 3), vacuum=8)
add_adsorbate(slab, "Al", 2.0, "hollow", offset=(2, 0))
slab.pbc = True
band = []
for part in np.linspace(0, 1, 5):
    image = slab.copy()
    image.positions[-1, 0] += part * slab.cell[0, 0] / 3
    image.wrap()
    band.append(image)
for number, image in enumerate(band):
    write(f"{number}.con", image, format="eon")
again = [read(f"{number}.con", format="eon") for number in range(5)]
energies = []
for image in (band[0], again[0]):
    image.calc = EMT()
    energies.append(image.get_potential_energy())
print(f"ASE {__version__}: pbc {band[0].pbc} became {again[0].pbc}; path {length(band):.1f} became {length(again):.1f} Å;")
print(f"EMT energy {energies[0]:.2f} became {energies[1]:.2f} eV")
raise SystemExit(0 if not again[0].pbc.any() and length(again) > length(band) + 3 else "the cell is periodic now")
PYTHON
