"""The members of an ensemble: studies of their own, one for each ordering, lithium content and model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from pymatgen.core import Structure

from barriers.analysis.ensemble import MemberDoc
from barriers.documents import CrystalCellDoc, CrystalDoc, LatticeDoc, SlabDoc
from barriers.structures.bonding import distances_to
from barriers.structures.digest import structure_digest
from barriers.structures.hop.hop import Hop, midpoint
from barriers.structures.hop.search import find_hops
from barriers.structures.interface.contacts import surface_bonds
from barriers.structures.rounding import round_off, rounded
from barriers.structures.surface.edits import rattle
from barriers.structures.surface.slab import frozen_atoms
from barriers.study.ensemble import EnsembleSection, placed_name
from barriers.study.forms import CrystalStudy
from barriers.study.models import HopSection, Study, SystemSection
from barriers.workflow.crystal import CrystalMember, crystal_member
from barriers.workflow.lattice import Lattice, settled_lattice
from barriers.workflow.own_slab import settled_slab, slab_for
from barriers.workflow.placements import near_themselves, placements_of, systems_on
from barriers.workflow.slab_and_hops import BuiltSlab, hops_like, hops_of, measured


@dataclass(frozen=True)
class Variant:
    """A member of an ensemble as it is described, or a whole study that is none.

    Attributes
    ----------
    study : Study
        The same as a study of its own: its calculations have the same keys. Its hops are those that fragments are
        placed by and, where the ensemble does not choose them, that are computed.
    tag : str
        What tells its jobs and hops from those of other members: ``o1``, ``o1-x0.5``; empty outside an ensemble.
    ordering : int
        Number of the ordering.
    """

    study: Study
    tag: str = ""
    ordering: int = 1


@dataclass(frozen=True)
class Member:
    """A member of an ensemble, or a whole study that is none, with its slab and hops.

    Attributes
    ----------
    study, tag : Study, str
        See :class:`Variant`.
    slab : BuiltSlab
        Its slab.
    hops : list[Hop]
        The hops that are computed, their names unlike those of any other member.
    anchor : Hop
        The hop that fragments are placed by.
    placed : dict[str, list[Structure]]
        First placements of each system on the slab as built, the slab itself of a bare one; none in a series.
    """

    study: Study
    tag: str
    slab: BuiltSlab
    hops: list[Hop]
    anchor: Hop
    placed: dict[str, list[Structure]] = field(default_factory=dict)

    @property
    def start(self) -> Structure:
        """What is relaxed first: the slab, rattled as the study asks."""
        return rattle(self.slab.structure, self.study.surface.rattle, self.study.cathode.seed)

    @property
    def to_frozen(self) -> dict[str, float]:
        """Least distance of the moving ion to a frozen atom by the hop (Å), where anything is frozen."""
        near = self.slab.to_frozen.values()
        return dict(zip((hop.name for hop in self.hops), near, strict=True)) if near else {}


def expand(study: Study) -> list[Variant]:
    """Write an ensemble out as studies of their own; a study that is none is its only member."""
    if (ensemble := study.ensemble) is None:
        return [Variant(study)]
    systems = tuple(one for system in study.systems for one in _placed(system, ensemble.placements))
    contents, models = ensemble.lithium or (study.cathode.lithium,), ensemble.models or (None,)
    variants = []
    for number, content, model in product(range(ensemble.orderings), contents, models):
        cathode = study.cathode.model_copy(update={"seed": study.cathode.seed + number, "lithium": content})
        engine = study.engine if model is None else study.engine.model_copy(update={"model": model})
        tag = "-".join(
            [f"o{number + 1}", *([f"x{content:g}"] if len(contents) > 1 else []), *([model] if model else [])]
        )
        change = {"systems": systems, "cathode": cathode, "engine": engine, "ensemble": None}
        variants.append(Variant(study.model_copy(update=change), tag, number + 1))
    return variants


AnyMember = Member | CrystalMember


def wanted_of(member: AnyMember) -> list[tuple[str, str]]:
    """List system and hop of every barrier of a study that is no ensemble, in their order."""
    return [(system.name, hop.name) for system in member.study.systems for hop in member.hops]


def rows_of(study: Study) -> list[MemberDoc]:
    """List the barriers that a study asks for, in their order; of an ensemble with what each is one of."""
    placements = study.ensemble.placements if study.ensemble else 1
    described = [
        (system.name, one.name, one.placement.rank) for system in study.systems for one in _placed(system, placements)
    ]
    return [
        MemberDoc(
            system=name,
            hop=_tagged(variant, hop),
            of_system=of_system,
            of_hop=hop,
            placement=rank,
            ordering=variant.ordering,
            seed=variant.study.cathode.seed,
            lithium=variant.study.cathode.lithium,
            model=getattr(variant.study.engine, "model", ""),
        )
        for variant in expand(study)
        for of_system, name, rank in described
        for hop in _hop_names(study)
    ]


def members_of(study: Study | CrystalStudy) -> list[AnyMember]:
    """Build the slab and find the hops of each member of an ensemble, or of the one study that is none.

    Raises
    ------
    ValueError
        One line, if a slab, a hop or a placement cannot be built, or two orderings are one.
    """
    study, _ = settled_lattice(study)
    if isinstance(study, CrystalStudy):
        return [crystal_member(study)]
    study = settled_slab(study)
    built: dict[tuple[int, float], Member] = {}  # models share what they start from
    seen: dict[str, int] = {}
    members: list[AnyMember] = []
    for variant in expand(study):
        cathode = variant.study.cathode
        key = cathode.seed, cathode.lithium
        if key not in built:
            slab = slab_for(variant.study)
            _check_new(slab.structure, cathode.seed, seen)
            built[key] = _member(variant, slab, *_hops(slab.structure, variant.study, study.ensemble))
        named = [hop.model_copy(update={"name": _tagged(variant, hop.name)}) for hop in built[key].hops]
        members.append(replace(built[key], study=variant.study, tag=variant.tag, hops=named))
    return members


def _member(variant: Variant, slab: BuiltSlab, hops: list[Hop], anchor: Hop) -> Member:
    """Place the fragments of a member, and say what is to be known of slab and placements."""
    systems = variant.study.systems
    slab = measured(slab, hops)
    placed = systems_on(slab.structure, systems, variant.study.vacuum, anchor)
    near = near_themselves(slab.structure, systems, placed, is_cut=slab.crystal is not None)
    warnings = [*slab.warnings, *near]
    return Member(variant.study, variant.tag, replace(slab, warnings=warnings), hops, anchor, placed)


def warnings_of(members: Sequence[AnyMember]) -> list[str]:
    """What is to be known of the slabs and of fragments on them, each line once."""
    return list(dict.fromkeys(warning for member in members for warning in member.slab.warnings))


def slab_of(members: Sequence[AnyMember], lattice: Lattice | None) -> SlabDoc | CrystalDoc:
    """What is to be known of the slabs in numbers: the thinnest, and the nearest frozen atom of each hop."""
    if isinstance(members[0], CrystalMember):
        assert not isinstance(lattice, LatticeDoc)
        return members[0].slab.document(lattice)
    assert not isinstance(lattice, CrystalCellDoc)
    of_slabs = [member for member in members if isinstance(member, Member)]
    to_frozen = {hop: distance for member in of_slabs for hop, distance in member.to_frozen.items()}
    first, cathode = of_slabs[0].slab, of_slabs[0].study.cathode
    return SlabDoc(
        thickness=min(member.slab.thickness for member in of_slabs),
        to_frozen=to_frozen,
        lattice=lattice,
        formula=first.structure.composition.formula,
        atoms=len(first.structure),
        frozen=len(frozen_atoms(first.structure)),
        image_distance=round(first.image_distance, 4),
        termination=first.termination,
        dipole=first.dipole,
        metals=first.metals,
        ordering="that of the file" if first.crystal is None else f"{cathode.ordering}, seed {cathode.seed}",
    )


def _placed(system: SystemSection, placements: int) -> Iterator[SystemSection]:
    """Give a system once for each placement of its fragment."""
    if system.fragment is None or placements == 1:
        yield system
        return
    candidates = max(system.placement.candidates, placements)
    for rank in range(1, placements + 1):
        placement = system.placement.model_copy(update={"candidates": candidates, "rank": rank})
        yield system.model_copy(update={"name": placed_name(system.name, rank), "placement": placement})


def _hop_names(study: Study) -> list[str]:
    nearest = study.ensemble.nearest if study.ensemble else None
    return [hop.name for hop in study.hops] if nearest is None else [f"near-{n}" for n in range(1, nearest + 1)]


def _tagged(variant: Variant, hop: str) -> str:
    return f"{variant.tag}-{hop}" if variant.tag else hop


def _check_new(slab: Structure, seed: int, seen: dict[str, int]) -> None:
    first = seen.setdefault(structure_digest(slab), seed)
    if first != seed:
        raise ValueError(
            f"ensemble.orderings: cathode.seed {first} and {seed} give the same slab; "
            f"allowed: fewer orderings, another cathode.seed, or a larger surface"
        )


def _hops(slab: Structure, study: Study, ensemble: EnsembleSection | None) -> tuple[list[Hop], Hop]:
    """Find the hops that are computed on a slab, and the one that fragments are placed by."""
    if ensemble is None or ensemble.nearest is None:
        hops = hops_of(slab, study.hops)
        return hops, hops[0]
    (anchor,) = hops_of(slab, study.hops[:1])
    return _nearest(slab, study, anchor, study.hops[0], ensemble.nearest), anchor


def _nearest(slab: Structure, study: Study, anchor: Hop, kind: HopSection, number: int) -> list[Hop]:
    """Choose the hops of a kind that are nearest to the surface atom which the first bonded fragment is placed on."""
    system = next(system for system in study.systems if system.fragment and system.placement.mode == "bonded")
    assert system.fragment is not None
    placed = placements_of(slab, system.fragment, system.placement, study.vacuum, anchor)[0]
    bonds = [bond for bond in surface_bonds(placed, len(slab)) if bond.elements == system.placement.bond]
    if not bonds:
        raise ValueError(f"ensemble.hops: {system.name!r} as placed has no bond; allowed: a shorter bond_length")
    bonded = min(bonds, key=lambda bond: round_off(bond.length, 3)).slab_atom
    alike = hops_like(find_hops(slab), kind.model_copy(update={"label": None, "rank": 1}))
    if number > len(alike):
        raise ValueError(f"ensemble.hops: nearest {number} to the bond; allowed: at most {len(alike)} on this slab")
    away = distances_to(slab, np.array([midpoint(slab, hop) for hop in alike]))[:, bonded]
    order = np.argsort(rounded(away, 3), kind="stable")
    return [alike[which].model_copy(update={"name": f"near-{n}"}) for n, which in enumerate(order[:number], 1)]
