"""What was written for calculations that are run by hand."""

from __future__ import annotations

from rich.table import Table

from barriers.by_hand.adopt import Adopted
from barriers.by_hand.write import Inputs


def inputs_table(content: Inputs) -> Table:
    """Lay out the calculations whose files were written."""
    table = Table(header_style="bold")
    for heading in ("Folder", "Kind"):
        table.add_column(heading)
    table.add_column("Atoms", justify="right")
    table.add_column("Runs as it is")
    for row in content.written:
        waits = f"no: {len(row.rests_on)} before it, the last {row.rests_on[-1]}" if row.rests_on else "yes"
        table.add_row(row.folder, row.kind, str(row.atoms), waits)
    return table


def inputs_lines(content: Inputs) -> list[str]:
    """Say what can run, and what rests on stand-ins."""
    ready = sum(not row.rests_on for row in content.written)
    waiting = len(content.written) - ready
    lines = [f"calculations with a result: {content.done}; that can run as they are: {ready}"]
    if waiting:
        lines.append(
            f"! that start from what has no result yet: {waiting}; their structures are {content.stand_ins}. "
            "Run the others, `barriers adopt` their outputs, and write these again"
        )
    return lines + ([f"for Quantum ESPRESSO {content.version}"] if content.version else [])


def adopted_lines(done: Adopted) -> list[str]:
    """Say what was taken in, and what is still to be computed."""
    left = f"calculations without a result: {len(done.missing)}, the first {done.missing[0]}" if done.missing else ""
    return [*(f"taken in: {name}" for name in done.taken), left or "every calculation has its result: barriers run"]
