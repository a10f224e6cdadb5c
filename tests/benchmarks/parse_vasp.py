"""Reading a large NEB folder of VASP: ``python tests/benchmarks/parse_vasp.py``.

A made-up band, 7 images of 200 atoms between its endpoints with 100 ionic steps each, is written as VASP writes it,
eigenvalues included, so that an OUTCAR has the size of a real one. Time and largest memory of ``barriers parse`` are
those of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from vasp_bands import Run, place
from written_bands import Band, a_hop

PARSE = """
import json, pathlib, sys, time
begin = time.time()
from barriers.parsing import parse_folder
ready = time.time()
barrier = parse_folder(pathlib.Path(sys.argv[1])).barriers[0]
assert barrier.forward is not None, barrier.reason
print(json.dumps([barrier.forward, ready - begin, time.time() - ready]))
"""


def large(images: int, atoms: int) -> Band:
    """The hop of a Li in a cell with many more oxygen atoms, which stay."""
    hop = a_hop(images + 2)
    rng = np.random.default_rng(1)
    cell = np.diag([20.0, 20.0, 20.0])
    rest = rng.uniform(8.0, 18.0, (atoms - 4, 3))
    positions = np.concatenate([np.repeat(rest[None], images + 2, axis=0), hop.positions], axis=1)
    forces = np.concatenate([np.zeros((images + 2, atoms - 4, 3)), hop.forces], axis=1)
    free = np.concatenate([np.ones((atoms - 4, 3), dtype=bool), hop.free])
    symbols = ["O"] * (atoms - 4) + hop.symbols
    return replace(hop, symbols=symbols, cell=cell, positions=positions, forces=forces, free=free)


def main() -> None:
    """Write the folder, read it in a process of its own, and print what that took."""
    options = argparse.ArgumentParser(description=__doc__)
    for name, default in (("images", 7), ("atoms", 200), ("steps", 100), ("levels", 4000)):
        options.add_argument(f"--{name}", type=int, default=default)
    given = options.parse_args()
    band = large(given.images, given.atoms)
    titles = tuple(f"PAW_PBE {symbol} 01Jan2001" for symbol in ("O", "O", "Ni", "Li", "H"))
    levels = "".join(f"{n:7d}{-20 + 0.01 * n:12.4f}     1.00000\n" for n in range(given.levels))
    with tempfile.TemporaryDirectory() as folder:
        for image in range(given.images + 2):
            inner = 0 < image <= given.images
            run = Run(titles=titles, steps=given.steps, band=inner, cycles=20, before=levels)
            place(Path(folder) / f"{image:02d}", band, image, run)
        size = sum(path.stat().st_size for path in Path(folder).glob("*/OUTCAR"))
        begin = time.time()
        done = subprocess.run([sys.executable, "-c", PARSE, folder], capture_output=True, text=True, check=True)
        seconds = time.time() - begin
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    forward, ready, reading = json.loads(done.stdout)
    print(f"{given.images} images of {given.atoms} atoms, {given.steps} steps: {size / 1e6:.0f} MB of OUTCARs")
    print(f"barrier {forward:.3f} eV: {reading:.2f} s to read, {ready:.1f} s of imports, {seconds:.1f} s in all")
    print(f"at most {memory:.0f} MB")


if __name__ == "__main__":
    main()
