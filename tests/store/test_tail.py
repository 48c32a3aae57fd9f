"""The files beside the store: what is torn, old, void or somebody else's is not taken for a change."""

import errno
import os
import re
import resource
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path

import pytest

from relet.errors import StoreError
from relet.store import tail as module
from relet.store.segment import RECORD_OCTETS
from relet.store.tail import SPARES_MAX, Tail, read

ID = bytes(range(16))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "leases.db"


def file(store: Path, number: int = 1) -> Path:
    return store.with_name(f"leases.db.tail.{number}")


def files(store: Path) -> list[str]:
    return sorted(path.name for path in store.parent.iterdir())


def fill(store: Path, *payloads: bytes, first: int = 1) -> None:
    """Append records of one change each, as a process of its own."""
    with closing(Tail(store, ID, True)) as tail:
        for number, payload in enumerate(payloads, first):
            tail.append(payload, number, 1)


def found(store: Path) -> list[tuple[int, bytes]]:
    """What a server that starts finds, and so does a reader."""
    with closing(Tail(store, ID, True)) as tail:
        records = [(record.number, record.payload) for _, record in tail.records(0)]
        assert tail.last == (records[-1][0] if records else 0)
    assert [(record.number, record.payload) for record in read(store, ID)] == records
    return records


def test_records_come_back_in_order_with_their_numbers(store: Path) -> None:
    with closing(Tail(store, ID, True)) as tail:
        tail.append(b"three", 1, 3)
        tail.append(b"one", 4, 1)
        assert [(record.number, record.last, record.payload) for _, record in tail.records(0)] == [
            (1, 3, b"three"),
            (4, 4, b"one"),
        ]
        assert [record.number for _, record in tail.records(2)] == [1, 4], "a record that is behind it in part"
        assert [record.number for _, record in tail.records(3)] == [4]
        assert list(tail.records(4)) == []
    assert found(store) == [(1, b"three"), (4, b"one")]


def test_a_record_that_is_torn_anywhere_is_none_and_those_before_it_stand(store: Path) -> None:
    fill(store, b"first", b"second")
    whole = file(store).read_bytes()
    begin = len(whole) - RECORD_OCTETS - len(b"second")
    for cut in range(begin, len(whole)):
        file(store).write_bytes(whole[:cut])
        assert found(store) == [(1, b"first")]
        file(store).write_bytes(whole[:cut] + bytes(len(whole) - cut))
        assert found(store) == [(1, b"first")]
        file(store).write_bytes(whole[:cut] + bytes((whole[cut] ^ 0x10,)) + whole[cut + 1 :])
        assert found(store) == [(1, b"first")]
    file(store).write_bytes(whole)
    assert found(store) == [(1, b"first"), (2, b"second")]


def test_records_behind_a_head_that_was_lost_never_come_back(store: Path) -> None:
    """Where no commit syncs, a power failure may leave a record and neither the head nor what stood before it. The file is
    begun anew then, and its first record may be as long as the one that was lost."""
    fill(store, b"first", b"other")
    begin = file(store).read_bytes().index(b"first") - RECORD_OCTETS
    behind = begin + RECORD_OCTETS + len(b"first")
    with file(store).open("r+b") as left:
        left.write(bytes(behind))
    assert found(store) == []
    fill(store, b"again")
    assert found(store) == [(1, b"again")]


def test_a_file_whose_head_is_torn_is_empty_and_used_again(store: Path) -> None:
    fill(store, b"first")
    whole = file(store).read_bytes()
    head = len(whole) - RECORD_OCTETS - len(b"first")
    for cut in range(head):
        file(store).write_bytes(whole[:cut] + bytes((whole[cut] ^ 1,)) + whole[cut + 1 :])
        assert found(store) == []
        file(store).write_bytes(whole[:cut])
        assert found(store) == []
    fill(store, b"anew")
    assert found(store) == [(1, b"anew")]
    assert files(store) == [file(store).name]


def test_behind_what_was_torn_a_new_process_goes_on_in_another_file(store: Path) -> None:
    fill(store, b"first", b"torn")
    whole = file(store).read_bytes()
    file(store).write_bytes(whole[:-1])
    fill(store, b"other", first=2)
    file(store).write_bytes(whole)  # what was torn was there after all
    assert found(store) == [(1, b"first"), (2, b"other")]


