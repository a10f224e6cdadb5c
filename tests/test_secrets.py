"""Passwords: wherever a person can put one, no command prints it, logs it, or leaves it in a file of its own."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from ase.io import write
from conftest import gold_on_aluminium
from dispatched import write_cluster
from external import need
from hypothesis import given, settings
from hypothesis import strategies as st
from jobflow import JobStore, job
from mongo import DATABASE, USER, Mongod, find_mongod

from barriers import secrecy
from barriers.cli import main
from barriers.cli.app import state
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.files import LaunchPadFile
from barriers.dispatch.fireworks.setup import Answers
from barriers.dispatch.slots import run_job
from barriers.dispatch.sqlite import SqliteStore
from barriers.dispatch.states import JobStates
from barriers.dispatch.store import configured_store
from barriers.secrecy import hide, keep_secret
from barriers.study.file import validate

SECRET = "Zq7Xw"
"""In every password here, and in nothing else."""

BRIEF = "mongoclient_kwargs: {serverSelectionTimeoutMS: 50}"
LONG = f"{SECRET}-{'long-' * 24}"
FAR = f"db-{'0' * 40}.example.org:1/fw"
OTHERS = {
    "my_fworker": "name: here\ncategory: ''\nquery: '{}'",
    "my_qadapter": "_fw_name: CommonAdapter\n_fw_q_type: SLURM\nrocket_launch: rlaunch singleshot",
    "resources": "folder: /scratch/me\nowner: ada",
}
GOOD = f"host: 127.0.0.1\nport: 1\nname: fw\n{BRIEF}"
STUDY = "name: gold\nendpoints: {initial: a.traj, final: b.traj}\nengine: {kind: mlip, model: emt}\n"

LAUNCHPADS = {
    "uri": f"host: mongodb://me:{SECRET}@127.0.0.1:1/fw\nname: fw",
    "srv": f"host: mongodb+srv://me:{SECRET}@127.0.0.1/fw\nname: fw",
    "uri in mode": f"host: mongodb://me:{SECRET}@127.0.0.1:1/fw\nuri_mode: true",
    "uri of another scheme": f"host: mongo://me:{SECRET}@127.0.0.1:1/fw\nuri_mode: true",
    "no scheme": f"host: me:{SECRET}@127.0.0.1\nname: fw",
    "no scheme in mode": f"host: me:{SECRET}@127.0.0.1\nuri_mode: true",
    "signs": f"host: mongodb://me:a/{SECRET}:b@c@127.0.0.1:1/fw\nuri_mode: true",
    "a port": f"host: mongodb://me:{SECRET}/x@127.0.0.1:1/fw\nuri_mode: true",
    "encoded": f"host: mongodb://me:{quote('p@/' + SECRET + '%')}@127.0.0.1:1/fw\nuri_mode: true",
    "encoded, without mode": f"host: mongodb://me:{quote('p@/' + SECRET + '%')}@127.0.0.1:1/fw",
    "long": f"host: mongodb://me:{LONG}@{FAR}",
    "in a list": f"host: ['mongodb://me:{LONG}@{FAR}']",
    "as a port": f"host: 127.0.0.1\nport: mongodb://me:{LONG}@{FAR}",
    "as a key": f"? mongodb://me:{LONG}@{FAR}\n: 1",
    "option": f"host: mongodb://127.0.0.1:1/fw?tlsCertificateKeyFilePassword={SECRET}&tls=maybe\nuri_mode: true",
    "another database": f"host: mongodb://me:{SECRET}@127.0.0.1:1/fw\nuri_mode: true\nname: other",
    "password": f"host: 127.0.0.1\nport: 1\nusername: me\npassword: {SECRET}",
    "password in a list": f"host: 127.0.0.1\npassword: [{SECRET}]",
    "password in a variable": "host: 127.0.0.1\nport: 1\nusername: me\npassword: $OF_THE_TEST",
    "host in a variable": "host: $URI_OF_THE_TEST",
    "host in a variable, in mode": "host: ${URI_OF_THE_TEST}\nuri_mode: true",
    "two passwords": f"host: 127.0.0.1\npassword: {SECRET}\npassword: {SECRET}x",
    "alias": f"host: 127.0.0.1\npassword: *{SECRET}",
    "no yaml": f"host: 127.0.0.1\npassword: [{SECRET}\n",
    "typed": f"host: 127.0.0.1\npasswrod: {SECRET}",
    "older FireWorks": f"host: 127.0.0.1\nport: 1\nssl: true\nssl_pem_passphrase: {SECRET}\nssl_certfile: /nowhere",
    "options": f"host: 127.0.0.1\nmongoclient_kwargs: {{tlsCertificateKeyFilePassword: {SECRET}, tls: maybe}}",
}
STORES = {
    "uri": (
        "docs_store: {type: MongoURIStore, collection_name: a, "
        f"uri: 'mongodb://me:{SECRET}@127.0.0.1:1/fw?serverSelectionTimeoutMS=50'}}"
    ),
    "signs": f"docs_store: {{type: MongoURIStore, collection_name: a, uri: 'mongodb://me:{SECRET}/x@127.0.0.1:1/fw'}}",
    "another database": (
        f"docs_store: {{type: MongoStore, database: x, collection_name: a, uri: 'mongodb://me:{SECRET}@127.0.0.1/fw'}}"
    ),
    "password": (
        "docs_store: {type: MongoStore, database: fw, collection_name: a, port: 1, username: me, "
        f"password: {SECRET}, mongoclient_kwargs: {{serverSelectionTimeoutMS: 50}}}}"
    ),
    "variable": (
        "docs_store: {type: MongoStore, database: fw, collection_name: a, port: 1, username: me, "
        "password: $OF_THE_TEST, mongoclient_kwargs: {serverSelectionTimeoutMS: 50}}"
    ),
    "host": f"docs_store: {{type: MongoStore, database: fw, collection_name: a, host: 'mongodb://me:{SECRET}:x@h:1'}}",
    "type": f"docs_store: {{type: 'mongodb://me:{LONG}@{FAR}'}}",
    "no store": f"docs_store: mongodb://me:{SECRET}@127.0.0.1",
    "alias": f"docs_store: {{type: MongoStore, password: *{SECRET}}}",
    "two": f"docs_store: {{type: MongoStore, password: {SECRET}, password: b}}",
    "bucket": f"docs_store: {{type: S3Store, bucket: a, s3_profile: {{aws_secret_access_key: {SECRET}}}}}",
    "inside": f"docs_store: {{type: AliasingStore, aliases: {{}}, store: {{type: MongoStore, password: {SECRET}}}}}",
}
COMMANDS = {
    "list": ["list"],
    "doctor": ["doctor"],
    "doctor --json": ["doctor", "--json"],
    "submit": ["submit", "study.yaml"],
    "launch": ["launch", "study.yaml", "--every", "0.5"],
    "status": ["status", "study.yaml"],
    "status --json": ["status", "study.yaml", "--json"],
    "recover": ["recover", "study.yaml"],
    "collect": ["collect", "study.yaml"],
    "setup": ["setup", "fireworks", "--keep", "--no-test-queue"],
}

Said = Callable[..., str]


@pytest.fixture
def said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Said]:
    """Run a command on the configuration in ``conf``; all it printed, logged and wrote, which holds no secret."""
    for name, atoms in zip("ab", gold_on_aluminium(), strict=True):
        write(tmp_path / f"{name}.traj", atoms)
    (tmp_path / "study.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OF_THE_TEST", SECRET)
    monkeypatch.setenv("URI_OF_THE_TEST", f"mongodb://me:{SECRET}@127.0.0.1:1/fw")
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("BARRIERS_CONFIG", raising=False)
    monkeypatch.setitem(state, "debug", False)
    caplog.set_level(logging.DEBUG)

    def run(*arguments: str | Path, debug: bool = False, fails: bool = True) -> str:
        options = ["--debug"] if debug else []
        monkeypatch.setattr(sys, "argv", ["barriers", *options, *map(str, arguments), "--config", "conf"])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capfd.readouterr()
        text = printed.out + printed.err
        if fails and arguments[0] != "doctor":
            assert stopped.value.code == 2, text
        if debug:
            assert "Traceback" in text
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "conf"]
        for each in [text, "".join(record.getMessage() for record in caplog.records), *map(_text, files)]:
            assert SECRET not in each
        return text

    yield run


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def configure(launchpad: str = GOOD, store: str | None = None) -> None:
    """Write the configuration into ``conf`` of the current folder."""
    Path("conf").mkdir(exist_ok=True)
    more = "" if "mongoclient_kwargs" in launchpad or launchpad.endswith("[Zq7Xw\n") else f"\n{BRIEF}"
    for name, text in {**OTHERS, "my_launchpad": launchpad + more, "store": store}.items():
        if text is not None:
            Path(f"conf/{name}.yaml").write_text(f"{text}\n")


@pytest.mark.parametrize("launchpad", LAUNCHPADS)
def test_no_word_on_a_launchpad_holds_its_secret(said: Said, launchpad: str) -> None:
    configure(LAUNCHPADS[launchpad])
    assert "my_launchpad.yaml: " in said("list")
    assert "conf/my_launchpad.yaml" in said("list", debug=True)
    said("doctor", "--json")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("launchpad", ["uri", "uri in mode", "password in a variable"])
def test_no_command_tells_a_secret_of_a_database_that_does_not_answer(said: Said, launchpad: str, command: str) -> None:
    configure(LAUNCHPADS[launchpad])
    said(*COMMANDS[command])
    if command not in ("doctor", "doctor --json"):
        said(*COMMANDS[command], debug=True)


@pytest.mark.parametrize("store", STORES)
def test_no_word_on_a_store_holds_its_secret(
    said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    configure(store=STORES[store])
    with pytest.raises(ValueError) as error:
        configured_store(tmp_path / "conf")
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)
    assert SECRET not in "".join(traceback.format_exception(error.value))


def test_what_a_package_says_of_a_store_is_hidden(said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot use {SECRET}")

    monkeypatch.setattr(JobStore, "connect", refuse)
    configure(store=STORES["password"])
    with pytest.raises(ValueError, match=r"docs_store: cannot be opened: RuntimeError: cannot use \*\*\*$"):
        configured_store(tmp_path / "conf")


def test_what_a_person_types_into_setup_is_not_repeated(said: Said, tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "secret").write_text(f"{SECRET}\n")
    common = ["--queue-type", "slurm", "--folder", tmp_path / "jobs", "--no-test-queue", "--force"]
    for flags in (
        ["--host", f"me:{SECRET}@127.0.0.1"],
        ["--host", f"mongodb://me:{SECRET}@127.0.0.1:1/fw", "--database", "other"],
        ["--host", f"mongo://me:{SECRET}/x@127.0.0.1:1/fw"],
        ["--host", "$URI_OF_THE_TEST", "--database", "other"],
        ["--host", "h", "--port", "1", "--user", "me", "--password-env", "OF_THE_TEST", "--cores", "-1"],
        ["--host", "h", "--port", "1", "--user", "me", "--password-file", "conf/secret", "--walltime", "soon"],
    ):
        for debug in (False, True):
            said("setup", "fireworks", *flags, *common, debug=debug)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server that asks for credentials."""
    need(find_mongod() is not None, "mongod (its path in the variable MONGOD)")
    server = Mongod(tmp_path_factory.mktemp("guarded"), auth=True)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.mark.mongo
