"""The house: imports go down only, and never in a circle, those inside functions and for type checkers included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from conftest import ROOT

LAYERS = (
    ("secrecy", "disk", "distribution"),
    ("words",),
    ("structures",),
    ("contents",),
    ("study", "analysis"),
    ("documents",),
    ("fingerprint",),
    ("engines",),
    ("engines.mlip", "engines.espresso", "engines.vasp", "engines.surrogate"),
    ("engines.pyscf",),  # relaxes as the embedded engine does, in this process
    ("files",),
    ("engines.openmm",),  # reads its trajectories where they lie
    ("workflow",),
    ("dispatch", "parsing"),
    ("by_hand",),
    ("report",),
    ("cli",),
    ("barriers", "__main__"),  # the package's own front door
)
"""Rooms of the package from the ground up; those of one layer do not know one another."""

Graph = dict[str, set[str]]


def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    paths = (ROOT / "barriers").rglob("*.py")
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names that a module asks for, whether they are modules or something in one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports() -> Graph:
    """Modules of the package that each of its modules imports."""
    known = modules()
    graph: Graph = {name: set() for name in known}
    for name, path in known.items():
        for asked in imported(ast.parse(path.read_text("utf-8"))):
            module = asked if asked in known else asked.rpartition(".")[0]
            graph[name] |= {module} & set(known) - {name}
    return graph


FLOORS = {name: number for number, names in enumerate(LAYERS) for name in names}


def room(module: str) -> str:
    """Room of a module: the innermost that is listed."""
    parts = module.split(".")[1:] or [module]
    inner = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next((name for name in inner if name in FLOORS), f"{module}, which has no layer")


def upward(graph: Graph) -> list[str]:
    """Imports that do not go down."""
    rooms = {module: room(module) for module in graph}
    return sorted(
        f"{module} imports {other}"
        for module, others in graph.items()
        for other in others
        if rooms[module] != rooms[other] and FLOORS[rooms[module]] <= FLOORS[rooms[other]]
    )


def circle(graph: Graph) -> list[str]:
    """One circle of imports; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_every_room_has_its_layer() -> None:
    assert {room(module) for module in modules()} == set(FLOORS)


def test_imports_go_down_only() -> None:
    assert upward(imports()) == []


def test_no_module_imports_itself_in_a_circle() -> None:
    assert circle(imports()) == []


@pytest.mark.parametrize("text", ["import barriers.cli.app", "def f():\n    from barriers.cli import app"])
def test_an_import_is_seen_wherever_it_stands(text: str) -> None:
    assert list(imported(ast.parse(text))) == ["barriers.cli.app"]
