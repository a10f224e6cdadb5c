"""The structures of the example study, built once for all tests."""

from __future__ import annotations

from functools import cache

from conftest import ROOT
from pymatgen.core import Structure

from barriers.report.sheet import Drawn
from barriers.structures.hop.hop import hop_ends
from barriers.study.file import load_study
from barriers.workflow.built import BuiltStudy, build_study

STUDY = ROOT / "inputs" / "ncm811_pvdf.yaml"


@cache
def built() -> BuiltStudy:
    """What the study starts from."""
    return build_study(load_study(STUDY))


@cache
def structures() -> dict[str, Structure]:
    """What ``barriers build`` writes, by name."""
    return built().structures


@cache
def systems() -> dict[str, Drawn]:
    """What it draws, by name."""
    return {
        name: Drawn(first[0], {hop.name: hop_ends(first[0], hop) for hop in built().hops})
        for name, first in built().systems.items()
    }
