"""What ``barriers build`` writes: structures, their table, a figure of each system, and a contact sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pymatgen.core import Structure
from rich.table import Table

from barriers.disk import writes_folder
from barriers.files.structures import FORMATS, stem, write_structure
from barriers.report.sheet import Drawn, contact_sheet, draw_system
from barriers.report.style import save_figure
from barriers.report.tables import write_rows
from barriers.report.views import empty_height, fragment_atoms, is_bulk
from barriers.structures.interface.contacts import fragment_gap, image_distance
from barriers.structures.surface.slab import frozen_atoms

HEADINGS = {
    "name": "Structure",
    "formula": "Formula",
    "atoms": "Atoms",
    "a": "a",
    "b": "b",
    "c": "c",
    "vacuum": "Vacuum",
    "frozen": "Frozen",
    "fragment_gap": "Gap",
    "image_distance": "Image",
}


def describe(name: str, structure: Structure) -> dict[str, Any]:
    """Give a structure's row of the table.

    Returns
    -------
    dict[str, Any]
        ``name``, ``formula``, ``atoms``; cell lengths ``a``, ``b``, ``c`` and ``vacuum`` (Å), None of a crystal;
        number of ``frozen`` atoms; ``fragment_gap``, the least distance between fragment and slab (Å), and
        ``image_distance``, the least between a fragment and its periodic images (Å), both None for a bare slab.
    """
    of_fragment = fragment_atoms(structure)
    n_slab = int((~of_fragment).sum())
    bare = n_slab == len(structure)
    # An added ion is the last atom, after the fragment's.
    slab_first = Structure.from_sites([structure[atom] for atom in np.argsort(of_fragment, kind="stable")])
    lengths = dict(zip("abc", (round(length, 3) for length in structure.lattice.abc), strict=True))
    return {
        "name": name,
        "formula": structure.composition.formula,
        "atoms": len(structure),
        **lengths,
        "vacuum": None if is_bulk(structure) else round(empty_height(structure), 3),
        "frozen": len(frozen_atoms(structure)),
        "fragment_gap": None if bare else round(fragment_gap(slab_first, n_slab), 3),
        "image_distance": None if bare else round(image_distance(slab_first, n_slab), 3),
    }


def built_table(rows: list[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`describe`."""
    caption = "Å; gap: fragment to slab; image: fragment to its nearest periodic image"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    for key, heading in HEADINGS.items():
        left = key in ("name", "formula")
        table.add_column(heading, justify="left" if left else "right", no_wrap=key != "formula")
    for row in rows:
        table.add_row(*(_cell(row[key]) for key in HEADINGS))
    return table


@writes_folder
def write_built(structures: Mapping[str, Structure], systems: Mapping[str, Drawn], folder: Path) -> dict[str, Any]:
    """Write structures, table and figures.

    Parameters
    ----------
    structures : Mapping[str, Structure]
        Structures to write, by name: each as extended XYZ, CIF and POSCAR into ``structures/``.
    systems : Mapping[str, Drawn]
        Systems to draw, by name.
    folder : Path
        Made if it is not there.

    Returns
    -------
    dict[str, Any]
        ``structures``: the rows of the table, each with its ``files``; ``table``: the CSV file; ``figures``: the
        pictures, PNG, SVG and PDF.
    """
    (folder / "structures").mkdir(parents=True, exist_ok=True)
    rows = [describe(name, structure) for name, structure in structures.items()]
    write_rows(rows, folder / "structures.csv")
    for row in rows:
        paths = [folder / "structures" / f"{stem(*row['name'].split())}.{ending}" for ending in FORMATS]
        for path in paths:
            write_structure(structures[row["name"]], path)
        row["files"] = [str(path) for path in paths]
    pictures = {f"system-{stem(name)}": draw_system(name, system)[0] for name, system in systems.items()}
    pictures["contact-sheet"] = contact_sheet(systems)[0]
    figures = [str(path) for name, axes in pictures.items() for path in save_figure(axes, folder / name)]
    return {"structures": rows, "table": str(folder / "structures.csv"), "figures": figures}


def _cell(value: object) -> str:
    if value is None:
        return "—"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
