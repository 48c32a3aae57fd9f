"""A store that cannot write says so, and nothing of the batch has happened."""

import errno
import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from relet.errors import StoreError
from relet.model.lease import Change
from relet.store.sqlite import SqliteStore
from support.leases import grant, lease

BIG = [grant(number, who=number) for number in range(1, 5000)]

Fault = Callable[[SqliteStore], AbstractContextManager[None]]


@contextmanager
def full_disk(store: SqliteStore) -> Iterator[None]:
    """SQLite may not make the file any longer."""
    connection = store._fold._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    connection.execute("PRAGMA max_page_count = 1000000")


@contextmanager
def no_longer_files(octets: int) -> Iterator[None]:
    """The kernel takes nothing behind this place of any file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def failing_log(store: SqliteStore) -> AbstractContextManager[None]:
    """Nothing goes behind the end of SQLite's log."""
    return no_longer_files(store._path.with_name(store._path.name + "-wal").stat().st_size)


@contextmanager
def held_by_another(store: SqliteStore) -> Iterator[None]:
    """Somebody at a SQL prompt has begun to write and gone to lunch."""
    store._fold._connection.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(store._path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def failing_writes(store: SqliteStore) -> AbstractContextManager[None]:
    """The tail can be made longer by some octets, but not by a batch."""
    return no_longer_files(_tail(store, 1).stat().st_size + 1000)


@contextmanager
def failing_syncs(store: SqliteStore) -> Iterator[None]:  # noqa: ARG001
    """What was written is there, but the disk cannot vouch for it."""

    def fail(descriptor: int) -> None:  # noqa: ARG001
        raise OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        yield


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "leases.db")
    opened.commit([grant(0)], 1.0)
    yield opened
    opened.close()


@pytest.mark.parametrize("fault", [failing_writes, failing_syncs])
def test_a_failed_commit_changes_nothing_and_the_next_one_works(store: SqliteStore, fault: Fault) -> None:
    with fault(store):
        for _ in range(3):
            with pytest.raises(StoreError, match=r"leases\.db: "):
                store.commit(BIG, 2.0)
        assert list(store.all()) == [lease(0)]
    assert [entry.number for entry in store.history()] == [1]

    assert store.commit(BIG[1:], 3.0).refused == frozenset()
    expected = [lease(number) for number in (0, *range(2, 5000))]
    for folded in (0, 6000):
        store.fold(folded)
        store.close()
        store = SqliteStore(store._path)
        assert [each.address for each in store.all()] == [each.address for each in expected]
        assert store.history(limit=1)[0].number == 4999
        assert len(store.history(limit=6000)) == 4999
    store.close()


@pytest.mark.parametrize("fault", [full_disk, failing_log, held_by_another])
def test_a_failed_fold_changes_nothing_costs_no_commit_and_the_next_one_works(store: SqliteStore, fault: Fault) -> None:
    store.commit(BIG, 2.0)
    with fault(store):
        with pytest.raises(StoreError, match=r"leases\.db: "):
            store.fold(6000)
        if fault is not failing_log:  # which lets no file become longer
            store.commit([grant(5000, who=5000)], 3.0)
    leases, history = list(store.all()), store.history(limit=6000)
    assert [entry.number for entry in history] == list(range(len(leases), 0, -1))
    assert store.fold(6000) == len(leases)
    assert store.history(limit=6000) == history
    store.close()
    again = SqliteStore(store._path)
    assert list(again.all()) == leases
    assert again.history(limit=6000) == history
    again.close()


def test_a_folder_that_is_not_to_be_found_fails_as_a_store_does_until_it_is_back(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    store = SqliteStore(folder / "leases.db")
    store.commit([grant(0)], 1.0)
    store._tail.prepare()
    open_files = len(list(Path("/proc/self/fd").iterdir()))
    folder.rename(tmp_path / "away")
    folder.touch()
    with pytest.raises(StoreError, match=r"leases\.db: Not a directory .*tail\.1"):
        store.tend()
    for _ in range(3):
        with pytest.raises(StoreError, match=r"leases\.db: Not a directory"):
            store.commit([grant(1)], 2.0)
    assert list(store.all()) == [lease(0)]
    folder.unlink()
    (tmp_path / "away").rename(folder)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_files
    assert not store.commit([grant(1)], 3.0).refused
    store.close()
    with closing(SqliteStore(store._path)) as again:
        assert list(again.all()) == [lease(0), lease(1)]


def test_a_closed_store_says_so(store: SqliteStore) -> None:
    store.close()
    for use in (lambda: store.commit([grant(1)], 2.0), store.fold, store.history):
        with pytest.raises(StoreError, match="closed"):
            use()
    assert list(store.all()) == [lease(0)]


def test_a_lease_that_cannot_be_written_costs_its_batch_and_nothing_else(store: SqliteStore) -> None:
    bad = msgspec.structs.replace(lease(2), hostname="\udcff")
    with pytest.raises(UnicodeEncodeError):
        store.commit([grant(1), Change(None, bad)], 2.0)
    assert list(store.all()) == [lease(0)]
    assert store.commit([grant(1)], 3.0).refused == frozenset()


def _tail(store: SqliteStore, number: int) -> Path:
    return store._path.with_name(f"{store._path.name}.tail.{number}")
