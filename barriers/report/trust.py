"""What the model behind barriers is, how far it is known to be off, and what it cannot be trusted for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from barriers.documents import BarrierDoc, EngineDoc
from barriers.engines.mlip.known_error import known_error
from barriers.engines.mlip.models import known_models
from barriers.structures.surface.cutting import FRAGMENT, LAYER


def model_lines(barriers: Sequence[BarrierDoc]) -> list[str]:
    """Say what a reader of barriers has to know of what gave their energies, one line each.

    Parameters
    ----------
    barriers : sequence of BarrierDoc
        Those that are shown together.

    Returns
    -------
    list[str]
        A line for each model or functional: what it was trained on, its own error, which is not in ±, and what it is
        not to be trusted for; and one for each system that goes beyond that, with the pairs of elements.
    """
    lines = [_of(engine) for engine in _engines(barriers)]
    beyond = (_beyond(barrier) for barrier in barriers)
    return list(dict.fromkeys([*lines, *(line for line in beyond if line)]))


def in_short(barriers: Sequence[BarrierDoc]) -> str:
    """Say the same in the few words that fit under a figure."""
    said = []
    for engine in _engines(barriers):
        error = known_error(engine)
        said.append(f"{_name(engine)}{f', {error}' if error else ''}")
    beyond = dict.fromkeys(barrier.system for barrier in barriers if _beyond(barrier))
    return "; ".join(said + ([f"beyond what it was trained on: {', '.join(beyond)}"] if beyond else []))


def _engines(barriers: Iterable[BarrierDoc]) -> list[EngineDoc]:
    found = {(each.band.engine.kind, _name(each.band.engine)): each.band.engine for each in barriers}
    return list(found.values())


def _name(engine: EngineDoc) -> str:
    return engine.name if engine.version in ("", "unknown") else f"{engine.name} {engine.version}"


def _of(engine: EngineDoc) -> str:
    if engine.kind != "mlip":
        return f"{_name(engine)}: ± does not hold the error of its functional or potential"
    error = known_error(engine)
    off = (
        f"its barriers are {error}, which ± does not hold" if error else "± does not hold its own error, not known here"
    )
    model = known_models().get(engine.name)
    if model is None:
        return f"{_name(engine)}: what it was trained on is not known here; {off}"
    return f"{_name(engine)}: trained on {model['trained_on']}; {off}; not to be trusted for {model['not_for']}"


def _beyond(barrier: BarrierDoc) -> str | None:
    """Say which pairs of elements of fragment and surface a model does not know; None where there is no fragment."""
    engine, layers = barrier.band.engine, barrier.band.structure.site_properties.get(LAYER, [])
    if engine.kind != "mlip" or FRAGMENT not in layers:
        return None
    if barrier.bonds:
        pairs = ", ".join(dict.fromkeys(bond.split()[0] for bond in barrier.bonds))
        what = f"a fragment is bonded to the surface ({pairs})"
    else:
        elements = [site.specie.symbol for site in barrier.band.structure]
        of_fragment, of_slab = (
            sorted({name for name, layer in zip(elements, layers, strict=True) if (layer == FRAGMENT) is wanted})
            for wanted in (True, False)
        )
        what = f"a fragment ({', '.join(of_fragment)}) stands on the surface ({', '.join(of_slab)})"
    return (
        f"{barrier.system}: {what}, beyond what {engine.name} was trained on; "
        "what it does to the barrier may be wrong even in sign"
    )
