"""Counting and timing CHGNet's evaluations, in this process and in the worker processes that the product starts."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ase import Atoms
    from chgnet.model.model import CHGNet

    from barriers.engines.mlip.models import Evaluation, ModelSpec
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


def evaluate_watched(spec: ModelSpec, expected: str, atoms: Atoms, moments: bool, threads: int) -> Evaluation:
    """Evaluate in a worker process of the product, and hand what it spent back with the result."""
    from barriers.engines.mlip import pool

    watch_model()
    before = dict(SPENT)
    result = pool.evaluate_in_worker(spec, expected, atoms, moments, threads)
    vars(result)["spent"] = {what: SPENT[what] - before.get(what, 0) for what in ("calls", "graph building", "model")}
    return result


def watch_evaluator() -> None:
    """Count and time the product's evaluations; seconds of workers that share a band are divided among them."""
    from barriers.engines.mlip import pool

    pool.evaluate_in_worker = evaluate_watched
    evaluate = pool.Evaluator.evaluate

    def watched(self: Evaluator, structures: Sequence[Atoms], moments: bool = False) -> list[Evaluation]:
        started = time.perf_counter()
        results = evaluate(self, structures, moments)
        waited = time.perf_counter() - started
        for result in results:
            spent = vars(result)["spent"]
            SPENT["calls"] += spent["calls"]
            for what in ("graph building", "model"):
                share = spent[what] / min(len(structures), self.workers)
                SPENT[what] += share
                waited -= share
        if SPENT["first"]:
            SPENT["idle workers"] += waited
        else:
            SPENT["first"] = time.time() - (time.perf_counter() - started) + waited
        return results

    pool.Evaluator.evaluate = watched  # type: ignore[method-assign]
