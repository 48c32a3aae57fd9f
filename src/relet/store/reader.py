"""What a store's files say: the database and the tail beside it, for readers and for a server that starts.

The tail is read before the database. What is folded in between is in the database by then and known there by its number,
so nothing is missing and nothing counts twice, whatever a running server does in the meantime.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from sqlite3 import Connection

from relet.model.ident import ClientKey
from relet.model.lease import Entry, Lease, Loaded
from relet.store import record, rows, tail
from relet.store.index import Index
from relet.store.schema import connect_reads, identity, version
from relet.store.segment import Record
from relet.store.transaction import named, transaction


class SqliteReader:
    """A look into a store's files that never writes and never disturbs its server, whether one runs or not."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        with named(self._path):
            self._connection = connect_reads(self._path)

    def all(self) -> Iterator[Lease]:
        """Every lease, by address."""
        with named(self._path):
            index = Index()
            for _ in load(self._connection, self._tail(), index):
                pass
            return index.all()

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """The newest `limit` entries, newest first."""
        limit = max(limit, 0)
        with named(self._path):
            recent = self._tail()
            with transaction(self._connection, "DEFERRED"):
                newest = rows.last_number(self._connection)
                unfolded = (
                    entry
                    for entry in _entries(recent, newest)
                    if (client is None or entry.lease.client == client)
                    and (address is None or entry.lease.address == address)
                )
                found = tuple(islice(unfolded, limit))
                older = rows.history(self._connection, client, address, limit - len(found), version(self._connection))
                return (*found, *older)

    def _tail(self) -> list[Record]:
        """The records of the tail, the newest first."""
        mark = identity(self._connection)
        return tail.read(self._path, mark)[::-1] if mark else []

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._connection.close()


def load(connection: Connection, records: Iterable[Record], index: Index) -> Iterator[Loaded]:
    """Fill the index with what the files say at one moment, in steps. records: of the tail, the newest first.

    The newest comes first and what is there already stays, so a lease that the index knows is never an older one. What the
    operator keeps for somebody comes before the rest of the lease table.
    """
    schema = version(connection)
    with transaction(connection, "DEFERRED"):
        unfolded = (entry.lease for entry in _entries(records, rows.last_number(connection)))
        recent = iter(lambda: list(islice(unfolded, rows.PIECE)), [])
        for piece in chain(recent, rows.tail(connection, schema), rows.kept(connection, schema)):
            yield Loaded(index.add(piece), False)
        yield Loaded([], True)
        for piece in rows.folded(connection, schema):
            yield Loaded(index.add(piece), True)
    index.complete = True


def _entries(records: Iterable[Record], newest: int) -> Iterator[Entry]:
    """The changes in the records that the database, whose newest this is, does not have."""
    for found in records:
        if found.last > newest:
            for entry in record.entries(found.payload):
                if entry.number > newest:
                    yield entry
