"""The structures of the example study, built once for all tests."""

from __future__ import annotations

from functools import cache

from conftest import ROOT
from pymatgen.core import Structure

from barriers.plan import build, built_structures
from barriers.report.sheet import Drawn
from barriers.report.views import hop_ends
from barriers.structures.hop import Hop
from barriers.study_file import load_study

STUDY = ROOT / "inputs" / "ncm811_pvdf.yaml"


@cache
def _built() -> tuple[Structure, list[Hop], dict[str, list[Structure]]]:
    return build(load_study(STUDY))


@cache
def structures() -> dict[str, Structure]:
    """What ``barriers build`` writes, by name."""
    return built_structures(*_built())


@cache
def systems() -> dict[str, Drawn]:
    """What it draws, by name."""
    _, hops, placed = _built()
    return {
        name: Drawn(first[0], {hop.name: hop_ends(first[0], hop) for hop in hops}) for name, first in placed.items()
    }
