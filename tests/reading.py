"""What the tests of all readers of bands share."""

from __future__ import annotations

from pathlib import Path

from barriers.parsing import find_band, parse_folder
from barriers.parsing.found import FoundBand

BANDS = Path(__file__).parent / "data" / "bands"
"""Bands that the real codes wrote."""


def refused(found: FoundBand) -> str:
    """Why a reader gives no barrier."""
    return "; ".join([*found.reasons, *(check.says for check in found.checks if check.verdict == "wrong")])


def warned(found: FoundBand) -> str:
    """What a reader says beside the barrier."""
    return "; ".join([*found.warnings, *(check.says for check in found.checks if check.verdict == "doubtful")])


def forward(folder: Path) -> float:
    """Forward barrier (eV) of a band that must have one."""
    barrier = parse_folder(folder).barriers[0]
    assert barrier.forward is not None, barrier.reason
    return float(barrier.forward)


def reason(folder: Path) -> str:
    """Why the whole command gives no barrier."""
    barrier = parse_folder(folder).barriers[0]
    assert barrier.forward is None
    return barrier.reason or ""


def error(folder: Path) -> str:
    """The one line with which a folder is refused as a whole."""
    try:
        find_band(folder)
    except ValueError as refusal:
        assert "\n" not in str(refusal)
        return str(refusal)
    raise AssertionError(f"{folder} was read")
