"""The maker of a whole study: slab, interfaces, and the barriers of every system and hop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from jobflow import Flow, Job, Maker, OutputReference
from pymatgen.core import Structure

from barriers.documents import CrystalCellDoc, CrystalDoc, LatticeDoc, SlabDoc
from barriers.engines import build_engine
from barriers.engines.protocol import Engine
from barriers.files.structures import read_endpoints
from barriers.structures.hop.hop import EndState, Hop
from barriers.study.forms import AnyStudy, CrystalStudy
from barriers.study.models import EndpointStudy, Study
from barriers.workflow.barrier import BarrierMaker
from barriers.workflow.beside import band_flows, ground_flows, reactions_flow
from barriers.workflow.beside_documents import ASKED, PUBLISHED
from barriers.workflow.build_jobs import hand_on
from barriers.workflow.comparison_job import study_document
from barriers.workflow.crystal import CrystalMember
from barriers.workflow.engine import engine_of, finder_of
from barriers.workflow.ensemble import AnyMember, Member, members_of, rows_of, slab_of, wanted_of, warnings_of
from barriers.workflow.interface import candidates_flow, interface_flow
from barriers.workflow.labels import barrier_outputs, beside_outputs, despite_failures, label, tagged
from barriers.workflow.lattice import settled_lattice
from barriers.workflow.network import asked_of
from barriers.workflow.placements import Placed, placements_in
from barriers.workflow.system import SystemHops

HOPS_AT_ONCE = 50
"""Hops of one part of a study: some hundred jobs."""


class About(NamedTuple):
    """What a study starts from, built once: lines about it, its slab or crystal, or the two structures it names."""

    notes: list[str]
    members: Sequence[AnyMember] = ()
    slab: SlabDoc | CrystalDoc | None = None
    ends: tuple[Structure, ...] = ()


@dataclass
class StudyMaker(Maker):
    """All systems and hops of a study.

    1. Relax the slab once, or the supercell of a crystal: the one that the hops were found on when the flow was
       built, which the flow hands in.
    2. For each fragment: place it in several ways, relax the clearest (or the lowest in energy) roughly, relax the
       lowest fully.
    3. For each system: relax each end state once; two of them are the endpoints of a hop.
    4. For each system and hop: the barrier, in systems with a fragment also from the bare slab's path.
    5. Where asked for: adsorption energies, attempt frequencies of the hops, electrons, reactions.
    6. Compare.

    Of an ensemble, all that for each of its members; the comparison is one.

    Attributes
    ----------
    name : str
        Name of the flow; the study's name if left empty.
    lattice : LatticeDoc, CrystalCellDoc or None
        How the crystal's lattice was relaxed before, for the results: :func:`barriers.relax_lattice` gives it.
    """

    name: str = ""
    lattice: LatticeDoc | CrystalCellDoc | None = None

    def make(self, study: AnyStudy) -> Flow:
        """Build the flow of a study.

        Parameters
        ----------
        study : Study
            What :func:`barriers.load_study` gives.
        """
        about = self.about(study)
        parts = list(self.parts(study, about=about))
        barriers = {of: output for part in parts for of, output in barrier_outputs(part).items()}
        beside = {name: output for part in parts for name, output in beside_outputs(part).items()}
        summary = self.summary(study, barriers, about, beside)
        return Flow([*parts, summary], output=summary.output, name=self.name or study.name)

    def about(self, study: AnyStudy) -> About:
        """Build what a study starts from; ``notes`` are what the results will say of it.

        Raises
        ------
        ValueError
            If the slab or a hop cannot be built.
        """
        if isinstance(study, EndpointStudy):
            *ends, notes = read_endpoints(study.endpoints.initial, study.endpoints.final)
            return About(notes, ends=tuple(ends))
        study, on_file = settled_lattice(study)
        members = members_of(study)
        return About(warnings_of(members), members, slab_of(members, self.lattice or on_file))

    def parts(self, study: AnyStudy, hops_at_once: int = HOPS_AT_ONCE, about: About | None = None) -> Iterator[Flow]:
        """Build the jobs of :meth:`make`, but for the comparison, one part after the other.

        First comes what depends on no hop: the slab and the interfaces. Then come, some hops at a time, the barriers
        of these hops in all systems. Jobs refer to outputs of earlier parts. While a part is in use, no job of an
        earlier one is held, so that memory stays flat over thousands of hops. If jobs of a part get other uuids by
        ``job.set_uuid`` before the next part is asked for, later parts refer to these.

        Parameters
        ----------
        study : Study
            What :func:`barriers.load_study` gives.
        hops_at_once : int
            Hops of one part.
        about : About or None
            What the study starts from; built anew if None.

        Returns
        -------
        iterator of Flow
            The parts. :func:`~barriers.workflow.labels.barrier_outputs` gives the barriers of each, and
            :meth:`summary` the comparison once all are known.

        Raises
        ------
        ValueError
            If ``hops_at_once`` is not positive, or the slab or a hop cannot be built.
        """
        if hops_at_once < 1:
            raise ValueError(f"hops_at_once: {hops_at_once}; allowed: 1 or more")
        about = about or self.about(study)
        if isinstance(study, EndpointStudy):
            engine = build_engine(study.engine)
            maker = BarrierMaker(study.name, engine=engine, relax=study.relax, path=study.path, neb=study.neb)
            return iter([maker.make(*about.ends)])
        if study.engine.neb != "band":  # rounds make ten times the jobs, and a workflow is written anew for each
            hops_at_once = max(1, hops_at_once // 10)
        parts = (part for member in about.members for part in parts_of(member, hops_at_once))
        return chain(_reactions(settled_lattice(study)[0]), parts)

    def summary(
        self,
        study: AnyStudy,
        barriers: Mapping[tuple[str, str], Any],
        about: About | None = None,
        beside: Mapping[str, Any] | None = None,
    ) -> Job:
        """Build the job that compares the barriers of a study.

        Parameters
        ----------
        study : Study
            The study.
        barriers : Mapping[tuple[str, str], BarrierDoc or str]
            Barriers, or references to them, by system and hop, in any order; the hop of a study of two structures is
            empty. One that is left out is missing, and text in its place says why.
        about : About or None
            What the study starts from; built anew if None.
        beside : Mapping[str, Any] or None
            What :func:`~barriers.workflow.labels.beside_outputs` gives of the parts, or documents in its place.
        """
        about = about or self.about(study)
        if isinstance(study, EndpointStudy):
            order, compared, rows = [(study.name, "")], (study.name, "forward"), None
        elif isinstance(study, CrystalStudy):
            order, rows = wanted_of(about.members[0]), None
            compared = order[0][0], "forward"
        else:
            listed = rows_of(study)
            order = [(row.system, row.hop) for row in listed]
            compared, rows = (study.reference, study.comparison.barrier), listed if study.ensemble else None
        job = study_document(
            study.name,
            [barriers.get(of) for of in order],
            *compared,
            notes=about.notes,
            wanted=order,
            members=rows,
            slab=about.slab,
            **_asked_beside(study, about.members, beside or {}),
        )
        despite_failures(job)
        return label(job, f"{study.name}: comparison")


def _reactions(study: Study | CrystalStudy) -> Iterator[Flow]:
    """Give the part with the reactions; its species are built when it is asked for, not for the comparison alone."""
    if isinstance(study, Study) and (flow := reactions_flow(study)) is not None:
        yield flow


def _asked_beside(study: AnyStudy, members: Sequence[AnyMember], beside: Mapping[str, Any]) -> dict[str, Any]:
    """What the comparison is told of other things that a study asks for; nothing where it asks for none."""
    if isinstance(study, EndpointStudy):
        return {}
    asked = {ASKED: study.kinetics, PUBLISHED: study.published}
    told = {**beside, **{name: section for name, section in asked.items() if section is not None}}
    told |= {
        name: of for member in members if isinstance(member, CrystalMember) for name, of in asked_of(member).items()
    }
    return {"beside": told} if told else {}


def parts_of(member: AnyMember, hops_at_once: int) -> Iterator[Flow]:
    """Give the jobs of a study, or of a member of an ensemble: the slab and what stands on it, then some hops each."""
    hops, engine = member.hops, engine_of(member.study, member.slab.structure)
    ending: dict[EndState, list[Hop]] = {}
    for hop in hops:
        for state in (hop.initial, hop.final):
            ending.setdefault(state, []).append(hop)
    flow, systems = _ground(member, engine, ending)
    yield tagged(flow, member.tag)
    del flow  # no job of an earlier part is held
    for start in range(0, len(hops), hops_at_once):
        some = hops[start : start + hops_at_once]
        part = _barriers(systems, some, f"hops from {start + 1}")
        part.add_jobs(band_flows(member.study, engine, barrier_outputs(part), some, len(member.slab.structure)))
        yield tagged(part, member.tag)


def _ground(member: AnyMember, last_engine: Engine, ending: dict[EndState, list[Hop]]) -> tuple[Flow, list[SystemHops]]:
    """Relax the slab and the interfaces; systems without a fragment come first.

    Systems that differ in which placement they keep share the placements.
    """
    study, slab = member.study, member.slab.structure
    word = member.slab.word
    engine = finder_of(last_engine, study.path) or last_engine
    built = hand_on(slab)
    whole = engine
    if isinstance(member, CrystalMember) and engine is last_engine:
        whole = engine_of(member.whole, slab)
    relaxed = whole.relax(study.relax.fmax, study.relax.max_steps).make(member.start)
    jobs: list[Job | Flow] = [label(built, f"{word}: as built"), label(relaxed, f"{word}: relax")]
    placed: dict[Placed, Flow] = {}
    systems: list[SystemHops] = []
    interfaces: dict[str, OutputReference] = {}
    bare = None
    for system in sorted(study.systems, key=lambda system: system.fragment is not None):
        base = relaxed.output
        if (shared := placements_in(system)) is not None and isinstance(member, Member):
            if shared not in placed:
                placed[shared] = candidates_flow(member.study, system, engine, base, member.anchor)
                jobs.append(placed[shared])
            jobs.append(interface_flow(member.study, system, engine, placed[shared].output))
            base = interfaces[system.name] = jobs[-1].output
        maker = BarrierMaker(system.name, last_engine, study.relax, study.path, study.neb)
        has_fragment = system.fragment is not None
        systems.append(SystemHops(maker, has_fragment, base, built.output, ending, bare if has_fragment else None))
        bare = bare if has_fragment else systems[-1]
    if isinstance(member, Member):
        jobs += ground_flows(member.study, (engine, last_engine), relaxed.output, interfaces, slab)
    return Flow(jobs, name="slab and interfaces" if word == "slab" else word), systems


def _barriers(systems: list[SystemHops], hops: list[Hop], name: str) -> Flow:
    """Find the barriers of some hops in all systems."""
    jobs: list[Job | Flow] = []
    guides: list[OutputReference | None] = [None] * len(hops)
    for system in systems:
        added, bands = system.add(hops, guides)
        jobs += added
        if not system.has_fragment:
            # An added ion is the last atom, so it has another number in each system.
            guides = [None if hop.moving is None else band for hop, band in zip(hops, bands, strict=True)]
    return Flow(jobs, name=name)
