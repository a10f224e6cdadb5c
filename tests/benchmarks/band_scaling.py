"""Calls and wall time of a barrier against atoms, images and hops, with the exponents of the power laws through them.

``python tests/benchmarks/band_scaling.py`` relaxes the ends and the band of an oxygen-dumbbell hop in LiCoO2 with the
default model: cells of 48 to 300 atoms with 4 images, and the one of 108 with 3 to 9. Then it finds 1 to 3 hops of one
slab. ``--json FILE`` writes the numbers too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bulk_hops import BULK_HOPS, endpoints
from rich.console import Console
from rich.table import Table

from barriers import BarrierMaker, StudyMaker, run
from barriers.dispatch.local import LocalRun
from barriers.study.file import read_study

ACROSS = (2, 3, 4, 5)
"""Cells along both in-plane vectors: 48, 108, 192 and 300 atoms."""

IMAGES = (3, 4, 6, 9)

HOPS = (1, 2, 3)

SLAB = """
name: hops
surface: {layers: 3, frozen_layers: 1}
systems: [{name: NCM}]
hops: [HOPS]
"""

MEASURED = ("calls", "wall time (s)")

Row = dict[str, float]


def in_crystal(across: int, images: int) -> Row:
    """Find one hop of LiCoO2 in a cell of so many unit cells across."""
    ends = endpoints(BULK_HOPS["LiCoO2-ODH"], across=across)
    maker = BarrierMaker(n_images=images)
    band = measured(lambda folder: run(maker.make(*ends), folder))
    return {"atoms": len(ends[0]), "images": images, **band}


def on_slab(hops: int) -> Row:
    """Find so many hops of one slab."""
    wanted = ", ".join(f"{{name: hop-{rank}, layer: any, rank: {rank}}}" for rank in range(1, hops + 1))
    study = read_study(SLAB.replace("HOPS", wanted))
    return {"hops": hops, **measured(lambda folder: run(StudyMaker().make(study), folder))}


def measured(work: Callable[[Path], LocalRun]) -> Row:
    """Run something in an empty folder; calls, wall time (s), and the first forward barrier (eV)."""
    with tempfile.TemporaryDirectory(prefix="band-scaling-") as folder:
        started = time.time()
        done = work(Path(folder))
        seconds = time.time() - started
    if done.output is None:
        raise SystemExit(str(done.failures))
    barrier = getattr(done.output, "barriers", [done.output])[0]
    return {"calls": done.force_calls, "wall time (s)": round(seconds, 1), "barrier (eV)": round(barrier.forward, 3)}


def table(rows: list[Row], against: str) -> Table:
    """Lay out rows, and below them the exponents of calls and wall time."""
    shown = Table(title=f"Against {against}")
    for column in rows[0]:
        shown.add_column(column, justify="right")
    for row in rows:
        shown.add_row(*map(str, row.values()))
    shown.add_section()
    exponents = {column: f"~ {exponent(rows, against, column):.2f}" for column in MEASURED}
    shown.add_row(*(exponents.get(column, "") for column in rows[0]))
    return shown


def exponent(rows: list[Row], against: str, column: str) -> float:
    """Exponent of the power law through the rows."""
    return float(np.polyfit(*(np.log([row[name] for row in rows]) for name in (against, column)), 1)[0])


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")
    options = parser.parse_args()
    series: dict[str, list[Row]] = {
        "atoms": [in_crystal(across, 4) for across in ACROSS],
        "images": [in_crystal(3, images) for images in IMAGES],
        "hops": [on_slab(hops) for hops in HOPS],
    }
    console = Console()
    for against, rows in series.items():
        console.print(table(rows, against))
    if options.json:
        document: dict[str, Any] = {
            against: {"rows": rows, "exponents": {c: exponent(rows, against, c) for c in MEASURED}}
            for against, rows in series.items()
        }
        options.json.write_text(json.dumps(document, indent=1), "utf-8")


if __name__ == "__main__":
    main()
