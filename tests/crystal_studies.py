"""Studies of crystals for tests: written into a folder with their structure file, and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pymatgen.core import Structure

from barriers import load_study
from barriers.study.forms import CrystalStudy

FAST = "engine: {model: emt}\nneb: {fmax: 0.02}\npath: {n_images: 3}\nrelax: {fmax: 0.005}\n"


def study_writer(folder: Path, file: str) -> Callable[..., CrystalStudy]:
    """Give what writes a crystal as ``file`` and its study ``mine.yaml`` into a folder, and reads the study."""

    def written(structure: Structure, crystal: str = "", rest: str = FAST) -> CrystalStudy:
        structure.to(filename=str(folder / file))
        (folder / "mine.yaml").write_text(f"name: mine\ncrystal: {{file: {file}{crystal}}}\n{rest}")
        study = load_study(folder / "mine.yaml")
        assert isinstance(study, CrystalStudy)
        return study

    return written
