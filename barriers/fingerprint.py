"""Whether numbers belong together: those of different engines or settings are never set against each other."""

from __future__ import annotations

import json
from collections.abc import Mapping

from barriers.analysis.comparison import OF_ELEMENT, differences
from barriers.contents import flat
from barriers.documents import BandDoc, EngineDoc, RelaxDoc
from barriers.structures.hop.hop import Hop

NAMES = ("preset", "pseudopotentials", "potcars", "potcar_functional", "max_steps", "fine")
"""Settings that name what others hold in full, say when to stop trying, or make the same numbers sharper."""


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
        if unlike := differences(rests_on(expected), rests_on(engine)):
            raise ValueError(f"{first} and {name} are of different engines: {'; '.join(unlike)}")


def rests_on(engine: EngineDoc) -> dict[str, str]:
    """Say in short strings what must be equal before numbers of two engines are set against each other.

    Settings count as they were resolved, files by their checksums; what presets, sets and models are called does not.
    """
    settings = {name: value for name, value in engine.settings.items() if name not in NAMES}
    known = {} if "source" in settings else {"name": engine.name}
    checksums = {} if engine.checksum is None else {"checksum": engine.checksum[:12]}
    potentials = {f"{OF_ELEMENT}{element}": checksum for element, checksum in engine.potentials.items()}
    parts = {"kind": engine.kind, **known, "version": engine.version, **checksums, **potentials}
    return parts | {name: json.dumps(value) for name, value in flat(settings).items()}


def not_relaxed(parts: Mapping[str, RelaxDoc]) -> str | None:
    """Say which structures did not reach their tolerance, and why; None if all did."""
    loose = [f"{name} not relaxed: {part.reason}" for name, part in parts.items() if not part.converged]
    return "; ".join(loose) or None


def fingerprint(band: BandDoc, hop: Hop | None) -> dict[str, str]:
    """Say in short strings what must be equal before two barriers are compared."""
    engine = rests_on(band.engine)
    made_with = [engine.pop(part, "") for part in ("kind", "name", "version", "checksum")]
    settings = {name: json.dumps(value) for name, value in band.settings.items() if name not in NAMES}
    return (
        engine
        | settings
        | {
            "n_images": str(len(band.positions) - 2 - band.inserted),
            "slab": hop.slab if hop and hop.slab else "none",
            "hop": f"{hop.label}: {hop.initial.label} → {hop.final.label} {hop.image}" if hop else "none",
            "engine": " ".join(filter(None, made_with)),
        }
    )
