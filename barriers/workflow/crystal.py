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
    Repeats,
    conventional,
    is_held_in_part,
    plain_crystal,
    repeats_for,
    shortest_vector,
    space_group,
)
from barriers.structures.hop.between import hops_between
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.kinds import ADDED
from barriers.structures.hop.search import find_hops
from barriers.structures.network.network import Network, find_added_network, find_network, least_vector
from barriers.structures.network.ordered_crystal import OrderedCrystal, order_crystal
from barriers.structures.network.ordered_hops import OrderedHops, ordered_hops
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
    ordered : OrderedCrystal or None
        Where sites of the file are held in part: what was ordered, and how.
    """

    word: ClassVar[str] = "crystal"
    section: CrystalSection
    structure: Structure
    cell: Structure
    repeats: tuple[int, int, int]
    space_group: str
    image_distance: float
    warnings: list[str] = field(default_factory=list)
    ordered: OrderedCrystal | None = None

    def hops_of_ordering(self) -> OrderedHops | None:
        """Find the hops of the ordering; None where every site of the file is held by one element.

        Raises
        ------
        ValueError
            One line, if there is none.
        """
        if self.ordered is None:
            return None
        with naming("crystal"):
            return ordered_hops(self.ordered.average, self.structure, self.ordered.ordering.sites, self.section.ion)

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
            ordering=self.ordered.ordering.choice if self.ordered else "",
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
    ordered : OrderedHops or None
        All hops of the ordering, of a crystal whose sites are held in part.
    """

    study: CrystalStudy
    slab: BuiltCrystal
    hops: list[Hop]
    ordered: OrderedHops | None = None
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
    ordered = built.hops_of_ordering()
    if ordered is not None:
        built = replace(built, warnings=[*built.warnings, *(f"crystal: {note}" for note in ordered.notes)])
    return CrystalMember(named, built, crystal_hops(built.structure, study, ordered), ordered)


def hops_and_networks(study: CrystalStudy, added: bool) -> tuple[Structure, list[Hop], list[Network]]:
    """Build the supercell of a study; give also its distinct hops and the networks that they make.

    That of its vacancies and, if asked for, that of an ion added to it; of an ordering, that of its ions.

    Raises
    ------
    ValueError
        One line, if the crystal cannot be read or has no hop.
    """
    ion, built = study.crystal.ion, build_crystal(study.crystal)
    if (ordered := built.hops_of_ordering()) is not None:
        return built.structure, ordered.representatives, [ordered.network]
    networks = []
    for find in (find_network, find_added_network) if added else (find_network,):
        with suppress(ValueError):  # without a hop of that carrier
            networks.append(find(built.structure, ion))
    return built.structure, find_hops(built.structure, ion, added), networks


def read_crystal(section: CrystalSection) -> Structure | OrderedCrystal:
    """Read the crystal that a study names; order its supercell where sites are held in part.

    Raises
    ------
    ValueError
        One line, if the file cannot be read or is no crystal in which hops of the ion can be found.
    """
    path = Path(section.file)
    structure = read_crystal_file(path, "crystal.file")
    with naming(f"crystal.file: {path}"):
        if is_held_in_part(structure):
            return order_crystal(structure, section.ion, section.supercell)
        return plain_crystal(structure, section.ion)


def cell_of(section: CrystalSection) -> Structure:
    """Read what is relaxed of a crystal: its cell, or the ordered supercell where sites are held in part."""
    found = read_crystal(section)
    return found.ordering.structure if isinstance(found, OrderedCrystal) else found


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
    found = read_crystal(section)
    if isinstance(found, OrderedCrystal):
        cell = supercell = section.relaxed or found.ordering.structure
        return _built(section, supercell, cell, found.repeats, found.space_group, found)
    cell = section.relaxed or found
    group = space_group(cell)
    if section.supercell == "auto":
        cell = conventional(cell)
        repeats = repeats_for(cell.lattice, least_vector(cell, section.ion))
    else:
        repeats = section.supercell
    supercell = cell.copy()
    supercell.make_supercell(repeats, to_unit_cell=False)
    return _built(section, supercell, cell, repeats, group)


def _built(
    section: CrystalSection,
    supercell: Structure,
    cell: Structure,
    repeats: Repeats,
    group: str,
    ordered: OrderedCrystal | None = None,
) -> BuiltCrystal:
    """Measure a supercell."""
    apart, warnings = shortest_vector(supercell.lattice), [*(ordered.warnings if ordered else ())]
    if apart < LEAST_VECTOR:
        warnings.append(
            f"crystal.supercell: its shortest vector is {apart:.1f} Å, an ion feels its images; {LEAST_VECTOR:g} Å or "
            "more, or auto, mends it"
        )
    if len(supercell) > MOST_ATOMS:
        warnings.append(f"crystal.supercell: {len(supercell)} atoms, more than {MOST_ATOMS}: the calculations are long")
    return BuiltCrystal(section, supercell, cell, repeats, group, apart, warnings, ordered)


def crystal_hops(structure: Structure, study: CrystalStudy, ordered: OrderedHops | None = None) -> list[Hop]:
    """Find the hops that a study describes on its supercell.

    Where it names none, every distinct one of a vacancy; in a crystal without any, every one of an added ion.

    Of an ordering of sites that are held in part, one of each class.

    Raises
    ------
    ValueError
        One line, if there is no such hop, or fewer than the rank asked for.
    """
    ion = study.crystal.ion
    if study.hops is None:
        return ordered.representatives if ordered else _every_hop(structure, ion)
    by_ends = all(section.from_ is not None for section in study.hops)
    added = any(section.kind in ADDED or section.label is not None for section in study.hops)
    found: list[Hop] = ordered.found if ordered else []
    if ordered is None:
        with suppress(ValueError) if by_ends else naming("crystal"):  # ends are named in a cell without neighbours
            found = find_hops(structure, ion, added)
    hops: list[Hop] = []
    for number, section in enumerate(study.hops):
        with naming(f"hops[{number}]"):
            if ordered is not None and (section.from_ is not None or section.label is not None):
                hop = _of_ordering(structure, ordered, section)
            else:
                hop = _chosen(structure, found, section, ion)
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


def _chosen(structure: Structure, found: list[Hop], section: CrystalHopSection, ion: str) -> Hop:
    """Find the hop that a section describes."""
    if section.from_ is not None and section.to is not None:
        return hops_between(structure, found, section.from_, section.to, section.kind, ion)[0]
    if section.label is not None:
        return select_hops(found, label=section.label)[0]
    of_kind = select_hops(found, mechanism=section.mechanism, kind=section.kind, length=section.length)
    return _ranked(of_kind, section.rank, "in this crystal")


def _of_ordering(structure: Structure, ordered: OrderedHops, section: CrystalHopSection) -> Hop:
    """Find the hop of an ordering that a section names by its ends, or by a label and its rank among those like it."""
    if section.from_ is not None and section.to is not None:
        return ordered.between(structure, section.from_, section.to)
    labels = {hop.label for hop in ordered.found}
    among = ordered.found if section.label in labels else ordered.representatives
    (hop,) = select_hops(among, label=section.label)
    return hop if section.rank == 1 else _ranked(ordered.class_of(hop), section.rank, "like it in this ordering")


def _ranked(hops: list[Hop], rank: int, where: str) -> Hop:
    if rank > len(hops):
        raise ValueError(f"rank: {rank}; allowed: 1 to {len(hops)} {where}")
    return hops[rank - 1]
