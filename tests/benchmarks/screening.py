"""Time and memory of screens of 50, 100 and 200 structures, and of going on with one in which all is done.

``python tests/benchmarks/screening.py`` measures each size in a process of its own. The structures are fcc alloys, each
strained in its own way, with EMT: what is measured is what a screen costs beside its model. ``--generated`` takes the
generated crystals of the tests that have lithium in their place, odd ones too, in a world without forces.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from any_crystals import IONS, SYSTEMS, write_crystal
from pymatgen.core import Lattice, Structure
from rich.console import Console
from rich.table import Table

TESTS = Path(__file__).parent.parent
SIZES = (50, 100, 200)
LINEAR = 1.5
"""Time of a structure at the largest size, in units of that at the smallest, above which a screen is not linear."""

FCC = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
PARTNERS = ("Cu", "Ag", "Au", "Ni", "Pd", "Pt")


def write_alloys(number: int, folder: Path) -> None:
    """Write so many alloys of copper, no two of which are the same crystal."""
    random = np.random.default_rng(number)
    for each in range(number):
        partner = PARTNERS[each % len(PARTNERS)]
        edges = 3.75 * (1 + random.uniform(-0.04, 0.04, 3))
        Structure(Lattice.orthorhombic(*edges), [partner, "Cu", "Cu", "Cu"], FCC).to(str(folder / f"{each}.cif"))


def write_generated(number: int, folder: Path) -> None:
    """Write so many generated crystals of lithium."""
    each = written = 0
    while written < number:
        if IONS[each // len(SYSTEMS) % len(IONS)] == "Li":
            write_crystal(each, folder)
            written += 1
        each += 1


def measured(number: int, generated: bool) -> dict[str, float]:
    """Screen so many structures, and once more; times in seconds, memory in MB."""
    from barriers.cli import main

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "structures")
        folder.mkdir()
        (write_generated if generated else write_alloys)(number, folder)
        how = ["--ion", "Li", "--model", "flat:Flat"] if generated else ["--ion", "Cu", "--model", "emt"]
        sys.argv = ["barriers", "--quiet", "screen", str(folder), *how, "--best", "0", "--results", place, "--json"]
        seconds = []
        for _ in range(2):
            started = time.perf_counter()
            with Path(os.devnull).open("w") as sys.stdout:
                try:
                    main()
                except SystemExit as ended:
                    assert not ended.code, ended.code
            seconds.append(time.perf_counter() - started)
        sys.stdout = sys.__stdout__
        (document,) = Path(place).glob("*/screen.json")
        states = [row["state"] for row in json.loads(document.read_text("utf-8"))["rows"]]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    estimated = states.count("estimated")
    return {"estimated": estimated, "seconds": seconds[0], "again": seconds[1], "peak": peak}


def main_benchmark() -> int:
    """Measure all sizes and print a table; 1 if a screen is not linear."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generated", action="store_true")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measured(asked.one, asked.generated)))
        return 0
    table = Table("Structures", "Estimated", "Time (s)", "A structure (s)", "Again (s)", "Peak memory (MB)")
    each = []
    for size in asked.sizes:
        command = [sys.executable, __file__, "--one", str(size), *["--generated"] * asked.generated]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
        found = json.loads(done.stdout.splitlines()[-1])
        each.append(found["seconds"] / size)
        numbers = (found["seconds"], each[-1], found["again"])
        table.add_row(
            str(size), str(found["estimated"]), *(f"{value:.2f}" for value in numbers), f"{found['peak']:.0f}"
        )
    Console(width=100).print(table)
    return int(each[-1] > LINEAR * each[0])


if __name__ == "__main__":
    sys.exit(main_benchmark())
