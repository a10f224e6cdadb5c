"""The study files and flows that come with the package, for people who only have the wheel."""

from __future__ import annotations

from pathlib import Path

from barriers.disk import writes_folder
from barriers.study.file import read_study
from barriers.study.template import render

PACKAGE = Path(__file__).parents[1]


def shipped(kind: str) -> Path:
    """Folder ``inputs`` or ``flows``: inside the wheel, or beside the package in a checkout."""
    inside = PACKAGE / "shipped" / kind
    return inside if inside.is_dir() else PACKAGE.parent / kind


@writes_folder
def write_examples(folder: Path) -> list[Path]:
    """Write the shipped studies, every field commented, the structures they name, and flows.

    Parameters
    ----------
    folder : Path
        Gets the folders ``inputs`` and ``flows``.

    Raises
    ------
    ValueError
        If a file is there already; nothing is written then.
    """
    contents: dict[Path, str] = {}
    for path in shipped("inputs").iterdir():
        text = path.read_text("utf-8")
        contents[folder / "inputs" / path.name] = render(read_study(text)) if path.suffix == ".yaml" else text
    contents |= {folder / "flows" / path.name: path.read_text("utf-8") for path in shipped("flows").glob("*.py")}
    for path in contents:
        if path.exists():
            raise ValueError(f"{path}: is there already; give another folder: barriers init DIR")
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return sorted(contents)
