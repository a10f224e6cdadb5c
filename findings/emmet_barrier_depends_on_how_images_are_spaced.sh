#!/usr/bin/env bash
# emmet-core 0.87.3, emmet.core.neb.BarrierAnalysis.from_energies, which fills NebResult.barrier_analysis.
#
# The spline runs over the number of the image, not over the length of the path, and its ends are held flat. A band whose
# images are not spaced evenly (a climbing image draws its neighbours along; images are added where it is steep) gets
# another barrier, though every energy is exact. The hill E(s) = 0.45 sin²(πs/3) eV, highest between two
# images: 0.450 eV is right; seen 0.448 eV evenly spaced, 0.486 eV with images drawn towards one side.
# Exit status 0 while two spacings of the same exact energies differ by more than 0.02 eV.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.11 -m venv "$work/env"
"$work/env/bin/pip" install --quiet emmet-core==0.87.3 pymatgen==2026.10.24
"$work/env/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from emmet.core.neb import BarrierAnalysis

EVEN = [0.0, 0.6, 1.2, 1.8, 2.4, 3.0]
DRAWN = [0.0, 0.2, 0.5, 1.2, 1.8, 3.0]


def barrier(lengths):
    return BarrierAnalysis.from_energies(list(0.45 * np.sin(np.pi * np.array(lengths) / 3) ** 2)).forward_barrier


even, drawn = barrier(EVEN), barrier(DRAWN)
print(f"emmet-core {version('emmet-core')}: {even:.4f} eV evenly spaced, {drawn:.4f} eV unevenly; 0.4500 eV is exact")
raise SystemExit(0 if abs(even - drawn) > 0.02 else "both are alike now")
PYTHON
