"""The store in one file beside maggma's own, on the work a study makes: ``python tests/benchmarks/stores.py``.

Each store takes the same documents, each gets its own file, and times are given as they are (s) and as multiples of
those of the store in one file. JSONStore writes its whole file at each change, so it and MontyStore are also given the
documents at once.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import maggma.stores
from rich.console import Console
from rich.table import Table

from barriers.dispatch.sqlite import SqliteStore

KINDS = ("relax", "neb", "static", "analysis")


def stores(folder: Path) -> dict[str, Callable[[], Any]]:
    """Give what makes each store, again from its file when called again; MontyStore only where montydb is installed."""
    memory = maggma.stores.MemoryStore(key="uuid")
    made: dict[str, Callable[[], Any]] = {
        "SqliteStore": lambda: SqliteStore(folder / "documents.sqlite"),
        "MemoryStore": lambda: memory,
        "JSONStore": lambda: maggma.stores.JSONStore(str(folder / "documents.json"), read_only=False, key="uuid"),
    }
    try:
        import montydb  # noqa: F401
    except ImportError:
        return made
    return made | {"MontyStore": lambda: maggma.stores.MontyStore("documents", str(folder), key="uuid")}


def document(number: int, size: int) -> dict[str, Any]:
    """Give a document as jobflow stores one, with an output of so many numbers."""
    return {
        "uuid": f"uuid-{number}",
        "index": 1,
        "name": f"system {number}: relax",
        "metadata": {"kind": KINDS[number % len(KINDS)], "key": f"key-{number}", "system": "s", "hop": "h"},
        "output": {"energy": -number / 7, "forces": [number / (atom + 1) for atom in range(size)]},
    }


def times(make: Callable[[], Any], documents: list[dict[str, Any]], singly: int) -> dict[str, float]:
    """Time the work of a study on one store (s)."""
    store = make()
    store.connect()
    key = ["uuid", "index"]
    work: dict[str, Callable[[], Any]] = {
        f"store {len(documents)} at once": lambda: store.update(documents, key),
        f"store {singly} more, one by one": lambda: [
            store.update([each | {"uuid": f"{each['uuid']}-more"}], key) for each in documents[:singly]
        ],
        f"read {singly} by uuid": lambda: [store.query_one({"uuid": each["uuid"]}) for each in documents[:singly]],
        "count by metadata.kind": lambda: store.count({"metadata.kind": "neb"}),
        "read all names": lambda: list(store.query({}, ["name"])),
    }
    taken = {}
    for name, call in work.items():
        started = time.perf_counter()
        call()
        taken[name] = time.perf_counter() - started
    started = time.perf_counter()
    again = make()
    again.connect()
    assert again.query_one({"uuid": documents[-1]["uuid"]})["output"] == documents[-1]["output"]
    return taken | {"reopen, and read one": time.perf_counter() - started}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=50, help="numbers in each output")
    parser.add_argument("--singly", type=int, default=200, help="documents stored and read one by one")
    options = parser.parse_args()
    documents = [document(number, options.size) for number in range(options.documents)]
    with tempfile.TemporaryDirectory() as folder:
        taken = {name: times(make, documents, options.singly) for name, make in stores(Path(folder)).items()}
    own = taken["SqliteStore"]
    table = Table("work", *(f"{name} (s)" for name in taken), *(f"{name} ratio" for name in list(taken)[1:]))
    for work, seconds in own.items():
        others = [rows[work] for rows in taken.values()]
        table.add_row(work, *(f"{other:.3g}" for other in others), *(f"{other / seconds:.2g}" for other in others[1:]))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
