"""The study files and flows that come with the package, for people who only have the wheel."""

from __future__ import annotations

from pathlib import Path

from barriers.disk import writes_folder
from barriers.study.file import read_form
from barriers.study.forms import AnyStudy, CrystalStudy, MatrixStudy
from barriers.study.models import EndpointStudy
from barriers.study.template import render
from barriers.words import closest, show

PACKAGE = Path(__file__).parents[1]

FIRST = "ncm811_pvdf"
"""The study that the tutorial begins with."""


def shipped(kind: str) -> Path:
    """Folder ``inputs`` or ``flows``: inside the wheel, or beside the package in a checkout."""
    inside = PACKAGE / "shipped" / kind
    return inside if inside.is_dir() else PACKAGE.parent / kind


@writes_folder
def write_examples(folder: Path, only: str | None = None) -> list[Path]:
    """Write the shipped studies, every field commented, the structures they name, and flows.

    Parameters
    ----------
    folder : Path
        Gets the folders ``inputs`` and ``flows``.
    only : str or None
        Name of one study, which is written alone, with the structures that it names.

    Raises
    ------
    ValueError
        If there is no such study, or a file is there already; nothing is written then.
    """
    studies = {path.stem: path for path in sorted(shipped("inputs").glob("*.yaml"))}
    if only is not None and only not in studies:
        raise ValueError(f"--only: {show(only)} is no example; allowed: {', '.join(studies)}{closest(only, studies)}")
    contents: dict[Path, str] = {}
    for path in studies.values() if only is None else [studies[only]]:
        study = read_form(path.read_text("utf-8"))
        contents[folder / "inputs" / path.name] = render(study)
        for name in files_of(study):
            contents[folder / "inputs" / name] = (path.parent / name).read_text("utf-8")
    if only is None:
        contents |= {folder / "flows" / path.name: path.read_text("utf-8") for path in shipped("flows").glob("*.py")}
    for path in contents:
        if path.exists():
            raise ValueError(f"{path}: is there already; give another folder: barriers init DIR")
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return sorted(contents)


def files_of(study: AnyStudy | MatrixStudy) -> list[str]:
    """Structure files that a study names."""
    if isinstance(study, MatrixStudy):
        return []
    if isinstance(study, EndpointStudy):
        return [study.endpoints.initial, study.endpoints.final]
    if isinstance(study, CrystalStudy):
        return [study.crystal.file]
    return [study.cathode.file] if study.cathode.file else []
