"""The values of a series: studies of their own on slabs of the same metals, and flows of one barrier each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from jobflow import Flow

from barriers.analysis.series import SeriesAsked
from barriers.structures.hop.hop import Hop
from barriers.structures.hop.same_place import at_same_place
from barriers.structures.surface.continued import height
from barriers.study.forms import AnyStudy, CrystalStudy
from barriers.study.models import HopSection, Study
from barriers.study.series import Series, Value, series_of, with_value, written
from barriers.words import closest
from barriers.workflow.ensemble import Member
from barriers.workflow.labels import barrier_outputs
from barriers.workflow.lattice import settled_lattice
from barriers.workflow.own_slab import settled_slab, slab_for
from barriers.workflow.slab_and_hops import BuiltSlab, build_slab, hops_of, measured
from barriers.workflow.study import parts_of


class Choice(NamedTuple):
    """A value of a series: what it is as a study of its own, or why it cannot be."""

    value: str
    own: bool
    member: Member | None
    reason: str | None = None


@dataclass(frozen=True)
class SeriesPlan:
    """What a study is converged over.

    Attributes
    ----------
    study : Study
        The study with one system and one hop; with a fragment on the slab, also those without, whose bands guide it.
    system : str
        Name of the system.
    own : Member
        The study's own values: they stand in every series.
    choices : dict[str, list[Choice]]
        Values of each setting, the coarsest first.
    """

    study: Study
    system: str
    own: Member
    choices: dict[str, list[Choice]]

    @property
    def asked(self) -> SeriesAsked:
        """What was asked for, as it is kept."""
        over = {setting: [choice.value for choice in choices] for setting, choices in self.choices.items()}
        return SeriesAsked(system=self.system, hop=self.own.hops[0].name, over=over)


def plan_series(study: AnyStudy, over: str, system: str | None = None, hop: str | None = None) -> SeriesPlan:
    """Build the slabs of all values of all series, and find the hop on each of them.

    Slabs of more or fewer layers, or repeated in the plane, have the metals of the study's own slab at the same places
    (:func:`~barriers.structures.surface.continued.continued`), and the hop is carried to them by its place: another
    ordering around it would change the barrier by more than the setting does.

    Parameters
    ----------
    study : Study
        Its lattice relaxed already, if it is to be.
    over : str
        As :func:`~barriers.study.series.series_of` reads it.
    system : str or None
        Name of the system; the reference if None.
    hop : str or None
        Name of a hop of the study, or label of one on its slab; the study's first if None.

    Raises
    ------
    ValueError
        One line, if there is no such system, hop or setting, or the study's own slab cannot be built.
    """
    if not isinstance(study, Study):
        what = "crystal: a bulk has" if isinstance(study, CrystalStudy) else "endpoints: two given structures have"
        raise ValueError(f"{what} no slab to vary; allowed: a study with a cathode or a slab")
    study, _ = settled_lattice(study)
    study = settled_slab(study)
    one = _one_barrier(study, system or study.reference, hop)
    slab = slab_for(one)
    (chosen,) = hops_of(slab.structure, one.hops)
    (anchor,) = hops_of(slab.structure, study.hops[:1])
    own = Member(one, "", measured(slab, [chosen]), [chosen], anchor)
    lengths = slab.structure.lattice.abc[:2]
    choices = {
        series.setting: [_choice(own, series, value, lengths) for value in series.values]
        for series in series_of(one, over, lengths)
    }
    return SeriesPlan(one, one.systems[-1].name, own, choices)


def barrier_flow(plan: SeriesPlan, member: Member, name: str) -> Flow:
    """Build the flow of one value, which gives its barrier (BarrierDoc). Its jobs are named as in the study."""
    parts = list(parts_of(member, 1))
    (output,) = (
        output for part in parts for (system, _), output in barrier_outputs(part).items() if system == plan.system
    )
    return Flow(parts, output=output, name=name)


def flows_of(study: AnyStudy, asked: SeriesAsked) -> list[Flow]:
    """Build the flows of series that were asked for, as far as the study still has such a system and hop."""
    over = ",".join(f"{setting}={','.join(values)}" for setting, values in asked.over.items())
    try:
        plan = plan_series(study, over, asked.system, asked.hop)
    except ValueError:
        return []
    members = [choice.member for choices in plan.choices.values() for choice in choices]
    return [barrier_flow(plan, member, plan.system) for member in members if member is not None]


def _one_barrier(study: Study, system: str, hop: str | None) -> Study:
    """Leave of a study one system, last, those that its band is guided by, and one hop."""
    bare = [each for each in study.systems if each.fragment is None]
    found = next((each for each in study.systems if each.name == system), None)
    if found is None:
        names = study.system_names
        raise ValueError(f"--system: {system!r} is no system; allowed: {', '.join(names)}{closest(system, names)}")
    # A band is guided by that of the bare system before it, which is in its key.
    systems = [*bare, found] if found.fragment else bare[: bare.index(found) + 1]
    section = study.hops[0]
    if hop is not None:
        named = HopSection(name=hop, label=hop)
        section = next((each for each in study.hops if each.name == hop), named)
    left_out = dict.fromkeys(("ensemble", "energetics", "kinetics", "electrons"))
    return study.model_copy(update={"systems": tuple(systems), "hops": (section,), **left_out})


def _choice(own: Member, series: Series, value: Value, lengths: tuple[float, float]) -> Choice:
    if value == series.own:
        return Choice(written(value), True, own)
    study = with_value(own.study, series.setting, value, lengths)
    try:
        member = _member(own, study)
    except ValueError as error:
        return Choice(written(value), False, None, str(error))
    return Choice(written(value), False, member)


def _member(own: Member, study: Study) -> Member:
    """Give a study that differs from the own one a slab of the same metals, and the same hop on it."""
    if (study.surface, study.slab) == (own.study.surface, own.study.slab):
        return Member(study, "", own.slab, own.hops, own.anchor)
    if own.slab.crystal is None:
        slab = slab_for(study)
    else:
        slab = build_slab(own.slab.crystal, study.cathode, study.surface, own.slab.decoration)
    (hop,) = (_carried(hop, own.slab, slab) for hop in own.hops)
    anchor = _carried(own.anchor, own.slab, slab) if own.study.systems[-1].fragment else hop
    return Member(study, "", slab, [hop], anchor)


def _carried(hop: Hop, slab: BuiltSlab, other: BuiltSlab) -> Hop:
    rise = 0.0
    if slab.decoration is not None and other.decoration is not None:
        rise = height(other.decoration[0]) - height(slab.decoration[0])
    return at_same_place(hop, slab.structure, other.structure, rise)
