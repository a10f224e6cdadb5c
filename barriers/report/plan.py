"""Tables of what will be done and of what is there."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from barriers.plan import Plan


def plan_table(plan: Plan) -> Table:
    """Lay out a study's systems; hops, jobs and expected time stand in the caption."""
    hops = "; ".join(f"{hop.name}: {hop.initial.label} → {hop.final.label}, {hop.distance:.2f} Å" for hop in plan.hops)
    jobs = ", ".join(f"{number} × {kind}" for kind, number in plan.jobs.items() if number)
    time = "not known for this model" if plan.seconds is None else f"about {max(1, round(plan.seconds / 60))} min"
    caption = f"hops: {hops}\njobs: {jobs}\nabout {plan.force_calls} force calls, {time} on this machine"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    for heading in ("System", "Formula"):
        table.add_column(heading)
    for heading in ("Atoms", "Placements"):
        table.add_column(heading, justify="right")
    for name, first in plan.systems.items():
        bare = first[0] is plan.slab
        table.add_row(name, first[0].composition.formula, str(len(first[0])), "—" if bare else str(len(first)))
    return table


def models_table(rows: list[dict[str, Any]]) -> Table:
    """Lay out the models of the embedded engine."""
    table = Table(header_style="bold")
    for heading in ("Model", "About", "Ready"):
        table.add_column(heading)
    for row in rows:
        table.add_row(row["name"], row["about"], "yes" if row["ready"] else escape(row["needs"]))
    return table
