"""Li⁺ migration barriers at cathode surfaces, bare and with polymer fragments on them.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from barriers.dispatch.local import run as run
    from barriers.engines.espresso import EspressoEngine as EspressoEngine
    from barriers.engines.mlip import MlipEngine as MlipEngine
    from barriers.files.structures import read_endpoints as read_endpoints
    from barriers.report.figures import draw_profiles as draw_profiles
    from barriers.structures.cathode.crystal import bulk as bulk
    from barriers.structures.cathode.crystal import cathode_of as cathode_of
    from barriers.structures.cathode.ordering import order_metals as order_metals
    from barriers.structures.hop.choice import select_hops as select_hops
    from barriers.structures.hop.search import find_hops as find_hops
    from barriers.structures.interface.placement import place_at_distance as place_at_distance
    from barriers.structures.interface.placement import place_bonded as place_bonded
    from barriers.structures.polymer.fragment import build_fragment as build_fragment
    from barriers.structures.surface.slab import cut_slab as cut_slab
    from barriers.structures.surface.terminations import terminations as terminations
    from barriers.study.file import load_study as load_study
    from barriers.study.models import Study as Study
    from barriers.workflow.study import BarrierMaker as BarrierMaker
    from barriers.workflow.study import StudyMaker as StudyMaker

_HOMES = {
    "as_calculator": "barriers.engines.adapter",
    "BarrierMaker": "barriers.workflow.study",
    "EspressoEngine": "barriers.engines.espresso",
    "MlipEngine": "barriers.engines.mlip",
    "Study": "barriers.study.models",
    "StudyMaker": "barriers.workflow.study",
    "build_fragment": "barriers.structures.polymer.fragment",
    "bulk": "barriers.structures.cathode.crystal",
    "cathode_of": "barriers.structures.cathode.crystal",
    "cut_slab": "barriers.structures.surface.slab",
    "draw_profiles": "barriers.report.figures",
    "find_hops": "barriers.structures.hop.search",
    "load_study": "barriers.study.file",
    "order_metals": "barriers.structures.cathode.ordering",
    "place_at_distance": "barriers.structures.interface.placement",
    "place_bonded": "barriers.structures.interface.placement",
    "read_endpoints": "barriers.files.structures",
    "run": "barriers.dispatch.local",
    "select_hops": "barriers.structures.hop.choice",
    "terminations": "barriers.structures.surface.terminations",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'barriers' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
