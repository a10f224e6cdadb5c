"""Whether energies belong together: numbers of different engines are never set against each other."""

from __future__ import annotations

from collections.abc import Mapping

from barriers.documents import EngineDoc, RelaxDoc


def check_one_engine(engines: Mapping[str, EngineDoc]) -> None:
    """Check that all numbers come from one engine with one model and one set of settings.

    Parameters
    ----------
    engines : Mapping[str, EngineDoc]
        By the name of what each gave.

    Raises
    ------
    ValueError
        With the first that differs from the first given, and what differs.
    """
    (first, expected), *others = engines.items()
    for name, engine in others:
        unlike = [
            f"{part} {getattr(expected, part)} / {getattr(engine, part)}"
            for part in ("kind", "name", "version", "checksum", "settings")
            if getattr(expected, part) != getattr(engine, part)
        ]
        if unlike:
            raise ValueError(f"{first} and {name} are of different engines: {', '.join(unlike)}")


def not_relaxed(parts: Mapping[str, RelaxDoc]) -> str | None:
    """Say which structures did not reach their tolerance, and why; None if all did."""
    loose = [f"{name} not relaxed: {part.reason}" for name, part in parts.items() if not part.converged]
    return "; ".join(loose) or None
