"""Tables and lines on the boxes of polymer matrices, before any run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from barriers.study.forms import MatrixStudy
    from barriers.workflow.matrix import PlannedMatrix


def boxes_table(plan: Sequence[PlannedMatrix]) -> Table:
    """Lay out the systems of a study of matrices."""
    caption = "one box each; edge and density as packed, before any run"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    table.add_column("System")
    for heading in ("Chains", "Lost", "Salt", "mol/kg", "Atoms", "Edge (Å)", "g/cm³", "ns/day"):
        table.add_column(heading, justify="right")
    for each in plan:
        matrix = each.matrix
        lost = f"{each.lost} {matrix.eliminate}" if matrix.eliminate else "—"
        numbers = [f"{each.molality:.2f}", str(each.atoms), f"{each.edge:.1f}", f"{matrix.density:.2f}"]
        salt = f"{matrix.pairs} {matrix.salt}"
        table.add_row(
            matrix.name,
            f"{matrix.chains} × {matrix.units}",
            lost,
            salt,
            *numbers,
            f"{each.nanoseconds_a_day:.0f}",
        )
    return table


def boxes_lines(study: MatrixStudy, plan: Sequence[PlannedMatrix]) -> list[str]:
    """Say how many boxes there will be and what a diffusion coefficient will need: a line each."""
    from barriers.workflow.matrix import LIKELY, nanoseconds_for

    shared = study.matrix
    temperatures = ", ".join(f"{value:g}" for value in shared.temperature)
    runs = len(plan) * shared.boxes * len(shared.temperature)
    lines = [
        f"{len(plan) * shared.boxes} boxes, {shared.boxes} of each system; {runs} runs at {temperatures} K",
        f"charges of {shared.salt} × {shared.charge_scale:g} between molecules, as they are within an anion",
    ]
    for diffusion in LIKELY:
        length = nanoseconds_for(diffusion)
        hours = sum(24 * length / each.nanoseconds_a_day for each in plan) * shared.boxes * len(shared.temperature)
        lines.append(f"a D of {diffusion:.0e} cm²/s needs {length:.0f} ns a box at least: {hours:.0f} h on two cores")
    return lines


def boxes_json(study: MatrixStudy, plan: Sequence[PlannedMatrix]) -> dict[str, Any]:
    """Give the same as ``--json`` prints it."""
    from barriers.workflow.matrix import LIKELY, nanoseconds_for

    shared = study.matrix
    return {
        "systems": [each.as_json() for each in plan],
        "boxes": shared.boxes,
        "temperatures": list(shared.temperature),
        "charge_scale": shared.charge_scale,
        "nanoseconds_for": {f"{diffusion:.0e}": round(nanoseconds_for(diffusion), 1) for diffusion in LIKELY},
    }
