"""What a series is over: settings of a study, the values of each, and the studies that differ in one of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from barriers.study.fields import Section
from barriers.study.models import Study
from barriers.words import closest, naming

SETTINGS = ("layers", "vacuum", "size", "images", "fmax")

OF_CUT_SLABS = ("layers", "size")
"""Settings that a slab from a file does not have."""

FORMS = {"layers": "4", "vacuum": "16", "size": "2x1", "images": "6", "fmax": "0.02"}
"""How a value of each is written."""

ALLOWED = f"{', '.join(SETTINGS)}, each alone or with values: layers=4,5,6,fmax=0.05,0.02"

Part = TypeVar("Part", bound=Section)

Value = float | tuple[int, int]
"""A number, or how often the study's own slab is repeated along its two surface vectors."""


@dataclass(frozen=True)
class Series:
    """A setting and its values, the coarsest first; the study's own is one of them."""

    setting: str
    own: Value
    values: tuple[Value, ...]


def series_of(study: Study, over: str, lengths: tuple[float, float]) -> list[Series]:
    """Read what a study is to be converged over.

    Parameters
    ----------
    study : Study
        Its own values are added to those that are given; values that are not follow from them.
    over : str
        Settings with commas between them, each alone or with values: ``layers,fmax=0.05,0.02``.
    lengths : (float, float)
        Lengths of the surface vectors of the study's own slab (Å).

    Raises
    ------
    ValueError
        One line that names the setting or value, and what is allowed.
    """
    series = []
    for setting, texts in _asked(over).items():
        if study.slab is not None and setting in OF_CUT_SLABS:
            allowed = ", ".join(other for other in SETTINGS if other not in OF_CUT_SLABS)
            raise ValueError(f"--over: {setting} is none of a slab from a file; allowed: {allowed}")
        own = _own(study)[setting]
        if texts:
            values = [_parsed(setting, text) for text in texts]
            for value in values:
                with naming("--over"):
                    with_value(study, setting, value, lengths)
        else:
            values = [value for value in _DEFAULTS[setting](study) if _is_valid(study, setting, value, lengths)]
        series.append(Series(setting, own, tuple(sorted({*values, own}, key=_fineness(setting)))))
    return series


def with_value(study: Study, setting: str, value: Value, lengths: tuple[float, float]) -> Study:
    """Give a study that differs in one setting.

    Raises
    ------
    ValueError
        One line, if the study file would refuse the value.
    """
    if isinstance(value, tuple):
        least = tuple(times * length for times, length in zip(value, lengths, strict=True))
        return study.model_copy(update={"surface": study.surface.model_copy(update={"min_lengths": least})})
    if study.slab is not None and setting == "vacuum":
        return study.model_copy(update={"slab": _changed("slab", study.slab, {setting: value})})
    if setting in ("layers", "vacuum"):
        return study.model_copy(update={"surface": _changed("surface", study.surface, {setting: value})})
    if setting == "images":
        return study.model_copy(update={"path": _changed("path", study.path, {"n_images": value})})
    relax = {"fmax": min(study.relax.fmax, value)}  # a band is not known better than the ends it hangs between
    return study.model_copy(
        update={"neb": _changed("neb", study.neb, {"fmax": value}), "relax": _changed("relax", study.relax, relax)}
    )


def written(value: Value) -> str:
    """Write a value as ``--over`` takes it."""
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else f"{value:g}"


def _asked(over: str) -> dict[str, list[str]]:
    """Settings and the texts of their values: a text after a comma that is no setting belongs to the last one."""
    found: dict[str, list[str]] = {}
    setting = ""
    for part in over.split(","):
        name, given, text = (each.strip() for each in part.partition("="))
        if given or name in SETTINGS or not setting:
            setting = name
            if setting not in SETTINGS:
                raise ValueError(f"--over: {setting!r} is no setting; allowed: {ALLOWED}{closest(setting, SETTINGS)}")
            if setting in found:
                raise ValueError(f"--over: {setting} stands twice; allowed: each once, with all its values")
            found[setting] = [text] if given else []
        else:
            found[setting].append(name)
    return found


def _parsed(setting: str, text: str) -> Value:
    if setting == "size":
        if size := re.fullmatch(r"([1-9])x([1-9])", text):
            return int(size[1]), int(size[2])
    else:
        number = int if setting in ("layers", "images") else float
        try:
            return number(text)
        except ValueError:
            pass
    near = closest(text, SETTINGS)
    raise ValueError(f"--over: {text!r} is no value of {setting}; allowed: such as {FORMS[setting]}{near}")


def _own(study: Study) -> dict[str, Value]:
    return {
        "layers": study.surface.layers,
        "vacuum": study.vacuum,
        "size": (1, 1),
        "images": study.path.n_images,
        "fmax": study.neb.fmax,
    }


def _layers(study: Study) -> Iterator[Value]:
    step = 2 if study.surface.has_core else 1  # a core lies in the middle of even or of odd numbers alone
    yield from (study.surface.layers + step * more for more in (-1, 0, 1, 2))


_DEFAULTS: dict[str, Callable[[Study], Iterator[Value]]] = {
    "layers": _layers,
    "vacuum": lambda study: (study.vacuum + more for more in (-4, 0, 4, 8)),
    "size": lambda _: iter([(1, 1), (2, 1), (1, 2), (2, 2)]),
    "images": lambda study: (study.path.n_images + more for more in (-1, 0, 2, 4)),
    "fmax": lambda study: (study.neb.fmax / parts for parts in (1, 2, 4)),
}


def _is_valid(study: Study, setting: str, value: Value, lengths: tuple[float, float]) -> bool:
    try:
        with_value(study, setting, value, lengths)
    except ValueError:
        return False
    return True


def _fineness(setting: str) -> Callable[[Value], tuple[float, ...]]:
    """Order from the coarsest to the finest: the smallest first, of forces the largest."""

    def key(value: Value) -> tuple[float, ...]:
        if isinstance(value, tuple):
            return float(value[0] * value[1]), *map(float, value[::-1])
        return (-value if setting == "fmax" else value,)

    return key


def _changed(name: str, section: Part, change: dict[str, Any]) -> Part:
    with naming(name):
        return section.model_validate(section.model_dump() | change)
