"""A paragraph for the methods section of a paper, and the works that it cites."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from barriers.disk import writing
from barriers.distribution import versions
from barriers.documents import EngineDoc, StudyDoc
from barriers.engines.mlip.models import known_models
from barriers.report.trust import model_lines
from barriers.report.uncertainty import meaning

FUNCTIONALS = {"PBE": "pbe", "R2SCAN": "r2scan"}
"""Words in what names potentials, and the functional that they stand for."""


def methods(study: StudyDoc) -> str:
    """Write the paragraph, its citations as keys of :func:`bibtex` in square brackets; empty without a barrier.

    Parameters
    ----------
    study : StudyDoc
        The outcome of a study.
    """
    if not study.barriers:
        return ""
    band = study.barriers[0].band
    systems = ", ".join(dict.fromkeys(barrier.system for barrier in study.barriers))
    said = [f"Migration barriers in {systems} are those of climbing-image nudged elastic bands [cineb, neb]"]
    said.append(f" of {len(band.positions) - 2} intermediate images")
    if band.read is not None:
        said.append(", made with other programs and read with barriers")
    elif "fmax" in band.settings:
        said.append(f", converged to {band.settings['fmax']:g} eV/Å")
    if any(path.start == "idpp" or path.start.startswith("displaced") for path in study.barriers[0].paths):
        said.append(", started from the image-dependent pair potential [idpp]")
    engines = {(each.band.engine.kind, each.band.engine.name): each.band.engine for each in study.barriers}
    models = [each.band.surrogate.model for each in study.barriers if each.band.surrogate]
    engines |= {(each.kind, each.name): each for each in models}
    if any(engine.kind == "mlip" for engine in engines.values()):
        said.append(", on a Gaussian process through the structures evaluated so far [gpneb]")
    said.append(". ")
    said += [f"{_engine(engine)} " for engine in engines.values()]
    said.append(f"Saddle energies are each the {study.barriers[0].definition}. ")
    said.append(f"{meaning(study)}. ".replace("± is", "The uncertainty given (±) is", 1))
    said += [f"{line}. " for line in model_lines(study.barriers)]
    said.append(
        f"barriers {versions()['barriers']} was used with ASE [ase], pymatgen [pymatgen] and jobflow [jobflow]."
    )
    return "".join(said)


def cited(text: str) -> list[str]:
    """Keys in square brackets, in the order they first stand there."""
    groups = re.findall(r"\[([a-z0-9]+(?:, [a-z0-9]+)*)\]", text)
    return list(dict.fromkeys(key for group in groups for key in group.split(", ")))


def bibtex(text: str) -> str:
    """BibTeX of what a text cites.

    Raises
    ------
    KeyError
        If a work is not on file.
    """
    return "".join(f"{_works()[key]}\n" for key in cited(text))


def write_methods(study: StudyDoc, folder: Path) -> list[Path]:
    """Write ``methods.md`` and ``references.bib`` into a folder; nothing without a barrier."""
    text = methods(study)
    contents = {"methods.md": f"{text}\n", "references.bib": bibtex(text)} if text else {}
    for name, content in contents.items():
        with writing(folder / name):
            (folder / name).write_text(content, "utf-8")
    return [folder / name for name in contents]


def _engine(engine: EngineDoc) -> str:
    if engine.kind == "mlip":
        works = known_models().get(engine.name, {}).get("cite", [])
        weights = f", weights of SHA-256 {engine.checksum[:12]}" if engine.checksum else ""
        return f"Energies and forces are those of {engine.name} {engine.version}{_keys(works)}{weights}."
    works = {"espresso": ["espresso"], "vasp": ["vasp", "paw"]}.get(engine.kind, [])
    upper = f"{engine.name} {engine.settings.get('potcar_functional', '')}".upper()
    functionals = [key for word, key in FUNCTIONALS.items() if word in upper]
    parts = [f"Energies and forces are those of {engine.kind} {engine.version}{_keys(works)}, {engine.name}"]
    parts.append(_keys(functionals))
    if hubbard := engine.settings.get("hubbard_u"):
        parts.append(f" with U of {', '.join(f'{value:g} eV on {name}' for name, value in hubbard.items())} [hubbard]")
    if re.search(r"dftd3_version': 4|'IVDW': 12|grimme-d3", str(engine.settings)):
        parts.append(" and D3 dispersion [d3]")
    return "".join(parts) + "."


def _keys(works: list[str]) -> str:
    return f" [{', '.join(works)}]" if works else ""


@cache
def _works() -> dict[str, str]:
    """Entries of ``references.bib`` by their key, one a line there."""
    entries = (files(__package__) / "references.bib").read_text("utf-8").splitlines()
    return {entry.partition("{")[2].partition(",")[0]: entry for entry in entries}
