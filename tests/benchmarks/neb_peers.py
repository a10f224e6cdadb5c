"""Wall time and force calls of one hop: barriers against atomate2's force-field NEB, plain ASE and NEBwalk.

``python tests/benchmarks/neb_peers.py`` needs ``pip install '.[mlip,bench]'``. Model (CHGNet 0.3.0), endpoints, first
band, number of images, tolerance and machine are the same for all; see ``docs/benchmark.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from barriers.distribution import install

SCRIPT = Path(__file__).with_name("neb_contenders.py")
NAMES = {"barriers": "", "atomate2": "atomate2", "ASE": "", "ASE, NEBOptimizer": "", "nebwalk": "NEBwalk"}
"""What is compared, each with the package that it needs."""
AGREEMENT = 0.005
"""Barriers further apart than this (eV) are not the same result, so their times are not comparable."""
AIM = 0.15
"""Wall time aimed at, in units of atomate2's."""


def main() -> int:
    """Run the contenders one after the other and print what each took; 1 if their barriers differ."""
    options = parse()
    console = Console()
    names = [name for name, package in NAMES.items() if not package or find_spec(package)]
    if len(names) < len(NAMES):
        console.print(f"{', '.join({*NAMES} - {*names})} not installed: {escape(install('bench'))}")
    with tempfile.TemporaryDirectory(prefix="neb-peers-") as name:
        folder = Path(name)
        (folder / "task.json").write_text(json.dumps({"images": options.images, "size": options.size}), "utf-8")
        console.print("relaxing the endpoints …")
        launch("prepare", folder)
        results = {}
        for contender in names:
            console.print(f"running {contender} …")
            launch(contender, folder)
            results[contender] = json.loads((folder / f"{contender}.json").read_text("utf-8"))
    console.print(cost_table(results), seconds_table(results))
    problems = verdict(results, console)
    if options.json:
        document = {"task": vars(options) | {"json": None}, "machine": machine(), "results": results}
        options.json.write_text(json.dumps(document, indent=1), "utf-8")
    return int(problems)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--images", type=int, default=4, help="intermediate images (default: 4)")
    parser.add_argument(
        "--size", choices=("default", "small"), default="default", help="small: half the atoms, to try the script"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE")
    return parser.parse_args()


def launch(contender: str, folder: Path) -> None:
    """Run one contender in an interpreter of its own.

    Raises
    ------
    SystemExit
        With the end of what it printed, if it failed.
    """
    command = [sys.executable, str(SCRIPT), contender, str(folder), repr(time.time())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contender} failed:\n{done.stdout[-3000:]}")


def cost_table(results: dict[str, Any]) -> Table:
    """Lay out wall time, force calls, barrier and final force."""
    table = Table("", title="One hop, same band to the same tolerance")
    for column in ("wall time / s", "of atomate2's", "force calls", "barrier / eV", "largest force / eV/Å"):
        table.add_column(column, justify="right")
    reference = results.get("atomate2", {}).get("wall_time")
    for name, result in results.items():
        ratio = f"{result['wall_time'] / reference:.2f}" if reference else "–"
        force = f"{result['max_force']:.3f}" + ("" if result["converged"] else " (not converged)")
        table.add_row(
            name, f"{result['wall_time']:.1f}", ratio, str(result["force_calls"]), f"{result['barrier']:.4f}", force
        )
    return table


def seconds_table(results: dict[str, Any]) -> Table:
    """Lay out where the wall time went."""
    table = Table("", title="Where the time goes / s")
    for name in results:
        table.add_column(name, justify="right")
    for what in next(iter(results.values()))["seconds"]:
        table.add_row(what, *(f"{result['seconds'][what]:.1f}" for result in results.values()))
    return table


def verdict(results: dict[str, Any], console: Console) -> bool:
    """Say whether the times can be compared, and how they compare; True if they cannot."""
    barriers = [result["barrier"] for result in results.values()]
    spread = max(barriers) - min(barriers)
    loose = [name for name, result in results.items() if not result["converged"]]
    if loose:
        console.print(f"not converged: {', '.join(loose)}")
    within = "within" if spread <= AGREEMENT else "NOT within"
    console.print(f"barriers differ by {1000 * spread:.1f} meV, {within} {1000 * AGREEMENT:.0f} meV")
    if "atomate2" in results:
        ratio = results["barriers"]["wall_time"] / results["atomate2"]["wall_time"]
        console.print(f"barriers takes {ratio:.2f} of atomate2's wall time (aim: {AIM:.2f})")
    return bool(loose) or spread > AGREEMENT


def machine() -> dict[str, Any]:
    """Describe what the times were measured on."""
    versions = {}
    for package in ("barriers", "atomate2", "ase", "chgnet", "torch"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {"platform": platform.platform(), "cores": os.cpu_count(), "load": os.getloadavg(), "packages": versions}


if __name__ == "__main__":
    sys.exit(main())
