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
    from barriers.makers import BarrierMaker as BarrierMaker
    from barriers.makers import StudyMaker as StudyMaker
    from barriers.report.figures import draw_profiles as draw_profiles
    from barriers.structure_files import read_endpoints as read_endpoints
    from barriers.study import Study as Study
    from barriers.study_file import load_study as load_study

_HOMES = {
    "BarrierMaker": "barriers.makers",
    "EspressoEngine": "barriers.engines.espresso",
    "MlipEngine": "barriers.engines.mlip",
    "Study": "barriers.study",
    "StudyMaker": "barriers.makers",
    "draw_profiles": "barriers.report.figures",
    "load_study": "barriers.study_file",
    "read_endpoints": "barriers.structure_files",
    "run": "barriers.dispatch.local",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'barriers' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
