"""Two hundred crystals of all crystal systems, odd ones too: each is planned, or refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from any_crystals import ODDITIES, SYSTEMS, write_crystal
from conftest import Outcome

CRYSTALS, AT_ONCE = 200, 25

WAYS_ON = ("allowed", "no hop: no two", "not a crystal that can be read")

OVERLAPPING = {"squeezed", "twice"}
LACKING = {"without_ion"}


@pytest.mark.parametrize("start", range(0, CRYSTALS, AT_ONCE))
def test_a_crystal_is_planned_or_refused_in_one_line(
    cli: Callable[..., Outcome], tmp_path: Path, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    planned = 0
    for number in range(start, start + AT_ONCE):
        path, ion, odd = write_crystal(number, tmp_path)
        study = tmp_path / f"{number}.yaml"
        study.write_text(f"name: crystal{number}\ncrystal: {{file: {path.name}, ion: {ion}}}\n", "utf-8")
        outcome = cli("check", study)
        refusals = [line for line in outcome.err.splitlines() if line.startswith("wrong input: ")]
        assert (outcome.code, len(refusals)) in ((0, 0), (2, 1)), f"{number} {odd}: {outcome.err}"
        if outcome.code:
            assert any(word in refusals[0] for word in ("allowed", "no hop", "no crystal", "that can be read")), (
                refusals
            )
        else:
            assert "hop " in outcome.out
            assert odd not in OVERLAPPING | LACKING, number
            planned += 1
    assert planned >= AT_ONCE // 3


def test_all_crystal_systems_and_oddities_are_among_them() -> None:
    assert CRYSTALS // len(SYSTEMS) >= 25
    assert {number // 2 % len(ODDITIES) for number in range(1, CRYSTALS, 2)} == set(range(len(ODDITIES)))
