"""Leases that survive: a SQLite file and the tail beside it, written by one server (the default store).

Reads come from the index in memory. `commit` appends the changes of a batch to the tail as one record, and only then
changes the index, so what the index says is safe on disk. The fold (fold.py, background.py) works the tail off into the
database in a thread of its own; it can be late or never happen, it only makes the next start and questions about the past
faster. Not for several threads, and nothing here decides who gets what.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from relet.errors import StoreError
from relet.model.ident import ClientKey
from relet.model.lease import Change, Committed, Entry, Lease, Loaded, Sync, View
from relet.store import record, rows
from relet.store.background import Background
from relet.store.fold import Fold
from relet.store.index import Index
from relet.store.lock import FileLock
from relet.store.reader import SqliteReader, load
from relet.store.schema import connect, connect_reads, identity
from relet.store.tail import Tail
from relet.store.transaction import named


class SqliteStore:
    """`Leases` in files. Opening raises StoreError if they are in use, foreign, too new or unusable.

    load: read every lease at once; else the caller works `loading` off, and nothing is folded before it has come to its end.
    sync: what a commit survives (model.lease.Sync).
    """

    def __init__(self, path: Path, load: bool = True, sync: Sync = "batch") -> None:
        self._path = path.resolve()
        if not self._path.parent.is_dir():
            raise StoreError(f"{self._path}: the directory {self._path.parent} does not exist")
        self._index = Index()
        self._index.complete = False
        with ExitStack() as opened, named(self._path):
            opened.callback(FileLock(self._path).release)
            connection = opened.enter_context(closing(connect(self._path)))
            self._tail = opened.enter_context(closing(Tail(self._path, identity(connection), sync == "batch")))
            newest = rows.last_number(connection)
            hole = self._tail.hole(newest)
            if hole and sync == "batch":  # at the other levels a power failure may do that
                raise StoreError(
                    f'{hole}; put their file back, or start once with sync = "interval" to go on without them'
                )
            self._number = max(newest, self._tail.last)
            self._fold = Fold(self._path, connection, self._tail)
            self._background = Background(self._path, self._fold, self._tail, sync == "interval", hole)
            opened.callback(self._background.close)
            self._reader = opened.enter_context(closing(SqliteReader(self._path)))
            if load:
                for _ in self.loading():
                    pass
            self._opened = opened.pop_all()

    def loading(self) -> Iterator[Loaded]:
        """Read the tail and then the lease table, in steps; what the tail or a commit has said of an address stays."""
        if self._index.complete:
            yield from self._index.pieces()
            return
        with named(self._path), closing(connect_reads(self._path)) as connection:
            newest = rows.last_number(connection)
            unfolded = [segment for segment in reversed(self._tail.segments()) if segment.last > newest]
            records = (found for segment in unfolded for found in reversed(segment.committed()))
            yield from load(connection, records, self._index)

    def view(self, clients: Iterable[ClientKey], addresses: Iterable[int]) -> View:  # noqa: ARG002
        """The whole index, whoever is asked for; it stays current by itself."""
        return self._index

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        """Append the changes that hold to the tail, then take them into the index."""
        accepted, refused = self._index.sift(changes)
        if accepted:
            octets = record.encode(accepted, self._number + 1, wall)
            with named(self._path):
                self._tail.append(octets, self._number + 1, len(accepted))
            self._number += len(accepted)
            self._index.put(change.after for change in accepted)
        return Committed(refused)

    def all(self) -> Iterator[Lease]:
        """Every lease, by address."""
        return self._index.all()

    def walk(self) -> Iterator[Lease]:
        """Every lease, by address, each as it is when it is come to."""
        return self._index.walk()

    def history(self, client: ClientKey | None = None, address: int | None = None, limit: int = 100) -> Sequence[Entry]:
        """The newest `limit` entries, newest first, as a reader finds them."""
        return self._reader.history(client, address, limit)

    def fold(self, limit: int = 1000) -> int:
        """Work off the oldest `limit` changes of the tail, now; how many there were. None while it is still being read."""
        return self._fold.step(limit) if self._index.complete else 0

    def tend(self) -> None:
        """Have the tail worked off beside the road."""
        self._background.tend(self._index.complete)

    def close(self) -> None:
        """Close the files and let another server have them. Idempotent."""
        self._opened.close()
