"""A matrix beside others: the same at other temperatures, and other ones compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from barriers.analysis.trajectory.comparison import MatricesDoc, compare
from barriers.analysis.trajectory.documents import TransportDoc
from barriers.analysis.trajectory.regime import duration
from barriers.analysis.trajectory.temperatures import ActivationDoc, activation


@dataclass(frozen=True)
class Beside:
    """What earlier results say together with a new one: comparisons, and how D depends on temperature."""

    comparisons: list[MatricesDoc] = field(default_factory=list)
    activation: ActivationDoc | None = None
    lines: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Give it ready for JSON."""
        return {
            "comparisons": [each.model_dump(mode="json") for each in self.comparisons],
            "activation": self.activation and self.activation.model_dump(mode="json"),
        }


def put_beside(document: TransportDoc, earlier: Sequence[TransportDoc]) -> Beside:
    """Sort earlier results: the same matrix at other temperatures, or another one, which is compared.

    Raises
    ------
    ValueError
        One line, if another matrix is not like this one in temperature, ion, salt, chains or length of run.
    """
    same = [each for each in earlier if each.matrix.formula == document.matrix.formula and _hotter(each, document)]
    others = [each for each in earlier if each not in same]
    comparisons = [compare(each, document) for each in others]
    said = zip(others, comparisons, strict=True)
    lines = [f"beside {', '.join(each.files)}: {found.sentence}" for each, found in said]
    if not same:
        return Beside(comparisons, None, lines)
    series = sorted([document, *same], key=lambda each: each.temperature or 0.0)
    without = [each for each in series if each.motions[0].regime.diffusivity is None]
    if without:
        at = ", ".join(f"{each.temperature:g} K" for each in without)
        return Beside(comparisons, None, [*lines, f"no activation energy: no D of {document.matrix.ion} at {at}"])
    regimes = [each.motions[0].regime for each in series]
    found = activation(
        [each.temperature or 0.0 for each in series],
        [each.diffusivity or 0.0 for each in regimes],
        [each.diffusivity_error or 0.0 for each in regimes],
    )
    return Beside(comparisons, found, [*lines, found.words] if found is not None else lines)


def _hotter(one: TransportDoc, other: TransportDoc) -> bool:
    """Whether both temperatures are known and differ."""
    return None not in (one.temperature, other.temperature) and one.temperature != other.temperature


def matrices_table(document: MatricesDoc) -> Table:
    """Lay out two matrices beside each other."""
    table = Table(header_style="bold", caption=f"motions after {duration(document.lag)}", caption_justify="left")
    table.add_column("Quantity", no_wrap=True)
    for heading in ("Reference", "Here", "Ratio", "±"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in document.rows:
        error = "" if row.error is None else f"{row.error:.2f}"
        table.add_row(row.quantity, f"{row.reference:.3g}", f"{row.other:.3g}", f"{row.ratio:.2f}", error)
    return table
