"""Sites of crystals with partial occupancies: which belong to the ion, and one ordering of whole atoms on them."""

from __future__ import annotations

import numpy as np
import pytest
from ion_conductors import argyrodite, cubic_garnet, olivine, thiophosphate
from pymatgen.analysis.ewald import EwaldSummation
from pymatgen.core import Lattice, Structure

from barriers.structures.network.ordered import order_sites
from barriers.structures.network.sites import find_sites, merge_sites


def test_sites_are_those_of_the_most_frequent_element_whatever_is_empty() -> None:
    found = find_sites(argyrodite())
    assert found.is_ordered
    assert found.composition.as_dict() == {"Li": 48, "P": 4, "S": 20, "Cl": 4}
    assert find_sites(olivine()) == olivine()


def test_a_site_that_is_split_in_two_is_one_with_both_occupancies() -> None:
    """By hand: of the 96 Li positions of cubic garnet pairs are 0.77 Å apart, about the octahedron's centre (48g)."""
    merged = merge_sites(cubic_garnet(), "Li")
    occupancies = [site.species["Li"] for site in merged if "Li" in site.species]
    assert sorted(set(np.round(occupancies, 3).tolist())) == [0.54, 0.896]
    assert merged.composition.almost_equals(cubic_garnet().composition)
    centres = [site.frac_coords % 1 for site in merged if site.species.get("Li", 0) > 0.8]
    # 48g is (1/8, y, 1/4 - y) and what symmetry makes of it: an odd eighth in each.
    assert all((np.abs((centre * 8 + 0.5) % 1 - 0.5) < 1e-3).any() for centre in centres)


def test_a_split_site_across_the_edge_of_the_cell_is_merged_there() -> None:
    crystal = Structure(Lattice.cubic(5), [{"Li": 0.5}, {"Li": 0.25}, "F"], [[0.02, 0, 0], [0.95, 0, 0], [0.5] * 3])
    (lithium,) = (site for site in merge_sites(crystal, "Li") if "Li" in site.species)
    assert lithium.species["Li"] == pytest.approx(0.75)
    assert (lithium.frac_coords + 0.5) % 1 - 0.5 == pytest.approx([0.02 - 0.07 / 3, 0, 0], abs=1e-9)


def test_a_few_ions_on_a_metal_site_leave_it_the_metal_s() -> None:
    crystal = Structure(
        Lattice.cubic(4), [{"Li": 0.95, "Ni": 0.05}, {"Ni": 0.9, "Li": 0.1}, "O"], [[0] * 3, [0.5] * 3, [0.5, 0.5, 0]]
    )
    assert [site.specie.symbol for site in find_sites(crystal)] == ["Li", "Ni", "O"]


@pytest.mark.parametrize("crystal", [cubic_garnet(), argyrodite(), thiophosphate()])
def test_an_ordering_has_the_composition_and_tells_its_choice(crystal: Structure) -> None:
    found = order_sites(crystal)
    assert found.structure.is_ordered
    sites = {tuple(np.round(site.frac_coords, 6)) for site in find_sites(crystal)}
    assert {tuple(np.round(site.frac_coords, 6)) for site in found.structure} <= sites
    for element, amount in crystal.composition.items():
        assert found.structure.composition[element] == pytest.approx(amount, abs=1)
    assert "lowest Ewald energy of 20 orderings, seed 0" in found.choice
    assert order_sites(crystal).structure == found.structure


def energy(structure: Structure) -> float:
    """Ewald energy (eV) of Li⁺ and S²⁻."""
    charged = structure.copy()
    charged.add_oxidation_state_by_element({"Li": 1, "S": -2})
    return float(EwaldSummation(charged).total_energy)


def test_no_exchange_with_an_empty_site_lowers_the_energy() -> None:
    """In two cells of the next test, of whose 12870 orderings twenty at random are not the lowest."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.7), [{"Li": 0.5}, "S"], [[0.25] * 3, [0] * 3])
    crystal.make_supercell([2, 1, 1])
    found = order_sites(crystal).structure
    lowest = energy(found)
    sites = [site.frac_coords for site in crystal if "Li" in site.species]
    empty = [site for site in sites if not found.get_sites_in_sphere(crystal.lattice.get_cartesian_coords(site), 0.1)]
    assert len(empty) == 8
    for lithium in found.indices_from_symbol("Li"):
        for place in empty:
            moved = found.copy()
            moved.replace(lithium, "Li", place)
            assert energy(moved) > lowest - 1e-5


def test_of_all_seventy_orderings_the_lowest_in_ewald_energy_is_found() -> None:
    """Half of the tetrahedra of a close packing of S, Li₂S with half its Li: by exhaustion, and by the search."""
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.7), [{"Li": 0.5}, "S"], [[0.25] * 3, [0] * 3])
    lithium = [number for number, site in enumerate(crystal) if "Li" in site.species]
    energies = []
    for code in range(2**8):
        kept = [lithium[bit] for bit in range(8) if code >> bit & 1]
        if len(kept) == 4:
            rest = [number for number in range(len(crystal)) if number not in lithium]
            symbols = ["Li"] * 4 + ["S"] * len(rest)
            energies.append(energy(Structure(crystal.lattice, symbols, crystal.frac_coords[[*kept, *rest]])))
    found = order_sites(crystal)
    assert found.choice.startswith("Li 4 empty 4; ")
    assert energy(found.structure) == pytest.approx(min(energies), abs=1e-6)


def test_an_ordered_crystal_is_kept() -> None:
    assert order_sites(olivine()).structure == olivine()
