"""The path of the moving ion through a system."""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.axes import Axes

from barriers.analysis.band import continuous
from barriers.documents import BarrierDoc
from barriers.report.sheet import Drawn, draw_system
from barriers.report.style import STYLE
from barriers.structures.hop.hop import Point
from barriers.workflow.reading import motion_of


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

    Where there is no hop, the moving ion is the atom whose ends are farthest apart.
    """
    band, lattice = barrier.band, barrier.band.structure.lattice
    return list(continuous(band.positions, lattice.matrix, lattice.pbc)[:, motion_of(band, barrier.hop).ion])
