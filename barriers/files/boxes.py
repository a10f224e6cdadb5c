"""Boxes of a matrix as folders: ``box.json``, ``box.pdb``, ``system.xml`` and ``parameters.json``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from barriers.structures.matrix.box import Box, MatrixBox


def write_box(box: Box, folder: Path) -> list[Path]:
    """Write a box into a folder, which is made if it is not there, and give the files."""
    texts = {
        "box.json": box.document.model_dump_json(indent=1),
        "box.pdb": box.pdb,
        "system.xml": box.system,
        "parameters.json": box.parameters,
    }
    return write_texts(folder, texts)


def write_texts(folder: Path, texts: Mapping[str, str]) -> list[Path]:
    """Write texts by the names of their files into a folder, which is made if it is not there, and give the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in texts]


def read_box(folder: Path) -> Box:
    """Read a box that :func:`write_box` wrote.

    Raises
    ------
    ValueError
        One line that names the file, if there is no such box.
    """
    texts = []
    for name in ("box.json", "box.pdb", "system.xml", "parameters.json"):
        try:
            texts.append((folder / name).read_text("utf-8"))
        except OSError as error:
            raise ValueError(f"{folder / name}: {error.strerror}; allowed: a folder of barriers build") from None
    return Box(MatrixBox.model_validate_json(texts[0]), *texts[1:])
