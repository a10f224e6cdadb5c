"""The supercell and the hops that a study of a crystal describes. Pure and fast, no energies and no jobs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from pymatgen.core import Structure

from barriers.documents import CrystalCellDoc, CrystalDoc
from barriers.files.structures import read_crystal_file
from barriers.structures.crystal import (
    LEAST_VECTOR,
    MOST_ATOMS,
    conventional,
    plain_crystal,
    repeats_for,
    shortest_vector,
    space_group,
)
from barriers.structures.hop.between import hops_between
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.kinds import ADDED
from barriers.structures.hop.neighbours import IMAGE_MARGIN
from barriers.structures.hop.search import find_hops
from barriers.structures.network.network import find_network
from barriers.study.crystal import CrystalHopSection, CrystalSection
from barriers.study.forms import CrystalStudy
from barriers.words import naming


@dataclass(frozen=True)
class BuiltCrystal:
    """The supercell of a study, and what is to be known of it.

    Attributes
    ----------
    section : CrystalSection
        What it was built from.
    structure : Structure
        The supercell.
    cell : Structure
        What it repeats.
    repeats : tuple[int, int, int]
        How often along each vector.
    space_group : str
        Its symbol, of the cell.
    image_distance : float
        Shortest lattice vector of the supercell (Å).
    warnings : list[str]
        One line each.
    """

    word: ClassVar[str] = "crystal"
    section: CrystalSection
    structure: Structure
    cell: Structure
    repeats: tuple[int, int, int]
    space_group: str
    image_distance: float
    warnings: list[str] = field(default_factory=list)

    def document(self, lattice: CrystalCellDoc | None = None) -> CrystalDoc:
        """Say it in numbers, as results keep it, and how it was relaxed before."""
        return CrystalDoc(
            formula=self.cell.composition.reduced_formula,
            space_group=self.space_group,
            supercell=self.repeats,
            atoms=len(self.structure),
            image_distance=round(self.image_distance, 4),
            source=Path(self.section.file).name,
            ion=self.section.ion,
            charge=self.section.charge,
            lattice=lattice,
            structure=self.structure,
        )


@dataclass(frozen=True)
class CrystalMember:
    """A study of a crystal with its supercell and hops: what a :class:`~barriers.workflow.ensemble.Member` is of slabs.

    Attributes
    ----------
    study : CrystalStudy
        The study, the crystal named and the engine as it has to be for one.
    slab : BuiltCrystal
        The supercell, in the place of a slab.
    hops : list[Hop]
        The hops that are computed.
    """

    study: CrystalStudy
    slab: BuiltCrystal
    hops: list[Hop]
    tag: ClassVar[str] = ""

    @property
    def start(self) -> Structure:
        """What is relaxed first: the supercell, its symmetry kept."""
        return self.slab.structure

    @property
    def whole(self) -> CrystalStudy:
        """The study by which that is relaxed: neutral, as the charge is that of the cells with a vacancy."""
        if not self.study.crystal.charge or self.study.engine.kind != "espresso":
            return self.study
        keywords = {name: value for name, value in self.study.engine.keywords.items() if name != "tot_charge"}
        return self.study.model_copy(update={"engine": self.study.engine.model_copy(update={"keywords": keywords})})

    @property
    def placed(self) -> dict[str, list[Structure]]:
        """What each system begins with."""
        return {system.name: [self.slab.structure] for system in self.study.systems}


def crystal_member(study: CrystalStudy) -> CrystalMember:
    """Build the supercell of a study and find its hops.

    Raises
    ------
    ValueError
        One line, if the crystal cannot be read or has no such hop.
    """
    named, built = prepared(study)
    return CrystalMember(named, built, crystal_hops(built.structure, study))


def read_crystal(section: CrystalSection) -> Structure:
    """Read the crystal that a study names.

    Raises
    ------
    ValueError
        One line, if the file cannot be read or is no crystal in which hops of the ion can be found.
    """
    path = Path(section.file)
    structure = read_crystal_file(path, "crystal.file")
    with naming(f"crystal.file: {path}"):
        return plain_crystal(structure, section.ion)


def prepared(study: CrystalStudy) -> tuple[CrystalStudy, BuiltCrystal]:
    """Give a study its crystal's name and what its engine has to know of a crystal, and build the supercell.

    Raises
    ------
    ValueError
        One line, if the crystal cannot be read.
    """
    section = study.crystal
    built = build_crystal(section)
    named = section.model_copy(update={"name": section.name or built.cell.composition.reduced_formula})
    if section.charge and study.engine.kind == "mlip":
        line = f"crystal.charge: {section.charge:+d} is left out: the embedded engine knows no charges"
        built = replace(built, warnings=[*built.warnings, line])
    return study.model_copy(update={"crystal": named, "engine": engine_for(study)}), built


def engine_for(study: CrystalStudy) -> Any:
    """Give the section of a study's engine with what that has to know of a crystal: no dipole, the charge."""
    section, engine = study.crystal, study.engine
    if engine.kind == "mlip":
        return engine
    told: dict[str, Any] = {} if engine.dipole is not None else {"dipole": False}
    if section.charge and engine.kind == "espresso":
        told["keywords"] = {"tot_charge": section.charge, **engine.keywords}
    return engine.model_copy(update=told)