def test_what_a_file_held_before_is_not_taken_for_a_record_of_now(store: Path) -> None:
    with closing(Tail(store, ID, True)) as tail:
        for number in range(1, 4):
            tail.append(b"old", number, 1)
        tail._current = None
        tail.append(b"next", 4, 1)
        tail.release(3)
        tail._current = None
        tail.append(b"new", 5, 1)  # as long as the old one, so old records follow without a gap
        assert files(store) == [file(store, 1).name, file(store, 2).name]
        assert file(store).read_bytes().count(b"old") == 2
    assert found(store) == [(4, b"next"), (5, b"new")]


@contextmanager
def failing(call: str, after: int = 0) -> Iterator[None]:
    """A system call that fails, from its so-manieth time on."""
    real, calls = getattr(os, call), [0]

    def fail(*given: object) -> object:
        calls[0] += 1
        if calls[0] > after:
            raise OSError(errno.EIO, "Input/output error")
        return real(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, call, fail)
        yield


def test_a_record_that_could_not_be_synced_is_void_even_if_it_is_there(store: Path) -> None:
    with closing(Tail(store, ID, True)) as tail:
        tail.append(b"first", 1, 1)
        with failing("fdatasync"), failing("pwrite", after=1), pytest.raises(OSError, match="Input/output"):
            tail.append(b"unsure", 2, 5)
        assert b"unsure" in file(store).read_bytes()
        assert [record.payload for _, record in tail.records(0)] == [b"first"]
        tail.append(b"second", 2, 1)
        assert [record.payload for _, record in tail.records(0)] == [b"first", b"second"]
    assert found(store) == [(1, b"first"), (2, b"second")]


@pytest.mark.parametrize("call", ["fdatasync", "pwrite"])
def test_a_file_that_could_not_be_begun_costs_nothing(store: Path, call: str) -> None:
    with closing(Tail(store, ID, True)) as tail:
        for _ in range(3):
            with failing(call), pytest.raises(OSError, match="Input/output"):
                tail.append(b"unsure", 1, 1)
        assert list(tail.records(0)) == []
        tail.append(b"first", 1, 1)
    assert found(store) == [(1, b"first")]
    assert files(store) == [file(store).name]


def test_a_disk_that_takes_a_part_of_a_record_gets_the_next_one_at_the_same_place(store: Path) -> None:
    with closing(Tail(store, ID, True)) as tail:
        tail.append(b"first", 1, 1)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file(store).stat().st_size + 100, hard))
        with pytest.raises(OSError, match="File too large"):
            tail.append(bytes(200), 2, 1)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        tail.append(b"second", 2, 1)
    assert found(store) == [(1, b"first"), (2, b"second")]


def test_another_stores_tail_is_left_alone(store: Path) -> None:
    fill(store, b"first")
    other = bytes(16)
    for opener in (lambda: Tail(store, other, True), lambda: read(store, other)):
        with pytest.raises(
            StoreError, match=r"tail\.1 holds the newest changes of another store; .* move the file away"
        ):
            opener()
    assert found(store) == [(1, b"first")]


@pytest.mark.parametrize(("original", "copy"), [(1, 9), (9, 1)])
def test_an_older_copy_beside_a_file_is_never_taken_for_it(store: Path, original: int, copy: int) -> None:
    with closing(Tail(store, ID, True)) as tail:
        tail.append(b"first", 1, 1)
        older = file(store).read_bytes()
        tail.append(b"second", 2, 1)
    file(store).rename(file(store, original))
    file(store, copy).write_bytes(older)
    for opener in (lambda: Tail(store, ID, True), lambda: read(store, ID)):
        with pytest.raises(StoreError, match="are copies of one file; move the older one away") as told:
            opener()
        said = re.findall(r"tail\.(\d) \((?:changes )?up to (\d)\)", str(told.value))
        assert sorted(said) == sorted([(str(original), "2"), (str(copy), "1")])
    file(store, copy).unlink()
    assert found(store) == [(1, b"first"), (2, b"second")]


def test_strangers_beside_the_store_are_no_tail(store: Path) -> None:
    names = ["leases.db.tail.1.bak", "leases.db.tail.old", "other.db.tail.1", "leases.db.tail.", "leases.db-wal"]
    for name in names:
        store.with_name(name).write_bytes(b"mine")
    fill(store, b"first")
    assert found(store) == [(1, b"first")]
    assert all(store.with_name(name).read_bytes() == b"mine" for name in names)


