"""Working the tail off into the database.

A step moves the oldest records of the tail into `history` and brings `lease`, `by_address` and `by_client` up to date, in
one transaction that is synced; only then are the files of the tail given back. A step that did not come to its end is done
again: what is in `history` already is known by its number.

Another thread may need the interpreter's lock meanwhile. SQLite runs without it, what was committed is decoded in C, and
many rows go into the database with one statement, so it is held for some hundred microseconds at a time.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from threading import Lock

from relet.errors import StoreError
from relet.store import record, rows
from relet.store.segment import Segment
from relet.store.tail import Tail
from relet.store.transaction import named, transaction

ROWS = 200
"""Rows that go into the history with one statement."""

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


class Fold:
    """The fold of a store's tail into its database. Steps exclude each other, whoever asks for them."""

    def __init__(self, path: Path, connection: sqlite3.Connection, tail: Tail) -> None:
        self._path = path
        self._written = (path, path.with_name(path.name + "-shm"))
        self._connection = connection
        self._tail = tail
        self._alone = Lock()
        self._sure = False
        self.folded_to = rows.folded_to(connection)

    def step(self, limit: int) -> int:
        """Work off the oldest changes, at most so many; how many there were. Raises StoreError."""
        with self._alone, named(self._path):
            with self._writing(), transaction(self._connection):
                count, upto, done = self._step(max(limit, 0))
            self.folded_to = upto
            for segment, offset in done.items():
                segment.folded = offset
            if not self._sure:  # an earlier process may have committed what was never synced
                (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                self._sure = not busy
            if self._sure:
                self._tail.release(upto)
            return count

    def interrupt(self) -> None:
        """Have the step that is being done undone, from another thread."""
        self._connection.interrupt()

    def _step(self, limit: int) -> tuple[int, int, dict[Segment, int]]:
        """How many changes, the last of them, and how far that is in the files of the tail."""
        done: dict[Segment, int] = {}
        after = rows.folded_to(self._connection)
        newest = rows.last_number(self._connection)
        if newest > after:  # the tail of an older version, which was kept in the database
            upto, count = rows.oldest(self._connection, limit)
        else:
            upto, count = self._move(after, limit, done)
        if count:
            for statement in _FOLD:
                self._connection.execute(statement, {"after": after, "upto": upto})
        return count, upto, done

    def _move(self, after: int, limit: int, done: dict[Segment, int]) -> tuple[int, int]:
        """Append the oldest changes of the tail to the history; the last of them, and how many there were."""
        moved = 0
        lines = islice(self._lines(after, done), limit)
        while batch := list(islice(lines, ROWS)):
            self._connection.execute(rows.append(len(batch)), list(chain.from_iterable(batch)))
            moved += len(batch)
            after = batch[-1][0]
        return after, moved

    def _lines(self, after: int, done: dict[Segment, int]) -> Iterator[rows.HistoryRow]:
        """Rows of the history for the changes behind this number."""
        for segment, found in self._tail.records(after):
            first, at, batch = record.rows(found.payload)
            skipped = max(after + 1 - first, 0)
            for number, row in enumerate(batch[skipped:], first + skipped):
                yield (number, at, *row)
            done[segment] = found.after

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """SQLite maps the -shm file into memory: a write there when the file system has become read-only would end the
        process by SIGBUS, so the kernel is asked first."""
        for path in self._written:
            if not os.access(path, os.W_OK, effective_ids=True):
                raise StoreError(f"{path} cannot be written; is it there, and are it and its file system writable?")
        yield
