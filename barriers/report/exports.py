"""A barrier for other programs, as text: what the page offers to save, and what is written beside it."""

from __future__ import annotations

from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

from barriers.analysis.band import highest_image
from barriers.analysis.profile import Profile
from barriers.documents import BarrierDoc
from barriers.engines.common import at_positions
from barriers.files import exports
from barriers.files.structures import band_text

STATES = ("initial", "saddle", "final")
"""Images of a band that are given as structures of their own."""


def profile_csv(barrier: BarrierDoc) -> str:
    """Give the profile of a barrier as CSV; see :func:`barriers.files.exports.profile_csv`.

    Raises
    ------
    ValueError
        If the barrier has no profile.
    """
    if barrier.profile is None:
        raise ValueError(f"{barrier.system}: no profile, {barrier.reason or 'the band is not converged'}")
    return exports.profile_csv(Profile(**barrier.profile))


def states(barrier: BarrierDoc) -> dict[str, Structure]:
    """Give ``initial``, ``saddle`` and ``final`` of a barrier's band, atoms in their order and unwrapped.

    The saddle is the highest image; a band without energies has none, one without atoms has no states.
    """
    band = barrier.band
    if not len(band.structure):
        return {}
    images = {"initial": 0, "final": len(band.positions) - 1}
    if len(band.positions) > 2 and None not in band.energies[1:-1]:
        images["saddle"] = highest_image(band.energies)
    return {name: at_positions(band.structure, band.positions[images[name]]) for name in STATES if name in images}


def poscar(structure: Structure, title: str = "") -> str:
    """Give a structure as POSCAR, with selective dynamics where it says what may move; the title is its first line."""
    return Poscar(structure, comment=" ".join(title.split()) or None).get_str(significant_figures=9)


def cif(structure: Structure) -> str:
    """Give a structure as CIF without symmetry: it holds neither frozen atoms nor the orientation of the cell."""
    return str(CifWriter(structure, significant_figures=9))


def band_extxyz(barrier: BarrierDoc) -> str:
    """Give all images of a barrier's band as extended XYZ; see :func:`barriers.files.structures.band_text`."""
    return band_text(barrier.band)
