"""Plain keywords beside sections: ``BarrierMaker(fmax=0.03)`` for what a study file says in three sections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from barriers.study.fields import Section
from barriers.study.models import NebSection, PathSection, RelaxSection
from barriers.words import closest, show

Form = TypeVar("Form", bound=Section)

KEYWORDS: dict[str, tuple[str, ...]] = {
    "fmax": ("relax", "neb"),
    "rough_fmax": ("neb",),
    "max_steps": ("relax", "neb"),
    "spring": ("neb",),
    "n_images": ("path",),
    "starts": ("path",),
}
"""Sections that each plain keyword goes into."""


class Settings(NamedTuple):
    """The sections that hold for one barrier."""

    relax: RelaxSection
    path: PathSection
    neb: NebSection


def settings_of(maker: Any) -> Settings:
    """Put the plain keywords of a maker into the sections that it was not given.

    Parameters
    ----------
    maker : BarrierMaker
        Anything with the fields of :class:`Settings` and the keywords of :data:`KEYWORDS`, each None if not given.

    Raises
    ------
    ValueError
        In one line, if a keyword does not fit or its section is given too.
    """
    keywords = {key: value for key in KEYWORDS if (value := getattr(maker, key)) is not None}
    relax = _section("relax", maker.relax, RelaxSection, keywords)
    path = _section("path", maker.path, PathSection, keywords)
    rough = NebSection().rough_fmax
    if maker.neb is None and keywords.get("fmax", 0) > rough:
        keywords = {"rough_fmax": keywords["fmax"], **keywords}
    return Settings(relax, path, _section("neb", maker.neb, NebSection, keywords))


def _section(name: str, given: Form | None, form: type[Form], keywords: Mapping[str, Any]) -> Form:
    mine = {key: value for key, value in keywords.items() if name in KEYWORDS[key]}
    if given is None:
        return form(**mine)
    if not isinstance(given, form):
        raise ValueError(f"{name}: {show(given)} is no {form.__name__}; allowed: {name}={form.__name__}(…)")
    for key, value in mine.items():
        one = f"{name}={form.__name__}({key}={value}, …)"
        raise ValueError(f"{key}: {show(value)} stands beside {name}; allowed: one of the two, or {one}")
    return given


def check_keywords(maker: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise ``TypeError``, with the closest one that is known, if a maker is given a keyword that is not."""
    for key in given:
        if key not in known:
            raise TypeError(f"{maker}: unknown keyword {key!r}; allowed: {', '.join(known)}{closest(key, known)}")
