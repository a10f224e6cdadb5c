"""The configuration folder of FireWorks: what it gives, and what it says when something in it is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from external import free_port, need
from mongo import DATABASE, PASSWORD, USER, Mongod, find_mongod

from barriers.dispatch.fireworks.config import Cluster, find_cluster
from barriers.dispatch.fireworks.files import LaunchPadFile
from barriers.study.file import parse_yaml, validate

BRIEF = "mongoclient_kwargs: {serverSelectionTimeoutMS: 300}"
NOBODY = 9
"""A port where nothing listens; the same in each process that collects these tests."""

QUEUE = """
_fw_name: CommonAdapter
_fw_q_type: {kind}
rocket_launch: rlaunch -c /etc/barriers singleshot
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """A server that asks for credentials, with a LaunchPad that is set up."""
    need(find_mongod() is not None, "mongod (its path in the variable MONGOD)")
    server = Mongod(tmp_path_factory.mktemp("guarded"), auth=True)
    try:
        server.start()
        with server.client() as client:
            client[DATABASE].fw_id_assigner.insert_one({"_id": -1, "next_fw_id": 1, "next_launch_id": 1})
        yield server
    finally:
        server.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Callable[..., Cluster]:
    """A folder with the files given by name."""

    def write(**files: str) -> Cluster:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text)
        return Cluster(tmp_path)

    return write


def launchpad_file(
    port: int, name: str = DATABASE, user: str | None = USER, password: str | None = PASSWORD, more: str = ""
) -> str:
    keys = {"host": "127.0.0.1", "port": port, "name": name, "username": user, "password": password}
    return "".join(f"{key}: {value}\n" for key, value in keys.items() if value is not None) + more


def refused(call: Callable[[], object]) -> str:
    """The one line that a call is refused with, which never holds the password."""
    with pytest.raises(ValueError) as error:
        call()
    text = str(error.value)
    assert PASSWORD not in text
    assert "\n" not in text
    return text


@pytest.mark.mongo
def test_the_password_may_come_from_the_environment(
    guarded: Mongod, cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = cluster(my_launchpad=launchpad_file(guarded.port, password="${PASSWORD_OF_THE_TEST}"))
    line = refused(here.launchpad)
    assert (
        line == f"{here.folder}/my_launchpad.yaml: password: the environment variable PASSWORD_OF_THE_TEST is not set"
    )
    monkeypatch.setenv("PASSWORD_OF_THE_TEST", PASSWORD)
    assert here.launchpad().name == DATABASE
    with here.store() as store:
        store.update([{"uuid": "a", "index": 1, "output": 1}])
        assert store.get_output("a") == 1


@pytest.mark.mongo
@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"password": "wrong"}, f"username, password: the database refuses '{USER}' (looked up in authsource"),
        ({"user": None, "password": None}, "username: is missing; the database at 127.0.0.1:"),
        ({"name": "other", "more": f"authsource: {DATABASE}"}, f"username: '{USER}' may not use the database 'other'"),
        ({"more": "pasword: x"}, "pasword: unknown key; allowed: host, port,"),
        ({"password": "*star"}, "line 5, column 11: is no YAML; a password with signs goes in quotes"),
        ({"port": "27O17"}, "port: '27O17' is no whole number; allowed: 1 to 65535"),
        ({"port": NOBODY, "more": BRIEF}, "host, port: no database answers at 127.0.0.1:"),
        ({"more": "mongoclient_kwargs: {tlsCAFile: 5}"}, "host, mongoclient_kwargs: 127.0.0.1:"),
    ],
)
def test_a_launchpad_file_that_does_not_work_is_one_line_with_its_key(
    guarded: Mongod, cluster: Callable[..., Cluster], changes: dict[str, object], says: str
) -> None:
    here = cluster(my_launchpad=launchpad_file(**{"port": guarded.port} | changes))
    assert refused(here.launchpad).startswith(f"{here.folder}/my_launchpad.yaml: {says}")


@pytest.mark.mongo
def test_a_connection_string_works_and_is_never_shown(guarded: Mongod, cluster: Callable[..., Cluster]) -> None:
    uri = f"mongodb://{USER}:{{password}}@127.0.0.1:{guarded.port}/?authSource={DATABASE}"
    text = "host: {uri}\nname: {name}\nuri_mode: true\n"
    here = cluster(my_launchpad=text.format(uri=uri.format(password=PASSWORD), name=DATABASE))
    assert here.launchpad().name == DATABASE
    with here.store() as store:
        assert store.count() >= 0
    for wrong in (uri.format(password=f"{PASSWORD}x"), f"mongo://{USER}:{PASSWORD}@127.0.0.1"):
        line = refused(cluster(my_launchpad=text.format(uri=wrong, name=DATABASE)).launchpad)
        assert line.startswith(f"{here.folder}/my_launchpad.yaml: host")


