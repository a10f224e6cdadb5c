"""Counting and timing CHGNet's evaluations, in this process and where the product waits for its workers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ase import Atoms
    from chgnet.model.model import CHGNet

    from barriers.engines.mlip.models import Evaluation
    from barriers.engines.mlip.pool import Evaluator

SPENT: defaultdict[str, float] = defaultdict(float)
"""Seconds of this process by what they went to, ``calls`` of the model, and the time ``first`` of these calls began."""


def _timed(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    @wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        SPENT["first"] = SPENT["first"] or time.time()
        started = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            SPENT[what] += time.perf_counter() - started

    return timed


@cache
def watch_model() -> None:
    """Count and time CHGNet's evaluations in this process, graph building apart."""
    from chgnet.graph.converter import CrystalGraphConverter
    from chgnet.model.model import CHGNet

    CrystalGraphConverter.forward = _timed(CrystalGraphConverter.forward, "graph building")
    predict = _timed(CHGNet.predict_graph, "model")

    def counted(self: CHGNet, graph: Any, **kwargs: Any) -> Any:
        SPENT["calls"] += len(graph) if isinstance(graph, Sequence) else 1
        return predict(self, graph, **kwargs)

    CHGNet.predict_graph = counted


def watch_evaluator() -> None:
    """Count and time the product's evaluations, from handing structures to the workers until the last one is back."""
    from barriers.engines.mlip import pool

    evaluate = _timed(pool.Evaluator.evaluate, "model")

    def counted(self: Evaluator, structures: Sequence[Atoms], *args: Any, **kwargs: Any) -> list[Evaluation]:
        SPENT["calls"] += len(structures)
        results: list[Evaluation] = evaluate(self, structures, *args, **kwargs)
        return results

    pool.Evaluator.evaluate = counted  # type: ignore[assignment,method-assign]
