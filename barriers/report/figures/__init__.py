"""Figures of results: one style, one function each, returning the Axes."""

from barriers.report.figures.arrhenius import draw_arrhenius
from barriers.report.figures.charges import draw_charges
from barriers.report.figures.convergence import draw_convergence
from barriers.report.figures.density import draw_difference, draw_planar_average
from barriers.report.figures.elf import draw_elf
from barriers.report.figures.paths import draw_path
from barriers.report.figures.profiles import draw_profile, draw_profiles
from barriers.report.figures.states import draw_states
from barriers.report.figures.transport import draw_msd, draw_pairing, draw_shells, draw_van_hove
from barriers.report.style import save_figure

__all__ = [
    "draw_arrhenius",
    "draw_charges",
    "draw_convergence",
    "draw_difference",
    "draw_elf",
    "draw_msd",
    "draw_pairing",
    "draw_path",
    "draw_planar_average",
    "draw_profile",
    "draw_profiles",
    "draw_shells",
    "draw_states",
    "draw_van_hove",
    "save_figure",
]
