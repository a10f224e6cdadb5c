"""The command line: parse, call, print."""

from __future__ import annotations

import gc
import sys
import traceback
import warnings

from barriers.cli import (
    before,
    by_hand,
    clean,
    compute,
    converge,
    dispatch,
    export,
    new,
    parse,
    results,
    screen,
    setup,
    transport,
    watch,
)
from barriers.cli.app import NOT_CONVERGED, SIGNALLED, WRONG_INPUT, app, emit, state
from barriers.cli.terminal import say, take_any_text, this_command
from barriers.disk import trouble
from barriers.dispatch.stopping import Stopped, stop_softly
from barriers.secrecy import hide

__all__ = [
    "app",
    "before",
    "by_hand",
    "clean",
    "compute",
    "converge",
    "dispatch",
    "export",
    "main",
    "new",
    "parse",
    "results",
    "screen",
    "setup",
    "transport",
    "watch",
]


COLLECT_AFTER = 50_000
"""New objects after which garbage is looked for: imports and figures make many that stay, and little of it."""


def main() -> None:
    """Run the command line; no traceback reaches a user without ``--debug``."""
    gc.set_threshold(COLLECT_AFTER)
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
        code, text = verdict(error)
        if "--json" in sys.argv and not state["debug"]:
            emit({"problems": text.splitlines(), "exit_code": code})
        say(hide("".join(traceback.format_exception(error))) if state["debug"] else text, err=True)
        sys.exit(code)


def verdict(error: Exception) -> tuple[int, str]:
    """Give the exit code of an error, and the lines that tell of it: the input is wrong, or something else failed."""
    said = trouble(error)
    wrong = said is None and isinstance(error, ValueError | OSError)
    lines = hide(said or (str(error) if wrong else f"{type(error).__name__}: {error}")).splitlines()
    code, word = (WRONG_INPUT, "wrong input") if wrong else (NOT_CONVERGED, "failed")
    return code, "\n".join(f"{word}: {line}" for line in lines)
