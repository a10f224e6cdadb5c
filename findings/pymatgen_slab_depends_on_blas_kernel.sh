#!/usr/bin/env bash
# pymatgen 2026.10.24 (pymatgen-core 2026.10.16) with NumPy 2.4.6 (OpenBLAS 0.3.31): one crystal, one facet, one call of
# SlabGenerator, and two slabs. Which of two equally short vectors lll_reduce takes hangs on the last bits of matrix
# products, which differ between the kernels that OpenBLAS chooses by processor.
#
# LiNiO2 (R-3m), facet (001) of the hexagonal cell given in the primitive one. Seen on an x86-64 processor with AVX2:
#   Haswell   surface vectors at 120 degrees
#   Prescott  surface vectors at  60 degrees
# Either is a reduced cell; numbers of atoms and origin differ too, so nothing can be carried from one to the other.
#
# Exits 0 if both slabs are as above, 1 if that has changed, 2 if this processor cannot show it.
set -euo pipefail
grep -qw avx2 /proc/cpuinfo || { echo "this processor has no AVX2, so no Haswell kernel"; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pymatgen==2026.10.24 pymatgen-core==2026.10.16 numpy==2.4.6 scipy==1.17.1 spglib==2.8.0

cat > "$folder/slab.py" <<'PYTHON'
from pymatgen.core import Lattice, Structure
from pymatgen.core.surface import SlabGenerator

sites = [[0, 0, 0], [0, 0, 0.5], [0, 0, 0.2585]]
bulk = Structure.from_spacegroup("R-3m", Lattice.hexagonal(2.878, 14.19), ["Ni", "Li", "O"], sites)
primitive = bulk.get_primitive_structure()
normal = bulk.lattice.reciprocal_lattice.get_cartesian_coords([0, 0, 3])
miller = [round(float(edge @ normal) / 6.283185307179586) for edge in primitive.lattice.matrix]
generator = SlabGenerator(
    primitive, miller, 4, 2, in_unit_planes=True, lll_reduce=True, primitive=False, center_slab=False
)
slab = generator.get_slab().get_orthogonal_c_slab()
print(f"{slab.lattice.gamma:.0f}")
PYTHON

angles=()
for kernel in Haswell Prescott; do
    angle=$(OPENBLAS_CORETYPE=$kernel OMP_NUM_THREADS=1 "$folder/venv/bin/python" -W ignore "$folder/slab.py")
    echo "$kernel: surface vectors at $angle degrees"
    angles+=("$angle")
done
[ "${angles[*]}" = "120 60" ]
