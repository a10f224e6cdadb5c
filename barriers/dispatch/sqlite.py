"""A maggma store in one file, which needs no server."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from maggma.core import Sort, Store, StoreError
from maggma.stores import MemoryStore
from monty.json import jsanitize

from barriers.dispatch.opening import of_the_system, opened
from barriers.dispatch.rows import COLUMNS, LATER, NO_SCALAR, TABLES, document_of, narrow, row_of

BATCH = 32
"""Documents in memory at once: each may be 1 MB."""

STORE = f"REPLACE INTO documents (id, {', '.join(COLUMNS.values())}, head, output) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


Properties = dict[str, Any] | list[str] | None
Order = dict[str, Sort | int] | None


class SqliteStore(Store):
    """A maggma store in one SQLite file, for many documents, large outputs and several processes at once.

    What MongoDB's language can ask, it answers: as :class:`maggma.stores.MemoryStore` does, except that ``_id`` is a
    number of its own. Queries for the fields of :data:`~barriers.dispatch.rows.COLUMNS` go through an index; any
    other query reads every document once, a few at a time, and its ``output`` only if the query names that.

    Several processes may write at once: each change is one transaction, and whoever comes second waits. A process
    that is killed leaves the old document or the new one. The file keeps SQLite's rollback journal: the write-ahead
    log is faster, but needs memory shared by all processes, which a network file system does not give.

    Parameters
    ----------
    path : Path or str
        The file; made, with its folder, when the store is connected.
    key : str
        Field that names a document.
    **kwargs
        Of :class:`maggma.core.Store`.

    Examples
    --------
    >>> store = JobStore(SqliteStore("results/documents.sqlite"))
    """

    def __init__(self, path: Path | str, key: str = "uuid", **kwargs: Any) -> None:
        self.path = str(Path(path).absolute())
        self.kwargs = kwargs
        self._connection: sqlite3.Connection | None = None
        super().__init__(key=key, **kwargs)

    @property
    def name(self) -> str:
        """Say where the documents are."""
        return f"sqlite://{self.path}"

    @property
    def _collection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.path}: connect the store before use")
        return self._connection

    def connect(self, force_reset: bool = False) -> None:
        """Open the file, or open it again if ``force_reset``.

        Raises
        ------
        ValueError
            If the file is no SQLite file, or cannot be opened.
        """
        if self._connection is not None and not force_reset:
            return
        self.close()
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        try:
            with of_the_system(self.path):
                self._connection = opened(self.path)
                self._connection.isolation_level = None
                self._connection.executescript(TABLES)
                self._add_later_column()
        except sqlite3.Error as error:
            self.close()
            raise ValueError(f"{self.path}: cannot be opened as a store of documents: {error}") from None

    def _add_later_column(self) -> None:
        """Bring a file of an earlier version up to date; its documents have nothing in that column."""
        columns = [row[1] for row in self._collection.execute("PRAGMA table_info(documents)")]
        if LATER not in columns:
            with suppress(sqlite3.OperationalError):  # another process was faster
                self._collection.execute(f"ALTER TABLE documents ADD COLUMN {LATER}")
        self._collection.execute(f"CREATE INDEX IF NOT EXISTS by_{LATER} ON documents ({LATER})")

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def count(self, criteria: dict[str, Any] | None = None) -> int:
        """Count the documents that match a MongoDB query."""
        where, parameters, whole = self._narrow(criteria)
        if not whole:
            return len(self._matching(criteria))
        found: int = self._collection.execute(f"SELECT count(*) FROM documents WHERE {where}", parameters).fetchone()[0]
        return found

    def query(
        self,
        criteria: dict[str, Any] | None = None,
        properties: Properties = None,
        sort: Order = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[dict[str, Any]]:
        """Give the documents that match a MongoDB query, in the order they were first stored unless sorted.

        Parameters
        ----------
        criteria : dict
            MongoDB query; every document if None.
        properties : dict or list
            Fields wanted, or a MongoDB projection; all if None. The output is read only if it is among them.
        sort : dict
            Fields to sort by, 1 for ascending, -1 for descending.
        skip, limit : int
            How many to leave out at the start, and how many to give at most (0: all).
        """
        for documents in self._load(self._matching(criteria, sort, skip, limit), _wants_output(properties)):
            yield from documents if properties is None else _in_memory(documents).query({}, properties)

    def update(self, docs: list[dict[str, Any]] | dict[str, Any], key: list[str] | str | None = None) -> None:
        """Store documents, each in place of the first one with the same key; all of them or none.

        Parameters
        ----------
        docs : list of dict or dict
            Documents.
        key : list of str or str
            Fields that together name a document; the store's own key if None.

        Raises
        ------
        ValueError
            If the store's validator is strict and refuses a document.
        """
        keys = [key or self.key] if not isinstance(key, list) else key
        rows = []
        for document in jsanitize(docs if isinstance(docs, list) else [docs], allow_bson=True, recursive_msonable=True):
            document.pop("_id", None)
            if self._is_valid(document):
                rows.append(({name: document[name] for name in keys}, row_of(document)))
        with of_the_system(self.path), self._collection as database:
            database.execute("BEGIN IMMEDIATE")
            for criteria, row in rows:
                number = next(iter(self._matching(criteria, limit=1)), None)
                database.execute(STORE, [number, *row])

    def remove_docs(self, criteria: dict[str, Any]) -> None:
        """Remove the documents that match a MongoDB query."""
        with of_the_system(self.path), self._collection as database:
            database.execute("BEGIN IMMEDIATE")
            found = [[number] for number in self._matching(criteria)]
            database.executemany("DELETE FROM documents WHERE id = ?", found)

    def ensure_index(self, key: str, unique: bool = False) -> bool:
        """Whether a field has an index. Which fields have one is fixed, and none of them has to be unique."""
        return key in COLUMNS and not unique

    def distinct(self, field: str, criteria: dict[str, Any] | None = None, all_exist: bool = False) -> list[Any]:
        """Give the distinct values of a field among the documents that match a MongoDB query."""
        return list(_in_memory(self.query(criteria, [field])).distinct(field, all_exist=all_exist))

    def groupby(
        self,
        keys: list[str] | str,
        criteria: dict[str, Any] | None = None,
        properties: Properties = None,
        sort: Order = None,
        skip: int = 0,
        limit: int = 0,
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """Group documents by the values of fields, as :meth:`maggma.stores.MemoryStore.groupby` does."""
        fields = [*([keys] if isinstance(keys, str) else keys), *(properties or [])]
        yield from _in_memory(self.query(criteria, fields)).groupby(keys, None, properties, sort, skip, limit)

    def __eq__(self, other: object) -> bool:
        """Whether two stores are the same file."""
        return isinstance(other, SqliteStore) and (self.path, self.key) == (other.path, other.key)

    def __hash__(self) -> int:
        """Hash of what makes two stores equal."""
        return hash((self.path, self.key))

    def _narrow(self, criteria: dict[str, Any] | None) -> tuple[str, list[Any], bool]:
        """:func:`narrow`, with the documents at hand in mind that SQL alone cannot judge."""
        where, parameters, whole = narrow(criteria or {})
        if whole and parameters:
            odd = f"SELECT 1 FROM documents WHERE {where} AND ? IN ({', '.join(COLUMNS.values())}) LIMIT 1"
            whole = self._collection.execute(odd, [*parameters, NO_SCALAR]).fetchone() is None
        return where, parameters, whole

    def _matching(
        self, criteria: dict[str, Any] | None, sort: Order = None, skip: int = 0, limit: int = 0
    ) -> list[int]:
        """Numbers of the documents that match, in the order asked for."""
        where, parameters, whole = self._narrow(criteria)
        found = [row[0] for row in self._collection.execute(f"SELECT id FROM documents WHERE {where}", parameters)]
        found.sort()
        if whole and (not sort or len(found) < 2):
            return found[skip : skip + limit if limit else None]
        output = any(word in repr((criteria, sort)) for word in ("output", "$where", "$expr"))
        fields = dict.fromkeys(sort or (), 1) | {"_id": 1}
        matching: list[dict[str, Any]] = []
        for documents in self._load(found, output):
            matching += _in_memory(documents).query(criteria, fields)
        return [each["_id"] for each in _in_memory(matching).query({}, {"_id": 1}, sort, skip=skip, limit=limit)]

    def _load(self, numbers: list[int], output: bool) -> Iterator[list[dict[str, Any]]]:
        """Read documents, a few at a time, so that neither memory nor a lock is held for long."""
        columns = "id, head, output" if output else "id, head, NULL"
        for start in range(0, len(numbers), BATCH):
            part = numbers[start : start + BATCH]
            these = f"SELECT {columns} FROM documents WHERE id IN (?{', ?' * (len(part) - 1)})"
            rows = {row[0]: row for row in self._collection.execute(these, part)}
            yield [document_of(*rows[number]) for number in part if number in rows]

    def _is_valid(self, document: dict[str, Any]) -> bool:
        if self.validator is None or self.validator.is_valid(document):
            return True
        errors = self.validator.validation_errors(document)
        if self.validator.strict:
            raise ValueError(errors)
        self.logger.error(errors)
        return False


def _in_memory(documents: Iterable[dict[str, Any]]) -> MemoryStore:
    """Documents in maggma's own store, which knows MongoDB's language."""
    store = MemoryStore()
    store.connect()
    if listed := list(documents):
        store._collection.insert_many(listed)
    return store


def _wants_output(properties: Properties) -> bool:
    wanted = properties if isinstance(properties, dict) else dict.fromkeys(properties or (), 1)
    named = {name: value for name, value in wanted.items() if name != "_id"}
    if any(named.values()) and not any(isinstance(value, dict) for value in named.values()):
        return any(name.split(".")[0] == "output" for name in named)
    return "output" not in named
