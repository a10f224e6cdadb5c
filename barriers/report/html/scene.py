"""A band, or one structure, as the page's viewer draws it: positions, roles and bonds of every image."""

from __future__ import annotations

from typing import Any

import numpy as np
from pymatgen.core import Structure

from barriers.analysis.band import continuous, highest_image
from barriers.documents import BarrierDoc
from barriers.report.html.looks import Looks, crystal_looks, plain_looks
from barriers.report.polyhedra import polyhedra
from barriers.report.views import NO_ARROWS, Points, arranged, fragment_atoms, fragment_bonds, is_bulk, side_plane
from barriers.structures.surface.slab import frozen_atoms
from barriers.workflow.reading import motion_of

DECIMALS = 3
"""Positions are kept to 1e-3 Å, a hundredth of what can be seen."""

VACUUM = 4.0
"""A cell that is empty over more than this height (Å) is drawn without its vacuum."""


def scene(barrier: BarrierDoc) -> dict[str, Any]:
    """Give what the viewer needs of a band, ready for JSON.

    Atoms are moved by whole lattice vectors into the cell around the hop, and do not jump from image to image.

    Parameters
    ----------
    barrier : BarrierDoc
        Its band may be unconverged.

    Returns
    -------
    dict[str, Any]
        ``elements``: symbol of each atom; ``looks``: see :func:`~barriers.report.html.looks.crystal_looks`; ``roles``:
        ``slab``, ``frozen``, ``fragment`` or ``moving`` for each atom; ``host``: what ``slab`` atoms are those of;
        ``moving``: number of the moving ion; ``images``: for each image its positions (Å), flat, to 1e-3 Å;
        ``bonds``: for each image the fragment's bonds as pairs of atoms;
        ``edges``: the cell's edges as pairs of points (Å); ``turn``: angle of the jump in the plane of the surface
        (degrees); ``names``: name of each image; ``saddle``: number of the highest image, None where that is not
        known; ``polyhedra``: see :func:`~barriers.report.polyhedra.polyhedra`.
    """
    structure = barrier.band.structure
    positions = continuous(barrier.band.positions, structure.lattice.matrix, structure.lattice.pbc)
    moving = motion_of(barrier.band, barrier.hop).ion
    first = Structure(
        structure.lattice,
        structure.species,
        positions[0],
        coords_are_cartesian=True,
        site_properties=structure.site_properties,
    )
    placed, ends, corner = arranged(first, {"": (positions[0, moving], positions[-1, moving])})
    positions = positions + (placed - positions[0])
    # The ion stands at the start of its jump, which may be a lattice vector away from where it was put.
    positions[:, moving] += ends[""][0] - positions[0, moving]
    jump = positions[-1, moving] - positions[0, moving]
    known = len(positions) > 2 and None not in barrier.band.energies[1:-1]
    return drawn(structure, positions, corner, crystal_looks(structure), moving) | {
        "moving": moving,
        "saddle": highest_image(barrier.band.energies) if known else None,
        "polyhedra": polyhedra(structure, positions[0], structure[moving].specie.symbol),
        "turn": angle(jump),
        "names": image_names(len(positions)),
    }


def still(placed: Structure, corner: Points) -> dict[str, Any]:
    """Give what the viewer needs of one structure, ready for JSON.

    Parameters
    ----------
    placed : Structure
        Atoms where they are drawn.
    corner : (3,)
        Lower corner of the cell that is drawn (Å).

    Returns
    -------
    dict[str, Any]
        As :func:`scene` of one image, without ``moving`` and ``names``; ``turn`` is that of side views' page.
    """
    across = side_plane(placed.lattice, NO_ARROWS)[0]
    return drawn(placed, placed.cart_coords[None], corner, plain_looks(placed)) | {"turn": angle(across)}


def drawn(
    structure: Structure, positions: Points, corner: Points, looks: Looks, moving: int | None = None
) -> dict[str, Any]:
    """Give what every scene has; see :func:`scene`.

    Parameters
    ----------
    structure : Structure
        Elements, and which atoms are frozen or a fragment's.
    positions : (n_images, n_atoms, 3)
        Where they are drawn (Å).
    corner : (3,)
        Lower corner of the cell that is drawn (Å).
    looks : Looks
        Look of each element.
    moving : int or None
        Number of the moving ion.
    """
    everything = np.arange(len(structure))
    return {
        "elements": [site.specie.symbol for site in structure],
        "looks": looks,
        "roles": _roles(structure, moving),
        "host": "crystal" if is_bulk(structure) else "slab",
        "images": [np.round(image, DECIMALS).ravel().tolist() for image in positions],
        "bonds": [fragment_bonds(structure, image, everything).tolist() for image in positions],
        "edges": _edges(structure, positions, corner),
    }


def angle(direction: Points) -> float:
    """Angle of a direction in the plane of the surface (degrees)."""
    return round(float(np.degrees(np.arctan2(direction[1], direction[0]))), 1)


def image_names(count: int) -> list[str]:
    """Name the images of a band: ``initial``, then numbers, then ``final``."""
    return ["initial", *(f"image {number}" for number in range(1, count - 1)), "final"]


def _roles(structure: Structure, moving: int | None) -> list[str]:
    frozen = set(frozen_atoms(structure))
    roles = ["frozen" if atom in frozen else "slab" for atom in range(len(structure))]
    for atom in np.flatnonzero(fragment_atoms(structure)):
        roles[atom] = "fragment"
    if moving is not None:
        roles[moving] = "moving"
    return roles


def _edges(structure: Structure, positions: Points, corner: Points) -> list[list[list[float]]]:
    """Edges of the cell: the part of it that holds atoms, where there is a vacuum."""
    a, b, c = structure.lattice.matrix
    low, high = positions[..., 2].min(), positions[..., 2].max()
    start = corner
    if c[2] - (high - low) > VACUUM:
        start, c = corner + c * (low / c[2]), c * ((high - low) / c[2])
    corners = {(i, j, k): start + i * a + j * b + k * c for i in (0, 1) for j in (0, 1) for k in (0, 1)}
    pairs = [(one, other) for one in corners for other in corners if one < other]
    near = [pair for pair in pairs if sum(x != y for x, y in zip(*pair, strict=True)) == 1]
    return [[np.round(corners[end], DECIMALS).tolist() for end in pair] for pair in near]
