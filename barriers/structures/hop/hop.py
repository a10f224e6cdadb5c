"""Hops: one Li⁺ jump, named once on the bare slab, and the endpoints it has in every system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ase.geometry import find_mic
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from pymatgen.core import Structure

from barriers.structures.hop.kinds import Kind, Mechanism
from barriers.structures.surface.cutting import FRAGMENT_NUMBER, LAYER

Point = NDArray[np.float64]

Image = tuple[int, int, int]

LONGEST_ARM = 4.6
"""An anchor further than this (Å) from the first has been wrapped into the cell since the place was found."""


class Site(BaseModel):
    """A place defined by atoms: the centroid of the anchors, and a height above it along the normal, or a step from it.

    It follows its anchors through a relaxation, and knows nothing of the cell's height.
    """

    model_config = ConfigDict(frozen=True)

    anchors: tuple[tuple[int, Image], ...] = Field(description="atoms that define the place, with their images")
    height: float = Field(0.0, description="height above the anchors' centroid (Å)")
    offset: tuple[float, float, float] = Field((0.0, 0.0, 0.0), description="step from there, along x, y and z (Å)")
    name: str = Field("", description="what it is called in tables and jobs; by its anchors if empty")

    def position(self, structure: Structure) -> Point:
        """Cartesian position (Å) in a slab, or in any system made of it, shape (3,)."""
        return self.at({atom: structure[atom].coords for atom, _ in self.anchors}, structure.lattice.matrix)

    def at(self, positions: Mapping[int, Point] | Point, cell: Point) -> Point:
        """Cartesian position (Å) for given positions of the anchors (Å) by number, and cell vectors (Å)."""
        anchors = np.array([positions[atom] + np.array(image) @ cell for atom, image in self.anchors])
        arms = anchors - anchors[0]
        far = np.linalg.norm(arms, axis=1) > LONGEST_ARM
        if far.any():
            arms[far] = find_mic(arms[far], cell)[0]
        normal = np.cross(cell[0], cell[1])
        place: Point = anchors[0] + arms.mean(axis=0) + self.height * normal / np.linalg.norm(normal) + self.offset
        return place


class EndState(BaseModel):
    """What is done to a system to make an endpoint. Hops that share a state share its relaxation."""

    model_config = ConfigDict(frozen=True)

    removed: tuple[int, ...] = Field((), description="atoms taken out, in ascending order")
    added: Site | None = Field(None, description="where an ion is added")

    @property
    def label(self) -> str:
        """Name in tables and jobs: ``vacancy 7``, ``vacancies 7 9``, ``ion at 40 41``, ``ion at O6 0.5 0.5 0.25``."""
        parts = []
        if self.removed:
            word = "vacancy" if len(self.removed) == 1 else "vacancies"
            parts.append(" ".join([word, *map(str, self.removed)]))
        if self.added:
            parts.append(f"ion at {self.added.name or ' '.join(str(atom) for atom, _ in self.added.anchors)}")
        return ", ".join(parts) or "unchanged"


class Hop(BaseModel):
    """A jump of the ion on site ``moving`` to that of ``target``, which is taken out, or of an added ion.

    An added ion that pushes another goes to the site of ``pushed``, and that one to the last place.
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="name in tables and figures")
    ion: str = Field("Li", description="element that moves")
    slab: str = Field("", description="formula and digest of the slab it was found on, atoms in their order")
    kind: Kind = Field("vacancy", description="what makes room: one vacancy, two, a free place, or an ion that yields")
    moving: int | None = Field(None, description="index of the moving ion in the bare slab; none for an added ion")
    target: int | None = Field(None, description="index of the ion whose site is reached; none for an added ion")
    empty: Site | None = Field(None, description="empty site that is reached, where no ion has to be taken out for it")
    image: Image = Field((0, 0, 0), description="lattice translation of the site that is reached")
    removed: tuple[int, ...] = Field((), description="further ions taken out in both endpoints")
    sites: tuple[Site, Site] | None = Field(None, description="first and last place of an added ion")
    pushed: tuple[int, Image] | None = Field(
        None, description="the ion that an added one pushes to the last place, with the image that is next to the first"
    )
    leg: float | None = Field(None, description="way of an added ion to the site of the one that it pushes (Å)")
    through: Site | None = Field(None, description="place passed on the way, its anchors in the slab's numbering")
    distance: float = Field(description="length of the jump on the unrelaxed slab (Å)")
    depth: float | None = Field(None, description="depth of its middle below the topmost atom (Å); none in a crystal")
    layers: tuple[int, int] | None = Field(None, description="atomic layers of both sites, 0 for the topmost")
    mechanism: Mechanism = Field("open", description="what the ion passes")
    environments: tuple[str, str] = Field(("", ""), description="nearest anions and metals of both sites")
    label: str = Field("", description="name that depends on the geometry alone")

    @property
    def initial(self) -> EndState:
        """The initial endpoint."""
        return self._state(self.target, 0)

    @property
    def final(self) -> EndState:
        """The final endpoint."""
        return self._state(self.moving, 1)

    @property
    def way(self) -> tuple[Any, Any, Image, tuple[int, Image] | None]:
        """What it is between: atoms or places, with the image of the last, and the ion that is pushed."""
        first, last = self.sites or (self.moving, self.target)
        return first, last, self.image, self.pushed

    @property
    def passed(self) -> Site | None:
        """The place passed on the way, its anchors in the numbering of the endpoints."""
        if self.through is None:
            return None
        anchors = [(_without(atom, self.initial.removed), image) for atom, image in self.through.anchors]
        return Site(anchors=tuple(anchors), height=self.through.height)

    def _state(self, vacancy: int | None, end: int) -> EndState:
        vacancies = self.removed if vacancy is None else (*self.removed, vacancy)
        added = self.sites[end] if self.sites else (None, self.empty)[end]
        return EndState(removed=tuple(sorted(vacancies)), added=added)


