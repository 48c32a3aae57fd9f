"""Syncing beside the road: begun, told by the descriptor, waited for; and the same where the kernel cannot do it so."""

import os
from collections.abc import Iterator
from pathlib import Path
from select import select

import pytest

from relet.store import flush
from relet.store.flush import Flush

LONG_S = 10.0


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.pwrite(descriptor, bytes(8192), 0)
    yield descriptor
    os.close(descriptor)


def test_what_was_begun_is_told_once_by_the_descriptor(file: int) -> None:
    sync = Flush()
    assert sync.done()
    for _ in range(3):
        sync.begin(file)
        assert select([sync], [], [], LONG_S)[0] == [sync]
        assert sync.done()
        sync.wait()
        assert select([sync], [], [], 0)[0] == []
    sync.close()
    sync.close()


def test_who_waits_at_once_leaves_nothing_behind(file: int) -> None:
    sync = Flush()
    for _ in range(3):
        sync.begin(file)
        sync.wait()
        assert sync.done()
        assert select([sync], [], [], 0)[0] == []
    sync.close()


def test_a_file_that_cannot_be_synced_is_an_error() -> None:
    reader, writer = os.pipe()
    sync = Flush()
    with pytest.raises(OSError, match="Invalid argument"):
        sync.begin(writer)
    sync.wait()  # it is told once
    sync.close()
    os.close(reader)
    os.close(writer)


def test_a_machine_whose_calls_are_not_known_syncs_at_once(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(flush, "machine", lambda: "pdp11")
    monkeypatch.setattr(os, "fdatasync", synced.append)
    sync = Flush()
    sync.begin(file)
    assert synced == [file]
    assert sync.done()
    sync.wait()
    sync.close()


def test_this_machine_does_it_beside_the_road(file: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fdatasync(_: int) -> None:
        raise AssertionError("synced on the road")

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    sync = Flush()
    sync.begin(file)
    sync.wait()
    sync.close()
