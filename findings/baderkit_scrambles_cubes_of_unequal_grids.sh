#!/usr/bin/env bash
# baderkit 0.10.2, baderkit.toolkit.Grid.from_cube.
#
# A cube file has its values with the third axis running fastest. Where the three numbers of points are equal, they come
# out at their places. Where they are not, the array has its shape turned round, 32 x 20 x 16 for a file of 16 x 20 x 32,
# filled in the file's order: the values stand at places that have nothing to do with theirs, no transpose mends it, and
# neither an error nor a warning tells. The cell and the atoms are right, so Bader charges come out, and are wrong.
# A Gaussian on the second atom at (3, 4, 6) Å of a cell of 4 x 5 x 8 Å: seen at (3, 4, 6) with 20 x 20 x 20 points, at
# (3.12, 3.25, 4) with 16 x 20 x 32.
# Exit status 0 while that is so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv env
env/bin/pip install --quiet baderkit==0.10.2 ase==3.29.0 numpy==2.4.6
env/bin/python - <<'PYTHON'
import logging
from importlib.metadata import version

import numpy as np
from ase import Atoms
from ase.io.cube import read_cube, write_cube
from baderkit.toolkit import Grid

logging.disable(logging.CRITICAL)
CELL = np.array([4.0, 5.0, 8.0])
ATOMS = Atoms("LiF", [[1, 1, 2], [3, 4, 6]], cell=CELL, pbc=True)


def highest(values):
    """Where an array over the cell has its maximum (Å)."""
    return np.array(np.unravel_index(values.argmax(), values.shape)) / values.shape * CELL


def seen(shape):
    """Where the maximum of a density of such a grid is, as ASE and as baderkit read its cube."""
    places = np.moveaxis(np.indices(shape), 0, -1) / shape * CELL
    away = places - ATOMS.positions[1]
    away -= np.round(away / CELL) * CELL
    with open("density.cube", "w") as file:
        write_cube(file, ATOMS, data=np.exp(-4 * (away**2).sum(axis=-1)))
    with open("density.cube") as file:
        by_ase = highest(read_cube(file)["data"])
    return by_ase, highest(np.array(Grid.from_cube("density.cube").total))


equal, unequal = seen((20, 20, 20)), seen((16, 20, 32))
print(f"baderkit {version('baderkit')}, second atom at {ATOMS.positions[1]}")
for shape, (by_ase, by_baderkit) in (("20 x 20 x 20", equal), ("16 x 20 x 32", unequal)):
    print(f"{shape}: maximum at {by_ase} by ASE, at {by_baderkit} by baderkit")
right = [np.allclose(place, ATOMS.positions[1]) for place in (*equal, unequal[0])]
raise SystemExit(not (all(right) and np.abs(unequal[1] - ATOMS.positions[1]).max() > 0.5))
PYTHON
