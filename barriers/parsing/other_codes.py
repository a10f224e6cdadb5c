"""Codes whose bands are recognised, and refused in words: nobody may take their numbers for something else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from barriers.parsing.files import beginning, plain_name
from barriers.parsing.found import FoundBand, Reader


class Other(NamedTuple):
    """A code: pattern of its files' names, words that one of them begins with, and why its files are not read."""

    code: str
    name: str
    words: str
    why: str


OTHERS = (
    Other("NWChem", r".*\.neb_(initial|final|\d+)?.*\.xyz|.*\.neb_epath", "", "energy= in its .xyz is in Hartree"),
    Other("NWChem", r".*\.(out|nwo|log)", "Northwest Computational Chemistry Package", "its energies are in Hartree"),
    Other("ORCA", r".*_MEP(_ALL)?_trj\.xyz|.*\.interp", "", "its energies are in Hartree"),
    Other("ORCA", r".*\.out", "O   R   C   A", "its energies are in Hartree"),
    Other("xtb", r"xtbpath.*\.xyz", "", "its energies are in Hartree or kcal/mol"),
    Other("aimsChain", r"chain\.in|.*paths\.dat", "", "its files hold no forces along the path"),
)
HOW = "write the images to one .extxyz with energy (eV) and forces (eV/Å) and give that file"


def read_other_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Refuse what no reader here understands.

    Returns
    -------
    None
        Where nothing is of one of these codes.

    Raises
    ------
    ValueError
        Names the code, the file, and what to do.
    """
    if band is not None:
        return None
    for path in sorted(path for path in (place.iterdir() if place.is_dir() else [place]) if path.is_file()):
        for other in OTHERS:
            if re.fullmatch(other.name, plain_name(path)) and (not other.words or other.words in beginning(path)):
                raise ValueError(f"{path}: bands of {other.code} are not read: {other.why}; {HOW}")
    return None


READER = Reader(
    "NWChem, ORCA, xtb, aimsChain",
    read_other_band,
    files="their outputs",
    energies="refused",
    forces="refused",
    cell="refused",
    frozen="refused",
    convergence="refused",
    versions="none",
)
