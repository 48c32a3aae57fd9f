"""Working the tail off into the database, and the thread that does it beside the road.

A step moves the oldest records of the tail into `history` and brings `lease`, `by_address` and `by_client` up to date, in
one transaction that is synced; only then are the files of the tail given back. A step that did not come to its end is done
again: what is in `history` already is known by its number.

The thread shares the interpreter's lock with the road. SQLite and the system calls run without it, and many rows go into
the database with one statement, so it is held for some hundred microseconds at a time. Steps are sized to take
STEP_S, and between two the thread rests as long as REST says.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from threading import Event, Lock, Thread
from time import perf_counter

from relet.errors import ReletError, StoreError
from relet.store import record, rows
from relet.store.segment import Segment
from relet.store.tail import Tail
from relet.store.transaction import named, transaction

STEP_S = 0.1
"""So long shall a step of the thread take."""
STEP_MIN, STEP_MAX = 500, 20_000
"""Changes in one step of the thread. Large steps are cheaper: what is near in the tables is written together."""
REST = 1.0
"""For each second of folding, so many of rest, while there is more to do."""
SYNC_EVERY_S = 0.5
"""How often the thread syncs the tail where no commit does."""
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

    def step(self, limit: int) -> int:
        """Work off the oldest changes, at most so many; how many there were. Raises StoreError."""
        with self._alone, named(self._path):
            with self._writing(), transaction(self._connection):
                count, upto, done = self._step(max(limit, 0))
            for segment, offset in done.items():
                segment.folded = offset
            if not self._sure:  # an earlier process may have committed what was never synced
                (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                self._sure = not busy
            if self._sure:
                self._tail.release(upto)
            return count

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


class Background:
    """The thread. It begins with the first `tend` and ends with `close`.

    syncs: does it sync the tail, because no commit does?
    """

    def __init__(self, path: Path, fold: Fold, tail: Tail, syncs: bool) -> None:
        self._path = path
        self._fold = fold
        self._tail = tail
        self._syncs = syncs
        self._thread: Thread | None = None
        self._asked = Event()
        self._stopping = Event()
        self._failed: dict[str, str] = {}
        self._limit = STEP_MIN

    def tend(self, folds: bool) -> None:
        """Sync, and fold what there is if it shall, soon. Raises StoreError while the thread's work fails."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="relet-fold", daemon=True)
            self._thread.start()
        if folds:
            self._asked.set()
        self.check()

    def check(self) -> None:
        """Raises StoreError if something failed the last time that it was done."""
        for error in tuple(self._failed.values()):
            raise StoreError(error)

    def close(self) -> None:
        """Let the step that is being done come to its end. Idempotent."""
        self._stopping.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            asked = self._asked.wait(SYNC_EVERY_S if self._syncs else None)
            self._asked.clear()
            self.round(asked)

    def round(self, folds: bool) -> None:
        """What the thread does when it wakes up."""
        if self._syncs:
            self._try(self._sync)
        if folds:
            self._try(self._prepare)
            self._try(self._work_off)

    def _try(self, work: Callable[[], None]) -> None:
        """The failure of a piece of work is kept until it succeeds."""
        try:
            with named(self._path):
                work()
        except ReletError as error:
            self._failed[work.__name__] = str(error)
        except Exception as error:  # a bug of ours must not end the thread in silence
            self._failed[work.__name__] = f"{self._path}: {error!r}"
        else:
            self._failed.pop(work.__name__, None)

    def _sync(self) -> None:
        self._tail.sync()

    def _prepare(self) -> None:
        self._tail.prepare()

    def _work_off(self) -> None:
        """Steps, until there is little left or the end has come."""
        while not self._stopping.is_set():
            began = perf_counter()
            done = self._fold.step(self._limit)
            took = perf_counter() - began
            if done < self._limit:
                return
            self._limit = min(max(int(self._limit * min(STEP_S / took, 2.0)), STEP_MIN), STEP_MAX)
            self._stopping.wait(took * REST)
            if self._syncs:
                self._try(self._sync)
            self._tail.prepare()
