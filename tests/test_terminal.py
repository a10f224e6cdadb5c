"""What a terminal, pipe or batch log gets that does not take UTF-8: every line, in ASCII where need be."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_study import made_up_study

from barriers.report.folder import write_results
from barriers.words import in_ascii

ENCODINGS = [
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii"},
    {"LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "utf-8"},
]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results with a lower barrier, which the sentences give with a minus sign."""
    folder = tmp_path_factory.mktemp("results")
    write_results(made_up_study(names=("NCM", "NCM@PVDF→β", "NCM@PVDF-HF")), folder)
    return folder


def said(options: dict[str, str], *args: str | Path) -> bytes:
    """Give what ``barriers ARGS`` writes into a pipe."""
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONIOENCODING", "PYTHONUTF8"}}
    command = [sys.executable, "-m", "barriers", *map(str, args)]
    return subprocess.run(command, env=environment | options, check=True, capture_output=True).stdout


def written(text: str, encoding: str) -> str:
    """Give a text with what an encoding lacks in ASCII."""
    return "".join(in_ascii(one) if one.encode(encoding, "ignore") == b"" else one for one in text)


@pytest.mark.parametrize("options", ENCODINGS, ids=str)
def test_every_command_says_all_it_has_to_say_in_any_encoding(options: dict[str, str], results: Path) -> None:
    encoding = options.get("PYTHONIOENCODING", "ascii")
    assert written("Li⁺ migration barriers", encoding) in said(options, "--help").decode(encoding)
    table = said(options, "show", results).decode(encoding)
    for text in ("±", "NCM@PVDF→β", "NCM@PVDF-HF", "results in"):
        assert written(text, encoding) in table
    assert "?" not in table
    whole = json.loads(said({"PYTHONIOENCODING": "utf-8"}, "show", results, "--json"))
    assert json.loads(said(options, "show", results, "--json").decode(encoding)) == whole


@pytest.mark.parametrize("options", ENCODINGS[1:], ids=str)
def test_a_failure_is_told_in_any_encoding(options: dict[str, str], tmp_path: Path) -> None:
    missing = os.fsencode(tmp_path) + b"/\xc3\x85.yaml"
    command = [sys.executable.encode(), b"-m", b"barriers", b"check", missing]
    process = subprocess.run(command, env={**os.environ, **options}, check=False, capture_output=True)
    assert process.returncode == 2
    line = process.stderr.decode(options.get("PYTHONIOENCODING", "utf-8"))
    assert line.startswith("wrong input: ") and line.count("\n") == 1
    assert f"/{'A' if options.get('PYTHONIOENCODING') == 'ascii' else 'Å'}.yaml: No such file" in line


@given(st.text())
def test_any_text_has_its_words_in_ascii(text: str) -> None:
    assert in_ascii(text).isascii()
    assert in_ascii(in_ascii(text)) == in_ascii(text)


def test_words_in_ascii_can_be_read() -> None:
    assert in_ascii("Li⁺ → −0.25 ± 0.02 eV/Å², ν = 10¹³ s⁻¹, ΔE … µB") == (
        "Li+ -> -0.25 +/- 0.02 eV/A2, nu = 1013 s-1, DeltaE ... uB"
    )
    assert in_ascii("naïve 中") == "naive \\u4e2d"
