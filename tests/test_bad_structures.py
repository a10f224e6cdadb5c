"""Studies whose structures cannot be built: one line each, before anything is computed or written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Outcome

BAD = sorted((Path(__file__).parent / "data" / "bad_structures").glob("*.yaml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_structure_that_cannot_be_built_is_one_line(
    cli: Callable[..., Outcome], path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comment on top of each file is what is said of it; `...` stands for more words."""
    monkeypatch.chdir(tmp_path)
    expected = path.read_text("utf-8").splitlines()[0].removeprefix("# ")
    outcome = cli("build", path)
    assert (outcome.code, outcome.out) == (2, "")
    (line,) = outcome.err.splitlines()
    said = line.removeprefix("wrong input: ")
    parts = expected.split("...")
    assert said.startswith(parts[0])
    assert said.endswith(parts[-1])
    assert all(part in said for part in parts)
    assert list(tmp_path.iterdir()) == []


def test_there_are_at_least_twenty() -> None:
    assert len(BAD) >= 20
