"""The command line: parse, call, print."""

from __future__ import annotations

import sys
import warnings

from barriers.cli import before, compute, dispatch, results, setup
from barriers.cli.app import NOT_CONVERGED, SIGNALLED, WRONG_INPUT, app, state
from barriers.cli.terminal import say, take_any_text, this_command
from barriers.dispatch.stopping import Stopped, stop_softly

__all__ = ["app", "before", "compute", "dispatch", "main", "results", "setup"]


def main() -> None:
    """Run the command line; no traceback reaches a user without ``--debug``."""
    stop_softly()
    take_any_text()
    warnings.simplefilter("ignore")  # libraries' asides; ours are in the results
    sys.path.insert(0, "")  # a calculator of the user's own, --model mine:Class, stands in the current folder
    try:
        app()
    except Stopped as stopped:
        if pool := sys.modules.get("barriers.engines.mlip.pool"):
            pool.stop_workers()
        say(f"stopped by {stopped.signal.name}; this continues it: {this_command()}", err=True)
        sys.exit(SIGNALLED + stopped.signal)
    except Exception as error:
        if state["debug"]:
            raise
        wrong = isinstance(error, ValueError | OSError)
        text = str(error) if wrong else f"{type(error).__name__}: {error}"
        for line in text.splitlines():
            say(f"{'wrong input' if wrong else 'failed'}: {line}", err=True)
        sys.exit(WRONG_INPUT if wrong else NOT_CONVERGED)
