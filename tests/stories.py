"""Commands typed one after the other in a folder of their own: the screens of those that need something before them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

from ase.io import write
from conftest import gold_on_aluminium
from mongo import Mongod, find_mongod
from pymatgen.core import SETTINGS
from screens import plain, typed_in
from vasp_tools import COMMAND, write_potcars

from barriers.dispatch.stopping import Stopped
from barriers.report.live.server import PageServer

Screens = Iterator[tuple[str, str]]
"""Names of screens and their texts."""

GOLD = "name: gold\nendpoints: {initial: initial.traj, final: final.traj}\n"
EMT = f"{GOLD}engine: {{kind: mlip, model: emt}}\n"
SHORT = f"{EMT}neb: {{max_steps: 2}}\n".replace("gold", "short", 1)
VASP = (
    f"{GOLD}engine: {{kind: vasp, command: '{COMMAND}', moments: {{Au: 1.0}}}}\n"
    "relax: {fmax: 0.02, rough_fmax: 0.1}\npath: {n_images: 1, starts: 1}\n"
)
SLAB = """\
name: small
surface: {layers: 3, frozen_layers: 1}
systems:
  - name: NCM
  - name: NCM@PVDF
    fragment: {polymer: PVDF, units: 1}
    placement: {candidates: 1}
"""

QUEUE = {
    "sbatch": '#!/bin/bash\nbash "${@: -1}" > job.out 2>&1\necho "Submitted batch job 4711"\n',
    "squeue": "#!/bin/sh\n",
}
"""A queue in which each job has run when it has been sent."""


def typed(command: str, answers: str = "") -> str:
    """Give what a command prints in the current folder at 80 columns."""
    return plain(typed_in(tuple(command.split()), 80, answers), Path.cwd())


def files(**texts: str) -> None:
    """Write study files, and the structures of gold on aluminium."""
    for name, text in texts.items():
        Path(f"{name}.yaml").write_text(text, "utf-8")
    for name, atoms in zip(("initial", "final"), gold_on_aluminium(), strict=True):
        write(f"{name}.traj", atoms)


def beginning() -> Screens:
    """A study of one's own, or the examples; the structures as built."""
    yield "new", typed("new", "\n0 0 3\nPVDF\nHF\n\n")
    yield "init", typed("init examples")
    files(small=SLAB)
    yield "build", typed("build small.yaml")


def here() -> Screens:
    """A study that is run on this machine, and what is made of its results."""
    files(gold=EMT, short=SHORT)
    yield "run", typed("run gold.yaml")
    yield "run-again", typed("run gold.yaml")
    yield "run-short", typed("run short.yaml")
    yield "neb", typed("neb initial.traj final.traj --model emt")
    yield "plot", typed("plot results/gold")
    yield "report", typed("report results/gold")
    yield "export", typed("export results/gold")

    def ctrl_c(*_: object) -> None:
        raise Stopped(signal.SIGINT)

    with patch.object(PageServer, "serve_forever", ctrl_c):
        yield "watch", typed("watch gold.yaml")


def by_hand() -> Screens:
    """A study whose calculations are run by hand."""
    files(gold=VASP)
    potcars = write_potcars(Path("potcars").absolute(), "Al", "Au")
    with patch.dict(SETTINGS, PMG_VASP_PSP_DIR=str(potcars)):
        yield "inputs-vasp", typed("inputs gold.yaml --to calculations")
        for name, faults in zip(("initial", "final"), ("{}", '{"kill_at": 2}'), strict=True):
            (place,) = Path("calculations").glob(f"*{name}*")
            environment = os.environ | {"POTCARS": str(potcars / "POT_GGA_PAW_PBE_54"), "VASP_STANDIN": faults}
            subprocess.run(["bash", "job.sh"], cwd=place, check=False, capture_output=True, env=environment)
        yield "adopt", typed("adopt gold.yaml calculations")


def through_a_queue() -> Screens:
    """A study that is sent through a queue. Needs MongoDB."""
    files(gold=EMT)
    for name, text in QUEUE.items():
        program = Path("bin", name)
        program.parent.mkdir(exist_ok=True)
        program.write_text(text, "utf-8")
        program.chmod(0o755)
    server = Mongod(Path("mongod").absolute()).start()
    try:
        path = f"{Path('bin').absolute()}:{os.environ['PATH']}"
        with patch.dict(os.environ, PATH=path, BARRIERS_CONFIG=str(Path("cluster").absolute())):
            answers = f"--host 127.0.0.1 --port {server.port} --queue-type slurm --folder {Path('jobs').absolute()}"
            yield "setup", typed(f"setup fireworks {answers}")
            yield "submit", typed("submit gold.yaml")
            yield "launch", typed("launch gold.yaml --every 0.5")
            yield "collect", typed("collect gold.yaml")
    finally:
        server.stop()


STORIES: dict[str, Callable[[], Screens]] = {
    each.__name__: each for each in (beginning, here, by_hand, through_a_queue)
}


def play() -> Screens:
    """Give the screens of all stories, each in an empty folder; without MongoDB there is no queue."""
    for name, story in STORIES.items():
        if name != "through_a_queue" or find_mongod():
            with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
                yield from story()
