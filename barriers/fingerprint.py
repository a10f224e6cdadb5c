"""Whether numbers belong together: those of different engines or settings are never set against each other."""

from __future__ import annotations

import json
from collections.abc import Mapping

from barriers.documents import BandDoc, EngineDoc, RelaxDoc
from barriers.structures.hop.hop import Hop


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


def fingerprint(band: BandDoc, hop: Hop | None) -> dict[str, str]:
    """Say in short strings what must be equal before two barriers are compared."""
    engine = band.engine
    settings = band.settings | engine.settings | {"n_images": len(band.positions) - 2}
    settings.pop("max_steps", None)  # says when to stop trying, not what is computed
    shared = {name: json.dumps(value) for name, value in settings.items()}
    return shared | {
        "slab": hop.slab if hop and hop.slab else "none",
        "hop": f"{hop.label}: {hop.initial.label} → {hop.final.label} {hop.image}" if hop else "none",
        "engine": f"{engine.kind} {engine.name} {engine.version} {(engine.checksum or '')[:12]}".strip(),
    }
