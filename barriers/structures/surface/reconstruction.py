"""Polar terminations made neutral: half of the outermost ions moved to the other face, or both faces capped.

A slab of charged planes has a dipole that grows with its thickness. It goes if the charge dipole / thickness is taken
from one face to the other (Tasker, see :class:`~barriers.structures.surface.terminations.Termination`): by ions that
change sides, in rows (Hinuma, Kamachi and Hamamoto, Mater. Trans. 61, 78 (2020)), or by adsorbates of opposite
charge, such as the hydroxyl groups found on MgO(111) (Ciston, Subramanian and Marks, arXiv:0809.2459).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pymatgen.core import Structure

from barriers.structures.surface.cutting import LAYER, Floats, charges, composition, dipole, planes, surface_area

BOND_TO_H = 0.97
"""O–H bond of a hydroxyl group (Å)."""

CHARGE_MATCH = 1e-3
"""Charges of a surface mesh nearer than this are equal (e)."""

Polar = Literal["move", "hydroxyl", "fluorine", "keep"]
"""What is done about a polar termination."""


@dataclass(frozen=True)
class Plan:
    """Which ions of an outermost plane change sides, or, with caps, which oxygen takes H.

    Attributes
    ----------
    atoms : tuple[int, ...]
        Atoms of the smallest slab (one surface mesh).
    alternate : bool
        Whether only every second mesh along the first surface vector is meant.
    up : bool
        Whether they belong to the lower face, so that the other face is the upper one.
    """

    atoms: tuple[int, ...]
    alternate: bool
    up: bool


def plan_move(mesh: Structure, thickness: float, name: str) -> Plan:
    """Choose the half of an outermost plane that changes sides.

    Parameters
    ----------
    mesh : Structure
        The smallest slab, one surface mesh.
    thickness : float
        Layers times their spacing (Å): how far the ions go.
    name : str
        Facet and termination, for the message.

    Raises
    ------
    ValueError
        If half of neither face carries the charge that cancels the dipole. The upper face is preferred.
    """
    charge, needed = charges(mesh), dipole(mesh) * surface_area(mesh) / thickness
    stacked = planes(mesh)
    for face, up in ((stacked[-1], False), (stacked[0], True)):
        carried = charge[face].sum() / 2 * (-1 if up else 1)
        if abs(carried - needed) < CHARGE_MATCH:
            return _half(mesh, face, up)
    raise ValueError(
        f"polar: 'move' leaves a dipole at {name}, half of neither face cancels it; "
        "allowed: another termination, hydroxyl, fluorine or keep"
    )


def plan_caps(mesh: Structure, thickness: float, name: str, polar: Polar) -> Plan:
    """Choose the oxygen that takes H; its continuation beyond the other face takes OH or F.

    Each pair of caps, H⁺ and OH⁻ or F⁻, carries one elementary charge. The parameters are those of
    :func:`plan_move`.

    Raises
    ------
    ValueError
        If the face in question does not end in oxygen alone, or neither all nor half of it will do.
    """
    moment = dipole(mesh)
    up = moment > 0
    face = planes(mesh)[0 if up else -1]
    share = abs(moment) * surface_area(mesh) / thickness / len(face)
    ends_in_oxygen = composition(mesh, face) == "O"
    if ends_in_oxygen and abs(share - 1) < CHARGE_MATCH:
        return Plan(tuple(face), alternate=False, up=up)
    if ends_in_oxygen and abs(share - 0.5) < CHARGE_MATCH:
        return _half(mesh, face, up)
    raise ValueError(
        f"polar: {polar!r} at {name} takes {share:.2f} H for each ion of a {composition(mesh, face)} plane; "
        "allowed: 0.5 or 1 for each O, which another termination may have; move or keep"
    )


def chosen_atoms(repeats: tuple[int, int], plan: Plan) -> list[int]:
    """Atoms of the repeated slab that a plan means; with ``alternate``, every second row along the second vector."""
    rows, images = repeats
    kept = [row for row in range(rows) if not (plan.alternate and row % 2)]
    return [(atom * rows + row) * images + image for atom in plan.atoms for row in kept for image in range(images)]


def move(slab: Structure, atoms: Sequence[int], up: bool, continuation: Floats) -> Structure:
    """Move ions to where the crystal would go on beyond the other face.

    Parameters
    ----------
    slab : Structure
        Slab with the site property ``layer``.
    atoms : Sequence[int]
        Ions that move.
    up : bool
        Whether they go from the lower face to the upper one.
    continuation : ndarray, shape (3,)
        Lattice vector from the bottom layer to the one that would follow on the top (Å).
    """
    moved = slab.copy()
    moved.translate_sites(atoms, continuation if up else -continuation, frac_coords=False, to_unit_cell=False)
    numbers = np.array(slab.site_properties[LAYER])
    numbers[atoms] = numbers.max() if up else 0
    moved.add_site_property(LAYER, numbers.tolist())
    return moved


def cap(slab: Structure, oxygen: Sequence[int], up: bool, continuation: Floats, polar: Polar) -> Structure:
    """Add H to oxygen of one face, and OH or F where the crystal would go on with oxygen beyond the other face.

    The parameters are those of :func:`move`, ``up`` meaning that the oxygen is at the lower face. Caps come after
    the slab's atoms, with the layer of their face.
    """
    capped = slab.copy()
    last = max(slab.site_properties[LAYER])
    h_layer, x_layer = (0, last) if up else (last, 0)
    across = continuation if up else -continuation
    outward = np.array([0, 0, BOND_TO_H if up else -BOND_TO_H])
    for atom in oxygen:
        here = slab[atom].coords
        caps = [("H", here - outward, h_layer), ("F", here + across, x_layer)]
        if polar == "hydroxyl":
            caps[1:] = [("O", here + across, x_layer), ("H", here + across + outward, x_layer)]
        for element, position, layer in caps:
            capped.append(element, position, coords_are_cartesian=True, properties={LAYER: layer})
    return capped


def _half(mesh: Structure, face: Sequence[int], up: bool) -> Plan:
    """Half of the atoms of each element in a mesh, the outermost; every second mesh where such a number is odd."""
    outermost = list(face) if up else list(face)[::-1]
    half: list[int] = []
    for element in sorted({mesh[atom].specie.symbol for atom in face}):
        of_element = [atom for atom in outermost if mesh[atom].specie.symbol == element]
        if len(of_element) % 2:
            return Plan(tuple(face), alternate=True, up=up)
        half += of_element[: len(of_element) // 2]
    return Plan(tuple(half), alternate=False, up=up)
