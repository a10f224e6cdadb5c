"""Comparison of barriers between systems: a difference only where hop and settings are identical."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, isfinite
from typing import Literal

BarrierKind = Literal["forward", "reverse", "span"]

NEEDED = ("slab", "hop", "engine")
"""Parts of the settings that must be known, not only equal: two bands of which nothing is known are not alike."""

UNKNOWN = ("", "none")
"""What stands in the settings for a part that is not known."""

OF_ELEMENT = "pseudopotential of "
"""Beginning of the parts that only systems with an element have."""


@dataclass(frozen=True)
class Row:
    """The barrier of one hop in one system, with what it was calculated with.

    Attributes
    ----------
    system, hop : str
        Names from the study.
    barrier : float or None
        In eV; None where there is no band to read it off.
    uncertainty : float or None
        Of the barrier (eV): the spread of its fits, or the standard deviation of a corrected one.
    settings : Mapping[str, str]
        Parts of the fingerprint: slab, hop, engine, settings.
    reason : str or None
        Why there is no barrier.
    """

    system: str
    hop: str
    barrier: float | None
    uncertainty: float | None
    settings: Mapping[str, str]
    reason: str | None = None


@dataclass(frozen=True)
class Difference:
    """A row set against the reference's row of the same hop.

    Attributes
    ----------
    row : Row
        The row itself.
    which : {'forward', 'reverse', 'span'}
        The barrier that is compared.
    delta : float or None
        Row minus reference (eV).
    uncertainty : float or None
        Of the difference (eV): those of both in quadrature.
    reason : str or None
        Why there is no difference.
    """

    row: Row
    which: BarrierKind
    delta: float | None
    uncertainty: float | None
    reason: str | None


def compare(rows: Sequence[Row], reference: str, which: BarrierKind) -> list[Difference]:
    """Subtract the reference system's barrier from every row of the same hop.

    Parameters
    ----------
    rows : sequence of Row
        One row for each system and hop.
    reference : str
        Name of the system the others are compared with.
    which : {'forward', 'reverse', 'span'}
        Definition of the rows' barriers.

    Returns
    -------
    list[Difference]
        In the order of the rows. No delta where a barrier is missing, anything in the settings differs, or slab, hop
        or engine are not recorded; the reason then names it, the reference's value first. The reference differs from
        itself by exactly zero.

    Raises
    ------
    ValueError
        If the reference is no system, or two rows have the same system and hop.
    """
    by_name = {(row.system, row.hop): row for row in rows}
    if len(by_name) < len(rows):
        raise ValueError("two rows have the same system and hop")
    systems = list(dict.fromkeys(row.system for row in rows))
    if reference not in systems:
        raise ValueError(f"reference {reference!r} is no system; allowed: {', '.join(systems)}")
    return [Difference(row, which, *_subtract(row, by_name.get((reference, row.hop)), reference)) for row in rows]


def differences(base: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """Name each part of the settings that differs, the first one's value first.

    What belongs to an element (:data:`OF_ELEMENT`) must be alike where both have it: a slab has no fluorine.
    """
    return [
        f"{part}: {base.get(part, 'not given')} / {other.get(part, 'not given')}"
        for part in {**base, **other}
        if base.get(part) != other.get(part)
        and not (part.startswith(OF_ELEMENT) and (part not in base or part not in other))
    ]


def sentence(reference: Row, *others: Row) -> str:
    """Say a comparison in one line, each difference relative to the first row.

    Parameters
    ----------
    reference, *others : Row
        Rows of one hop.

    Returns
    -------
    str
        For example ``NCM 0.42 eV → NCM@PVDF 0.39 eV (Δ −0.03 eV)``; ``—`` for what is missing.
    """
    parts = [f"{reference.system} {_barrier(reference)}"]
    parts += [f"{row.system} {_barrier(row)}{_delta(row, reference)}" for row in others]
    return " → ".join(parts)


def _delta(row: Row, reference: Row) -> str:
    if row.barrier is None or reference.barrier is None:
        return ""
    delta, _, reason = _subtract(row, reference, reference.system)
    return f" (Δ —: {reason})" if delta is None else f" (Δ {_number(delta, '+z.2f')} eV)"


def _subtract(row: Row, base: Row | None, reference: str) -> tuple[float | None, float | None, str | None]:
    if base is None:
        return None, None, f"{reference} has no hop {row.hop}"
    reason = _refusal(row, base)
    if reason or row.barrier is None or base.barrier is None:
        return None, None, reason
    if row is base:
        return 0.0, 0.0, None
    delta = row.barrier - base.barrier
    if row.uncertainty is None or base.uncertainty is None:
        return delta, None, None
    return delta, hypot(row.uncertainty, base.uncertainty), None


def _refusal(row: Row, base: Row) -> str | None:
    for one in (base, row):
        if one.barrier is None:
            return f"{one.system} has no barrier: {one.reason or 'no reason recorded'}"
        if not isfinite(one.barrier):
            return f"{one.system} has no barrier: {one.barrier} is no number"
        if not one.settings:
            return f"the settings of {one.system} are not recorded"
    theirs, mine = ({"hop": one.hop, **one.settings} for one in (base, row))
    if unlike := differences(theirs, mine):
        return f"differs in {'; '.join(unlike)}"
    missing = [part for part in NEEDED if row is not base and mine.get(part, "") in UNKNOWN]
    return f"not known to be alike: nothing is recorded of the {' and the '.join(missing)}" if missing else None


def _barrier(row: Row) -> str:
    return "—" if row.barrier is None else f"{_number(row.barrier, 'z.2f')} eV"


def _number(value: float, style: str) -> str:
    return format(value, style).replace("-", "−")
