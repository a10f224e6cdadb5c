"""Engines give energies and forces. Each has the same three makers: static, relax and neb.

A new engine is one new room in this folder and one line in :data:`ENGINES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from barriers.distribution import install

if TYPE_CHECKING:
    from pydantic import BaseModel

    from barriers.engines.protocol import Engine

ENGINES = {
    "mlip": "barriers.engines.mlip:MlipEngine",
    "espresso": "barriers.engines.espresso:EspressoEngine",
    "vasp": "barriers.engines.vasp.engine:VaspEngine",
}
"""Class of each engine, by the ``kind`` it has in a study file."""

SURROGATE = "barriers.engines.surrogate:SurrogateEngine"
"""Class of the engine that corrects a model at single points of another engine."""


def build_engine(section: BaseModel) -> Engine:
    """Build the engine that a study asks for.

    Parameters
    ----------
    section : BaseModel
        The study's ``engine`` section; its ``kind`` names the engine, the other fields are its settings.

    Raises
    ------
    ValueError
        If a package that the engine needs is not installed.
    """
    settings = section.model_dump()
    kind = settings.pop("kind")
    neb, points, prior, uncertainty = (settings.pop(name) for name in ("neb", "points", "prior", "uncertainty"))
    try:
        engine: Engine = _named(ENGINES[kind])(**settings)
    except ModuleNotFoundError as error:
        extra = "vasp" if kind == "vasp" else ""  # the modules of the others import what the package itself requires
        raise ValueError(f"engine {kind!r} needs the package {error.name!r}; {install(extra)}") from error
    if neb == "band":
        return engine
    model = _named(ENGINES["mlip"])(model=prior)
    corrected: Engine = _named(SURROGATE)(engine, model, points, uncertainty, neb == "surrogate then band")
    return corrected


def _named(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)
