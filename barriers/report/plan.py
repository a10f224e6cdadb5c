"""Tables of what will be done and of what is there."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from barriers.plan import Plan


def plan_table(plan: Plan) -> Table:
    """Lay out a study's systems; slab, hops, jobs and expected time stand in the caption."""
    built = plan.built
    hops = "; ".join(f"{hop.name}: {hop.initial.label} → {hop.final.label}, {hop.label}" for hop in built.hops)
    jobs = ", ".join(f"{number} × {kind}" for kind, number in plan.jobs.items() if number)
    time = "not known for this model" if plan.seconds is None else f"about {max(1, round(plan.seconds / 60))} min"
    slab = built.slab
    about = f"slab: termination {slab.termination.label}; {slab.metals}; lattice: {slab.crystal.source}"
    notes = [f"! {warning}" for warning in slab.warnings]
    work = f"about {plan.force_calls} force calls, {time} on this machine"
    caption = escape("\n".join([about, *notes, f"hops: {hops}", f"jobs: {jobs}", work]))
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    for heading in ("System", "Formula"):
        table.add_column(heading)
    for heading in ("Atoms", "Placements", "Image (Å)"):
        table.add_column(heading, justify="right")
    for row in plan.as_json()["systems"]:
        bare = row["image_distance"] is None
        ways = [] if bare else [str(row["placements"]), f"{row['image_distance']:.2f}"]
        table.add_row(row["name"], row["formula"], str(row["atoms"]), *(ways or ["—", "—"]))
    return table


def models_table(rows: list[dict[str, Any]]) -> Table:
    """Lay out the models of the embedded engine."""
    table = Table(header_style="bold")
    for heading in ("Model", "About", "Ready"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row["name"], row["about"], "yes" if row["ready"] else escape(row["needs"]))
    return table
