"""What the files beside a ``PREFIX.path`` tell of its atoms, its cell and what enters its energies."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from ase.io.espresso import get_cell_parameters, read_fortran_namelist

from barriers.parsing.espresso_atoms import Told, pseudopotentials
from barriers.parsing.files import beginning, plain_name, read_text, there


def told(folder: Path, prefix: str) -> list[Told]:
    """Ask every file beside a band that tells its atoms.

    Raises
    ------
    ValueError
        If a file is not whole.
    """
    readers: list[tuple[list[Path], Callable[[Path], Told | None]]] = [
        ([path for path in [there(folder / f"{prefix}.axsf")] if path], from_axsf),
        (sorted(_inputs(folder)), lambda path: from_input(path, prefix)),
        ([path for path in [there(folder / f"{prefix}.crd")] if path], from_coordinates),
    ]
    found: list[Told | None] = []
    for paths, reader in readers:
        for path in paths:
            try:
                found.append(reader(path))
            except (IndexError, KeyError, ValueError, TypeError, AttributeError, StopIteration) as error:
                raise ValueError(f"{path}: not whole: copy it again, or take it away") from error
    return [one for one in found if one is not None]


def from_axsf(path: Path) -> Told:
    """Read ``PREFIX.axsf``: cell and coordinates of all images (Å), labels cut to two characters."""
    lines = read_text(path).splitlines()
    start = next(row for row, line in enumerate(lines) if line.split() == ["PRIMVEC"]) + 1
    cell = np.array([line.split() for line in lines[start : start + 3]], dtype=float)
    first = next(row for row, line in enumerate(lines) if line.split()[:1] == ["PRIMCOORD"]) + 1
    number = int(lines[first].split()[0])
    return Told(path, [lines[first + 1 + row].split()[0] for row in range(number)], cell.reshape(3, 3))


def from_coordinates(path: Path) -> Told:
    """Read ``PREFIX.crd``, the images as cards of an input."""
    block = read_text(path).split("INTERMEDIATE_IMAGE")[0].split("LAST_IMAGE")[0]
    return Told(path, [line.split()[0] for line in block.splitlines()[2:] if line.split()], None)


def _inputs(folder: Path) -> Iterator[Path]:
    """Inputs of ``neb.x`` and the ``pw_1.in`` it makes of them, by their content."""
    for path in folder.iterdir():
        if path.is_file() and re.search(r"in(p|put)?$", plain_name(path)) and "&" in beginning(path):
            yield path


def from_input(path: Path, prefix: str) -> Told | None:
    """Read an input; None where it is another band's, or another program's."""
    text = read_text(path).replace('"', "'")  # ASE takes a / within "…" for the end of a namelist
    if "ATOMIC_POSITIONS" not in text or "ATOMIC_SPECIES" not in text:
        return None
    engine = text.partition("BEGIN_ENGINE_INPUT")[2] or text
    lists, cards = read_fortran_namelist(io.StringIO(engine))
    system: dict[str, Any] = dict(lists["system"])
    if str(lists.get("control", {}).get("prefix", "pwscf")) != prefix:
        return None
    number = int(system["nat"])
    starts = {line.split()[0].strip("{(").upper(): row for row, line in reversed(list(enumerate(cards)))}
    rows = cards[starts["ATOMIC_SPECIES"] + 1 :][: int(system["ntyp"])]
    kinds = {label: (float(mass), file) for label, mass, file in (row.split()[:3] for row in rows)}
    labels = [line.split()[0] for line in cards[starts["ATOMIC_POSITIONS"] + 1 :][:number]]
    must = bool(lists.get("electrons", {}).get("scf_must_converge", True))
    alat = system["celldm(1)"] * units.Bohr if "celldm(1)" in system else system.get("a")
    cell = get_cell_parameters(cards, alat)[0] if system.get("ibrav") == 0 else None
    settings = _input_settings(system, cards) | {"pseudopotentials": pseudopotentials(kinds)}
    return Told(path, labels, cell, kinds, settings, must_converge=must)


def _input_settings(system: dict[str, Any], cards: list[str]) -> dict[str, str]:
    names = ("ecutwfc", "ecutrho", "nspin", "noncolin", "occupations", "smearing", "degauss", "tot_charge", "vdw_corr")
    found = {name: str(system[name]) for name in names if name in system}
    hubbard = {key: str(value) for key, value in system.items() if key.startswith("hubbard_u")}
    for row, line in enumerate(cards):
        if line.upper().startswith("K_POINTS"):
            found["k-points"] = " ".join(line.split()[1:]).strip("{}() ").lower()
            if "automatic" in line.lower():
                found["k-points"] = " ".join(cards[row + 1].split())
        if line.upper().startswith("HUBBARD"):
            rows = (each.split() for each in cards[row + 1 :])
            hubbard |= {" ".join(each[:2]): each[2] for each in rows if each[:1] in (["U"], ["V"])}
    return found | ({"Hubbard U": ", ".join(map(" ".join, hubbard.items()))} if hubbard else {})
