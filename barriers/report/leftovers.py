"""Showing what a study has left behind."""

from __future__ import annotations

from collections import Counter

from rich.table import Table

from barriers.dispatch.leftovers import Leftovers


def leftovers_table(left: Leftovers) -> Table:
    """Lay out what can go."""
    table = Table(header_style="bold")
    for heading in ("What", "Job", "Where", "Size (MB)", "Why"):
        table.add_column(heading, overflow="fold")
    for each in left.found:
        size = f"{each.size / 1e6:.1f}" if each.what == "folder" else ""
        table.add_row(each.what, each.job, each.where, size, each.why)
    return table


def leftovers_lines(left: Leftovers) -> list[str]:
    """Count what can go, and say what stays because the study has not ended."""
    counted = Counter(each.what for each in left.found)
    size = sum(each.size for each in left.found) / 1e6
    parts = [f"{number} {what}{'s' * (number > 1)}" for what, number in counted.items()]
    lines = [f"{', '.join(parts)}: {size:.1f} MB" if parts else "nothing to remove"]
    if left.unfinished:
        lines.append(
            f"{len(left.unfinished)} jobs of the study have no converged result yet, the first {left.unfinished[0]!r}: "
            f"folders and results of earlier versions stay, since they may be used again"
        )
    return lines
