"""The path of the moving ion through a system."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from barriers.analysis.band import minimum_image_displacements
from barriers.documents import BarrierDoc
from barriers.report.sheet import Drawn, draw_system
from barriers.report.style import STYLE
from barriers.structures.hop.hop import Point, moving_index


def draw_path(barrier: BarrierDoc) -> tuple[Axes, Axes]:
    """Draw a system from the side and from the top, with the path of the moving ion through all images.

    The atoms stand where they are in the initial state.

    Parameters
    ----------
    barrier : BarrierDoc
        Its band is drawn, converged or not.

    Returns
    -------
    tuple[Axes, Axes]
        Side and top view, in one figure of two columns' width.
    """
    name = barrier.hop.name if barrier.hop else "path"
    with mpl.rc_context(STYLE):
        return draw_system(barrier.system, Drawn(barrier.band.structure, {name: moving_path(barrier)}))


def moving_path(barrier: BarrierDoc) -> list[Point]:
    """Give the places of the moving ion along the band (Å), one for each image, never wrapped.

    Where there is no hop, the moving ion is the atom that moves furthest.
    """
    band = barrier.band
    steps = minimum_image_displacements(band.positions, band.structure.lattice.matrix, band.structure.lattice.pbc)
    if barrier.hop is not None:
        moving = moving_index(barrier.hop, len(band.structure))
    else:
        moving = int(np.linalg.norm(steps.sum(axis=0), axis=1).argmax())
    start = np.array(band.positions[0][moving])
    return [start, *(start + np.cumsum(steps[:, moving], axis=0))]
