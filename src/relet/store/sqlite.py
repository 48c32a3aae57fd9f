"""Leases that survive: one SQLite file, written by one server (the default store).

Reads come from the index in memory. `commit` appends the changes to the history in one synced transaction and only then
changes the index, so what the index says is safe on disk. `fold` works the history off into the lease table; it can be
late or never happen, it only makes the next start and questions about the past faster. Not for several threads, and
nothing here decides who gets what.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from pathlib import Path

from relet.errors import StoreError
from relet.model.ident import ClientKey
from relet.model.lease import Change, Committed, Entry, Lease, View
from relet.store import rows
from relet.store.index import Index
from relet.store.lock import FileLock
from relet.store.schema import VERSION, connect_commits, connect_folds, connect_reads, version

_FOLD = (
    f"""REPLACE INTO lease ({rows.LEASE_COLUMNS})
        SELECT {rows.LEASE_COLUMNS} FROM
            (SELECT max(number), * FROM history WHERE number > :after AND number <= :upto GROUP BY address)""",
    """INSERT INTO by_address SELECT address, number FROM history
        WHERE number > :after AND number <= :upto ORDER BY address, number""",
    """INSERT INTO by_client SELECT client, number FROM history
        WHERE number > :after AND number <= :upto ORDER BY client, number""",
    "UPDATE watermark SET folded_to = :upto",
)


class SqliteStore:
    """`Leases` in a file. Opening raises StoreError if the file is in use, foreign, too new or unusable.

    load: read every lease at once; else the caller works `loading` off, and nothing is folded before it has come to its end.
    """

    def __init__(self, path: Path, load: bool = True) -> None:
        self._path = path.resolve()
        self._written = (self._path, self._path.with_name(self._path.name + "-shm"))
        if not self._path.parent.is_dir():
            raise StoreError(f"{self._path}: the directory {self._path.parent} does not exist")
        with ExitStack() as opened, _named(self._path):
            opened.callback(FileLock(self._path).release)
            self._commits = opened.enter_context(closing(connect_commits(self._path)))
            self._folds = opened.enter_context(closing(connect_folds(self._path)))
            self._number = rows.last_number(self._commits)
            self._index = Index()
            self._index.complete = False
            if load:
                _exhaust(self.loading())
            self._opened = opened.pop_all()

    def loading(self) -> Iterator[None]:
        """Read the tail and then the lease table, in steps; what the tail or a commit has said of an address stays."""
        if self._index.complete:
            return
        with _named(self._path), closing(connect_reads(self._path)) as connection:
            yield from _load(connection, self._index, VERSION)

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:  # noqa: ARG002
        """The whole index, whoever is asked for; it stays current by itself."""
        return self._index

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        """Append the changes that hold, sync, then take them into the index."""
        accepted, refused = self._index.sift(changes)
        if accepted:
            appended = rows.history_rows(accepted, self._number + 1, wall)
            with self._writing(self._commits):
                self._commits.executemany(rows.APPEND, appended)
            self._number += len(accepted)
            self._index.put(change.after for change in accepted)
        return Committed(refused)

    def all(self) -> Iterator[Lease]:
        """Every lease, by address."""
        return self._index.all()

    def snapshot(self) -> Iterator[Lease]:
        """Every lease in no order."""
        return self._index.snapshot()

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """The newest `limit` entries, newest first."""
        with _named(self._path):
            return rows.history(self._commits, client, address, limit, VERSION)

    def fold(self, limit: int = 1000) -> int:
        """Work off the oldest `limit` entries of the tail; how many there were. None while it is still being read."""
        if not self._index.complete:
            return 0
        with self._writing(self._folds):
            (after,) = self._folds.execute("SELECT folded_to FROM watermark").fetchone()
            upto, count = self._folds.execute(
                "SELECT max(number), count(*) FROM (SELECT number FROM tail ORDER BY number LIMIT ?)", (max(limit, 0),)
            ).fetchone()
            if count:
                for statement in _FOLD:
                    self._folds.execute(statement, {"after": after, "upto": upto})
        return int(count)

    @contextmanager
    def _writing(self, connection: sqlite3.Connection) -> Iterator[None]:
        """A transaction that writes. SQLite maps the -shm file into memory: a write there when the file system has become
        read-only would end the process by SIGBUS, so the kernel is asked first."""
        for path in self._written:
            if not os.access(path, os.W_OK, effective_ids=True):
                raise StoreError(f"{path} cannot be written; is it there, and are it and its file system writable?")
        with _named(self._path), _transaction(connection):
            yield

    def close(self) -> None:
        """Close the file and let another server have it. Idempotent."""
        self._opened.close()


class SqliteReader:
    """A look into a store's file that never writes and never disturbs its server, whether one runs or not."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        with _named(self._path):
            self._connection = connect_reads(self._path)
            self._version = version(self._connection)

    def all(self) -> Iterator[Lease]:
        """Every lease, by address."""
        with _named(self._path):
            index = Index()
            _exhaust(_load(self._connection, index, self._version))
            return index.all()

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """The newest `limit` entries, newest first."""
        with _named(self._path):
            return rows.history(self._connection, client, address, limit, self._version)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._connection.close()


def _exhaust(steps: Iterator[None]) -> None:
    for _ in steps:
        pass


def _load(connection: sqlite3.Connection, index: Index, schema: int) -> Iterator[None]:
    """Fill the index with what the file says at one moment. The newest comes first and what is there already stays, so a
    lease that the index knows is never an older one."""
    with _transaction(connection, "DEFERRED"):
        for piece in chain(rows.tail(connection, schema), rows.folded(connection, schema)):
            index.add(piece)
            yield
    index.complete = True


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Whatever SQLite says becomes a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}{_more(error)}") from error


def _more(error: sqlite3.Error) -> str:
    """What the system said when SQLite only says that something went wrong."""
    name = getattr(error, "sqlite_errorname", "")
    return f" ({name})" if name.startswith("SQLITE_IOERR") else ""
