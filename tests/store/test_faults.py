"""A store that cannot write says so, and nothing of the batch has happened."""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
    (pages,) = store._commits.execute("PRAGMA page_count").fetchone()
    for connection in (store._commits, store._folds):
        connection.execute(f"PRAGMA max_page_count = {pages}")
    yield
    for connection in (store._commits, store._folds):
        connection.execute("PRAGMA max_page_count = 1000000")


@contextmanager
def failing_writes(store: SqliteStore) -> Iterator[None]:
    """The kernel takes no octet behind the end of the log."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = store._path.with_name(store._path.name + "-wal")
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def held_by_another(store: SqliteStore) -> Iterator[None]:
    """Somebody at a SQL prompt has begun to write and gone to lunch."""
    store._commits.execute("PRAGMA busy_timeout = 0")
    store._folds.execute("BEGIN IMMEDIATE")
    yield
    store._folds.execute("ROLLBACK")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "leases.db")
    opened.commit([grant(0)], 1.0)
    yield opened
    opened.close()


@pytest.mark.parametrize("fault", [full_disk, failing_writes, held_by_another])
def test_a_failed_commit_changes_nothing_and_the_next_one_works(store: SqliteStore, fault: Fault) -> None:
    with fault(store):
        with pytest.raises(StoreError, match=r"leases\.db: "):
            store.commit(BIG, 2.0)
        assert list(store.all()) == [lease(0)]
    assert [entry.number for entry in store.history()] == [1]

    assert store.commit(BIG, 3.0).refused == frozenset()
    store.close()
    again = SqliteStore(store._path)
    assert [each.address for each in again.all()] == [lease(number).address for number in range(5000)]
    assert again.history(limit=1)[0].number == 5000
    again.close()


@pytest.mark.parametrize("fault", [full_disk, failing_writes])
def test_a_failed_fold_changes_nothing_and_the_next_one_works(store: SqliteStore, fault: Fault) -> None:
    store.commit(BIG, 2.0)
    leases, history = list(store.all()), store.history(limit=6000)
    with fault(store), pytest.raises(StoreError, match=r"leases\.db: "):
        store.fold(5000)
    assert store.history(limit=6000) == history
    assert store.fold(6000) == 5000
    store.close()
    again = SqliteStore(store._path)
    assert list(again.all()) == leases
    assert again.history(limit=6000) == history
    again.close()


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
