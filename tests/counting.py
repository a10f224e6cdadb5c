"""Jobs of the tests' own that take a moment: one goes on from where its last run ended, the other takes its result."""

from pathlib import Path
from typing import Any

from jobflow import job


@job
def count(until: int) -> dict[str, Any]:
    """Count one further in each run; converged when that is far enough."""
    state = Path("count.txt")
    reached = int(state.read_text()) + 1 if state.exists() else 1
    state.write_text(str(reached))
    return {"reached": reached, "converged": reached >= until}


@job
def double(counted: dict[str, Any]) -> int:
    """Twice what was reached; fails for as long as a file says so."""
    if Path("../../fail").exists():
        raise ArithmeticError("told to fail")
    return 2 * int(counted["reached"])


@job
def how_many(results: list[Any]) -> int:
    """Count the results that are there; what failed gives None."""
    return sum(result is not None for result in results)
