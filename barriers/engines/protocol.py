"""What every engine offers. Needs no jobflow: a study is checked without its jobs."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from barriers.words import show

if TYPE_CHECKING:
    from jobflow import Maker


class NotHereError(ValueError):
    """What a calculation needs, and this machine does not have: a code, a package, a file. The study may be right."""


class Engine(Protocol):
    """Gives the three makers of a code or potential; the jobs they make return the same documents everywhere."""

    def check(self, elements: Collection[str] = (), n_images: int | None = None) -> None:
        """Raise ``ValueError``, in one line that says how to mend it, if the engine cannot run here.

        A setting that is wrong comes before what is :class:`NotHereError`. Elements and the number of intermediate
        images are those it will meet, where they are known.
        """

    def seconds_per_call(self, atoms: int, images: int) -> float:
        """Rough time (s) of one evaluation here when so many images are evaluated together; 0 if not known."""

    def static(self) -> Maker:
        """Maker whose ``make(structure)`` gives a :class:`~barriers.documents.StaticDoc`."""

    def relax(self, fmax: float, max_steps: int) -> Maker:
        """Maker whose ``make(structure)`` gives a :class:`~barriers.documents.RelaxDoc`."""

    def neb(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> Maker:
        """Maker whose ``make(initial, final, start, guide, known)`` gives a :class:`~barriers.documents.BandDoc`."""


METHODS = {name: method for name, method in vars(Engine).items() if inspect.isfunction(method) and name[0] != "_"}
"""What an engine has to offer, by name."""


def require_engine(engine: object, for_barriers: bool = False) -> None:
    """Raise ``ValueError``, in one line, if something given as an engine does not offer what an engine does.

    Its methods must take the keywords of :class:`Engine`, so that they can be called as an engine's are. One that
    corrects a model's barriers gives the model's own numbers otherwise, so it is taken for barriers alone.
    """
    allowed = f"MlipEngine, EspressoEngine, VaspEngine or an object with the methods {', '.join(METHODS)}"
    if isinstance(engine, type):
        raise ValueError(f"engine: {engine.__name__} is a class; allowed: what it makes, {engine.__name__}()")
    if missing := [name for name in METHODS if not callable(getattr(engine, name, None))]:
        raise ValueError(f"engine: {show(engine)} has no {', '.join(missing)}; allowed: {allowed}")
    if getattr(engine, "corrects", False) and not for_barriers:
        raise ValueError(f"engine: {type(engine).__name__} gives barriers alone; allowed: its expensive engine")
    for name, method in METHODS.items():
        keywords = list(inspect.signature(method).parameters)[1:]
        try:
            inspect.signature(getattr(engine, name)).bind(**dict.fromkeys(keywords))
        except TypeError as error:
            where = f"engine: {type(engine).__name__}.{name}"
            raise ValueError(f"{where}: {error}; allowed: one that takes {', '.join(keywords)}") from None
