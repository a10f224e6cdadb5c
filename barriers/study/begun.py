"""A study to begin with: one cathode, one facet, one polymer, everything else as it is left out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from barriers.disk import writing
from barriers.study.engines import KINDS
from barriers.study.file import validate
from barriers.study.marks import eliminations, names_on_file
from barriers.study.models import Study
from barriers.study.template import render
from barriers.words import closest, in_ascii, show


def begin_study(
    cathode: str, facet: str, polymer: str | None, eliminate: str | None, engine: str, name: str | None = None
) -> Study:
    """Make the study that compares a bare slab with one that carries a fragment, before and after an elimination.

    Parameters
    ----------
    cathode : str
        Name on file, formula, or a CIF.
    facet : str
        Miller indices: ``104``, or ``1,0,-4``.
    polymer : str or None
        Name on file or SMILES of a repeat unit; its fragment is put in contact. None for the bare slab alone.
    eliminate : str or None
        Molecule that the fragment of a further system has lost; that one is bonded to the surface.
    engine : str
        ``mlip``, ``espresso`` or ``vasp``. With the latter two, paths come from the embedded engine first.
    name : str or None
        Name of the study; made of cathode, facet and polymer if None.

    Raises
    ------
    StudyError
        One line for each thing that is not allowed.
    ValueError
        In one line, if the facet is none or something is eliminated from nothing.
    """
    if eliminate is not None and polymer is None:
        raise ValueError(f"--eliminate: {show(eliminate)} is eliminated from nothing; allowed: with --polymer")
    if engine not in KINDS:
        raise ValueError(f"--engine: {show(engine)} is unknown; allowed: {', '.join(KINDS)}{closest(engine, KINDS)}")
    of_file = Path(cathode).suffix.lower() == ".cif"
    slab = Path(cathode).stem if of_file else cathode
    legible = polymer if polymer in names_on_file("polymers") else "polymer"
    systems: list[dict[str, Any]] = [{"name": slab}]
    if polymer is not None:
        systems.append(
            {"name": f"{slab}@{legible}", "fragment": {"polymer": polymer}, "placement": {"mode": "in contact"}}
        )
    if eliminate is not None:
        fragment = {"polymer": polymer, "eliminate": eliminate}
        systems.append({"name": f"{slab}@{legible}-{eliminate}", "fragment": fragment, "placement": {"mode": "bonded"}})
    indices = miller(facet)
    words = [slab, "".join(map(str, indices)), *([] if polymer is None else [legible])]
    content: dict[str, Any] = {
        "name": name or re.sub(r"[^\w.+-]+", "-", in_ascii("_".join(words).lower())),
        "cathode": {"file": cathode} if of_file else {"name": cathode},
        "surface": {"facet": indices},
        "systems": systems,
        "engine": {"kind": engine},
    }
    return validate(content | ({} if engine == "mlip" else {"path": {"from": "mlip"}}), Study)


def miller(text: str) -> list[int]:
    """Read Miller indices: three digits, or three numbers with commas or spaces between them.

    Raises
    ------
    ValueError
        In one line, if they are none.
    """
    found = re.findall(r"-?\d+", text) if re.search(r"[\s,]", text.strip()) else re.findall(r"-?\d", text)
    if len(found) != 3 or re.sub(r"[-\d\s,()]", "", text):
        raise ValueError(f"--facet: {show(text)} is no facet; allowed: three Miller indices, such as 104 or 1,0,-4")
    return [int(index) for index in found]


def eliminated_from(polymer: str) -> tuple[str, ...]:
    """Molecules that can be eliminated from a polymer; none from one that is not on file."""
    return eliminations(polymer) if polymer in names_on_file("polymers") else ()


def write_study(study: Study, path: Path) -> Path:
    """Write a study with every setting explained.

    Raises
    ------
    ValueError
        In one line, if there is a file of that name already, or it cannot be written.
    """
    if path.exists():
        raise ValueError(f"{path}: is there already; give another name: barriers new FILE")
    with writing(path):
        path.write_text(render(study), "utf-8")
    return path
