"""Slabs: a cathode cut along a facet, with frozen bottom layers and the normal along c."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.core.surface import SlabGenerator

LAYER = "layer"
"""Site property: number of the atomic layer, 0 at the bottom; :data:`FRAGMENT` for atoms of a fragment."""

FRAGMENT = -1
"""The ``layer`` of a fragment's atoms."""

BOTTOM_GAP = 1.0
"""Height of the lowest atom above the cell's floor (Å)."""


def primitive_miller(bulk: Structure, primitive: Structure, facet: Sequence[int]) -> tuple[int, int, int]:
    """Express a facet given in the conventional cell in the axes of the primitive cell.

    Cutting the primitive cell gives the smallest surface mesh and exactly the layers asked for.
    """
    normal = bulk.lattice.reciprocal_lattice.get_cartesian_coords(facet)
    indices = np.rint(primitive.lattice.matrix @ normal / (2 * np.pi)).astype(int)
    h, k, m = indices // np.gcd.reduce(indices)
    return int(h), int(k), int(m)


def cut_slab(
    bulk: Structure,
    facet: Sequence[int],
    layers: int,
    min_lengths: Sequence[float],
    vacuum: float,
    frozen_layers: int,
) -> Structure:
    """Cut a non-polar slab, repeat it in the plane and freeze its bottom.

    Parameters
    ----------
    bulk : Structure
        Conventional cell of the cathode, metals not yet ordered.
    facet : Sequence[int]
        Miller indices (h, k, l) in the conventional cell.
    layers : int
        Number of atomic layers (planes of that facet).
    min_lengths : Sequence[float]
        Least length of the two surface vectors (Å).
    vacuum : float
        Empty height above the topmost atom (Å).
    frozen_layers : int
        Layers held fixed at the bottom.

    Returns
    -------
    Structure
        Slab with c along the normal. Site properties ``layer`` (0 at the bottom) and ``selective_dynamics``.

    Raises
    ------
    ValueError
        If every termination of that facet carries a dipole.
    """
    primitive = bulk.get_primitive_structure()
    generator = SlabGenerator(
        primitive,
        primitive_miller(bulk, primitive, facet),
        min_slab_size=layers,
        min_vacuum_size=2,
        in_unit_planes=True,
        lll_reduce=True,
        primitive=False,
        center_slab=False,
    )
    charges = {"Li": 1.0, "Ni": 3.0, "O": -2.0}
    slabs = [slab.get_orthogonal_c_slab() for slab in generator.get_slabs()]
    nonpolar = [slab for slab in slabs if not slab.add_oxidation_state_by_element(charges).is_polar()]
    if not nonpolar:
        raise ValueError(f"facet {tuple(facet)} has no non-polar termination")
    slab = Structure.from_sites(nonpolar[0].sites).remove_oxidation_states()
    # pymatgen rounds the layers up to whole oriented cells, which may hold several.
    in_plane_area = np.linalg.norm(np.cross(*slab.lattice.matrix[:2]))
    repeat = len(primitive) * in_plane_area * bulk.lattice.d_hkl(facet) / primitive.volume
    by_height = np.argsort(np.round(slab.cart_coords[:, 2], 3), kind="stable")
    slab.remove_sites(by_height[layers * round(repeat) :].tolist())
    lengths = zip(min_lengths, slab.lattice.abc[:2], strict=True)
    repeats = [max(1, int(np.ceil(least / length - 1e-6))) for least, length in lengths]
    slab.make_supercell([*repeats, 1], to_unit_cell=False)
    slab = set_vacuum(slab, vacuum)
    number = layer_numbers(slab, layers)
    return Structure(
        slab.lattice,
        slab.species,
        slab.frac_coords,
        site_properties={LAYER: number, "selective_dynamics": [[n >= frozen_layers] * 3 for n in number]},
    )


def set_vacuum(structure: Structure, vacuum: float) -> Structure:
    """Give a slab a new cell height: ``vacuum`` Å above its topmost atom, fragment included.

    The in-plane vectors and all Cartesian positions keep their values, but for one shift that puts the lowest
    atom :data:`BOTTOM_GAP` above the floor of the cell.
    """
    positions = structure.cart_coords - [0, 0, structure.cart_coords[:, 2].min() - BOTTOM_GAP]
    matrix = structure.lattice.matrix.copy()
    matrix[2] = [0, 0, positions[:, 2].max() - BOTTOM_GAP + vacuum]
    return Structure(
        Lattice(matrix),
        structure.species,
        positions,
        coords_are_cartesian=True,
        site_properties=structure.site_properties,
    )


def layer_numbers(slab: Structure, layers: int) -> list[int]:
    """Number the atomic layers of a fresh slab from the bottom, by equal counts of atoms in order of height."""
    per_layer = len(slab) // layers
    order = np.argsort(np.round(slab.cart_coords[:, 2], 3), kind="stable")
    number = np.empty(len(slab), dtype=int)
    number[order] = np.arange(len(slab)) // per_layer
    return number.tolist()


def frozen_atoms(structure: Structure) -> list[int]:
    """Indices of the atoms whose three coordinates are held fixed."""
    flags = structure.site_properties.get("selective_dynamics", [])
    return [index for index, free in enumerate(flags) if free is not None and not any(free)]
