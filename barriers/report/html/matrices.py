"""The page of a study of matrices: table, sentences, figures of each matrix, and its last frame in the 3-D viewer."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from pymatgen.core import Structure

from barriers.analysis.trajectory.bonding import bonds_by_distance
from barriers.disk import writing
from barriers.distribution import versions
from barriers.report.figures.transport import draw_msd, draw_pairing, draw_shells
from barriers.report.html.page import PAGE, environment, page_scripts, page_style
from barriers.report.html.scene import still
from barriers.report.matrix_folder import conditions_table, matrix_sentences, name_of
from barriers.workflow.matrix_documents import ConditionDoc, MatrixStudyDoc

LITHIUM = "moving"
"""How the viewer calls what it points out."""

ACROSS = 3.0
"""Bonds whose atoms are further apart (Å) go across the border of the cell, and are not drawn."""


def write_matrices_page(document: MatrixStudyDoc, folder: Path) -> Path:
    """Write the page into a results folder; it holds all it shows."""
    table = conditions_table(document)
    rows = zip(*(list(column.cells) for column in table.columns), strict=True)
    text = (
        environment()
        .get_template("matrices.html.j2")
        .render(
            document=document,
            headings=[column.header for column in table.columns],
            rows=list(rows),
            caption=table.caption,
            sentences=matrix_sentences(document),
            conditions=[(name_of(each), _figures(each), each.snapshot is not None) for each in document.conditions],
            scenes=Markup(json.dumps([_scene(each.snapshot) for each in document.conditions]).replace("<", "\\u003c")),
            version=versions()["barriers"],
            style=page_style(),
            script=Markup(page_scripts(("viewer",))),
        )
    )
    path = folder / PAGE
    with writing(path):
        path.write_text(text, "utf-8")
    return path


def _figures(condition: ConditionDoc) -> list[Markup]:
    """Draw mean squared displacement and α, shells, and pairing as SVG."""
    found = condition.transport
    if found is None:
        return []
    drawn = [draw_msd(found)]
    drawn += [draw_shells(found)] if found.shells else []
    drawn += [draw_pairing(found)] if found.pairing is not None else []
    figures = []
    for axes in drawn:
        text = io.StringIO()
        axes.figure.savefig(text, format="svg", bbox_inches="tight")  # type: ignore[union-attr]
        figures.append(Markup(text.getvalue()[text.getvalue().index("<svg") :]))
    return figures


def _scene(snapshot: Structure | None) -> dict[str, Any] | None:
    """Give the viewer a frame: lithium pointed out, all else as balls and sticks."""
    if snapshot is None:
        return None
    drawn = still(snapshot, np.zeros(3))
    symbols, places = drawn["elements"], snapshot.cart_coords
    bonds = bonds_by_distance(places, snapshot.lattice.matrix, tuple(symbols))
    inside = np.linalg.norm(places[bonds[:, 0]] - places[bonds[:, 1]], axis=1) < ACROSS
    roles = [LITHIUM if symbol == "Li" else "fragment" for symbol in symbols]
    return drawn | {"roles": roles, "bonds": [bonds[inside].tolist()]}
