"""Time and memory of building studies of 10 to 1,000 hops, beside a plain jobflow Flow of as many jobs.

``python tests/benchmarks/thousand_hops.py`` measures each size in a process of its own, one after the other. The study
is a bare slab of NCM811 and the same slab with PVDF; the slab is the same for all sizes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jobflow import Flow, job
from rich.console import Console
from rich.table import Table

from barriers import StudyMaker
from barriers.study.file import read_study
from barriers.study.models import HopSection, Study

TEXT = """
name: thousand_hops
surface: {layers: 3, frozen_layers: 1, min_lengths: [48, 28]}
systems:
  - {name: NCM}
  - name: NCM@PVDF
    fragment: {polymer: PVDF, units: 1}
"""

KINDS = ("vacancy", "divacancy", "interstitial", "divacancy", "vacancy", "divacancy", "interstitial")
"""The slab has its hops of each kind in these shares."""

LINEAR = 1.5
"""Time per job at the most hops, in units of that at the fewest, above which building is not linear."""

Measures = dict[str, float]


def study_of(hops: int) -> Study:
    """Study of so many hops of all kinds and depths."""
    sections = []
    for number in range(hops):
        rounds, place = divmod(number, len(KINDS))
        kind = KINDS[place]
        rank = rounds * KINDS.count(kind) + KINDS[:place].count(kind) + 1
        sections.append(HopSection(name=f"{kind}-{rank}", kind=kind, layer="any", rank=rank))
    return read_study(TEXT).model_copy(update={"hops": tuple(sections)})


def in_parts(hops: int) -> Measures:
    """Build a study in parts, and let go of each before the next."""
    study = study_of(hops)
    return built(lambda: StudyMaker().parts(study))


def at_once(hops: int) -> Measures:
    """Build all parts of a study, and one flow of them."""
    study = study_of(hops)

    def flow() -> Iterator[Flow]:
        parts = StudyMaker().parts(study)
        return (Flow(list(parts)) for _ in range(1))

    return built(flow)


@job
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def jobflow_alone(jobs: int) -> Measures:
    """Build one flow of so many trivial jobs, every second of which needs the one before."""

    def flow() -> Iterator[Flow]:
        made = []
        for number in range(jobs):
            made.append(add(made[-1].output if number % 2 else 1, 2))
        yield Flow(made)

    return built(flow)


def built(build: Callable[[], Iterator[Flow]]) -> Measures:
    """Ask for one flow after the other and let go of it: once for the time, once for the memory that jobs take."""
    started = time.process_time()
    flows = build()
    ready = time.process_time()
    jobs = sum(len(flow.job_uuids) for flow in flows)
    done = time.process_time()
    flows = build()
    tracemalloc.start()
    for flow in flows:
        del flow
    return {
        "jobs": jobs,
        "start": ready - started,
        "build": done - ready,
        "held": tracemalloc.get_traced_memory()[1] / 2**20,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


MEASURED: dict[str, Callable[[int], Measures]] = {
    "in parts": in_parts,
    "as one flow": at_once,
    "jobflow alone": jobflow_alone,
}


def main() -> int:
    """Measure all sizes and print what they took; 1 if the time per job grows with the hops."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hops", type=int, nargs="+", default=[10, 100, 300, 1000], help="sizes, ascending")
    parser.add_argument("--json", type=Path, help="file for the numbers")
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(MEASURED[options.measure](options.hops[0])))
        return 0
    results: list[dict[str, Any]] = []
    for hops in options.hops:
        parts = alone("in parts", hops)
        one = alone("as one flow", hops)
        results.append({"hops": hops, "in parts": parts, "as one flow": one})
        results[-1]["jobflow alone"] = alone("jobflow alone", int(parts["jobs"]))
    Console(width=120).print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1), "utf-8")
    first, last = (per_job(results[at]["in parts"]) for at in (0, -1))
    print(f"time per job, most hops over fewest: {last / first:.2f}; linear: up to {LINEAR}")
    return int(last / first > LINEAR)


def alone(what: str, size: int) -> Measures:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--measure", what, "--hops", str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: Measures = json.loads(done.stdout.splitlines()[-1])
    return found


def per_job(measures: Measures) -> float:
    """Processor time of one job (ms)."""
    return 1e3 * measures["build"] / measures["jobs"]


def table(results: list[dict[str, Any]]) -> Table:
    """One row for each size and way."""
    shown = Table(title="building a study: processor time and memory")
    columns = ("hops", "built", "jobs", "slab and hops (s)", "jobs (s)", "ms per job", "held (MiB)", "peak (MiB)")
    for column in (*columns, "per job / jobflow"):
        shown.add_column(column, justify="left" if column == "built" else "right")
    for result in results:
        for what in MEASURED:
            found = result[what]
            ratio = per_job(found) / per_job(result["jobflow alone"])
            numbers = [f"{found['jobs']:.0f}", f"{found['start']:.2f}", f"{found['build']:.2f}"]
            numbers += [f"{per_job(found):.3f}", f"{found['held']:.1f}", f"{found['peak']:.0f}", f"{ratio:.1f}"]
            shown.add_row(str(result["hops"]), what, *numbers)
    return shown


if __name__ == "__main__":
    sys.exit(main())
