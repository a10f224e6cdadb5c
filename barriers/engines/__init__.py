"""Engines give energies and forces. Each has the same three makers: static, relax and neb.

A new engine is one new room in this folder and one line in :data:`ENGINES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

    from barriers.engines.base import Engine

ENGINES = {"mlip": "barriers.engines.mlip:MlipEngine", "espresso": "barriers.engines.espresso:EspressoEngine"}
"""Class of each engine, by the ``kind`` it has in a study file."""


def build_engine(section: BaseModel) -> Engine:
    """Build the engine that a study asks for.

    Parameters
    ----------
    section : BaseModel
        The study's ``engine`` section; its ``kind`` names the engine, the other fields are its settings.
    """
    settings = section.model_dump()
    module, _, name = ENGINES[settings.pop("kind")].partition(":")
    engine: Engine = getattr(import_module(module), name)(**settings)
    return engine
