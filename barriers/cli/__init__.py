"""The command line: parse, call, print."""

from __future__ import annotations

import signal
import sys
import warnings

import typer

from barriers.cli import before, compute, dispatch, results, setup
from barriers.cli.app import INTERRUPTED, NOT_CONVERGED, WRONG_INPUT, app, state

__all__ = ["app", "before", "compute", "dispatch", "main", "results", "setup"]


def main() -> None:
    """Run the command line; no traceback reaches a user without ``--debug``."""
    signal.signal(signal.SIGINT, _interrupt)
    warnings.simplefilter("ignore")  # libraries' asides; ours are in the results
    sys.path.insert(0, "")  # a calculator of the user's own, --model mine:Class, stands in the current folder
    try:
        app()
    except _Interrupted:
        if pool := sys.modules.get("barriers.engines.mlip.pool"):
            pool.stop_workers()
        typer.echo("stopped; the same command continues", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        if state["debug"]:
            raise
        wrong = isinstance(error, ValueError | OSError)
        text = str(error) if wrong else f"{type(error).__name__}: {error}"
        for line in text.splitlines():
            typer.echo(f"{'wrong input' if wrong else 'failed'}: {line}", err=True)
        sys.exit(WRONG_INPUT if wrong else NOT_CONVERGED)


def _interrupt(*_: object) -> None:
    raise _Interrupted


class _Interrupted(BaseException):
    """Ctrl-C, under a name that neither Typer nor a library takes for its own."""
