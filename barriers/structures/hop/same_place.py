"""A hop of one slab at the same place of another, which has more or fewer layers, or repeats it in the plane."""

from __future__ import annotations

import numpy as np
from pymatgen.core import Structure

from barriers.structures.hop.hop import Hop, Image, Site, hop_ends, midpoint
from barriers.structures.hop.surroundings import surroundings, whole
from barriers.structures.rounding import digest
from barriers.structures.surface.continued import SAME_PLACE
from barriers.structures.surface.slab import frozen_atoms

HERE: Image = (0, 0, 0)

Place = tuple[int, Image]


def at_same_place(hop: Hop, slab: Structure, other: Structure, rise: float) -> Hop:
    """Find the hop of a slab in another slab, atom for atom by their places.

    Parameters
    ----------
    hop : Hop
        Found on ``slab``.
    slab : Structure
        The slab as it was built.
    other : Structure
        Another slab, cut from the same lattice; its cell may be a multiple of the slab's in the plane.
    rise : float
        How far the same atoms stand higher in ``other`` (Å).

    Returns
    -------
    Hop
        The same, with the numbers of the atoms in ``other``. It keeps its name and its label.

    Raises
    ------
    ValueError
        One line, if ``other`` lacks an atom of the hop, holds one of its ions, or surrounds its sites otherwise.
    """
    if hop.slab != digest(slab):
        raise ValueError(f"hop {hop.label}: found on the slab {hop.slab}; allowed: a hop of {digest(slab)}")
    found = _Found(hop, slab, other, rise)
    if hop.sites is None:
        assert hop.moving is not None and hop.target is not None
        moving, base = found.place((hop.moving, HERE))
        target, image = found.place((hop.target, hop.image), base)
        ends = {"moving": moving, "target": target, "image": image}
    else:
        base = found.place(hop.sites[0].anchors[0])[1]
        ends = {"sites": (found.site(hop.sites[0], base), found.site(hop.sites[1], base, hop.image)), "image": HERE}
    same = hop.model_copy(
        update={
            **ends,
            "slab": digest(other),
            "removed": tuple(found.place((atom, _nearest_image(slab, hop, atom)))[0] for atom in hop.removed),
            "through": hop.through and found.site(hop.through, base),
        }
    )
    _check(same, other)
    return same


class _Found:
    """Atoms of one slab by their places in another."""

    def __init__(self, hop: Hop, slab: Structure, other: Structure, rise: float) -> None:
        self.hop, self.slab, self.other, self.rise = hop, slab, other, np.array([0, 0, rise])

    def place(self, place: Place, base: Image = HERE) -> Place:
        atom, image = place
        point = self.slab[atom].coords + np.array(image) @ self.slab.lattice.matrix + self.rise
        steps = self.other.lattice.get_fractional_coords(point) - self.other.frac_coords
        images = np.rint(steps)
        apart = np.linalg.norm((steps - images) @ self.other.lattice.matrix, axis=1)
        there = int(apart.argmin())
        element = self.slab[atom].specie
        if apart[there] > SAME_PLACE or self.other[there].specie != element:
            raise ValueError(f"no {element} at the place of the hop's atom {atom}: the slab ends above it")
        return there, whole(images[there] - np.array(base))

    def site(self, site: Site, base: Image, image: Image = HERE) -> Site:
        places = ((atom, whole(np.add(own, image))) for atom, own in site.anchors)
        return site.model_copy(update={"anchors": tuple(self.place(place, base) for place in places)})


def _nearest_image(slab: Structure, hop: Hop, atom: int) -> Image:
    """Image of an atom that is nearest to the middle of a hop: a hop names its further vacancies without one."""
    middle = slab.lattice.get_fractional_coords(midpoint(slab, hop))
    return whole(slab.lattice.get_distance_and_image(middle, slab[atom].frac_coords)[1])


def _check(hop: Hop, slab: Structure) -> None:
    """Refuse a hop whose ions are held, or whose sites have other neighbours than they had."""
    held = [atom for atom in (hop.moving, hop.target, *hop.removed) if atom in frozen_atoms(slab)]
    if held:
        raise ValueError(f"the hop's {hop.ion} {held[0]} is in the frozen part")
    ends = slab.lattice.get_fractional_coords(np.array(hop_ends(slab, hop)))
    for here, before in zip(surroundings(slab, ends, hop.ion), hop.environments, strict=True):
        if here.text != before:
            raise ValueError(f"a site of the hop has the neighbours {here.text} there, not {before}")
