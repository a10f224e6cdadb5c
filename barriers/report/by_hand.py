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
        others = f" and {len(row.rests_on) - 1} more" if len(row.rests_on) > 1 else ""
        waits = f"not before {row.rests_on[-1]}{others}" if row.rests_on else "yes"
        table.add_row(row.folder, row.kind, str(row.atoms), waits)
    return table


def inputs_lines(content: Inputs) -> list[str]:
    """Say what can run, and what rests on stand-ins."""
    ready = sum(not row.rests_on for row in content.written)
    waiting = len(content.written) - ready
    lines = [f"can run as they are: {ready} of {len(content.written)}; with a result already: {content.done}"]
    if waiting:
        share = f"{waiting} of {len(content.written)}; until then their structures are {content.stand_ins}"
        remedy = "run the others, take them in with `barriers adopt`, and write these again"
        lines.append(f"! from results that are not there yet: {share}; {remedy}")
    return lines + ([f"for Quantum ESPRESSO {content.version}"] if content.version else [])


def adopted_lines(done: Adopted) -> list[str]:
    """Say what was taken in, and what is still to be computed."""
    left = "every calculation has its result; next: `barriers run`"
    if done.missing:
        left = f"calculations without a result: {len(done.missing)}, the first {done.missing[0]}; "
        left += "next: `barriers inputs` writes them from the results that are there"
    return [*(f"taken in: {name}" for name in done.taken), left]