@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_tells_a_password_that_the_server_refuses(said: Said, guarded: Mongod, command: str) -> None:
    place = f"127.0.0.1:{guarded.port}"
    for launchpad in (
        f"host: mongodb://{USER}:{SECRET}@{place}/{DATABASE}\nuri_mode: true",
        f"host: mongodb://{USER}:{quote_plus('@' + SECRET)}@{place}/{DATABASE}\nuri_mode: true",
        f"host: {place}\nname: {DATABASE}\nusername: {USER}\npassword: {SECRET}",
        f"host: {place}\nname: {DATABASE}\nusername: {USER}\npassword: ${{OF_THE_TEST}}",
    ):
        configure(f"{launchpad}\nmongoclient_kwargs: {{}}")
        assert "refuses" in said(*COMMANDS[command]) or command == "doctor"


@pytest.mark.mongo
@pytest.mark.parametrize("command", ["submit", "collect", "recover"])
def test_no_command_tells_a_password_that_the_store_refuses(
    said: Said, guarded: Mongod, mongod: Mongod, tmp_path: Path, command: str
) -> None:
    configure(
        store=f"docs_store: {{type: MongoURIStore, collection_name: a, "
        f"uri: 'mongodb://{USER}:{SECRET}@127.0.0.1:{guarded.port}/{DATABASE}'}}"
    )
    name = f"secrets-{tmp_path.name}"[-38:]
    cluster = write_cluster(tmp_path / "conf", mongod.port, name=name)
    cluster.launchpad().fireworks.insert_one({"fw_id": 1, "spec": {"barriers": {"scope": "ada/gold"}}})
    assert "store.yaml: docs_store: cannot be opened: OperationFailure" in said(*COMMANDS[command])


