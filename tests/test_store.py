"""The store of results in one file: it answers as maggma's own, survives a kill, and takes several writers."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jobflow import JobStore, job
from maggma.stores import JSONStore, MemoryStore
from monty.json import MontyDecoder, MontyEncoder

from barriers.dispatch.sqlite import SqliteStore
from barriers.dispatch.store import results_store

UUIDS = st.sampled_from(["a", "b", "c", "output"])
KINDS = st.sampled_from(["neb", "relax", None, 1, 1.0, True, ["neb", "static"], {"neb": 1}])
METADATA = st.one_of(
    st.fixed_dictionaries({}, optional={"key": UUIDS, "kind": KINDS, "hop": UUIDS}),
    st.none(),
    st.lists(st.fixed_dictionaries({"kind": KINDS}), max_size=2),
)
OUTPUTS = st.one_of(
    st.none(),
    st.floats(allow_nan=False),
    st.lists(st.fixed_dictionaries({"energy": st.integers(-3, 3)}), max_size=3),
    st.fixed_dictionaries({"energy": st.integers(-3, 3)}, optional={"forces": st.lists(st.floats(-1, 1), max_size=2)}),
)
DOCUMENTS = st.fixed_dictionaries(
    {"uuid": UUIDS, "index": st.integers(1, 3)},
    optional={
        "metadata": METADATA,
        "output": OUTPUTS,
        "last_updated": st.datetimes(datetime(1990, 1, 1), datetime(2030, 1, 1)),
    },
)
CRITERIA = st.one_of(
    st.none(),
    st.fixed_dictionaries({}, optional={"uuid": UUIDS, "index": st.integers(1, 3), "metadata.kind": KINDS}),
    st.fixed_dictionaries({"uuid": st.fixed_dictionaries({"$in": st.lists(UUIDS, max_size=3)})}),
    st.fixed_dictionaries({"metadata.kind": st.fixed_dictionaries({"$in": st.lists(KINDS, max_size=2)})}),
    st.fixed_dictionaries({"metadata.key": UUIDS, "index": st.fixed_dictionaries({"$gt": st.integers(0, 3)})}),
    st.sampled_from(
        [
            {"output.energy": {"$lt": 1}},
            {"metadata.hop": {"$exists": False}, "uuid": "a"},
            {"$or": [{"uuid": "a"}, {"output": None}]},
            {"metadata": {"kind": "neb"}},
            {"metadata.kind": None},
            {"uuid": {"$ne": "a"}},
        ]
    ),
)
PROPERTIES = st.sampled_from(
    [
        None,
        ["uuid"],
        ["output"],
        ["output.energy", "uuid"],
        ["metadata.kind"],
        {"output": 0},
        {"metadata": 0},
        {"output.energy": 0},
        {"_id": 0, "index": 1},
        {"_id": 0},
    ]
)
SORTS = st.sampled_from([None, {"index": -1, "uuid": 1}, {"metadata.hop": 1}, {"last_updated": -1}])
WRITES = st.one_of(
    st.tuples(st.just("update"), st.lists(DOCUMENTS, max_size=4), st.sampled_from([None, ["uuid", "index"], "index"])),
    st.tuples(st.just("remove_docs"), CRITERIA.filter(bool)),
)
READS = st.tuples(CRITERIA, PROPERTIES, SORTS, st.integers(0, 2), st.integers(0, 3))


def plain(value: Any) -> Any:
    """Documents without MongoDB's own number."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    return {key: item for key, item in value.items() if key != "_id"} if isinstance(value, dict) else value


def answer(work: Any) -> Any:
    """What a store answers, or the kind of its refusal: values of several types cannot be sorted."""
    try:
        return plain(work())
    except (TypeError, NotImplementedError) as error:
        return type(error)


def answers(store: Any, criteria: Any, properties: Any, sort: Any, skip: int, limit: int) -> list[Any]:
    return [
        answer(lambda: list(store.query(criteria, properties, sort, skip=skip, limit=limit))),
        answer(lambda: store.count(criteria)),
        answer(lambda: store.distinct("metadata.hop", criteria)),
        answer(lambda: [[key, plain(group)] for key, group in store.groupby("uuid", criteria, ["index"])]),
        answer(lambda: store.query_one(criteria, properties)),
    ]


@settings(deadline=None, max_examples=150)
@given(writes=st.lists(WRITES, max_size=4), reads=st.lists(READS, min_size=1, max_size=4))
def test_it_answers_as_maggmas_own_store_does(tmp_path_factory: Any, writes: list[Any], reads: list[Any]) -> None:
    memory = MemoryStore(key="uuid")
    file = SqliteStore(tmp_path_factory.mktemp("store") / "documents.sqlite")
    for store in (memory, file):
        store.connect()
        for name, *values in writes:
            getattr(store, name)(*values)
    for read in reads:
        assert answers(file, *read) == answers(memory, *read)
    assert file.count() == len(list(memory.query()))
    file.close()


def a_store(folder: Path, documents: int = 0, kind: str = "neb") -> SqliteStore:
    store = SqliteStore(folder / "documents.sqlite")
    store.connect()
    store.update(
        [
            {"uuid": f"u{n}", "index": 1, "metadata": {"kind": kind, "key": f"k{n}"}, "output": {"energy": n}}
            for n in range(documents)
        ]
    )
    return store


