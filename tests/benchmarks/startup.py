"""How long commands take to start, against another checkout: ``python tests/benchmarks/startup.py OTHER_CHECKOUT``.

Both run the same command in turn, so what else the machine does hits both; what counts is time of the processor, of
the process itself, and its ratio.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]


def seconds(checkout: Path, command: list[str]) -> float:
    """Time of the processor that a command takes with a checkout's package (s)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    call = [sys.executable, "-m", "barriers", *command]  # which takes the package in its own folder before all others
    subprocess.run(
        call, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def main() -> None:
    """Print a table of times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="checkout to compare with")
    parser.add_argument("--results", type=Path, help="a results folder: show, status and plot are measured on it")
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    study = str(ROOT / "inputs" / "ncm811_pvdf.yaml")
    commands = {"--version": ["--version"], "models": ["models"], "check": ["check", study], "hops": ["hops", study]}
    if asked.results:
        folder = asked.results.resolve()
        commands |= {name: [name, str(folder)] for name in ("show", "plot")}
        commands["status"] = ["status", str(folder / "study.yaml"), "--results", str(folder.parent)]
    table = Table("Command", "Here (s)", "There (s)", "Here / there")
    for name, command in commands.items():
        pairs = [(seconds(ROOT, command), seconds(asked.other.resolve(), command)) for _ in range(asked.times)]
        here, there = (median(times) for times in zip(*pairs, strict=True))
        ratio = median(first / second for first, second in pairs)
        table.add_row(name, f"{here:.2f}", f"{there:.2f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
