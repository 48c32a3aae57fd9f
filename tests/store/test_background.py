"""The thread that folds beside the road: it does its work, tells what fails, and ends with its store."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from relet.errors import StoreError
from relet.model.lease import Sync
from relet.store.background import ENOUGH, LONG, QUIET, STEP_MIN
from relet.store.fold import Fold
from relet.store.segment import Record, Segment
from relet.store.sqlite import SqliteStore
from relet.store.tail import Tail
from support.leases import grant

PATIENCE_S = 20.0


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Sync], SqliteStore]]:
    stores: list[SqliteStore] = []

    def make(sync: Sync) -> SqliteStore:
        stores.append(SqliteStore(tmp_path / "leases.db", sync=sync))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


class Watch:
    """Waits for calls of a method, from whatever thread, and makes them fail as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self._called = threading.Semaphore(0)
        self._real = getattr(owner, name)
        self.error: Exception | None = None
        self.threads: set[str] = set()

        def watched(*given: object) -> object:
            self.threads.add(threading.current_thread().name)
            try:
                if self.error is not None:
                    raise self.error
                return self._real(*given)
            finally:
                self._called.release()

        monkeypatch.setattr(owner, name, watched)

    def wait(self) -> None:
        assert self._called.acquire(timeout=PATIENCE_S)


Opened = Callable[[Sync], SqliteStore]


def test_it_works_off_everything_there_is_once_it_is_quiet(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened("batch")
    for start in range(0, 3 * STEP_MIN, 100):
        store.commit([grant(number, who=number) for number in range(start, start + 100)], 1.0)
    history = store.history(limit=10_000)
    steps = Watch(monkeypatch, Fold, "step")
    monkeypatch.setattr(Tail, "scarce", lambda _: False)
    store.tend()
    assert not store._background._asked.is_set(), "more may come"
    store.tend()  # nothing came
    for _ in range(3):
        steps.wait()
    assert steps.threads == {"relet-fold"}
    while store.fold(10_000):  # what is left
        pass
    assert store.history(limit=10_000) == history
    store.close()
    assert "relet-fold" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("changes", "tail", "due"),
    [(0, 1, 1), (1, ENOUGH - 1, 0), (QUIET, ENOUGH, 1), (QUIET + 1, LONG - 1, 0), (QUIET + 1, LONG, 1)],
)
def test_while_changes_come_they_gather(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, changes: int, tail: int, due: int
) -> None:
    store = opened("batch")
    background, fold = store._background, store._fold
    monkeypatch.setattr(background, "_loops", [])
    store.commit([grant(number) for number in range(1, 10)], 1.0)
    monkeypatch.setattr(Tail, "scarce", lambda _: False)
    background.tend(folds=False)
    store.commit([grant(number, who=number) for number in range(10, 10 + changes)], 2.0)
    fold.folded_to = store._tail.last - tail
    background.tend(folds=True)
    assert background._asked.is_set() is (due == 1)


def test_a_file_is_laid_ready_whatever_is_folded(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened("batch")
    background, tail = store._background, store._tail
    monkeypatch.setattr(background, "_loops", [(lambda: None, "idle")])
    assert tail.scarce()
    background.tend(folds=False)
    assert (tail.scarce(), background._asked.is_set()) == (False, False)
    store.commit([grant(1)], 1.0)  # it is used
    background.tend(folds=False)
    assert background._asked.is_set()
    background.round()
    assert (tail.scarce(), store._fold.folded_to) == (False, 0)


def test_an_end_in_the_middle_of_a_step_undoes_it(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened("batch")
    for start in range(0, 50, 10):
        store.commit([grant(number, who=number) for number in range(start, start + 10)], 1.0)
    leases, begun, go_on = list(store.all()), threading.Event(), threading.Event()
    real = Tail.records

    def slow(tail: Tail, after: int) -> Iterator[tuple[Segment, Record]]:
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return real(tail, after)

    monkeypatch.setattr(Tail, "records", slow)
    interrupt = Fold.interrupt

    def interrupted(fold: Fold) -> None:
        interrupt(fold)
        go_on.set()

    monkeypatch.setattr(Fold, "interrupt", interrupted)
    store.tend()
    store.tend()
    assert begun.wait(PATIENCE_S)
    store.close()
    again = SqliteStore(store._path)
    assert list(again.all()) == leases
    assert [entry.number for entry in again.history(limit=100)] == list(range(50, 0, -1))
    again.close()


def test_there_is_no_thread_before_it_is_asked_for_and_nothing_to_end(opened: Opened) -> None:
    store = opened("batch")
    store.commit([grant(1)], 1.0)
    assert "relet-fold" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (StoreError("the disk is full"), "^the disk is full$"),
        (OSError(errno.EIO, "Input/output error"), r"leases\.db: Input/output error"),
        (ZeroDivisionError("a bug"), r"leases\.db: ZeroDivisionError\('a bug'\)"),
    ],
)
def test_what_fails_is_told_until_it_succeeds(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, error: Exception, says: str
) -> None:
    store = opened("batch")
    store.commit([grant(1)], 1.0)
    steps, background = Watch(monkeypatch, Fold, "step"), store._background
    steps.error = error
    for _ in range(2):
        background.round()
        with pytest.raises(StoreError, match=says):
            background.check()
    assert not store.commit([grant(2)], 2.0).refused
    steps.error = None
    background.round()
    background.check()
    assert store.fold() == 0
    assert [entry.number for entry in store.history()] == [2, 1]


def test_a_thread_whose_work_failed_goes_on(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened("batch")
    steps = Watch(monkeypatch, Fold, "step")
    steps.error = ZeroDivisionError("a bug")
    store.tend()
    steps.wait()
    with suppress(StoreError):
        store.tend()
    steps.wait()
    assert steps.threads == {"relet-fold"}


def test_interval_syncs_beside_the_road(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened("interval")
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    store.commit([grant(1)], 1.0)
    assert synced == []
    syncs = Watch(monkeypatch, Tail, "sync")
    store.tend()
    syncs.wait()
    syncs.wait()
    assert synced == [store._tail._segments[0].descriptor]
    assert syncs.threads == {"relet-sync"}


def test_an_end_in_good_order_syncs_what_was_to_be_synced_soon(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened("interval")
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    store.commit([grant(1)], 1.0)
    store.close()
    assert len(synced) == 1


def test_os_never_syncs_the_tail(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened("os")
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    syncs, steps = Watch(monkeypatch, Tail, "sync"), Watch(monkeypatch, Fold, "step")
    store.commit([grant(1)], 1.0)
    store.tend()
    store.tend()
    steps.wait()
    store.close()
    assert synced == []
    assert syncs.threads == set()


def test_nothing_is_folded_while_the_store_is_being_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SqliteStore(tmp_path / "leases.db")
    store.commit([grant(1)], 1.0)
    store.close()
    again = SqliteStore(tmp_path / "leases.db", load=False)
    steps = Watch(monkeypatch, Fold, "step")
    again.tend()
    list(again.loading())
    assert steps.threads == set()
    again.tend()
    steps.wait()
    again.close()