def test_it_keeps_what_json_and_dates_can_say(tmp_path: Path) -> None:
    value = {"x": [1 / 3, -0.0, 1e-300, float("inf")], "text": "Å⁺\0", "when": datetime(2026, 3, 1, 12, 5, 7, 250000)}
    a_store(tmp_path).update({"uuid": "a", "index": 1, "output": value, "last_updated": value["when"]})
    again = a_store(tmp_path)
    assert again.query_one({"uuid": "a"})["output"] == value
    assert again.last_updated == value["when"]


def test_it_is_described_and_made_again_from_its_description(tmp_path: Path) -> None:
    store = a_store(tmp_path, 2)
    again = MontyDecoder().decode(json.dumps(store, cls=MontyEncoder))
    again.connect()
    assert again == store
    assert again.count() == 2
    joined = JobStore.from_dict(JobStore(store).as_dict())
    joined.connect()
    assert joined.get_output("u1") == {"energy": 1}


def test_a_job_stores_its_output_and_hands_it_on(tmp_path: Path) -> None:
    @job
    def add(a: int, b: int) -> int:
        return a + b

    store = JobStore(a_store(tmp_path))
    first = add(1, 2)
    second = add(first.output, 3)
    first.run(store)
    second.run(store)
    assert store.get_output(second.uuid) == 6


@pytest.mark.parametrize(
    "criteria",
    [{"uuid": "u7", "index": 1}, {"metadata.key": {"$in": ["k7", "k9"]}}, {"metadata.kind": "neb", "uuid": "u7"}],
)
def test_what_the_project_looks_up_goes_through_an_index(tmp_path: Path, criteria: dict) -> None:
    store = a_store(tmp_path, 2000)
    steps: list[int] = []
    store._collection.set_progress_handler(lambda: steps.append(1), 50)
    assert len(list(store.query(criteria, sort={"index": -1}))) in {1, 2}
    assert len(steps) < 20
    list(store.query({"metadata.hop": "x"}))
    assert len(steps) > 100


def test_an_output_that_is_not_asked_for_is_not_read(tmp_path: Path) -> None:
    store = a_store(tmp_path, 3)
    store._collection.execute("UPDATE documents SET output = 'broken'")
    assert [row["index"] for row in store.query({"metadata.kind": "neb"}, ["index", "metadata"])] == [1, 1, 1]
    assert store.count({"metadata.key": {"$gt": "k0"}}) == 2
    with pytest.raises((TypeError, ValueError)):
        list(store.query({"uuid": "u1"}))


def _write(path: Path, writer: int) -> None:
    store = a_store(path)
    for number in range(25):
        store.update({"uuid": f"{writer}-{number}", "index": 1, "output": list(range(2000))})
        store.update({"uuid": "shared", "index": 1, "output": writer}, key=["uuid", "index"])


def test_several_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(tmp_path, writer)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert a_store(tmp_path).count() == 3 * 25 + 1


WRITER = """
import sys
from barriers.dispatch.sqlite import SqliteStore
store = SqliteStore(sys.argv[1]); store.connect()
for number in range(10**6):
    store.update({"uuid": "a", "index": 1, "output": [number] * 50_000})
    print(number, flush=True)
"""


def test_a_kill_in_mid_write_leaves_the_old_document_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "documents.sqlite"
    for wait in (0.0, 0.003, 0.007, 0.011):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait)
        os.kill(process.pid, signal.SIGKILL)
        said = [0, *(int(line) for line in process.communicate()[0].split())][-1]
        store = SqliteStore(path)
        store.connect()
        output = store.query_one({"uuid": "a"})["output"]
        assert output == [output[0]] * 50_000
        assert output[0] in {said, said + 1}
        store.update({"uuid": "b", "index": 1})
        store.remove_docs({"uuid": "b"})
        store.close()


def test_an_update_that_fails_changes_nothing(tmp_path: Path) -> None:
    store = a_store(tmp_path, 1)
    store._collection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON documents WHEN NEW.uuid = 'u2' "
        "BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )
    with pytest.raises(sqlite3.Error, match="disk is full"):
        store.update([{"uuid": "u0", "index": 1, "output": 9}, {"uuid": "u2", "index": 1}])
    assert store.query_one({"uuid": "u0"})["output"] == {"energy": 0}
    store.update({"uuid": "u3", "index": 1})
    assert store.count() == 2


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "documents.sqlite").write_text("no database, but long enough to be looked at " * 40)
    with pytest.raises(ValueError, match=r"documents\.sqlite: cannot be opened as a store"):
        a_store(tmp_path)


