"""Bulk Li hops whose geometry is known, as ends of the surrogate's suite: layered oxides both ways, and the spinel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jobflow import Flow
from pymatgen.core import Lattice, Structure

from barriers import MlipEngine, run
from barriers.analysis.band import minimum_image_displacements
from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.cathode.ordering import order_metals

RESULTS = Path(__file__).resolve().parents[2] / "results" / "bulk_hops"


@dataclass(frozen=True)
class BulkHop:
    """A Li that jumps to the nearest Li site of a perfect crystal, which is empty.

    Attributes
    ----------
    crystal : str
        ``LiCoO2``, ``LiNiO2`` or ``LiMn2O4``.
    divacancy : bool
        Whether a second vacancy, next to both sites, opens the way through a tetrahedral site.
    """

    crystal: str
    divacancy: bool = False


BULK_HOPS = {
    "LiCoO2-ODH": BulkHop("LiCoO2"),
    "LiCoO2-TSH": BulkHop("LiCoO2", divacancy=True),
    "LiNiO2-ODH": BulkHop("LiNiO2"),
    "LiNiO2-TSH": BulkHop("LiNiO2", divacancy=True),
    "LiMn2O4": BulkHop("LiMn2O4"),
}


def crystal(name: str, across: int = 3) -> Structure:
    """Build the perfect supercell at its experimental lattice: 108 atoms (layered, 3×3×1 or as asked) or 56 (spinel).

    Spinel: Fd-3m with a = 8.24 Å and u = 0.263, rounded from Berg and Thomas, J. Mater. Chem. 9, 429 (1999);
    Li on 8a at the origin, Mn on 16d, O on 32e.
    """
    if name == "LiMn2O4":
        sites: list[list[float]] = [[0] * 3, [5 / 8] * 3, [0.263 + 1 / 8] * 3]
        return Structure.from_spacegroup("Fd-3m", Lattice.cubic(8.24), ["Li", "Mn", "O"], sites)
    cathode = known_cathodes()[name]
    structure = order_metals(bulk(cathode), cathode.metals, seed=0)
    structure.make_supercell([across, across, 1])
    return structure


def ground_state(name: str, model: str, across: int = 3) -> np.ndarray:
    """Displacements (Å), shape (N, 3), that relax the perfect supercell at fixed cell, its symmetry broken first.

    Ni³⁺ and Mn³⁺ distort their octahedra. A symmetric start keeps the undistorted crystal, which is no minimum, and a
    band between such endpoints slides off them.
    """
    ideal = crystal(name, across)
    job = MlipEngine(model=model).relax(0.02, 1000).make(ideal.copy().perturb(0.05, seed=0))
    outcome = run(Flow([job], output=job.output), RESULTS / model / name)
    if outcome.output is None or not outcome.output.converged:
        raise SystemExit(f"{name}: the perfect crystal does not relax: {outcome.failures}")
    pair = [ideal.cart_coords, outcome.output.structure.cart_coords]
    return minimum_image_displacements(pair, ideal.lattice.matrix)[0]


def endpoints(hop: BulkHop, displacements: np.ndarray | float = 0.0, across: int = 3) -> tuple[Structure, Structure]:
    """Unrelaxed endpoints: a Li jumps to the nearest Li site, which is empty.

    Parameters
    ----------
    hop : BulkHop
        The hop.
    displacements : numpy.ndarray
        What :func:`ground_state` gives; the crystal as built if left out.
    across : int
        Size of the supercell, as for :func:`crystal`.

    Returns
    -------
    tuple[Structure, Structure]
        The same atoms in the same order; the moving ion is not wrapped into the cell.
    """
    perfect = crystal(hop.crystal, across)
    moving = perfect.indices_from_symbol("Li")[0]
    around = [site for site in perfect.get_neighbors(perfect[moving], 4.0) if site.specie.symbol == "Li"]
    length = min(site.nn_distance for site in around)
    shell = [site for site in around if site.nn_distance < length + 0.1]
    target = shell[0]
    beside = [site for site in shell if abs(np.linalg.norm(site.coords - target.coords) - length) < 0.1]
    vacancies = [target.index, beside[0].index] if hop.divacancy else [target.index]
    positions = perfect.cart_coords + displacements
    image = target.coords - perfect[target.index].coords
    initial = Structure(perfect.lattice, perfect.species, positions, coords_are_cartesian=True)
    initial.remove_sites(vacancies)
    final = initial.copy()
    ion = moving - sum(index < moving for index in vacancies)
    jump = positions[target.index] + image - positions[moving]
    final.translate_sites([ion], jump, frac_coords=False, to_unit_cell=False)
    return initial, final
