"""Figures of ensembles and of electrons as pictures that a page holds itself."""

from __future__ import annotations

import base64
import io
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.axes import Axes

from barriers.documents import StudyDoc
from barriers.files.density import read_density
from barriers.report.density import grids_are_here
from barriers.report.figures.density import draw_difference, draw_planar_average, level_of
from barriers.report.figures.ensemble import draw_distribution, draw_maps
from barriers.report.html.volume import density_scene
from barriers.report.style import STYLE, figure_of


class Picture(NamedTuple):
    """A picture, what it shows, and of Δρ what it is of and the same for the viewer."""

    source: str
    caption: str
    of: str = ""
    scene: dict[str, Any] | None = None


def pictures(study: StudyDoc) -> list[Picture]:
    """Draw the distribution of an ensemble and its maps; nothing of a study that is none."""
    if study.ensemble is None or not study.ensemble.distributions:
        return []
    strip = Picture(
        _source(draw_distribution(study.ensemble, study.which)),
        f"Δ of the {study.which} barrier: a point for each hop on each ordering, with their mean and standard error.",
    )
    says = "every hop as an arrow in the colour of its Δ, from the side and from the top."
    maps = [Picture(_source(side), f"{', '.join(names)}: {says}") for names, (side, _) in draw_maps(study)]
    return [strip, *maps]


def electron_pictures(study: StudyDoc) -> list[Picture]:
    """Draw Δρ of each interface over the height, and in space where the file of its grid is here."""
    found = []
    for row in study.electrons:
        seen, of = row.document, f"{row.system}, {row.state}"
        if seen is None or seen.difference is None:
            continue
        says = "Δρ integrated over planes, beside the atoms at these heights; below it the electrons below each height."
        found.append(Picture(_source(draw_planar_average(seen)[0]), f"{of}: {says}"))
        if grids_are_here(seen):
            difference = read_density(seen, "difference")
            level = level_of(difference)
            axes = draw_difference(seen, difference, level)[0]
            says = f"surfaces of Δρ at ±{level:g} e/Å³, from the side and from the top."
            found.append(Picture(_source(axes), f"{of}: {says}", of, density_scene(seen, difference)))
    return found


def _source(axes: Axes) -> str:
    """Write a figure as the address of an image that holds it."""
    image = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure_of(axes).savefig(image, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(image.getvalue()).decode()}"