def test_results_go_to_the_results_folder_unless_another_store_is_configured(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    assert results_store(tmp_path / "results", config).docs_store.path == str(tmp_path / "results" / "documents.sqlite")
    (config / "store.yaml").write_text(f"docs_store: {{type: SqliteStore, path: {tmp_path / 'all.sqlite'}}}")
    results_store(tmp_path / "results", config).update({"uuid": "a", "index": 1, "output": 1, "metadata": {}})
    assert results_store(tmp_path / "other", config).count({"uuid": "a"}) == 1
    kept = f"{{type: JSONStore, paths: {tmp_path / 'all.json'}, read_only: false, key: uuid}}"
    (config / "store.yaml").write_text(f"docs_store: {kept}\nadditional_stores: {{data: {kept}}}")
    assert isinstance(results_store(tmp_path, config).docs_store, JSONStore)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("docs_store: {type: MongStore}", r"docs_store\.type: 'MongStore'; allowed: .*did you mean 'MongoStore'"),
        ("docs_store: {type: MongoStore, databse: x}", r"docs_store\.databse: unknown key; .*did you mean 'database'"),
        ("docs_store: {type: MongoStore, database: x}", r"docs_store\.collection_name is missing"),
        ("docs_stor: {type: MongoStore}", "docs_store is missing"),
        ("docs_store: {type: MemoryStore}\nsave: 1", "save: unknown key; allowed: docs_store, additional_stores"),
        ("docs_store: [", r"line 1, column \d+: is no YAML; a password with signs goes in quotes"),
        ("docs_store: {type: MongoStore, password: *hidden}", r"line 1, column \d+: is no YAML; a password"),
        ("docs_store: {type: MongoStore, password: hidden, password: x}", r"line 1, column \d+: is no YAML"),
        (
            "docs_store: {type: SqliteStore, path: x}\nadditional_stores: {data: 3}",
            r"additional_stores\.data\.type: nothing; allowed",
        ),
        (
            "docs_store: {type: MongoStore, collection_name: y, database: a, uri: mongodb://me:hidden@127.0.0.1/b}",
            r"docs_store\.database: 'a' is not 'b', the database in uri; leave one of them out",
        ),
        (
            "docs_store: {type: MongoStore, database: x, collection_name: y, port: 1, password: hidden,\n"
            "  mongoclient_kwargs: {serverSelectionTimeoutMS: 50}}",
            "docs_store: cannot be opened: ServerSelectionTimeoutError: localhost:1: .*refused",
        ),
    ],
)
def test_a_wrong_configuration_is_told_in_one_line_with_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "store.yaml").write_text(text)
    with pytest.raises(ValueError, match=rf"store\.yaml: {says}") as error:
        results_store(tmp_path / "results", tmp_path)
    assert "\n" not in str(error.value)
    assert "hidden" not in str(error.value)


KEEPS = "write {type: SqliteStore, path: FILE} or {type: MongoStore, ...}, or leave store.yaml out"


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("{type: MemoryStore}", "type: MemoryStore forgets everything when the command ends"),
        ("{type: JSONStore, paths: a.json}", "read_only: JSONStore writes nothing to its file unless read_only: false"),
        ("{type: JSONStore, paths: a.json, read_only: true}", "read_only: JSONStore writes nothing to its file"),
        ("{type: MontyStore, collection_name: a, database_path: ':memory:'}", "database_path: ':memory:' forgets"),
        ("{type: FileStore, path: .}", "type: FileStore only reads what is there and takes no results"),
        ("{type: ConcatStore, stores: []}", "type: ConcatStore only reads what is there"),
        ("{type: AliasingStore, aliases: {}, store: {type: MemoryStore}}", "store.type: MemoryStore forgets"),
        ("{type: SandboxStore, sandbox: a, store: {type: MemoryStore}}", "store.type: MemoryStore forgets"),
        ("{type: S3Store, bucket: a, index: {type: JSONStore, paths: a.json}}", "index.read_only: JSONStore writes"),
    ],
)
@pytest.mark.parametrize("where", ["docs_store", "additional_stores.data"])
def test_a_store_that_keeps_nothing_is_refused(tmp_path: Path, store: str, says: str, where: str) -> None:
    lasting = f"{{type: SqliteStore, path: {tmp_path / 'all.sqlite'}}}"
    docs, data = (store, lasting) if where == "docs_store" else (lasting, store)
    (tmp_path / "store.yaml").write_text(f"docs_store: {docs}\nadditional_stores: {{data: {data}}}\n")
    with pytest.raises(ValueError) as error:
        results_store(tmp_path / "results", tmp_path)
    line = str(error.value)
    assert line.startswith(f"{tmp_path / 'store.yaml'}: {where}.{says}")
    assert line.endswith(KEEPS)
    assert not (tmp_path / "all.sqlite").exists()


def test_a_file_without_the_later_column_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "documents.sqlite"
    with SqliteStore(path) as store:
        store.update({"uuid": "old", "metadata": {"key": "k"}})
    with sqlite3.connect(path) as database:
        database.executescript("DROP INDEX by_alike; ALTER TABLE documents DROP COLUMN alike")
    with SqliteStore(path) as store:
        store.update({"uuid": "new", "metadata": {"key": "n", "alike": "a"}})
        assert [each["uuid"] for each in store.query({"metadata.alike": "a"})] == ["new"]
        assert [each["uuid"] for each in store.query({"metadata.key": "k"})] == ["old"]
    with SqliteStore(path) as store:
        assert store.count() == 2
