"""Grids and charges of a density as files: read by their record, written for other programs."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

from pymatgen.core import Structure

from barriers.analysis.density import Grid
from barriers.analysis.electrons import ElectronsDoc, GridDoc
from barriers.engines.volumetric import read_for

UNITS = {"charge": "e", "electrons": "e", "moment": "µB", "length": "Å", "plane": "Å", "elf": "1", "ellipticity": "1"}


def read_density(document: ElectronsDoc, name: str, folder: Path | str | None = None) -> Grid:
    """Read a grid of a document from its file.

    Parameters
    ----------
    document : ElectronsDoc
        What a job gave.
    name : str
        Name of one of its grids, e.g. ``difference``.
    folder : Path, str or None
        The job's folder, where it was brought to; None for where it was computed.

    Returns
    -------
    Grid
        Values in e/Å³, or the ELF.

    Raises
    ------
    ValueError
        If there is no such grid, the file is not here, or it is another one.
    """
    of_name = {grid.name: grid for grid in document.grids}
    if name not in of_name:
        raise ValueError(f"grid: {name!r}; allowed: {', '.join(of_name)}")
    found = of_name[name]
    path = Path(found.path)
    if folder is not None:
        path = Path(folder) / path.parent.name / path.name
    if not path.is_file():
        raise ValueError(f"{path}: not here; copy it from the machine that computed it, and say where (folder)")
    if hashlib.sha256(path.read_bytes()).hexdigest() != found.sha256:
        raise ValueError(f"{path}: another file than the document names ({name}, SHA-256 {found.sha256[:12]}…)")
    return read_for(path, _structure(document, found), found.quantity)


def _structure(document: ElectronsDoc, grid: GridDoc) -> Structure:
    """Atoms of a grid: of slab or fragment alone where its name begins so."""
    part, n_slab = grid.name.partition(" ")[0], document.n_slab
    atoms = {"slab": slice(None, n_slab), "fragment": slice(n_slab, None)}.get(part, slice(None))
    return Structure.from_sites(document.structure[atoms])


def charges_csv(document: ElectronsDoc) -> str:
    """Give the charges as CSV: a row for each atom.

    Columns are ``atom``, ``element``, ``part`` (slab or fragment; empty in one piece), ``bader``, ``lowdin`` (e) and
    ``moment`` (µB, of Löwdin's orbitals where they are there, else the code's own); empty where there is none.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, _rows(document)[0], lineterminator="\n")
    table.writeheader()
    table.writerows(_rows(document))
    return text.getvalue()


def charges_json(document: ElectronsDoc) -> str:
    """Give :func:`charges_content` as JSON."""
    return json.dumps(charges_content(document), ensure_ascii=False, allow_nan=False, indent=2)


def charges_content(document: ElectronsDoc) -> dict[str, Any]:
    """Give the charges, ready for JSON: the rows of :func:`charges_csv`, the bonds, what they rest on, and ``units``.

    Neither the structure nor the average over planes is in it.
    """
    lowdin = document.lowdin
    return {
        "atoms": _rows(document),
        "bonds": [bond.model_dump() for bond in document.bonds],
        "fragment": document.bader.fragment,
        "transferred": document.transferred,
        "plane": document.plane,
        "moved": document.moved,
        "left": document.left,
        "electrons": document.electrons,
        "vacuum": document.bader.vacuum,
        "elsewhere": document.bader.elsewhere,
        "reference": document.bader.reference,
        "spilling": None if lowdin is None else lowdin.spilling,
        "warnings": document.warnings,
        "grids": [grid.model_dump(mode="json") for grid in document.grids],
        "units": UNITS,
    }


def _rows(document: ElectronsDoc) -> list[dict[str, Any]]:
    lowdin, n_slab = document.lowdin, document.n_slab
    moments = (lowdin and lowdin.moments) or document.moments
    return [
        {
            "atom": atom,
            "element": site.specie.symbol,
            "part": "" if n_slab is None else "slab" if atom < n_slab else "fragment",
            "bader": document.bader.charges[atom],
            "lowdin": None if lowdin is None else lowdin.charges[atom],
            "moment": None if moments is None else moments[atom],
        }
        for atom, site in enumerate(document.structure)
    ]
