"""What must hold in a NEB folder of VASP besides what must hold for any band."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isnan
from pathlib import Path

from pymatgen.core import Structure

from barriers.parsing.files import read_text
from barriers.parsing.found import Check
from barriers.parsing.outcar import LastStep
from barriers.parsing.vasp_image import mismatch, only

Outcars = Sequence[tuple[Path, LastStep] | None]

NO_IMAGES = "endpoints are no images"
"""Check that endpoints are no images that a band moved."""


def incar_number(folder: Path, name: str) -> float | None:
    """Read one number of the INCAR in a folder; None where it is not said."""
    path = only(folder, "INCAR")
    if path is None:
        return None
    lines = (line.split("#")[0].split("!")[0] for line in read_text(path).splitlines())
    found = [
        match.group(1)
        for line in lines
        for part in line.split(";")
        if (match := re.match(rf"\s*{name}\s*=\s*([-+]?[\d.]+(?:[EeDd][-+]?\d+)?)", part, re.IGNORECASE))
    ]
    return float(re.sub("[Dd]", "e", found[0])) if found else None  # VASP takes the first


def image_numbers(folder: Path, places: Sequence[Path], outcars: Outcars) -> Check:
    """See that folders are numbered without a gap, and are as many as IMAGES says."""
    numbers = [int(place.name) for place in places]
    missing = sorted(set(range(numbers[-1] + 1)) - set(numbers))
    lines = [f"image folder {number:02d} is missing in {folder}" for number in missing]
    said = {"INCAR": incar_number(folder, "IMAGES")}
    said |= {
        str(path): step.numbers["IMAGES"] for path, step in filter(None, outcars[1:-1]) if "IMAGES" in step.numbers
    }
    for source, images in said.items():
        if images and int(images) != numbers[-1] - 1:
            last = int(images) + 1
            where = f"image folder {last:02d} is missing" if last > numbers[-1] else f"{last + 1:02d} is of another run"
            lines.append(f"IMAGES = {images:g} in {source}, but the folders end at {numbers[-1]:02d}: {where}")
            break
    seen = [place.name for place in places]
    return Check("image folders", "wrong" if lines else "ok", seen, "; ".join(lines))


def vasp_checks(structures: Sequence[Structure], outcars: Outcars) -> list[Check]:
    """Look at what only VASP's files tell."""
    return [_potcars(structures, outcars), *_end_images(outcars), *_learned(outcars), *_smearing(outcars)]


def _potcars(structures: Sequence[Structure], outcars: Outcars) -> Check:
    """See that POTCARs are in the order of the POSCAR: VASP itself does not."""
    lines = [
        f"{found[0]}: {line}"
        for structure, found in zip(structures, outcars, strict=True)
        if found is not None and (line := mismatch(structure, found[1]))
    ]
    seen = ["unknown" if found is None else ", ".join(found[1].titles) for found in outcars]
    return Check("POTCARs fit POSCARs", "wrong" if lines else "ok", seen, "; ".join(lines[:1]))


def _end_images(outcars: Outcars) -> list[Check]:
    """See that what is taken for an endpoint is none of the images that the run moved."""
    lines = [
        f"{found[0]} is of an image that a band moved, not of an endpoint: an image folder is missing, or it was copied"
        for found in (outcars[0], outcars[-1])
        if found is not None and found[1].band
    ]
    return [Check(NO_IMAGES, "wrong" if lines else "ok", [], "; ".join(lines))]


def _learned(outcars: Outcars) -> list[Check]:
    """Say whether energies are of a machine-learned force field: in all images, or only in some."""
    learned = [None if found is None or not found[1].steps else found[1].learned for found in outcars]
    if not any(learned):
        return []
    seen = ["unknown" if each is None else "force field" if each else "DFT" for each in learned]
    if False in learned:
        some = ", ".join(str(n) for n, each in enumerate(learned) if each)
        says = f"energies of images {some} are of a machine-learned force field (ML_FF), the others' of DFT"
        return [Check("energies of one method", "wrong", seen, says)]
    says = "energies are of VASP's machine-learned force field (ML_FF), not of DFT"
    return [Check("energies of one method", "doubtful", seen, says)]


def _smearing(outcars: Outcars) -> list[Check]:
    """Show how far F is from E0, in case someone compares with numbers of another kind."""
    apart = [None if found is None else found[1].energy - found[1].energy_zero for found in outcars]
    seen = ["unknown" if each is None or isnan(each) else f"{each:+.4f} eV" for each in apart]
    return [Check("F − E0", "ok", seen)]