@pytest.mark.mongo
def test_a_database_that_was_never_set_up_is_named(mongod: Mongod, cluster: Callable[..., Cluster]) -> None:
    here = cluster(my_launchpad=launchpad_file(mongod.port, "fresh", None, None))
    assert "name: database 'fresh' is not set up; run `barriers setup fireworks`" in refused(here.launchpad)
    with mongod.client() as client:
        assert "fresh" not in client.list_database_names()


@pytest.mark.mongo
def test_results_go_to_the_store_that_the_folder_names(mongod: Mongod, cluster: Callable[..., Cluster]) -> None:
    store = f"{{type: MongoStore, database: elsewhere, collection_name: results, host: 127.0.0.1, port: {mongod.port}}}"
    with mongod.client() as client:
        client.jobs.fw_id_assigner.insert_one({"_id": -1, "next_fw_id": 1, "next_launch_id": 1})
        here = cluster(my_launchpad=launchpad_file(mongod.port, "jobs", None, None), store=f"docs_store: {store}\n")
        with here.store() as opened:
            opened.update([{"uuid": "a", "index": 1, "output": 1}])
        assert client.elsewhere.results.count_documents({}) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("host: mongodb://me:hidden@h/fw", "host: is a connection string; set uri_mode: true"),
        ("host: me:hidden@h", "host: holds a user; allowed: the machine's name, with username and password as keys"),
        ("host: h:27018\nport: 27017", "port: 27017 is not the 27018 of host; leave one of them out"),
        ("host: h:27O18", "host: 'h:27O18' is no machine; allowed: its name, or NAME:PORT"),
        ("host: h:1\nuri_mode: true", "host: is no connection string; allowed: mongodb://... or mongodb+srv://..."),
        (
            "host: mongodb://me:hidden@h/fw\nuri_mode: true\nname: jobs",
            "name: 'jobs' is not 'fw', the database in the connection string; leave one of them out",
        ),
        (
            "ssl_certfile: a.pem\nssl_keyfile: b.pem",
            "ssl_keyfile: MongoDB's driver reads key and certificate from one file; put both into that of ssl_certfile",
        ),
        (
            f"port: {NOBODY}\nssl: true\nssl_ca_file: /nowhere.pem",
            "mongoclient_kwargs: /nowhere.pem: No such file or directory; allowed: files that the driver can read",
        ),
    ],
)
def test_a_host_that_cannot_be_meant_is_refused(cluster: Callable[..., Cluster], text: str, says: str) -> None:
    here = cluster(my_launchpad=text)
    line = refused(here.connect)
    assert line.startswith(f"{here.folder}/my_launchpad.yaml: {says}")
    assert "hidden" not in line


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("host: h:27018", {"host": "h", "port": 27018}),
        ("host: h:27018\nport: 27018", {"host": "h", "port": 27018}),
        ("host: '[::1]:27018'", {"host": "[::1]", "port": 27018}),
        ("host: 'a:1,b:2'", {"host": "a:1,b:2", "port": None}),
        ("host: mongodb://me:x@h:1/fw\nuri_mode: true", {"name": "fw", "port": None}),
        ("host: mongodb://me:x/y@h/fw?ssl=true\nuri_mode: true\nname: fw", {"name": "fw"}),
        ("host: mongodb+srv://h/my%2Ddb\nuri_mode: true", {"name": "my-db"}),
        ("host: mongodb://h\nuri_mode: true\nname: jobs", {"name": "jobs"}),
        (
            "ssl: null\nssl_ca_file: null\nssl_certfile: null\nssl_keyfile: null\nssl_pem_passphrase: null",
            {"mongoclient_kwargs": None},
        ),
        (
            "ssl: true\nssl_ca_file: ca.pem\nssl_certfile: a.pem\nssl_keyfile: a.pem\nssl_pem_passphrase: x\n"
            "mongoclient_kwargs: {journal: true, tlsCAFile: other.pem}",
            {
                "mongoclient_kwargs": {
                    "tls": True,
                    "tlsCAFile": "other.pem",
                    "tlsCertificateKeyFile": "a.pem",
                    "tlsCertificateKeyFilePassword": "x",
                    "journal": True,
                }
            },
        ),
    ],
)
def test_what_a_launchpad_file_may_say_in_several_ways_is_understood(text: str, means: dict[str, object]) -> None:
    file = validate(parse_yaml(text), LaunchPadFile)
    assert {key: getattr(file, key) for key in means} == means


