"""Whether input files of a run by hand are those of a calculation: one line for the first difference."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from ase.io.espresso import read_fortran_namelist
from numpy.typing import NDArray
from pymatgen.io.vasp import Incar, Poscar

HOW_IT_RUNS = {
    # pw.x and neb.x
    "max_seconds", "nstep", "nstep_path", "restart_mode", "outdir", "pseudo_dir", "verbosity", "disk_io", "wf_collect",
    "mixing_beta", "mixing_mode", "mixing_ndim", "electron_maxstep", "diagonalization", "startingwfc", "startingpot",
    "tprnfor", "iprint", "trust_radius_max", "trust_radius_ini", "trust_radius_min", "opt_scheme", "ds",
    # VASP
    "nsw", "ncore", "npar", "kpar", "nsim", "lplane", "lscalu", "lwave", "lcharg", "nelm", "nelmin", "nelmdl", "istart",
    "icharg", "amix", "bmix", "amin", "amix_mag", "bmix_mag", "maxmix", "algo", "ialgo", "time", "potim", "nwrite",
    "lorbit", "ldauprint", "iopt", "maxmove", "timestep", "system",
}  # fmt: skip
"""Keywords that say how a number is found, not which it is: a run by hand may have others."""

SAME = 1e-4
"""Positions (Å) are the same where no more lies between them; other numbers to this part of them."""


def check_inputs(expected: Path, found: Path) -> None:
    """Compare the input files of a calculation with those of a run by hand.

    Images between the ends of a band may be others: they are where its path was looked for, not what it is.

    Raises
    ------
    ValueError
        One line with file, keyword and both values.
    """
    for path in sorted(path for path in expected.rglob("*") if path.is_file()):
        given = found / path.relative_to(expected)
        if not given.is_file():
            raise ValueError(f"{given} is not there")
        if (line := _difference(path, given)) is not None:
            raise ValueError(f"{given}: {line}")


def moved(found: NDArray[Any], expected: NDArray[Any], cell: NDArray[Any], most: float = SAME) -> str | None:
    """Say which atom is farthest from where it should be, in any periodic image; None within ``most`` (Å)."""
    if found.shape != expected.shape:
        return f"other structure: {len(found)} atoms, {len(expected)} expected"
    fractions = (found - expected) @ np.linalg.inv(cell)
    distances = np.linalg.norm((fractions - np.round(fractions)) @ cell, axis=1)
    atom = int(distances.argmax())
    return None if distances[atom] <= most else f"other structure: atom {atom + 1} is {distances[atom]:.4f} Å away"


def _difference(expected: Path, found: Path) -> str | None:
    texts = expected.read_text("utf-8"), found.read_text("utf-8", "replace")
    if expected.suffix == ".in":
        return _espresso(*texts)
    if expected.name == "INCAR":
        return _keywords(*(dict(Incar.from_str(text)) for text in texts))
    if expected.name == "POSCAR":
        return _structures(*texts, still=_is_end(expected))
    return _words(*texts)  # KPOINTS, POTCAR.spec


def _is_end(path: Path) -> bool:
    """Whether a POSCAR is of an end of a band; others may have moved on, OUTCAR tells where they began."""
    images = sorted(each.name for each in path.parent.parent.iterdir() if each.name.isdigit())
    return path.parent.name in {*images[:1], *images[-1:]}


def _structures(expected: str, found: str, still: bool) -> str | None:
    one, other = (Poscar.from_str(text).structure for text in (expected, found))
    symbols = [[site.specie.symbol for site in structure] for structure in (one, other)]
    if symbols[0] != symbols[1]:
        return f"other structure: {other.formula}, {one.formula} expected, in the order of the study"
    if np.abs(one.lattice.matrix - other.lattice.matrix).max() > SAME:
        return "other structure: another cell"
    return moved(other.cart_coords, one.cart_coords, one.lattice.matrix) if still else None


def _espresso(expected: str, found: str) -> str | None:
    (keywords, cards), (other_keywords, other_cards) = _parts(expected), _parts(found)
    return _keywords(keywords, other_keywords) or _words(cards, other_cards)


def _parts(text: str) -> tuple[dict[str, Any], str]:
    """Keywords of all namelists, and the cards without the images between the ends of a band."""
    path, of_band, rest = text.partition("END_PATH_INPUT")
    lists, cards = read_fortran_namelist(io.StringIO(rest.partition("BEGIN_ENGINE_INPUT")[2] if of_band else text))
    keywords = {key: value for part in lists.values() for key, value in part.items()}
    if of_band:
        keywords |= dict(read_fortran_namelist(io.StringIO(path.partition("BEGIN_PATH_INPUT")[2]))[0]["path"])
    between = r"INTERMEDIATE_IMAGE.*?(?=INTERMEDIATE_IMAGE|LAST_IMAGE)"
    return keywords, re.sub(between, "", "\n".join(cards), flags=re.DOTALL)


def _keywords(expected: dict[str, Any], found: dict[str, Any]) -> str | None:
    wanted, given = ({key.lower(): value for key, value in each.items()} for each in (expected, found))
    for key in sorted({*wanted, *given} - HOW_IT_RUNS):
        if not _same(wanted.get(key), given.get(key)):
            values = [each.get(key, "not set") for each in (given, wanted)]
            return f"other settings: {key.upper()} = {values[0]}, {values[1]} expected"
    return None


def _words(expected: str, found: str) -> str | None:
    one, other = expected.split(), found.split()
    if len(one) != len(other):
        return f"{len(other)} words in its cards, {len(one)} expected"
    pairs = ((a, b) for a, b in zip(one, other, strict=True) if not _same(_number(a), _number(b), SAME))
    return next((f"{b!r}, {a!r} expected" for a, b in pairs), None)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _same(one: Any, other: Any, least: float = 0.0) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, bool) or not (isinstance(one, int | float) and isinstance(other, int | float)):
        return bool(one == other)
    return abs(one - other) <= max(SAME * abs(one), least)