def build_crystal(section: CrystalSection) -> BuiltCrystal:
    """Build the supercell that a study asks for."""
    cell = section.relaxed or read_crystal(section)
    group = space_group(cell)
    if section.supercell == "auto":
        cell = conventional(cell)
        repeats = repeats_for(cell.lattice, _least_vector(cell, section.ion))
    else:
        repeats = section.supercell
    supercell = cell.copy()
    supercell.make_supercell(repeats, to_unit_cell=False)
    apart, warnings = shortest_vector(supercell.lattice), []
    if apart < LEAST_VECTOR:
        warnings.append(
            f"crystal.supercell: its shortest vector is {apart:.1f} Å, an ion feels its images; {LEAST_VECTOR:g} Å or "
            "more, or auto, mends it"
        )
    if len(supercell) > MOST_ATOMS:
        warnings.append(f"crystal.supercell: {len(supercell)} atoms, more than {MOST_ATOMS}: the calculations are long")
    return BuiltCrystal(section, supercell, cell, repeats, group, apart, warnings)


def _least_vector(cell: Structure, ion: str) -> float:
    """Length (Å) below which no vector of a supercell may be, or the longest hop meets its own image in it."""
    try:
        longest = max(hop.distance for hop in find_network(cell, ion).hops)
    except ValueError:  # no hop: said where hops are looked for
        return LEAST_VECTOR
    return max(LEAST_VECTOR, 2 * longest + 2 * IMAGE_MARGIN)


def crystal_hops(structure: Structure, study: CrystalStudy) -> list[Hop]:
    """Find the hops that a study describes on its supercell.

    Where it names none, every distinct one of a vacancy; in a crystal without any, every one of an added ion.

    Raises
    ------
    ValueError
        One line, if there is no such hop, or fewer than the rank asked for.
    """
    ion = study.crystal.ion
    if study.hops is None:
        return _every_hop(structure, ion)
    by_ends = all(section.from_ is not None for section in study.hops)
    added = any(section.kind in ADDED or section.label is not None for section in study.hops)
    found: list[Hop] = []
    with suppress(ValueError) if by_ends else naming("crystal"):  # ends are named in a cell without neighbours, too
        found = find_hops(structure, ion, added)
    hops: list[Hop] = []
    for number, section in enumerate(study.hops):
        hop = _chosen(structure, found, section, ion, number)
        hops.append(hop.model_copy(update={"name": section.name or hop.label}))
        names = [other.name for other in hops]
        if (first := names.index(names[-1])) < number:
            raise ValueError(f"hops[{number}].name: {names[-1]!r} is that of hops[{first}]; allowed: a name of its own")
    return hops


def _every_hop(structure: Structure, ion: str) -> list[Hop]:
    with naming("crystal"):
        try:
            found = find_hops(structure, ion)
        except ValueError:
            found = find_hops(structure, ion, added=True)
    with naming("hops"):
        return [hop for hop in found if hop.kind == "vacancy"] or select_hops(found)


def _chosen(structure: Structure, found: list[Hop], section: CrystalHopSection, ion: str, number: int) -> Hop:
    """Find the hop that a section describes."""
    with naming(f"hops[{number}]"):
        if section.from_ is not None and section.to is not None:
            return hops_between(structure, found, section.from_, section.to, section.kind, ion)[0]
        if section.label is not None:
            return select_hops(found, label=section.label)[0]
        of_kind = select_hops(found, mechanism=section.mechanism, kind=section.kind, length=section.length)
        if section.rank > len(of_kind):
            raise ValueError(f"rank: {section.rank}; allowed: 1 to {len(of_kind)} in this crystal")
        return of_kind[section.rank - 1]
