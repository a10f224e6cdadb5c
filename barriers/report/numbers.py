"""How energies are written: as many digits as their uncertainty leaves."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import overload

MOST = 3
"""Decimals of an energy (eV): bands are not converged to less than 1 meV, whatever their fits agree to."""

MINUS = "\N{MINUS SIGN}"

NONE = "—"
"""Written where there is no number."""


def decimals(uncertainty: float | None) -> int:
    """Give the decimals of an energy (eV) such that its uncertainty keeps one significant digit.

    At least one and at most :data:`MOST`; two where the uncertainty (eV) is None.
    """
    if uncertainty is None:
        return 2
    return max(1, min(MOST, -floor(log10(uncertainty)))) if uncertainty > 0 else MOST


@overload
def written(value: float, uncertainty: float | None, *, signed: bool = False) -> str: ...
@overload
def written(value: float | None, uncertainty: float | None, *, signed: bool = False) -> str | None: ...
def written(value: float | None, uncertainty: float | None, *, signed: bool = False) -> str | None:
    """Write an energy (eV) with the digits its uncertainty (eV) leaves, in ASCII: ``0.43``, ``-0.03``, ``+0.004``."""
    return None if value is None else format(value, f"{'+' if signed else ''}z.{decimals(uncertainty)}f")


def written_uncertainty(uncertainty: float | None) -> str | None:
    """Write an uncertainty (eV) with the digits it leaves, rounded up: none that there is becomes nothing."""
    if uncertainty is None:
        return None
    places = decimals(uncertainty)
    steps = ceil(uncertainty * 10**places - 1e-9)  # 0.07 is 7.000000000000001 hundredths
    return f"{steps / 10**places:.{places}f}"


def shown(text: str | None) -> str:
    """Set a written number for people: with a minus sign, and a dash where there is none."""
    return NONE if text is None else text.replace("-", MINUS)


def energy(value: float | None, uncertainty: float | None = 0.0) -> str:
    """Set an energy (eV) for people, with as many digits as its uncertainty (eV) leaves."""
    return shown(written(value, uncertainty))


def signed(value: float | None, uncertainty: float | None = 0.0) -> str:
    """Set a difference (eV) for people, as :func:`energy` does, with its sign."""
    return shown(written(value, uncertainty, signed=True))
