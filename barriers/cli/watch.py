"""The command that shows a study in a browser while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from barriers.cli.app import Config, Results, StudyFile, app
from barriers.cli.terminal import say


@app.command()
def watch(
    study_file: StudyFile,
    port: Annotated[int, typer.Option(help="Port; 0 for any that is free.", min=0, max=65535, metavar="N")] = 0,
    results: Results = Path("results"),
    config: Config = None,
) -> None:
    """Show a study live in a browser on this machine, whether it runs here or was submitted; Ctrl-C ends it.

    Prints an address and serves one page there: every system and hop, forces, profile and band in 3-D as they are now,
    queue ids, last lines of output, and why a barrier is not there. It only looks: nothing can be changed from it. The
    page stays when the run ends, and goes on when one begins.

    The address holds a random word, without which nothing is served, and works on this machine alone. From another:
    `ssh -L 8000:127.0.0.1:8000 MACHINE`, and there `barriers watch STUDY --port 8000`.
    """
    from barriers.dispatch.source import following_source
    from barriers.dispatch.stopping import Stopped
    from barriers.report.live.page import LivePage
    from barriers.report.live.server import PageServer
    from barriers.report.live.watcher import Watcher
    from barriers.study.file import load_study

    name = load_study(study_file).name
    folder = results / name
    watcher = Watcher(name, following_source(folder, config))
    page = LivePage(watcher, folder, config)
    try:
        server = PageServer(page.answers, port)
    except OSError as error:
        raise ValueError(f"--port: {port}: {error.strerror}; allowed: one that is free, 0 for any") from None
    try:
        watcher.look()
        if watcher.ledger.trouble:
            say(f"! {watcher.ledger.trouble}", err=True)
        watcher.start()
        say(f"{server.url}\nopen it in a browser on this machine; Ctrl-C ends it")
        server.serve_forever()
    except Stopped:
        say("stopped watching; whatever runs goes on", err=True)
    finally:
        watcher.stop()
        page.helper.stop()
        server.server_close()
