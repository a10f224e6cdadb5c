"""Tables of what will be done and of what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from barriers.report.lattice import crystal_line, lattice_lines

if TYPE_CHECKING:
    from barriers.structures.hop.hop import Hop
    from barriers.workflow.cost import SinglePoints
    from barriers.workflow.crystal import BuiltCrystal
    from barriers.workflow.lattice import Lattice
    from barriers.workflow.plan import Plan
    from barriers.workflow.slab_and_hops import BuiltSlab


def plan_table(plan: Plan) -> Table:
    """Lay out a study's systems."""
    of_crystal = plan.of_crystal
    caption = None if of_crystal else "image: fragment to its nearest periodic image"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    for heading in ("System", "Formula"):
        table.add_column(heading)
    for heading in ("Atoms", *(() if of_crystal else ("Placements", "Image (Å)"))):
        table.add_column(heading, justify="right")
    for row in plan.as_json()["systems"]:
        bare = row["image_distance"] is None
        ways = ["—", "—"] if bare else [str(row["placements"]), f"{row['image_distance']:.2f}"]
        table.add_row(row["name"], row["formula"], str(row["atoms"]), *([] if of_crystal else ways))
    return table


def plan_lines(plan: Plan) -> list[str]:
    """Say what the slab is, which hops are looked at, and what will be done: a line each."""
    about = _about(plan.built.slab, plan.lattice)
    jobs = ", ".join(f"{number} × {kind}" for kind, number in plan.jobs.items() if number)
    minutes = None if plan.seconds is None else max(1, round(plan.seconds / 60))
    time = "how long one takes is not known" if minutes is None else f"about {minutes} min on this machine"
    return [
        *about,
        *(
            f"hop {_named(hop)}, {hop.initial.label} → {hop.final.label}, {hop.distance:.2f} Å"
            for built in plan.members.values() or [plan.built]
            for hop in built.hops
        ),
        *([_ensemble(plan)] if plan.members else []),
        f"jobs: {jobs}",
        f"about {plan.force_calls} force calls{'' if plan.points is None else ' of the model'}, {time}",
        *([] if plan.points is None else [_single_points(plan.points)]),
        *plan.commands,
        *(f"! {warning}" for warning in plan.warnings),
    ]


def _named(hop: Hop) -> str:
    return hop.name if hop.name == hop.label else f"{hop.name}: {hop.label}"


def _ensemble(plan: Plan) -> str:
    first, *_ = plan.members
    size = f"{len(plan.built.systems)} systems × {len(plan.built.hops)} hops"
    return (
        f"ensemble: {len(plan.members)} members × {size} = {plan.barriers} barriers; the slab above is that of {first}"
    )


def _single_points(points: SinglePoints) -> str:
    known = "" if points.hours is None else f", about {points.hours:.2g} hours in all on this machine"
    beside = f"; about {points.beside} evaluations for energies and rates" if points.beside else ""
    return f"at most {points.a_hop} single points a hop instead of about {points.instead_of}{known}{beside}"


def _about(slab: BuiltSlab | BuiltCrystal | None, lattice: Lattice | None) -> list[str]:
    if slab is None:
        return []
    from barriers.workflow.crystal import BuiltCrystal  # a table of models needs none of it

    if isinstance(slab, BuiltCrystal):
        return _about_crystal(slab, lattice)
    nearest = f", {min(slab.to_frozen.values()):.2f} Å from hop to frozen atom" if slab.to_frozen else ""
    return [
        f"slab: termination {slab.termination}; {slab.metals}; {slab.image_distance:.2f} Å to its nearest image",
        f"slab: {slab.thickness:.2f} Å thick{nearest}",
        *([f"lattice: {slab.lattice}"] if lattice is None else lattice_lines(lattice)),
        *(f"! {warning}" for warning in slab.warnings),
    ]


def _about_crystal(crystal: BuiltCrystal, lattice: Lattice | None) -> list[str]:
    return [
        crystal_line(crystal.document()),
        *([f"ordering: {crystal.ordered.ordering.choice}"] if crystal.ordered else []),
        *([] if lattice is None else lattice_lines(lattice)),
        *(f"! {warning}" for warning in crystal.warnings),
    ]


def models_table(rows: list[dict[str, Any]]) -> Table:
    """Lay out the models of the embedded engine."""
    table = Table(header_style="bold")
    for heading in ("Model", "About", "Ready"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row["name"], row["about"], "yes" if row["ready"] else escape(row["needs"]))
    return table