def make_endpoint(system: Structure, state: EndState, ion: str = "Li") -> Structure:
    """Take ions out of a system and add one, keeping the order of the other atoms.

    Parameters
    ----------
    system : Structure
        Slab or interface.
    state : EndState
        One end of a hop.
    ion : str
        Element that is added.

    Returns
    -------
    Structure
        The endpoint, not relaxed. An added ion is the last atom, free, and belongs to the topmost layer.

    Raises
    ------
    ValueError
        One line, if an atom that is taken out is no such ion: the hop is one of another slab.
    """
    for atom in state.removed:
        found = system[atom].specie.symbol if atom < len(system) else "not there"
        if found != ion:
            raise ValueError(f"{state.label}: atom {atom} is {found}; allowed: {ion}, as on the slab of the hop")
    structure = system.copy()
    if state.added:
        topmost = max(system.site_properties.get(LAYER, [0]))
        known = {"selective_dynamics": [True] * 3, LAYER: topmost, FRAGMENT_NUMBER: 0}
        structure.append(
            ion,
            state.added.position(system),
            coords_are_cartesian=True,
            properties={key: value for key, value in known.items() if key in system.site_properties},
        )
    structure.remove_sites(list(state.removed))
    return structure


def final_in_initial_order(final: Structure, hop: Hop) -> Structure:
    """Give the final endpoint the order of atoms of the initial one, with the moving ion next to where it came from.

    The ion that stands on the target site in the final structure is the one that moved there, so it takes the place
    of the moving ion in the list, in the periodic image that the hop reaches. Where an added ion pushes another, the
    one on the last place is that one, and the one on its site is the added one.

    Parameters
    ----------
    final : Structure
        What :func:`make_endpoint` makes of ``hop.final``, usually relaxed.
    hop : Hop
        The jump.
    """
    order, moved = list(range(len(final))), {moving_index(hop, len(final)): hop.image}
    if hop.pushed is not None:
        pushed, image = hop.pushed
        order[pushed], order[-1] = order[-1], order[pushed]
        x, y, z = np.subtract(hop.image, image).tolist()
        moved = {len(final) - 1: image, pushed: (x, y, z)}
    if hop.moving is not None:
        gone = hop.final.removed
        target = hop.target if hop.empty is None else len(final)  # an ion on an empty site is the last atom
        kept = [atom for atom in range(len(final) + len(gone)) if atom not in (*hop.initial.removed, target)]
        here = [target if atom == hop.moving else atom for atom in kept]
        order = [_without(atom, gone) for atom in here if atom is not None]
    ordered = Structure.from_sites([final[index] for index in order])
    for atom, step in moved.items():
        ordered.translate_sites([atom], step, frac_coords=True, to_unit_cell=False)
    return ordered


def moving_index(hop: Hop, n_atoms: int) -> int:
    """Index of the moving ion in endpoints of ``n_atoms`` atoms, ordered as the initial one."""
    return n_atoms - 1 if hop.moving is None else _without(hop.moving, hop.initial.removed)


def hop_ends(structure: Structure, hop: Hop) -> tuple[Point, Point]:
    """First and last position of the moving ion in a system (Å), not wrapped, each of shape (3,).

    Where one ion pushes another, the first place of the one and the last of the other.
    """
    if hop.sites:
        first, last = (site.position(structure) for site in hop.sites)
    elif hop.empty is not None and hop.moving is not None:
        first, last = structure[hop.moving].coords, hop.empty.position(structure)
    else:
        first, last = (structure[index].coords for index in (hop.moving, hop.target) if index is not None)
    return first, last + structure.lattice.get_cartesian_coords(hop.image)


def midpoint(slab: Structure, hop: Hop) -> Point:
    """Cartesian midpoint of the jump (Å), shape (3,)."""
    first, last = hop_ends(slab, hop)
    return (first + last) / 2


def _without(atom: int, removed: tuple[int, ...]) -> int:
    return atom - sum(other < atom for other in removed)
