"""Every external part that barriers can use: found or not, for what, and how to get it."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from pymatgen.core import SETTINGS
from rich.markup import escape
from rich.table import Table

from barriers.distribution import NAME, install
from barriers.engines.espresso.command import code_version, parse_command
from barriers.engines.espresso.pseudopotentials import SETS, find_pseudopotentials, load_set
from barriers.engines.mlip.models import list_models
from barriers.secrecy import hide

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.config import Cluster

EXTRAS = ("mlip", "sevennet", "mattersim", "emmet", "vasp", "sqs", "fireworks", "remote")
"""Extras of the package that give it more to do."""


@dataclass(frozen=True)
class Finding:
    """One part.

    Attributes
    ----------
    part : str
        Its name.
    found : bool
        Whether it is there and fit for use.
    what : str
        Version or place, or what is wrong with it; never a secret.
    needed_for : str
        What does not work without it.
    get : str
        How to get it; empty if it is found.
    """

    part: str
    found: bool
    what: str
    needed_for: str
    get: str = ""


def examine(config: Path | None = None) -> list[Finding]:
    """Look at everything; nothing is computed or written.

    Parameters
    ----------
    config : Path or None
        Configuration folder of FireWorks, as :func:`barriers.dispatch.fireworks.config.find_cluster` takes it.
    """
    return [*_packages(), *_models(), *_codes(), *_data(), *_cluster(config)]


def findings_table(findings: list[Finding]) -> Table:
    """Lay the findings out for people."""
    table = Table(header_style="bold")
    for heading in ("Part", "Found", "What", "Needed for", "How to get it"):
        table.add_column(heading, overflow="fold", max_width=60)
    for each in findings:
        table.add_row(*map(escape, (each.part, "yes" if each.found else "no", each.what, each.needed_for, each.get)))
    return table


def _packages() -> Iterator[Finding]:
    needed: dict[str, tuple[Requirement, list[str]]] = {}
    for line in requires(NAME) or []:
        requirement = Requirement(line)
        extra = re.search(r"extra == ['\"](\w+)['\"]", line)
        if extra is None or extra[1] in EXTRAS:
            needed.setdefault(requirement.name, (requirement, []))[1].append(extra[1] if extra else "")
    for name, (requirement, extras) in needed.items():
        purpose = "everything" if "" in extras else f"extra {', '.join(extras)}"
        get = install(extras[0])
        try:
            installed = version(name)
        except PackageNotFoundError:
            yield Finding(name, False, "not installed", purpose, get)
            continue
        fits = requirement.specifier.contains(installed, prereleases=True)
        says = installed if fits else f"{installed}, needed is {requirement.specifier}"
        yield Finding(name, fits, says, purpose, "" if fits else get)


def _models() -> Iterator[Finding]:
    for row in list_models():
        yield Finding(
            f"model {row['name']}", row["ready"], row["about"], f"engine.model: {row['name']}", row["needs"] or ""
        )


def _codes() -> Iterator[Finding]:
    for program in ("pw.x", "neb.x"):
        path = shutil.which(program)
        needed, get = (
            "engine.kind: espresso",
            "install Quantum ESPRESSO, on Debian and Ubuntu: apt install quantum-espresso",
        )
        if path is None:
            yield Finding(program, False, "not on the path; engine.command may name another place", needed, get)
            continue
        try:
            yield Finding(program, True, f"{code_version(parse_command('neb.x'))[1]}, {path}", needed)
        except ValueError as error:
            yield Finding(program, False, str(error), needed, get)
    path = shutil.which("vasp_std")
    yield Finding(
        "vasp_std",
        path is not None,
        path or "not on the path; engine.command may name another program or place",
        "engine.kind: vasp",
        "" if path else "ask your computing centre for its VASP module; VASP needs a licence of the group",
    )


def _data() -> Iterator[Finding]:
    folder = SETTINGS.get("PMG_VASP_PSP_DIR")
    there = folder is not None and Path(folder).expanduser().is_dir()
    yield Finding(
        "POTCAR set",
        there,
        "PMG_VASP_PSP_DIR is not set" if folder is None else str(folder) if there else f"no folder {folder}",
        "engine.kind: vasp",
        "" if there else "pmg config --add PMG_VASP_PSP_DIR DIR, with the POTCARs of your licence",
    )
    for path in sorted(SETS.glob("*.yaml")):
        content = load_set(path.stem)
        problems = [why for element in content["elements"] if (why := _says(_finding_of(element, path.stem)))]
        total = len(content["elements"])
        what = f"{total - len(problems)} of {total} files" + (f"; {problems[0].partition('; ')[0]}" if problems else "")
        yield Finding(
            f"pseudopotentials {path.stem}",
            not problems,
            what,
            f"engine.pseudopotentials: {path.stem}",
            "" if not problems else f"{content['get']}; their folder in ESPRESSO_PSEUDO",
        )


def _finding_of(element: str, name: str) -> Callable[[], object]:
    return lambda: find_pseudopotentials([element], name, None)


def _cluster(config: Path | None) -> Iterator[Finding]:
    try:
        from barriers.dispatch.fireworks.config import find_cluster
    except ModuleNotFoundError:
        return  # said with the packages
    needed, setup = "barriers submit", "barriers setup fireworks"
    try:
        cluster = find_cluster(config)
    except ValueError as error:
        yield Finding("configuration of FireWorks", False, str(error), needed, setup)
        return
    yield from _files(cluster)
    for part, look, get in (
        (
            "MongoDB",
            cluster.launchpad,
            "start or install MongoDB (its server, or a hosted one), then barriers setup fireworks",
        ),
        ("worker", cluster.fworker, setup),
        ("queue", cluster.qadapter, setup),
        ("resources", cluster.resources, setup),
    ):
        why = _says(look)
        yield Finding(part, not why, why or f"answers as {cluster.folder} says", needed, get if why else "")
    if not _says(cluster.qadapter):
        adapter = cluster.qadapter()
        for command in adapter.q_commands[adapter.q_type].values():
            path = shutil.which(command)
            get = "" if path else f"run barriers where {adapter.q_type} is: the login node"
            yield Finding(command, path is not None, path or "not on the path", needed, get)


def _files(cluster: Cluster) -> Iterator[Finding]:
    for path in sorted(cluster.folder.glob("*.yaml")):
        mode = stat.S_IMODE(path.stat().st_mode)
        private = not mode & 0o077
        what = f"mode {mode:03o}" + ("" if private else ": others may read or write it")
        yield Finding(str(path), private, what, "barriers submit", "" if private else f"chmod 600 {path}")


def _says(call: Callable[[], object]) -> str:
    """First line that a call is refused with, empty if it is not."""
    try:
        call()
    except ValueError as error:
        return hide(str(error)).splitlines()[0]
    return ""