def test_a_file_is_laid_ready_written_over_and_used_again(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_OCTETS", 1000)
    monkeypatch.setattr(module, "_ZEROS", bytes(300))
    with closing(Tail(store, ID, True)) as tail:
        tail.append(b"first", 1, 1)
        tail.prepare()
        tail.prepare()
        assert [file(store, 1).stat().st_size < 100, file(store, 2).stat().st_size] == [True, 1000]
        for number in range(2, 8):  # some 120 octets each: into the one that was laid ready
            tail.append(bytes(100), number, 1)
        assert [file(store, 1).stat().st_size < 100, file(store, 2).stat().st_size] == [True, 1000]
        tail.release(1)
        tail.prepare()
        assert file(store, 1).stat().st_size == 1000
        for number in range(8, 12):
            tail.append(bytes(100), number, 1)
        assert [record.number for _, record in tail.records(1)] == list(range(2, 12))
        assert len(files(store)) == 2
    assert [number for number, _ in found(store)] == list(range(2, 12))


def test_nothing_is_laid_ready_where_room_is_short(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPARE_FREE", 1 << 60)
    with closing(Tail(store, ID, True)) as tail:
        tail.prepare()
        assert files(store) == []


def test_files_that_are_not_needed_go(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_OCTETS", 100)
    with closing(Tail(store, ID, True)) as tail:
        for number in range(1, 11):
            tail.append(bytes(100), number, 1)
        assert len(files(store)) == 10
        tail.release(9)
        assert len(files(store)) == 1 + SPARES_MAX
        tail.release(10)
        assert [record.number for _, record in tail.records(0)] == [10], "the present file stays"
    assert [number for number, _ in found(store)][-1] == 10


def test_what_is_synced_later_cannot_be_appended_to_while_that_fails(store: Path) -> None:
    with closing(Tail(store, ID, False)) as tail:
        tail.append(b"first", 1, 1)
        with failing("fdatasync"), pytest.raises(OSError, match="Input/output"):
            tail.sync()
        with pytest.raises(StoreError, match=r"cannot sync .*tail\.1: Input/output error"):
            tail.append(b"second", 2, 1)
        tail.sync()
        tail.append(b"second", 2, 1)
        with failing("fdatasync"):  # nothing was appended
            tail._segments[0].synced = tail._segments[0].end
            tail.sync()
    assert found(store) == [(1, b"first"), (2, b"second")]


def test_a_file_is_not_given_back_while_it_is_synced(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be begun anew, or closed, and what it then holds be taken for synced."""
    monkeypatch.setattr(module, "SEGMENT_OCTETS", 100)
    real, synced = os.fdatasync, list[int]()
    with closing(Tail(store, ID, False)) as tail:
        for number in range(1, 4):
            tail.append(bytes(100), number, 1)
        first, folding = tail.segments()[0], threading.Thread(target=tail.release, args=(2,))

        def slow(descriptor: int) -> None:
            if not synced:
                folding.start()
                folding.join(0.05)
                assert folding.is_alive(), "it waits"
            synced.append(descriptor)
            real(descriptor)

        monkeypatch.setattr(os, "fdatasync", slow)
        tail.sync()
        folding.join()
        for number in range(4, 6):
            tail.append(bytes(100), number, 1)
        assert first in tail.segments()
        before = list(synced)
        tail.sync()
        assert first.descriptor in synced[len(before) :]


def test_a_file_that_was_given_back_need_not_be_synced(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEGMENT_OCTETS", 100)
    with closing(Tail(store, ID, False)) as tail:
        for number in range(1, 11):
            tail.append(bytes(100), number, 1)

        class Between:
            """Once the first file is synced, the folding thread comes in between and gives back the others."""

            def __enter__(self) -> None:
                pass

            def __exit__(self, *_: object) -> None:
                monkeypatch.setattr(tail, "_held", nullcontext())
                tail.release(9)

        monkeypatch.setattr(tail, "_held", Between())
        tail.sync()
        tail.append(bytes(100), 11, 1)


def test_a_file_that_somebody_removed_is_told_and_not_written_to_again(store: Path) -> None:
    with closing(Tail(store, ID, True)) as tail:
        tail.append(b"first", 1, 1)
        tail.check()
        file(store).unlink()
        with pytest.raises(StoreError, match=r"tail\.1 was removed"):
            tail.check()
        tail.check()
        tail.append(b"second", 2, 1)
        assert [record.payload for _, record in tail.records(0)] == [b"first", b"second"], "both can be folded"
        tail.release(1)
        tail._current = None
        tail.append(b"third", 3, 1)
        assert file(store, 3).exists()
        tail.check()
    assert found(store) == [(2, b"second"), (3, b"third")]