@job
def leak(words: str) -> None:
    """Fail with words of somebody else's."""
    try:
        raise RuntimeError(f"first {words}")
    except RuntimeError as error:
        raise ValueError(f"cannot use {words}") from error


@pytest.mark.parametrize("words", [f"mongodb://me:{SECRET}@127.0.0.1/fw", f"{SECRET}-known"])
def test_a_failed_job_leaves_no_secret_behind(tmp_path: Path, words: str) -> None:
    store = JobStore(SqliteStore(tmp_path / "documents.sqlite"))
    store.docs_store.password = f"{SECRET}-known"  # as a store has it that comes to a worker process
    failing = leak(words)
    JobStates(tmp_path).begin([])
    done = run_job(failing, store, tmp_path, 1, None)
    assert done.state == "failed"
    told = (done.folder / "error.txt").read_text()
    assert told.count("***") == 2
    assert SECRET not in done.message + told


def test_what_is_configured_has_no_secret_in_its_representation() -> None:
    uri = f"mongodb://me:{SECRET}@127.0.0.1/fw"
    options = {"tlsCertificateKeyFilePassword": SECRET, "tls": True}
    file = validate({"host": uri, "uri_mode": True, "mongoclient_kwargs": options}, LaunchPadFile)
    assert "fw" in repr(file) and "'tls': True" in repr(file)
    plain = validate({"host": "h", "password": SECRET}, LaunchPadFile)
    answers = Answers(uri, 1, "fw", "me", SECRET, "slurm", None, None, None, "/jobs", 1)
    for each in (file, plain, answers, Cluster(Path("conf"))):
        assert SECRET not in f"{each!r} {each}"


PASSWORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), min_size=6, max_size=30).filter(
    lambda text: text.strip() == text and "*" not in text
)


@settings(deadline=None)
@given(PASSWORDS, st.sampled_from([quote, quote_plus, lambda text: quote(text, safe=""), str]))
def test_a_password_is_known_in_every_spelling(password: str, spell: Callable[[str], str]) -> None:
    for content in ({"password": password}, {"docs_store": {"uri": f"mongodb://me:{spell(password)}@h/fw"}}):
        secrecy._known.clear()
        keep_secret(content)
        spellings = [password, repr(password)[1:-1], quote(password), quote(password, safe=""), quote_plus(password)]
        for text in [*spellings, f"mongodb://me:{spell(password)}@h/fw"]:
            hidden = hide(f"option pwd={text};")
            assert not [spelling for spelling in spellings if spelling in hidden]


def test_a_short_password_is_hidden_as_a_word_and_spoils_no_other() -> None:
    keep_secret({"password": "fw", "port": 27017, "name": "jobs"})
    assert hide("fw: the fwd of jobs at 27017 has no 'fw'") == "***: the fwd of jobs at 27017 has no '***'"
