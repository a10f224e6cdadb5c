"""Coverage: several fragments on a slab, one after another, on one face or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, floor, sqrt

import numpy as np
from pymatgen.core import Element, Lattice, Structure

from barriers.structures.bonding import Positions
from barriers.structures.interface.contacts import FRAGMENT_NUMBER
from barriers.structures.interface.sites import in_plane_distances, slab_operations
from barriers.structures.rounding import rounded
from barriers.structures.surface.slab import FRAGMENT, LARGER, LAYER, set_vacuum

Place = Callable[[Structure, Positions], Sequence[Structure]]
"""Places one more fragment on a slab, which may bear some, over one point; the first structure is taken."""

Piece = tuple[list[Element], Positions]
"""A fragment's elements and positions (Å)."""

HALF = 0.5
"""From this much of a fragment on, a surface bears one."""

FLIP = np.array([1.0, -1.0, -1.0])
"""Half a turn about x, on positions."""


def fragments_for(slab: Structure, coverage: float) -> int:
    """Give the number of fragments on one face that comes nearest to a coverage.

    Parameters
    ----------
    slab : Structure
        Slab with c along the normal.
    coverage : float
        Fragments per nm².

    Raises
    ------
    ValueError
        If that is less than half a fragment.
    """
    area = surface_area(slab)
    number = floor(coverage * area + HALF)
    if number < 1:
        raise ValueError(
            f"coverage: {coverage} per nm² is no fragment on a surface of {area:.2f} nm²; allowed: at least "
            f"{ceil(100 * HALF / area) / 100:.2f}, or "
            f"{LARGER}, at least {_lengths(slab.lattice, HALF / (coverage * area))}"
        )
    return number


def _lengths(lattice: Lattice, times: float) -> str:
    """Say which lengths of both surface vectors, in whole Å, make the surface so many times as large."""
    a, b = (ceil(length * sqrt(times)) for length in lattice.abc[:2])
    return f"{a} × {b} Å"


def surface_area(slab: Structure) -> float:
    """Area of one face (nm²)."""
    return float(np.linalg.norm(np.cross(*slab.lattice.matrix[:2]))) / 100


def cover(slab: Structure, place: Place, number: int, over: Positions, vacuum: float, both: bool = False) -> Structure:
    """Place several fragments, each as far from the others as it can be.

    Parameters
    ----------
    slab : Structure
        Bare slab with c along the normal and the site property ``layer``.
    place : callable
        Places one more fragment over one point, such as ``lambda slab, point: place_at_distance(slab, fragment,
        point, None, 12.0, 1)``.
    number : int
        Fragments on each face.
    over : ndarray, shape (n, 3)
        Points (Å) where fragments may come: the first one over the first of them, the others over those in the plane
        farthest from the fragments that are there.
    vacuum : float
        Empty height between the topmost atom of all and the lowest one of the next copy (Å).
    both : bool
        Cover the other face as well: by the slab's symmetry where an operation exchanges the faces, otherwise by
        covering the slab upside down.

    Returns
    -------
    Structure
        Slab atoms first, then the fragments one by one, top face first. Where there are several, the site property
        ``fragment`` numbers them: 0 for the slab, then 1, 2, ….

    Raises
    ------
    ValueError
        If not one fragment can be placed, in the words of ``place``; or fewer than asked for.
    """
    pieces = _covered(slab, place, number, over)
    if both:
        pieces = pieces + _below(slab, place, number, over, pieces)
    interface = slab.copy()
    for species, positions in pieces:
        for element, position in zip(species, positions, strict=True):
            free = {LAYER: FRAGMENT, "selective_dynamics": [True] * 3}
            interface.append(element, position, coords_are_cartesian=True, properties=free)
    if len(pieces) > 1:
        numbers = [number for number, (species, _) in enumerate(pieces, start=1) for _ in species]
        interface.add_site_property(FRAGMENT_NUMBER, [0] * len(slab) + numbers)
    return set_vacuum(interface, vacuum)


def _covered(slab: Structure, place: Place, number: int, over: Positions) -> list[Piece]:
    """Fragments on the upper face, at their positions above the slab as it is given."""
    covered, pieces = slab, list[Piece]()
    for _ in range(number):
        taken = np.array([positions.mean(axis=0) for _, positions in pieces])
        one_more = _one_more(covered, place, _farthest_first(slab.lattice, over, taken))
        if isinstance(one_more, ValueError):
            if not pieces:
                raise one_more
            raise ValueError(
                f"count: {number} fragments do not fit on a face; allowed: 1 to {len(pieces)}, or {LARGER}, about "
                f"{_lengths(slab.lattice, number / len(pieces))}"
            )
        shift = slab.cart_coords[0] - one_more.cart_coords[0]
        pieces.append((one_more.species[len(covered) :], one_more.cart_coords[len(covered) :] + shift))
        covered = one_more
    return pieces


def _one_more(covered: Structure, place: Place, points: Positions) -> Structure | ValueError:
    """Place one more fragment over the first point that admits it, or say why the first one does not."""
    refused = ValueError("over: no point is given; allowed: at least one")
    for number, point in enumerate(points):
        try:
            return place(covered, point)[0]
        except ValueError as error:
            refused = refused if number else error
    return refused


def _below(slab: Structure, place: Place, number: int, over: Positions, above: list[Piece]) -> list[Piece]:
    """Fragments on the lower face."""
    exchanging = slab_operations(slab)[1]
    if exchanging:
        return [(species, exchanging[0].operate_multi(positions)) for species, positions in above]
    back = _flipped(slab, slab.cart_coords)
    a, b, c = slab.lattice.matrix
    layer = np.array(slab.site_properties[LAYER])
    # Minus the second vector keeps the axes right-handed.
    flipped = Structure(
        Lattice([a * FLIP, -b * FLIP, c]),
        slab.species,
        back,
        coords_are_cartesian=True,
        site_properties={**slab.site_properties, LAYER: (layer.max() - layer).tolist()},
    )
    pieces = _covered(flipped, place, number, _flipped(slab, over))
    return [(species, _flipped(slab, positions)) for species, positions in pieces]


def _flipped(slab: Structure, positions: Positions) -> Positions:
    """Give half a turn about x that leaves the slab between the same heights."""
    height = slab.cart_coords[:, 2]
    turned: Positions = positions * FLIP + [0, 0, height.min() + height.max()]
    return turned


def _farthest_first(lattice: Lattice, points: Positions, taken: Positions) -> Positions:
    """Sort points by falling distance in the plane from those taken; equal ones keep their order."""
    if not len(taken):
        return points
    apart = in_plane_distances(lattice, points, taken).min(axis=1)
    return points[np.argsort(-rounded(apart, 3), kind="stable")]
