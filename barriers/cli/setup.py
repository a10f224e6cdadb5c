"""Commands that make a machine ready: configuration, and what is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barriers.cli.app import Config, Json, app, emit
from barriers.cli.terminal import say

if TYPE_CHECKING:
    from barriers.dispatch.fireworks.setup import Answers

setup = typer.Typer(help="Make this machine ready to send studies elsewhere.", no_args_is_help=True)
app.add_typer(setup, name="setup")


@setup.command()
def fireworks(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Machine of the database, or a connection string.")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the database; 27017 if left out.")] = None,
    database: Annotated[str | None, typer.Option(help="Name of the database; barriers if left out.")] = None,
    user: Annotated[str | None, typer.Option(help="User of the database; none if left out.")] = None,
    password_env: Annotated[
        str | None, typer.Option(help="Environment variable that holds the password.", metavar="NAME")
    ] = None,
    password_file: Annotated[
        Path | None, typer.Option(help="File whose first line is the password.", metavar="FILE")
    ] = None,
    queue_type: Annotated[str | None, typer.Option(help="slurm, pbs, sge or lsf.")] = None,
    queue: Annotated[str | None, typer.Option(help="Partition or queue; the default one if left out.")] = None,
    account: Annotated[str | None, typer.Option(help="Who pays; nobody if left out.")] = None,
    walltime: Annotated[str | None, typer.Option(help="Of each calculation.", metavar="HH:MM:SS")] = None,
    folder: Annotated[
        str | None, typer.Option(help="Folder of the jobs, shared by this and the computing machines.", metavar="DIR")
    ] = None,
    cores: Annotated[int | None, typer.Option(help="Of each calculation; 1 if left out.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write files anew that are there.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Write nothing: test the files that are there.")] = False,
    test_queue: Annotated[bool, typer.Option(help="Send a trivial job through the queue.")] = True,
    wait: Annotated[float, typer.Option(help="Longest wait for that job, in seconds.")] = 300.0,
) -> None:
    """Write the configuration of database and queue, test both, and say what to mend.

    Asks for what no option says when it runs in a terminal. An empty database is set up; one in use is left as it is.
    """
    from barriers.dispatch.fireworks.config import find_cluster
    from barriers.dispatch.fireworks.setup import files_there, prepare_database, write_cluster
    from barriers.dispatch.fireworks.trial import try_queue
    from barriers.dispatch.store import config_folder

    target = config_folder(config)
    if not keep:
        if (there := files_there(target)) and not force:
            raise ValueError(f"{there[0]}: is there already; --keep tests what is there, --force writes it anew")
        answers = _ask(
            host=host,
            port=port,
            database=database,
            username=user,
            password=_password(password_env, password_file),
            queue_type=queue_type,
            queue=queue,
            account=account,
            walltime=walltime,
            folder=folder,
            cores=cores,
        )
        for path in write_cluster(answers, target):
            say(f"wrote {path}")
    cluster = find_cluster(target)
    say(prepare_database(cluster))
    if test_queue:
        say(try_queue(cluster, wait, lambda line: say(line, err=True)))
    say("ready: barriers submit STUDY" if config is None else f"ready: barriers submit STUDY --config {config}")


@app.command()
def doctor(config: Config = None, as_json: Json = False) -> None:
    """List every external part: found or not, what needs it, and how to get it."""
    from barriers.dispatch.doctor import examine, findings_table

    findings = examine(config)
    emit([vars(finding) for finding in findings] if as_json else findings_table(findings))


def _password(variable: str | None, path: Path | None) -> str | None:
    if variable is not None:
        if variable not in os.environ:
            raise ValueError(f"--password-env: the environment variable {variable} is not set")
        return os.environ[variable]
    return None if path is None else path.read_text("utf-8").partition("\n")[0]


QUESTIONS: dict[str, tuple[str, str, Any]] = {
    "host": ("--host", "Machine of the MongoDB database (or a connection string)", ...),
    "port": ("--port", "Its port", 27017),
    "database": ("--database", "Name of the database", "barriers"),
    "username": ("--user", "User of the database (empty: none)", ""),
    "password": ("--password-env or --password-file", "Password", ...),
    "queue_type": ("--queue-type", "Queueing system (slurm, pbs, sge, lsf)", ...),
    "queue": ("--queue", "Partition or queue (empty: the default one)", ""),
    "account": ("--account", "Account that pays (empty: none)", ""),
    "walltime": ("--walltime", "Walltime of a calculation, HH:MM:SS (empty: the queue's)", ""),
    "folder": ("--folder", "Folder of the jobs, the same here and on the machines that compute", ...),
    "cores": ("--cores", "Cores of a calculation", 1),
}
"""Option, question, and what is taken without an answer (``...``: there has to be one)."""


def _ask(**given: Any) -> Answers:
    """Fill in what no option says: from the person at the terminal, else the usual value."""
    from barriers.dispatch.address import implied
    from barriers.dispatch.fireworks.setup import KINDS, Answers
    from barriers.words import closest

    answers: dict[str, Any] = {}
    for name, (option, question, usual) in QUESTIONS.items():
        answer = given[name]
        if answer is None and name in ("port", "database"):
            answer = implied(answers["host"])[name]
        if name == "password" and not answers["username"]:
            answer = ""
        elif answer is None and sys.stdin.isatty():
            default = None if usual is ... else usual
            answer = typer.prompt(question, default, hide_input=name == "password", show_default=default != "")
        elif answer is None and usual is ...:
            raise ValueError(f"{option}: is missing; allowed: {question.lower()}")
        answers[name] = usual if answer is None else answer
    if answers["queue_type"] not in KINDS:
        wrong = answers["queue_type"]
        raise ValueError(f"--queue-type: {wrong!r} is unknown; allowed: {', '.join(KINDS)}{closest(wrong, KINDS)}")
    left_out: dict[str, Any] = {name: None for name, answer in answers.items() if answer == ""}
    return Answers(**answers | left_out)
