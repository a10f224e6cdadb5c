"""A screen of many crystals: a study of each structure file, the job of its estimates, and what those make together."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from jobflow import Flow
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure

from barriers.analysis.network import dimension
from barriers.analysis.network_document import NetworkDoc
from barriers.analysis.network_result import network_result
from barriers.analysis.screen import ROOM
from barriers.contents import digest
from barriers.documents import EstimateDoc
from barriers.engines import build_engine
from barriers.engines.mlip import MlipEngine
from barriers.structures.network.network import Network, find_network
from barriers.study.errors import StudyError
from barriers.study.file import parse_yaml, validate, yaml_text
from barriers.study.forms import CrystalStudy
from barriers.words import naming
from barriers.workflow.crystal import BuiltCrystal, prepared
from barriers.workflow.labels import label
from barriers.workflow.network import jumps_of

LONGEST = 50
"""Characters of a structure's name that are kept."""

ITS_OWN = {"name": "name", "hops": "hops", "crystal.file": "file", "crystal.ion": "ion", "crystal.name": "name"}
"""What each structure of a screen has of its own, and no file of settings."""


@dataclass(frozen=True)
class Screen:
    """What is screened, and with which settings.

    Attributes
    ----------
    name : str
        Name of the screen.
    ion : str
        Element that moves.
    files : dict[str, Path]
        Structure files by the name of their studies.
    settings : dict[str, Any]
        Sections of a study of a crystal, as in its file.
    """

    name: str
    ion: str
    files: dict[str, Path]
    settings: dict[str, Any] = field(default_factory=dict)

    def content(self, name: str, file: str) -> dict[str, Any]:
        """Give the study of one structure as its file says it."""
        crystal = {"file": file, "ion": self.ion, **self.settings.get("crystal", {})}
        return {"name": name, "crystal": crystal, **{k: v for k, v in self.settings.items() if k != "crystal"}}

    def study(self, name: str) -> CrystalStudy:
        """Give the study of one structure."""
        return self._study(self.content(name, str(self.files[name])))

    @property
    def engine(self) -> MlipEngine:
        """What gives the energies."""
        engine = build_engine(self._study(self.content("any", "any.cif")).engine)
        assert isinstance(engine, MlipEngine)  # any other was refused
        return engine

    def key(self, name: str, rests_on: Any) -> str:
        """Digest of what the numbers of one structure rest on: its file, the settings, and what gives the energies."""
        return digest([self.files[name].read_bytes().hex(), self.ion, self.settings, rests_on])

    @staticmethod
    def _study(content: dict[str, Any]) -> CrystalStudy:
        study = validate(content, CrystalStudy)
        if study.engine.kind != "mlip" or study.engine.neb != "band":
            raise StudyError([f"engine: {study.engine.kind!r} is not screened with; allowed: mlip, neb: band"])
        asked = study.asked_network
        assert asked is not None  # no hop is named
        network = asked.model_copy(update={"temperatures": tuple(sorted({*asked.temperatures, ROOM}))})
        return study.model_copy(update={"network": network})


def read_screen(folder: Path, ion: str, settings: Path | None = None, **engine: str) -> Screen:
    """Find the structure files of a folder, and check the settings.

    Parameters
    ----------
    folder : Path
        Every file in it is taken for a structure, but for hidden ones; its own folders are left out.
    ion : str
        Element that moves.
    settings : Path or None
        YAML file with sections of a study of a crystal.
    **engine : str
        Model and weights, where no file says them.

    Raises
    ------
    ValueError
        If there is no such folder or file in it, or a setting is wrong; one line each.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no folder; allowed: one with structure files (CIF, POSCAR …)")
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if not files:
        raise ValueError(f"{folder}: no files; allowed: a folder with structure files (CIF, POSCAR …)")
    content = {} if settings is None else _settings(settings)
    if engine:
        if "engine" in content:
            raise ValueError(f"--model: stands beside engine in {settings}; allowed: one of both")
        content["engine"] = engine
    place = re.sub(r"[^A-Za-z0-9.+-]+", "-", folder.resolve().name).strip("-.") or "screen"
    screen = Screen(f"{place[:LONGEST]}_{ion}", ion, _named(files), content)
    try:
        screen.study(next(iter(screen.files)))
    except StudyError as error:
        lines = str(error).splitlines()
        raise StudyError([f"{settings}: {line}" if settings else line for line in lines]) from None
    screen.engine.check()
    return screen


def _settings(path: Path) -> dict[str, Any]:
    content = parse_yaml(yaml_text(path)) or {}
    sections = content if isinstance(content, dict) else {}
    inner = sections.get("crystal")
    given = {*sections, *(f"crystal.{key}" for key in inner)} if isinstance(inner, dict) else set(sections)
    if own := [key for key in ITS_OWN if key in given]:
        raise ValueError(
            f"{path}: {own[0]}: is each structure's own; allowed: sections such as engine, path, neb, relax"
        )
    return dict(content)


def _named(files: list[Path]) -> dict[str, Path]:
    """Name studies after their files: the whole name where two differ in their ending alone."""
    stems = [path.stem for path in files]
    named: dict[str, Path] = {}
    for path in files:
        text = path.name if stems.count(path.stem) > 1 else path.stem
        name = re.sub(r"[^A-Za-z0-9.+@_-]+", "-", text).strip("-.+@_")[:LONGEST] or "structure"
        named[name if name not in named else f"{name}-{digest(path.name)[:6]}"] = path
    return named


@dataclass(frozen=True)
class Candidate:
    """One crystal of a screen: its study and supercell, and the hops in it."""

    study: CrystalStudy
    built: BuiltCrystal
    network: Network

    @property
    def dimension(self) -> int:
        """Directions in which the network of all hops goes on."""
        found = self.network
        return dimension(found.first, found.last, found.images, len(found.fractions))


def candidate(study: CrystalStudy) -> Candidate:
    """Build the supercell of a crystal as its file has it, and find the hops.

    Raises
    ------
    ValueError
        One line, if the crystal cannot be read or has no hop.
    """
    named, built = prepared(study)
    with naming("crystal"):
        return Candidate(named, built, find_network(built.structure, study.crystal.ion))


def estimate_flow(engine: MlipEngine, found: Candidate) -> Flow:
    """Build the job that estimates the barriers of a crystal's hops (EstimateDoc)."""
    job = engine.estimate().make(found.built.structure, found.network.ion, list(found.network.hops))
    label(job, f"{found.study.name}: estimate", found.study.name)
    return Flow([job], output=job.output, name=found.study.name)


def estimated_network(found: Candidate, document: EstimateDoc) -> NetworkDoc:
    """Join the estimates of all hops to percolating barriers."""
    heights = np.array(
        [[np.nan, np.nan] if row.forward is None else [row.forward, row.reverse] for row in document.hops]
    )
    names = [hop.label for hop in found.network.hops]
    return network_result(jumps_of(found.network), heights, names=names, temperatures=())


class Seen:
    """Crystals that were seen before, by formula and space group: their files, which are read again to compare."""

    def __init__(self) -> None:
        self._alike: dict[tuple[str, str], dict[str, Path]] = {}
        self._matcher = StructureMatcher(ltol=0.01, stol=0.05, angle_tol=1, scale=False)

    def add(self, formula: str, space_group: str, name: str, path: Path) -> str | None:
        """Add a crystal, and give the name of the one that was seen before and is the same, if any."""
        before = self._alike.setdefault((formula, space_group), {})
        if before:
            mine = Structure.from_file(path)
            for other, file in before.items():
                if self._matcher.fit(mine, Structure.from_file(file)):
                    return other
        before[name] = path
        return None
