"""Geometry of the bulk hops that the surrogate is tried on. No model runs here."""

import numpy as np
import pytest
from benchmarks.bulk_hops import BULK_HOPS, crystal, endpoints
from pymatgen.core import PeriodicSite, Structure
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.structures.path.endpoints import check_endpoints

ATOMS = {"LiCoO2-ODH": 107, "LiCoO2-TSH": 106, "LiNiO2-ODH": 107, "LiNiO2-TSH": 106, "LiMn2O4": 55}


def jump(name: str) -> tuple[Structure, int, np.ndarray]:
    """Initial structure, index of the moving ion, and its displacement (Å)."""
    initial, final = endpoints(BULK_HOPS[name])
    moved = final.cart_coords - initial.cart_coords
    (ion,) = np.flatnonzero(np.linalg.norm(moved, axis=1) > 1e-6)
    return initial, int(ion), moved[ion]


def oxygens_around(structure: Structure, point: np.ndarray, radius: float) -> list[PeriodicSite]:
    return [site for site in structure.get_sites_in_sphere(point, radius) if site.specie.symbol == "O"]


def apart(structure: Structure, site: PeriodicSite, point: np.ndarray) -> float:
    """Distance of the nearest image (Å)."""
    fractional = structure.lattice.get_fractional_coords(point)
    return float(structure.lattice.get_distance_and_image(site.frac_coords, fractional)[0])


def empty_sites(name: str) -> list[PeriodicSite]:
    initial, _ = endpoints(BULK_HOPS[name])
    return [site for site in crystal(BULK_HOPS[name].crystal) if not initial.get_sites_in_sphere(site.coords, 0.1)]


@pytest.mark.parametrize("name", BULK_HOPS)
def test_one_lithium_jumps_into_an_empty_site_next_to_it(name: str) -> None:
    initial, ion, displacement = jump(name)
    assert len(initial) == ATOMS[name]
    assert initial[ion].specie.symbol == "Li"
    landing = initial[ion].coords + displacement
    assert not initial.get_sites_in_sphere(landing, 1.5)
    assert any(apart(initial, site, landing) < 1e-6 for site in empty_sites(name))
    check_endpoints(*(AseAtomsAdaptor.get_atoms(structure) for structure in endpoints(BULK_HOPS[name])))


@pytest.mark.parametrize("name", ["LiCoO2-ODH", "LiNiO2-ODH", "LiCoO2-TSH", "LiNiO2-TSH"])
def test_straight_way_in_a_layered_oxide_passes_between_two_oxygens(name: str) -> None:
    initial, ion, displacement = jump(name)
    middle = initial[ion].coords + displacement / 2
    first, second = sorted(oxygens_around(initial, middle, 2.0), key=lambda site: site.distance_from_point(middle))
    assert (first.coords + second.coords) / 2 == pytest.approx(middle, abs=1e-6)


@pytest.mark.parametrize("name", ["LiCoO2-TSH", "LiNiO2-TSH"])
def test_divacancy_and_moving_ion_share_a_tetrahedron(name: str) -> None:
    initial, ion, displacement = jump(name)
    vacancies = empty_sites(name)
    assert len(vacancies) == 2
    lattice = initial.lattice
    corners = [initial[ion].frac_coords, *(site.frac_coords for site in vacancies)]
    sides = [lattice.get_distance_and_image(corners[i], corners[j])[0] for i, j in ((0, 1), (0, 2), (1, 2))]
    assert sides == pytest.approx([np.linalg.norm(displacement)] * 3, abs=1e-6)
    images = [lattice.get_distance_and_image(corners[0], corner)[1] for corner in corners[1:]]
    around = [corners[0], *(corner + image for corner, image in zip(corners[1:], images, strict=True))]
    centre = lattice.get_cartesian_coords(np.mean(around, axis=0))
    tetrahedron = [site.coords - centre for site in oxygens_around(initial, centre, 2.4)]
    assert len(tetrahedron) == 4
    (apex,) = [vector for vector in tetrahedron if np.hypot(*vector[:2]) < 1e-6]
    base = [vector[2] for vector in tetrahedron if np.hypot(*vector[:2]) > 1e-6]
    assert base == pytest.approx([base[0]] * 3, abs=1e-6)
    assert base[0] * apex[2] < 0


def test_spinel_hop_passes_the_empty_octahedron() -> None:
    initial, ion, displacement = jump("LiMn2O4")
    assert np.linalg.norm(displacement) == pytest.approx(8.24 * np.sqrt(3) / 4)
    middle = initial[ion].coords + displacement / 2
    distances = [site.distance_from_point(middle) for site in oxygens_around(initial, middle, 2.5)]
    assert len(distances) == 6
    assert np.ptp(distances) < 1e-6
    assert 2.0 < distances[0] < 2.3
    manganese = [site for site in initial if site.specie.symbol == "Mn"]
    bonds = [len(oxygens_around(initial, site.coords, 2.1)) for site in manganese]
    assert bonds == [6] * 16