@pytest.mark.mongo
def test_the_port_and_the_database_of_the_host_are_used(mongod: Mongod, cluster: Callable[..., Cluster]) -> None:
    with mongod.client() as client:
        client.from_uri.fw_id_assigner.insert_one({"_id": -1, "next_fw_id": 1, "next_launch_id": 1})
    place = f"127.0.0.1:{mongod.port}"
    assert cluster(my_launchpad=f"host: {place}\nname: from_uri\nssl: null").launchpad().name == "from_uri"
    here = cluster(my_launchpad=f"host: mongodb://{place}/from_uri\nuri_mode: true")
    assert here.launchpad().fireworks.database.name == "from_uri"
    line = refused(cluster(my_launchpad=f"host: 127.0.0.1:{free_port()}\n{BRIEF}").connect)
    assert re.search(r"no database answers at 127\.0\.0\.1:\d+ within", line)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("_fw_name: CommonAdaptor", "_fw_name: is missing or another; allowed: CommonAdapter"),
        (QUEUE.format(kind="SLRUM"), "'SLRUM' is unknown; allowed: SLURM, PBS, SGE, LoadSharingFacility; did you mean"),
        (
            QUEUE.format(kind="SLURM") + "walltme: '1:00:00'",
            "walltme: has no place in the job script of SLURM; allowed:",
        ),
        (
            "_fw_name: CommonAdapter\n_fw_q_type: PBS\nrocket_launch: rlaunch rapidfire",
            "rocket_launch: does not start one",
        ),
        ("a: b: c", "line 1, column 5: mapping values are not allowed here"),
        (QUEUE.format(kind="PBS") + "_fw_template_file: /nowhere", "_fw_template_file: no file /nowhere"),
        (None, "no such file; `barriers setup fireworks` writes it"),
    ],
)
def test_a_queue_file_with_a_mistake_is_refused(cluster: Callable[..., Cluster], text: str | None, says: str) -> None:
    here = cluster() if text is None else cluster(my_qadapter=text)
    line = refused(here.qadapter)
    assert line.startswith(f"{here.folder}/my_qadapter.yaml: ")
    assert line.count("my_qadapter.yaml") == 1
    assert says in line


def test_a_typed_key_of_the_queue_brings_the_nearest_one(cluster: Callable[..., Cluster]) -> None:
    here = cluster(my_qadapter=QUEUE.format(kind="SLURM") + "walltme: '1:00:00'")
    assert refused(here.qadapter).endswith("; did you mean 'walltime'?")


def test_the_folder_is_found_by_option_by_variable_and_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BARRIERS_CONFIG", raising=False)
    assert refused(find_cluster).startswith(f"{tmp_path}/.barriers: no such folder; run `barriers setup fireworks`")
    for name in (".barriers", "mine", "hers"):
        (tmp_path / name).mkdir()
    assert find_cluster().folder == tmp_path / ".barriers"
    monkeypatch.setenv("BARRIERS_CONFIG", str(tmp_path / "mine"))
    assert find_cluster().folder == tmp_path / "mine"
    assert find_cluster(tmp_path / "hers").folder == tmp_path / "hers"


def test_a_worker_file_says_which_jobs_are_taken(cluster: Callable[..., Cluster]) -> None:
    here = cluster(my_fworker="name: cluster\ncategory: [a, b]\nquery: '{\"spec.x\": 1}'\n")
    assert here.fworker().query["spec._category"] == {"$in": ["a", "b"]}
    assert here.fworker().query["spec.x"] == 1
    assert "query: 'all' is no JSON" in refused(cluster(my_fworker="name: cluster\nquery: all\n").fworker)


@pytest.mark.mongo
def test_a_database_is_connected_to_once_and_asked_each_time(tmp_path: Path, cluster: Callable[..., Cluster]) -> None:
    server = Mongod(tmp_path / "server")
    server.folder.mkdir()
    server.start()
    try:
        more = "mongoclient_kwargs: {serverSelectionTimeoutMS: 300}\n"
        here = cluster(my_launchpad=launchpad_file(server.port, "jobs", None, None, more))
        assert here.connect().connection is Cluster(here.folder).connect().connection
        server.kill()
        assert "no database answers" in refused(here.connect)
        server.restart()
        assert here.connect().connection.server_info()["ok"] == 1
    finally:
        server.stop()
