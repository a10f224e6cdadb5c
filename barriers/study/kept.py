"""A study file kept with its results, and the structure files that it names: readable from wherever one is."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from barriers.study.errors import StudyError
from barriers.study.file import read_study, with_files, yaml_text
from barriers.study.forms import AnyStudy

STUDY_FILE = "study.yaml"

SOURCES = "sources"
"""Folder of the structure files that the kept study names."""


def keep_study(study_file: Path, folder: Path) -> None:
    """Copy a study file into its results folder, and the structure files that it names into ``sources`` there."""
    (folder / STUDY_FILE).write_bytes(study_file.read_bytes())

    def keep(file: str) -> str:
        copy = _copy_of(file, folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((study_file.parent / file).read_bytes())
        return file

    with suppress(OSError, StudyError):  # a run of another flow may be given any file, to be kept as it is
        with_files(read_study(yaml_text(study_file)), keep)


def kept_study(folder: Path) -> AnyStudy:
    """Read the study file of a results folder, with the structure files kept beside it.

    Raises
    ------
    StudyError
        If there is none, or it is none of this version's.
    """
    return with_files(read_study(yaml_text(folder / STUDY_FILE)), lambda file: str(_copy_of(file, folder)))


def _copy_of(file: str, folder: Path) -> Path:
    """Name the copy of a file: files of one name from two folders have two copies."""
    return folder / SOURCES / hashlib.sha256(file.encode()).hexdigest()[:6] / Path(file).name
