"""Where a study's numbers come from: settings, engines, packages, and the commands that give them again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from barriers.documents import EngineDoc, StudyDoc
from barriers.study.describe import extra
from barriers.study.errors import StudyError
from barriers.study.file import read_study
from barriers.study.kept import STUDY_FILE
from barriers.study.models import NebSection, PathSection


class Setting(NamedTuple):
    """A setting by its place in the study file, its value and its default, in words."""

    path: str
    value: str
    default: str


def changed(section: BaseModel, path: str = "") -> Iterator[Setting]:
    """Go through the settings of a section that differ from their defaults, or have none.

    Parameters
    ----------
    section : BaseModel
        A study, or a section of one.
    path : str
        Where it stands in the study file, with a dot at the end.
    """
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        rows = value if isinstance(value, tuple) else [value]
        if rows and all(isinstance(row, BaseModel) for row in rows):
            for number, row in enumerate(rows):
                yield from changed(row, f"{path}{name}{f'[{number}]' if row is not value else ''}.")
            continue
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        if value != default:
            unit = extra(field, "unit")
            words = "none" if field.is_required() else _words(default, unit)
            yield Setting(path + name, _words(value, unit), words)


def settings(study: StudyDoc, folder: Path) -> tuple[list[Setting] | None, str | None]:
    """Settings of a study that differ from the defaults, and the text of its study file.

    They are read from the study file in the results folder, and are None if this version cannot read it; where there is
    no such file, they are what the first band says of itself, None without a band, and the text is None.
    """
    path = folder / STUDY_FILE
    if path.is_file():
        text = path.read_text("utf-8")
        try:
            return list(changed(read_study(text))), text
        except StudyError:
            return None, text
    if not study.barriers:
        return None, None
    band = study.barriers[0].band
    known = {name: band.settings[name] for name in NebSection.model_fields if name in band.settings}
    images = PathSection(n_images=len(band.positions) - 2)
    return [*changed(images, "path."), *changed(NebSection.model_validate(known), "neb.")], None


def engines(study: StudyDoc) -> list[dict[str, str]]:
    """Each engine, and each model corrected, that gave numbers: kind, name, version, checksum and settings in words."""
    found = []
    bands = [barrier.band for barrier in study.barriers]
    for engine in (each for band in bands for each in (band.engine, band.surrogate and band.surrogate.model) if each):
        said = ", ".join(f"{name} {_words(value)}" for name, value in engine.settings.items())
        row = {
            "kind": engine.kind,
            "name": engine.name,
            "version": engine.version,
            "checksum": engine.checksum or _checksums_of(engine),
            "settings": said or "none beside the model",
        }
        if row not in found:
            found.append(row)
    return found


def _checksums_of(engine: EngineDoc) -> str:
    """Say what stands for the weights of an engine that has none."""
    return "MD5 of each pseudopotential: study.json" if engine.potentials else "none: no weights"


def packages(study: StudyDoc) -> dict[str, str]:
    """Versions of the packages that made the numbers, by name; several where barriers differ."""
    versions: dict[str, list[str]] = {}
    for barrier in study.barriers:
        for name, version in [*barrier.versions.items(), *barrier.band.engine.packages.items()]:
            if version not in versions.setdefault(name, []):
                versions[name].append(version)
    return {name: ", ".join(versions[name]) for name in sorted(versions)}


def commands(study: StudyDoc, has_study_file: bool) -> list[str]:
    """Command lines that give the study again, as far as it is known how, and write its page."""
    report = shlex.join(["barriers", "report", f"results/{study.name}"])
    if has_study_file:
        return [f"barriers run {STUDY_FILE}", report]
    if not study.barriers:
        return [report]
    reads = [barrier.band.read for barrier in study.barriers]
    if read := [each for each in reads if each is not None]:
        names = ["--names", ",".join(barrier.system for barrier in study.barriers)] if len(read) > 1 else []
        return [shlex.join(["barriers", "parse", *(each.place for each in read), *names]), report]
    band = study.barriers[0].band
    usual = {name: NebSection.model_fields[name].default for name in ("fmax", "max_steps")}
    options = {"images": len(band.positions) - 2, "model": band.engine.name}
    options |= {
        name.replace("_", "-"): band.settings[name]
        for name, default in usual.items()
        if band.settings.get(name, default) != default
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return [f"barriers neb INITIAL FINAL {shlex.join(words)}", report]


def _words(value: Any, unit: str = "") -> str:
    """Write a value as in the study file, with its unit."""
    if value is None:
        return "left out"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        return f"[{', '.join(_words(entry) for entry in value)}]" + (f" {unit}" if unit else "")
    return f"{value} {unit}".strip()
