"""A cathode from a crystal structure, e.g. one that was read from a CIF."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pymatgen.core import Element, PeriodicSite, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from barriers.structures.cathode.crystal import ANY_OTHER, METAL_SITE, Cathode
from barriers.structures.rounding import round_off

Refuse = Callable[[str], ValueError]
"""Makes the refusal of what was found."""

FULL = 0.02
"""How far from one an occupancy, or an amount per formula unit, may lie."""

SYMPREC = 0.1
"""How far (Å) positions may lie from R-3m: relaxed cells of mixed metals are read too."""

OCTAHEDRAL = (0.2, 0.3)
"""Heights of oxygen that put both Li and M into octahedra."""


def read_cathode(structure: Structure, name: str) -> Cathode:
    """Recognise a layered oxide LiMO2 in a structure.

    The metals may be ordered or share sites, and up to half of a Li site may be exchanged with metal: each site is
    merged to what it mostly holds before the symmetry is looked up.

    Parameters
    ----------
    structure : Structure
        Any cell, supercells included, with or without oxidation states.
    name : str
        Name of the cathode.

    Returns
    -------
    Cathode
        Fractions of all metals, the most frequent first; lattice and oxygen height of the symmetrised cell. An
        exchange of Li with metal is left out, and its ``source`` says so.

    Raises
    ------
    ValueError
        If it is no full LiMO2, or not R-3m with both cations in octahedra; the line says what was found.
    """
    refuse = partial(_refusal, name, structure)
    merged = [_merged(site, refuse) for site in structure]
    metals = _metals(structure, refuse)
    symmetry = SpacegroupAnalyzer(Structure(structure.lattice, merged, structure.frac_coords), symprec=SYMPREC)
    group = symmetry.get_space_group_symbol()
    cell = symmetry.get_refined_structure()
    if group != "R-3m" or len(cell) != 12:
        raise refuse(f"{group} with {len(cell)} atoms in the conventional cell and all metals alike")
    metal = cell.frac_coords[cell.indices_from_symbol(METAL_SITE)[0]]
    offsets = cell.frac_coords[list(cell.indices_from_symbol("O"))] - metal
    offsets -= offsets.round()
    z = round_off(min(abs(height) for x, y, height in offsets if abs(x) + abs(y) < 1e-3), 4)
    if not OCTAHEDRAL[0] < z < OCTAHEDRAL[1]:
        raise refuse(f"oxygen at z = {z:.3f} from the metal")
    total = structure.composition.get_el_amt_dict()["O"]
    exchanged = sum(_elements(site).get("Li", 0) for site, kind in zip(structure, merged, strict=True) if kind != "Li")
    source = "read from a structure" + (
        f"; {exchanged / total * 2:.1%} Li/metal exchange left out" if exchanged else ""
    )
    return Cathode(name, metals, round_off(cell.lattice.a, 4), round_off(cell.lattice.c, 4), z, source)


def _elements(site: PeriodicSite) -> dict[str, float]:
    return site.species.get_el_amt_dict()


def _merged(site: PeriodicSite, refuse: Refuse) -> str:
    """Name what a site mostly holds: Li, O or any metal."""
    held = _elements(site)
    if abs(sum(held.values()) - 1) > FULL:
        raise refuse(f"a site that holds {site.species_string}, occupancy {sum(held.values()):g}")
    if "O" in held and len(held) > 1:
        raise refuse(f"a site that holds {site.species_string}")
    strange = [element for element in held if element != "O" and not Element(element).is_metal]
    if strange:
        raise refuse(strange[0])
    if "O" in held:
        return "O"
    return "Li" if held.get("Li", 0) >= 0.5 else METAL_SITE


def _metals(structure: Structure, refuse: Refuse) -> dict[str, float]:
    """Fractions of the metals of a full LiMO2."""
    amounts = structure.composition.get_el_amt_dict()
    metals = {element: amount for element, amount in amounts.items() if element not in ("Li", "O")}
    units = amounts.get("O", 0) / 2
    total = sum(metals.values())
    if not units or any(abs(amount / units - 1) > FULL for amount in (amounts.get("Li", 0), total)):
        raise refuse(f"composition {structure.composition.element_composition.formula.replace(' ', '')}")
    ordered = sorted(metals, key=lambda element: (-round(metals[element], 6), element))
    # Rounded so that the order of the atoms does not show in the last bit.
    return {element: round(metals[element] / total, 9) for element in ordered}


def _refusal(name: str, structure: Structure, found: str) -> ValueError:
    amounts = structure.composition.get_el_amt_dict()
    units = amounts.get("O", 0) / 2
    content = amounts.get("Li", 0) / units if units else 0.0
    others = {element: amount for element, amount in amounts.items() if element not in ("Li", "O")}
    of_metals = bool(units) and all(Element(element).is_metal for element in others)
    lacking = of_metals and FULL < content < 1 - FULL and abs(sum(others.values()) / units - 1) <= FULL
    full = f", of a delithiated one the full crystal with lithium: {content:.2g}" if lacking else ""
    return ValueError(
        f"cathode {name!r}: found {found}; allowed: layered LiMO2 in R-3m with full sites{full}, or {ANY_OTHER}"
    )
