"""Copies of a store's files, taken between any two things that are done to them: each opens, and says what was said to be
committed by then, and at most the batch that was being committed besides."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from relet.model.lease import Change, Entry, Lease
from relet.store import tail as module
from relet.store.reader import SqliteReader
from relet.store.sqlite import SqliteStore
from relet.store.tail import Tail
from support.leases import client, lease

ADDRESSES, BATCHES, SIZE = 5, 8, 3

State = tuple[list[Lease], list[Entry]]


class Photographer:
    """Copies the folder before and after whatever is done. said: the state after each batch that was begun."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self._folder, self._copies = folder, copies
        self.taken: list[tuple[Path, int, str]] = []
        self.committed = 0

    def take(self, moment: str) -> None:
        copy = self._copies / str(len(self.taken))
        shutil.copytree(self._folder, copy)
        self.taken.append((copy / "leases.db", self.committed, moment))

    def around(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        """The same function, with a picture before and after it."""

        def photographed(*given: object) -> object:
            self.take(f"before {name}")
            try:
                return call(*given)
            finally:
                self.take(f"after {name}")

        return photographed


def batch(number: int, current: dict[int, Lease]) -> list[Change]:
    changes = []
    for position in range(number * SIZE, (number + 1) * SIZE):
        after = lease(position % ADDRESSES, who=position, starts=number)
        changes.append(Change(current.get(after.address), after))
        current[after.address] = after
    return changes


def state(source: SqliteStore | SqliteReader) -> State:
    return list(source.all()), list(source.history())


@pytest.mark.parametrize("spares", [0, 2])
def test_a_copy_of_any_moment_says_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spares: int
) -> None:
    folder, copies = tmp_path / "store", tmp_path / "copies"
    folder.mkdir()
    copies.mkdir()
    monkeypatch.setattr(module, "SPARES_MAX", spares)  # none: what is given back is gone at once
    monkeypatch.setattr(module, "SEGMENT_OCTETS", 1200)  # a few batches
    monkeypatch.setattr(module, "_ZEROS", bytes(1200))
    photographer = Photographer(folder, copies)
    current: dict[int, Lease] = {}
    said: list[State] = [([], [])]
    with monkeypatch.context() as patch:
        for call in ("pwrite", "fdatasync"):
            patch.setattr(os, call, photographer.around(call, getattr(os, call)))
        patch.setattr(Tail, "release", photographer.around("release", Tail.release))
        store = SqliteStore(folder / "leases.db")
        store._fold._connection.set_trace_callback(lambda statement: photographer.take(f"before {statement[:30]}"))
        for number in range(BATCHES):
            changes = batch(number, current)
            entries = [
                Entry(number * SIZE + position, float(number), change.after)
                for position, change in enumerate(changes, 1)
            ]
            said.append((sorted(current.values(), key=lambda each: each.address), entries[::-1] + said[-1][1]))
            assert not store.commit(changes, float(number)).refused
            photographer.committed = number + 1
            if number in (2, 5):
                store.fold(4)  # in the middle of a batch
                store._tail.prepare()
            if number in (3, 6):
                store.fold(1000)
        assert state(store) == said[-1]
        store.close()
    photographer.take("at the end")
    moments = {moment for _, _, moment in photographer.taken}
    assert {"before pwrite", "after fdatasync", "before COMMIT", "after release"} <= moments
    assert len(photographer.taken) > 70
    for path, committed, moment in photographer.taken:
        if path.exists():
            _holds(path, said[committed : committed + 2], moment)


def _holds(path: Path, allowed: list[State], moment: str) -> None:
    """A reader and then a server find one of these states in the copy, the same one, and the server can go on."""
    reader = SqliteReader(path)
    seen = state(reader)
    reader.close()
    assert seen in allowed, moment
    store = SqliteStore(path)
    assert state(store) == seen, moment
    leases, history = seen
    renewed = lease(77, who=99)
    assert not store.commit([Change(None, renewed)], 99.0).refused
    while store.fold(7):
        pass
    assert list(store.all()) == [*leases, renewed]
    assert [entry.number for entry in store.history()] == list(range(len(history) + 1, 0, -1))
    assert list(store.history())[1:] == history
    assert [entry.lease for entry in store.history(client(99))] == [renewed]
    store.close()
