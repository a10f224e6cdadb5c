"""Layered oxide cathodes LiMO2 (R-3m): on file, by formula, and as a crystal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache

from monty.json import MSONable
from pymatgen.core import Composition, Element, Lattice, Structure

from barriers.structures.cathode.names import ALIASES
from barriers.structures.data import load_data

METAL_SITE = "Ni"
"""The element that stands on every metal site until the metals are ordered."""

TYPICAL_Z = 0.26
"""Height of oxygen for a metal without an end member on file; those on file lie between 0.258 and 0.263."""

SUM_TOLERANCE = 0.011
"""How far from one the fractions of a formula may sum up: Ni0.33Co0.33Mn0.33 is read as thirds."""


ANY_OTHER = "crystal: {file: …} in the place of cathode and surface, for the hops of any other crystal"
"""Where a refusal of a crystal that is none of these points to."""


@dataclass(frozen=True)
class Cathode(MSONable):
    """A layered oxide LiMO2, space group R-3m, hexagonal setting.

    Attributes
    ----------
    name : str
        For example ``NCM811``.
    metals : dict[str, float]
        Fraction of each element on the metal site; the fractions sum to one.
    a, c : float
        Hexagonal lattice parameters (Å).
    z : float
        Fractional height of oxygen on the 6c site, metal at the origin.
    source : str
        Where the lattice parameters come from.
    """

    name: str
    metals: dict[str, float]
    a: float
    c: float
    z: float
    source: str = "given"


@cache
def known_cathodes() -> dict[str, Cathode]:
    """Cathodes whose lattice parameters are on file, by name."""
    return {name: Cathode(name, **entry) for name, entry in load_data("cathodes").items()}


def bulk(cathode: Cathode) -> Structure:
    """Build the conventional (hexagonal, three formula units) cell with one element on every metal site.

    Parameters
    ----------
    cathode : Cathode
        The layered oxide.

    Returns
    -------
    Structure
        12 atoms; metal sites hold :data:`METAL_SITE`.
    """
    return Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(cathode.a, cathode.c),
        [METAL_SITE, "Li", "O"],
        [[0, 0, 0], [0, 0, 0.5], [0, 0, cathode.z]],
    )


def cathode_of(name: str, a: float | None = None, c: float | None = None) -> Cathode:
    """Find a cathode by its name on file or by its formula.

    A formula whose metals are those of a cathode on file takes that cathode's lattice. Any other takes a, c and z
    from Vegard's rule, the mean of the end members LiMO2 on file weighted with the fractions (L. Vegard, Z. Phys. 5,
    17 (1921)). What is given wins over both.

    Parameters
    ----------
    name : str
        For example ``NCM811`` or ``LiNi0.6Co0.2Mn0.2O2``.
    a, c : float, optional
        Hexagonal lattice parameters (Å).

    Returns
    -------
    Cathode
        Its ``source`` says where a and c come from.

    Raises
    ------
    ValueError
        If the name is neither on file nor the formula of a layered oxide LiMO2, or if a or c is needed and not given.
    """
    found = known_cathodes().get(ALIASES.get(name, name)) or _by_formula(name, a, c)
    given = {key: value for key, value in (("a", a), ("c", c)) if value is not None}
    if len(given) == 2:
        return replace(found, a=given["a"], c=given["c"], source="a and c given")
    if given:
        return replace(found, **given, source=f"{' '.join(given)} given; the rest: {found.source}")  # type: ignore[arg-type]
    return found


def _by_formula(formula: str, a: float | None, c: float | None) -> Cathode:
    metals = metals_of(formula)
    for known in known_cathodes().values():
        if known.metals.keys() == metals.keys() and all(abs(known.metals[m] - metals[m]) < 1e-6 for m in metals):
            return replace(known, name=formula)
    members = {next(iter(known.metals)): known for known in known_cathodes().values() if len(known.metals) == 1}
    unknown = [metal for metal in metals if metal not in members]
    if unknown and (a is None or c is None):
        raise ValueError(
            f"cathode: {formula!r} has {', '.join(unknown)}, no end member on file ({', '.join(members)}); give a and c"
        )
    mean = {
        key: sum(fraction * getattr(members[metal], key) for metal, fraction in metals.items() if metal in members)
        for key in ("a", "c", "z")
    }
    z = mean["z"] + TYPICAL_Z * sum(metals[metal] for metal in unknown)
    source = f"Vegard's rule over {', '.join(members[metal].name for metal in metals if metal in members)}"
    return Cathode(formula, metals, round(mean["a"], 4), round(mean["c"], 3), round(z, 4), source)


def metals_of(formula: str) -> dict[str, float]:
    """Read the metals of a formula LiMO2.

    Parameters
    ----------
    formula : str
        For example ``LiNi0.6Co0.2Mn0.2O2``.

    Returns
    -------
    dict[str, float]
        Fraction of each metal in the order of the formula, scaled so that they sum to one.

    Raises
    ------
    ValueError
        If it is no such formula; the line says why, and names the closest cathode on file.
    """
    names = list(known_cathodes())
    near = get_close_matches(formula, names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    allowed = f"allowed: {', '.join(names)}, a formula such as LiNi0.6Co0.2Mn0.2O2, or {ANY_OTHER}{hint}"
    if not re.fullmatch(r"(?:[A-Z][a-z]?(?:\d*\.?\d+)?)+", formula):
        raise ValueError(f"cathode: {formula!r} is neither on file nor a formula; {allowed}")
    unknown = [symbol for symbol in re.findall(r"[A-Z][a-z]?", formula) if not Element.is_valid_symbol(symbol)]
    if unknown:
        raise ValueError(f"cathode: {formula!r} has no element {unknown[0]!r}; {allowed}")
    amounts = Composition(formula).get_el_amt_dict()
    wrong = _not_layered(amounts)
    if wrong:
        raise ValueError(f"cathode: {formula!r} {wrong}; {allowed}")
    metals = {element: amount for element, amount in amounts.items() if element not in ("Li", "O")}
    return {element: amount / sum(metals.values()) for element, amount in metals.items()}


def _not_layered(amounts: Mapping[str, float]) -> str:
    """Say what keeps a composition from being LiMO2; nothing if it is one."""
    metals = {element: amount for element, amount in amounts.items() if element not in ("Li", "O")}
    strange = [element for element in metals if not Element(element).is_metal]
    if abs(amounts.get("Li", 0) - 1) > 1e-6:
        if 0 < (content := amounts.get("Li", 0)) < 1:
            return f"has {content:g} Li, not one: name it with one Li, and lithium: {content:g} beside that"
        return f"has {content:g} Li, not one" if content else "has no Li"
    if abs(amounts.get("O", 0) - 2) > 1e-6:
        return f"has {amounts.get('O', 0):g} O, not two"
    if strange:
        return f"has {strange[0]}, no metal"
    if abs(sum(metals.values()) - 1) > SUM_TOLERANCE:
        return f"has metals that sum to {sum(metals.values()):.4g}, not one"
    return ""
