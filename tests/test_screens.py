"""What commands print: at 80 columns as on file, and whole at every width."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from external import need
from mongo import find_mongod
from screens import COMMANDS, SCREENS, TABLES, screen
from stories import STORIES

from barriers.cli import app
from barriers.report.fitting import LONGEST

WIDTHS = (60, 80, 100, 200, None)


@pytest.mark.parametrize("name", [*COMMANDS, *TABLES])
def test_screens_are_those_on_file(name: str) -> None:
    """``python tests/screens.py`` writes them anew, to be read before they are committed."""
    assert screen(name, 80) == (SCREENS / f"{name}.txt").read_text("utf-8")


MARKS = {"here": [pytest.mark.slow], "through_a_queue": [pytest.mark.slow, pytest.mark.mongo]}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("story", [pytest.param(name, marks=MARKS.get(name, [])) for name in STORIES])
def test_commands_typed_one_after_the_other_print_what_is_on_file(
    story: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if story == "through_a_queue":
        need(find_mongod() is not None, "mongod (its path in the variable MONGOD)")
    monkeypatch.chdir(tmp_path)
    for name, text in STORIES[story]():
        assert text == (SCREENS / f"{name}.txt").read_text("utf-8"), name


def test_every_command_has_a_screen() -> None:
    commands = set(typer.main.get_group(app).commands)
    assert commands <= {path.stem.split("-")[0] for path in SCREENS.glob("*.txt")}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", [*TABLES, "show"])
def test_tables_are_whole_at_any_width(name: str, width: int | None) -> None:
    text = screen(name, width)
    whole = screen(name, None)
    table = [line for line in text.splitlines() if "│" in line or "  " in line.rstrip()]
    assert "…" not in text
    assert all(len(line) <= (width or 10_000) for line in table)
    for word in re.split(r"[\s│┃━┳┏┓┡╇┩└┴┘├┼┤─·]+", whole):
        assert word in text or len(word) > LONGEST, f"{word} is broken"


def test_a_number_stays_with_what_it_is_the_uncertainty_of() -> None:
    assert "Δ forward: +0.036 ± 0.002" in screen("show", 60)
    assert "+0.036  0.002" in screen("show", 80)
