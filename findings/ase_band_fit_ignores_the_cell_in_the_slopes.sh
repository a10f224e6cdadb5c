#!/usr/bin/env bash
# ASE 3.29.0, ase.utils.forcecurve.fit_images (what NEBTools.get_barrier and "ase nebplot" stand on).
#
# The length of a path takes the periodic image that is nearest; the direction along which forces are projected does
# not. Once an atom of the band has been wrapped back into the cell, as most codes do on output, lengths and energies
# stay right while the slopes at two images are taken along a vector as long as the cell. No warning.
# Au on Al(100), EMT, four moving images: seen 0.3733 eV for the band as it ran, 0.3539 eV for the same band shifted and
# wrapped, which is the same path.
# Exit status 0 while that is so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet ase==3.29.0 numpy==2.4.6 scipy==1.17.1
"$work/env/bin/python" - <<'PYTHON'
from ase import __version__
from ase.build import add_adsorbate, fcc100
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.mep import NEB
from ase.optimize import BFGS, FIRE
from ase.utils.forcecurve import fit_images

first = fcc100("Al", size=(2, 2, 3))
add_adsorbate(first, "Au", 1.7, "hollow")
first.center(axis=2, vacuum=4.0)
first.set_constraint(FixAtoms(mask=first.get_tags() > 1))
last = first.copy()
last.positions[-1, 0] += last.cell[0, 0] / 2
for end in (first, last):
    end.calc = EMT()
    BFGS(end, logfile=None).run(fmax=0.01)
band = [first, *(first.copy() for _ in range(4)), last]
for image in band[1:-1]:
    image.calc = EMT()
neb = NEB(band, method="improvedtangent")
neb.interpolate()
FIRE(neb, logfile=None).run(fmax=0.02, steps=500)


def barrier(images):
    return max(fit_images(images).fit_energies)


def moved(aside):
    """Shift the band along x and wrap it, which changes no energy, no force and no path."""
    images = []
    for image in band:
        copy = image.copy()
        copy.positions[:, 0] += aside
        copy.wrap()
        copy.calc = SinglePointCalculator(copy, energy=image.get_potential_energy(), forces=image.get_forces())
        images.append(copy)
    return images


half = band[0].cell[0, 0] - band[2].positions[-1, 0]
whole, cut = barrier(band), barrier(moved(half))
print(f"ASE {__version__}: {whole:.4f} eV; shifted by {half:.2f} Å and wrapped: {cut:.4f} eV")
raise SystemExit(0 if abs(whole - cut) > 0.005 else "both are the same now")
PYTHON
