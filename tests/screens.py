"""What the commands print at 80 columns, kept as text in tests/data/screens.

``python tests/screens.py`` writes them anew: after a change of a table, read them before they are committed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from pathlib import Path
from unittest.mock import patch

from rich.console import RenderableType

from barriers.analysis.ensemble import DistributionDoc, EnsembleDoc, PairDoc
from barriers.analysis.screen import Percolating, ScreenDoc, ScreenRow
from barriers.analysis.series import ConvergenceDoc, PointDoc, SeriesDoc
from barriers.analysis.trajectory.documents import MatrixDoc, MotionDoc, TransportDoc
from barriers.analysis.trajectory.mechanism import MechanismDoc
from barriers.analysis.trajectory.regime import RegimeDoc
from barriers.analysis.trajectory.shells import ShellDoc
from barriers.by_hand.write import Inputs, Written
from barriers.cli import main
from barriers.cli.app import emit
from barriers.dispatch.doctor import Finding, findings_table
from barriers.dispatch.explain import Explained
from barriers.dispatch.fireworks.listing import StudyOnLaunchPad
from barriers.dispatch.fireworks.recover import Recovered
from barriers.dispatch.leftovers import Leftover, Leftovers
from barriers.dispatch.status import JobStatus
from barriers.report.by_hand import inputs_table
from barriers.report.dispatch import recovered_table, studies_table
from barriers.report.ensemble import ensemble_table
from barriers.report.explain import differences_table, explained_table, listed_table
from barriers.report.leftovers import leftovers_table
from barriers.report.plan import models_table
from barriers.report.screen import screen_table
from barriers.report.series import series_table
from barriers.report.status import status_view
from barriers.report.transport import motions_table, shells_table

ROOT = Path(__file__).parent.parent
SCREENS = Path(__file__).parent / "data" / "screens"
STUDY = "inputs/ncm811_pvdf.yaml"

DIFFERS = {
    r"about \d+ min on this machine": "about N min on this machine",
    r"(: (?:relax \w+|barrier|comparison))  \d+\.\d s$": r"\1",  # not told below 0.1 s
    r"  \d+\.\d s\b": "  N s",
    r"│ +\d+ s │": "│  N s │",
    r"^MongoDB [\d.]+": "MongoDB N",
    r"^\S+ ran it with barriers [\w.]+$": "MACHINE ran it with barriers N",
    r"^emt [\d.]+:": "emt N:",
    r"^[^/\s]+/gold: ": "USER/gold: ",
    r"http://127\.0\.0\.1:\d+/[\w-]+/": "http://127.0.0.1:PORT/TOKEN/",
}
"""What differs from run to run, and what stands on file instead."""

COMMANDS = {
    "show": ("show", "docs/data/ncm811_pvdf.json"),
    "rates": ("rates", "docs/data/ncm811_pvdf.json", "--temperatures", "300", "--directions", "6", "--dimensions", "2"),
    "check": ("check", STUDY),
    "check-mistake": ("check", "tests/data/bad_studies/unknown_engine.yaml"),
    "check-mistake-json": ("check", "tests/data/bad_studies/unknown_engine.yaml", "--json"),
    "hops": ("hops", STUDY, "--layer", "sub-surface"),
    "terminations": ("terminations", STUDY),
    "parse-check": ("parse", "tests/data/bands/lammps/cu_edge_converged", "--check"),
    "parse-codes": ("parse", "--codes"),
}
"""Commands as they are typed in the repository; what they need is in it."""


def _job(state: str, system: str = "NCM@PVDF-HF", hop: str = "sub-surface", **values: object) -> JobStatus:
    return JobStatus(f"{system} {hop}: band carried", "neb", system, hop, state, **values)  # type: ignore[arg-type]


PROGRESS = {"stage": "climbing", "iteration": 134, "max_force": 0.1234, "target": 0.05, "highest_image": 0.4321}
FOLDER = "/scratch/ada/barriers/results/ncm811_pvdf/jobs/neb-NCM_PVDF-HF-sub-surface-band-carried-81fc6691c867"
JOBS = [
    _job("done", "NCM", barrier=0.413),
    _job("running", "NCM@PVDF", progress=PROGRESS, elapsed=3661.0, expected=7322.0, queue_id="4711"),
    _job("stopped", message="stopped"),
    _job("not converged", hop="surface", progress=PROGRESS, message="0.12 eV/Å after 500 iterations"),
    _job("lost", hop="divacancy", folder=FOLDER),
]
CONTENTS = {
    "computes": "neb",
    "engine": "mlip",
    "settings": {"fmax": 0.05, "spring": 1.0},
    "initial": "Li17 0a1b2c3d4e",
}
ONE = Explained("NCM sub-surface: band idpp", "81fc6691c867", "u-1", "NCM", "sub-surface", "neb", CONTENTS)
OTHER = Explained(
    "NCM@PVDF-HF sub-surface: band carried", "14902f008005", "u-2", "NCM@PVDF-HF", "sub-surface", "neb",
    CONTENTS | {"settings": {"fmax": 0.03, "spring": 1.0}},
)  # fmt: skip
PAIRS = [
    PairDoc(hop=f"hop{number}", of_hop=f"hop{number}", ordering=1, seed=1, delta=0.01 * number, placements={})
    for number in (1, 2)
]
SYSTEMS = ("NCM@PVDF", "NCM@PVDF-HF", "NCM@PVDF-2HF", "NCM@PAN", "NCM@PAN-HCN", "NCM@PEO")


def _motion(name: str, count: int, **values: float) -> MotionDoc:
    found = RegimeDoc(start=21, end=199, alpha_error=0.04, **values)  # type: ignore[arg-type]
    return MotionDoc(name=name, count=count, lags=[], msd=[], msd_error=[], alpha=[], regime=found, boxes=[])


TRANSPORT = TransportDoc(
    files=["a.xtc"], temperature=450, length=400, step=1, drift=0.1,
    matrix=MatrixDoc(ion="Li", ions=27, anions={}, chains=27, backbone=40, others={}, formula={}, density=1.4),
    motions=[
        _motion("Li", 81, alpha=1.02, msd=53.8, diffusivity=4.4e-6, diffusivity_error=4e-7),
        _motion("FSI⁻", 81, alpha=0.95, msd=120.5, diffusivity=1.1e-5, diffusivity_error=9e-7),
        _motion("backbone", 3240, alpha=0.53, msd=18.2),
    ],
    shells=[
        ShellDoc(element="O", peak=1.975, cutoff=2.775, number=4.512, number_error=0.034),
        ShellDoc(element="N"),
    ],
    mechanism=MechanismDoc(lag=55, moved=5.2, partners=[], sentence=""),
)  # fmt: skip

TABLES: dict[str, Callable[[], RenderableType]] = {
    "status": lambda: status_view("ncm811_pvdf", JOBS),
    "recover": lambda: recovered_table(
        [Recovered("NCM sub-surface: band", "the node went down", "put back", FOLDER, 134, 938, 3661.0)]
    ),
    "list": lambda: studies_table(
        [StudyOnLaunchPad("ada", "ncm811_pvdf", "2026-01-02T03:04:05", {"COMPLETED": 1234, "RUNNING": 8, "FIZZLED": 1})]
    ),
    "clean": lambda: leftovers_table(
        Leftovers([Leftover("folder", "NCM: relax", FOLDER, 123_456_789, "of an earlier version of the study")], [])
    ),
    "doctor": lambda: findings_table(
        [
            Finding("pw.x", True, "6.7, /usr/bin/pw.x", "engine espresso", ""),
            Finding("mattersim", False, "not installed", "models mattersim-1m", "pip install 'li-barriers[mattersim]'"),
        ]
    ),
    "inputs": lambda: inputs_table(
        Inputs([Written("a", "NCM-slab", "relax", 72, []), Written("b", "NCM-band", "neb", 71, ["a", "c"])], "", 0, "")
    ),
    "explain": lambda: explained_table(ONE),
    "explain-list": lambda: listed_table([ONE, OTHER]),
    "explain-two": lambda: differences_table(ONE, OTHER),
    "converge": lambda: series_table(
        ConvergenceDoc(
            name="n", system="NCM", hop="h", label="l", which="forward",
            series=[SeriesDoc(
                setting="vacuum", unit="Å", finest="20", reached="16",
                points=[
                    PointDoc(value="12", own=True, atoms=72, barrier=0.4123, uncertainty=0.002, from_finest=0.031),
                    PointDoc(value="16", atoms=72, barrier=0.3913, uncertainty=0.002, from_finest=0.009),
                    PointDoc(value="20", atoms=72, barrier=0.3823, uncertainty=0.002, from_finest=0.0),
                ],
            )],
        )
    ),
    "screen": lambda: screen_table(
        ScreenDoc(
            name="oxides_Li", ion="Li", model="chgnet", best=1,
            rows=[
                ScreenRow(
                    name="LiCoO2", file="LiCoO2.cif", state="barrier", dimension=2, hops=1, diffusion=9.6e-10,
                    estimate=Percolating(one=0.778, two=0.778), barrier=Percolating(one=0.4231, two=0.4231),
                    uncertainty=0.002,
                ),
                ScreenRow(
                    name="LiFePO4", file="LiFePO4.cif", state="estimated", dimension=1, hops=1,
                    estimate=Percolating(one=0.737),
                ),
                ScreenRow(
                    name="again", file="again.vasp", state="the same", reason="the same crystal as LiCoO2",
                ),
            ],
        )
    ),
    "ensemble": lambda: ensemble_table(
        EnsembleDoc(members=[], distributions=[
            DistributionDoc(system=system, reference="NCM", lithium=1, pairs=PAIRS, falls=2, rises=0, mean=-0.0123,
                            spread=0.021, standard_error=0.0101, p_value=0.0123)
            for system in SYSTEMS
        ]), "forward",
    ),
    "transport": lambda: motions_table(TRANSPORT),
    "transport-shells": lambda: shells_table(TRANSPORT),
    "models": lambda: models_table(
        [
            {"name": "chgnet", "about": "CHGNet 0.3.0 (PBE+U, MPtrj; moments)", "ready": True, "needs": ""},
            {"name": "mattersim-1m", "about": "MatterSim 1M; nearer to DFT for oxide hops than chgnet; from a file",
             "ready": False, "needs": "pip install 'li-barriers[mattersim]'"},
        ]
    ),
}  # fmt: skip
"""Tables of commands that need more than the repository, made up."""


class Terminal(StringIO):
    """A terminal that keeps what is written."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Beside(StringIO):
    """Standard error on the same terminal, without what only moves there: it says that it is none."""

    def __init__(self, terminal: StringIO) -> None:
        super().__init__()
        self.terminal = terminal

    def write(self, text: str) -> int:
        return self.terminal.write(text)


