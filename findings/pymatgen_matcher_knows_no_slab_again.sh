#!/usr/bin/env bash
# pymatgen 2026.10.24 (pymatgen-core 2026.10.16): a slab that is not periodic along c, Lattice(pbc=(True, True, False)),
# is not known again. StructureMatcher.get_transformation of two such slabs that are one, moved half a cell along a,
# gives None, its word for "not the same"; fit and get_rms_dist of the very same object raise "can't find niggli".
# The same atoms in a cell that is periodic in all directions are found. ASE reads slabs with such periodicity, and
# AseAtomsAdaptor hands it on, so whoever looks for equivalent hops or end states on a surface finds none.
#
# Exits 0 if all is as above, 1 if that has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pymatgen==2026.10.24 pymatgen-core==2026.10.16

cat > "$folder/match.py" <<'PYTHON'
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure


def slab(pbc: tuple[bool, bool, bool], along: float) -> Structure:
    lattice = Lattice.from_parameters(5.7, 5.7, 13.8, 90, 90, 90, pbc=pbc)
    layer = [[x, y, 0.30] for x in (0, 0.5) for y in (0, 0.5)]
    return Structure(lattice, ["Al"] * 4 + ["Au"], [*layer, [0.25 + along, 0.25, 0.43]])


matcher = StructureMatcher(primitive_cell=False, scale=False)
for pbc in ((True, True, True), (True, True, False)):
    one, moved = slab(pbc, 0.0), slab(pbc, 0.5)
    found = matcher.get_transformation(one, moved) is not None
    try:
        fits = str(matcher.fit(one, one))
    except ValueError as error:
        fits = str(error)
    print(f"pbc {pbc}: transformation {'found' if found else 'None'}, fit of itself: {fits}")
PYTHON

seen=$("$folder/venv/bin/python" -W ignore "$folder/match.py")
echo "$seen"
[ "$seen" = "pbc (True, True, True): transformation found, fit of itself: True
pbc (True, True, False): transformation None, fit of itself: can't find niggli" ]
