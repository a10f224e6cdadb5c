"""Time and memory of submitting studies of 10 to 1,000 hops to a LaunchPad, beside jobflow's own way to FireWorks.

``python tests/benchmarks/submission.py`` starts a MongoDB server, and measures each size in a process of its own with
an empty database: building and adding a study in parts; adding it once more, when nothing is new; and, as the peer, the
same study as one flow through ``jobflow.managers.fireworks`` and ``LaunchPad.add_wf``.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from dispatched import write_cluster
from jobflow.managers.fireworks import flow_to_workflow
from mongo import Mongod
from rich.console import Console
from rich.table import Table
from thousand_hops import LINEAR, study_of

from barriers import StudyMaker
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.submit import submit

Measures = dict[str, float]


def ours(hops: int, cluster: Cluster) -> Measures:
    """Build and add a study in parts, twice."""
    study = study_of(hops)
    started = time.perf_counter()
    first = submit(StudyMaker().parts(study), study.name, cluster)
    added = time.perf_counter()
    submit(StudyMaker().parts(study), study.name, cluster)
    again = time.perf_counter()
    return {
        "jobs": first.added,
        "workflows": first.workflows,
        "seconds": added - started,
        "again": again - added,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def jobflows(hops: int, cluster: Cluster) -> Measures:
    """Build a study as one flow, and add it as jobflow does."""
    study = study_of(hops)
    launchpad = cluster.launchpad()
    started = time.perf_counter()
    flow = StudyMaker().make(study)
    launchpad.add_wf(flow_to_workflow(flow))
    return {
        "jobs": len(flow.job_uuids),
        "workflows": 1,
        "seconds": time.perf_counter() - started,
        "again": float("nan"),
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


MEASURED: dict[str, Callable[[int, Cluster], Measures]] = {"barriers submit": ours, "jobflow": jobflows}


def main() -> int:
    """Measure all sizes and print what they took; 1 if the time per job grows with the hops."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--hops", type=int, nargs="+", default=[10, 100, 300, 1000], help="sizes, ascending")
    parser.add_argument("--measure", choices=MEASURED, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        with tempfile.TemporaryDirectory() as folder:
            database = f"{options.measure.replace(' ', '_')}_{options.hops[0]}"
            cluster = write_cluster(Path(folder), options.port, name=database)
            print(json.dumps(MEASURED[options.measure](options.hops[0], cluster)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        server = Mongod(Path(folder)).start()
        try:
            found = {(hops, what): alone(what, hops, server.port) for hops in options.hops for what in MEASURED}
        finally:
            server.stop()
    Console(width=120).print(table(found))
    growth = further(found, options.hops[-2:]) / further(found, options.hops[:2])
    print(f"time per further job, last step over first: {growth:.2f}; linear: up to {LINEAR}")
    return int(growth > LINEAR)


def further(found: dict[tuple[int, str], Any], hops: list[int]) -> float:
    """Time of one more job between two sizes (s); what does not depend on the hops cancels."""
    fewer, more = (found[each, "barriers submit"] for each in hops)
    return float((more["seconds"] - fewer["seconds"]) / (more["jobs"] - fewer["jobs"]))


def alone(what: str, hops: int, port: int) -> Measures:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--measure", what, "--hops", str(hops), "--port", str(port)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measures: Measures = json.loads(done.stdout.splitlines()[-1])
    return measures


def per_job(measures: Measures) -> float:
    """Time of one job (ms)."""
    return 1e3 * measures["seconds"] / measures["jobs"]


def table(found: dict[tuple[int, str], Any]) -> Table:
    """One row for each size and way."""
    shown = Table(title="submitting a study: wall time, building included, and memory of the submitting process")
    columns = (
        "hops",
        "with",
        "jobs",
        "workflows",
        "seconds",
        "ms per job",
        "again (s)",
        "peak (MiB)",
        "per job / jobflow",
    )
    for column in columns:
        shown.add_column(column, justify="left" if column == "with" else "right")
    for (hops, what), one in found.items():
        ratio = per_job(one) / per_job(found[hops, "jobflow"])
        numbers = [f"{one['jobs']:.0f}", f"{one['workflows']:.0f}", f"{one['seconds']:.1f}", f"{per_job(one):.2f}"]
        shown.add_row(str(hops), what, *numbers, f"{one['again']:.1f}", f"{one['peak']:.0f}", f"{ratio:.2f}")
    return shown


if __name__ == "__main__":
    sys.exit(main())