class Keyboard(StringIO):
    """What somebody types, which the terminal shows."""

    def isatty(self) -> bool:
        return bool(self.getvalue())

    def readline(self, size: int | None = -1, /) -> str:
        line = super().readline(-1 if size is None else size)
        sys.stdout.write(line)
        return line


@contextmanager
def at_a_terminal(width: int | None, typed: str = "") -> Iterator[StringIO]:
    """Keep what is printed to a terminal of a width, or to none."""
    out = StringIO() if width is None else Terminal()
    seen = {"COLUMNS": str(width or ""), "TERM": "xterm", "NO_COLOR": "1"}
    streams = {"stdout": out, "stderr": Beside(out), "stdin": Keyboard(typed)}
    with patch.dict(os.environ, seen), patch.multiple(sys, **streams):
        yield out


def typed_in(command: tuple[str, ...], width: int | None, typed: str = "") -> str:
    """Give what a command prints where this process is."""
    with (
        at_a_terminal(width, typed) as out,
        patch.object(sys, "argv", ["barriers", *command]),
        suppress(SystemExit),
    ):
        main()
    return out.getvalue()


def screen(name: str, width: int | None) -> str:
    """Give what a command prints at a width, or without a terminal, as plain text."""
    if name in TABLES:
        with at_a_terminal(width) as out:
            emit(TABLES[name]())
        return plain(out.getvalue())
    command, *options = COMMANDS[name]
    return plain(typed_in((command, *(str(ROOT / each) if "/" in each else each for each in options)), width))


def plain(text: str, folder: Path = ROOT) -> str:
    """Make text that is the same in every run: no colours, and fixed words for what differs."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text).replace(f"{folder}/", "")
    for pattern, word in DIFFERS.items():
        text = re.sub(pattern, word, text, flags=re.M)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def keep(name: str, text: str) -> None:
    """Put a screen on file."""
    (SCREENS / f"{name}.txt").write_text(text, "utf-8")


if __name__ == "__main__":
    from stories import play

    SCREENS.mkdir(exist_ok=True)
    for each in (*COMMANDS, *TABLES):
        keep(each, screen(each, 80))
    for name, text in play():
        keep(name, text)
