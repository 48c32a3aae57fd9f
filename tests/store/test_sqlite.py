"""What only the SQLite store does: it outlives its process, refuses strange files, and lets others look on."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from relet.errors import StoreError
from relet.model.lease import Change, Lease, Sync
from relet.store import tail
from relet.store.reader import SqliteReader
from relet.store.rows import PIECE
from relet.store.schema import connect
from relet.store.sqlite import SqliteStore
from support.leases import NET, client, fill, grant, lease


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leases.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    yield opened
    opened.close()


@pytest.fixture
def holed(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store whose tail is three files of one change each, without the second; that is beside it."""
    monkeypatch.setattr(tail, "SEGMENT_OCTETS", 10)
    store = SqliteStore(path)
    for number in range(1, 4):
        store.commit([grant(number, who=number)], 1.0)
    store.close()
    path.with_name("leases.db.tail.2").rename(path.with_name("away"))
    return path


def test_a_store_that_lacks_what_was_safe_is_not_opened_until_it_is_put_back(holed: Path) -> None:
    says = (
        r'changes 2 to 2, which come before .*\.tail\.3, are missing; put .* back, or start once with sync = "interval"'
    )
    for _ in range(2):
        with pytest.raises(StoreError, match=says):
            SqliteStore(holed)
    holed.with_name("away").rename(holed.with_name("leases.db.tail.2"))
    with closing(SqliteStore(holed)) as store:
        assert [entry.number for entry in store.history()] == [3, 2, 1]


def test_an_older_database_beside_the_tail_is_not_opened(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "SEGMENT_OCTETS", 10)
    SqliteStore(path).close()
    shutil.copy(path, path.with_name("older"))
    with closing(SqliteStore(path)) as store:
        for number in range(1, 8):
            store.commit([grant(number, who=number)], 1.0)
            store.fold()
        store.commit([grant(8, who=8)], 1.0)
    path.with_name("older").rename(path)
    with pytest.raises(StoreError, match=r"changes 1 to \d, which come before .* are missing"):
        SqliteStore(path)


@pytest.mark.parametrize("sync", ["interval", "os"])
def test_where_a_power_failure_may_leave_a_hole_it_is_told_once_and_the_rest_is_kept(holed: Path, sync: Sync) -> None:
    with closing(SqliteStore(holed, sync=sync)) as store:
        with pytest.raises(StoreError, match=r"changes 2 to 2, .* are missing$"):
            store.tend()
        store.tend()
        assert list(store.all()) == [lease(1, who=1), lease(3, who=3)]
        while store.fold():
            pass
    with closing(SqliteStore(holed)) as store:
        store.tend()
        assert [entry.number for entry in store.history()] == [3, 1]


@pytest.mark.parametrize(("sync", "synced"), [("batch", 3), ("interval", 0), ("os", 0)])
def test_every_commit_is_synced_where_it_shall_be(
    path: Path, sync: Sync, synced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "fdatasync", calls.append)
    store = SqliteStore(path, sync=sync)
    for number in range(3):
        store.commit([grant(number)], 1.0)
        assert (len(calls) == number + 1) is (synced > 0)
    assert len(calls) == synced
    store.close()


def test_what_is_folded_is_synced(path: Path) -> None:
    connection = connect(path)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


@pytest.mark.parametrize("folded", range(14))
def test_reopening_keeps_everything_after_any_number_of_folds(path: Path, folded: int) -> None:
    store = SqliteStore(path)
    fill(store)
    leases, history = list(store.all()), list(store.history())
    for _ in range(folded):
        store.fold(1)
    store.close()

    again = SqliteStore(path)
    assert list(again.all()) == leases
    assert list(again.history()) == history
    assert again.view([], []).leases(client(9)) == tuple(lease(number, who=9, starts=3000) for number in range(3))
    assert again.view([], []).leases(client(0)) == ()
    again.commit([grant(50)], 9.0)
    assert again.history(limit=1)[0].number == len(history) + 1
    again.close()


def test_numbers_go_on_when_the_history_was_cut_off(path: Path) -> None:
    store = SqliteStore(path)
    fill(store)
    store.fold()
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM history")
    connection.commit()
    connection.close()

    again = SqliteStore(path)
    again.commit([grant(50)], 9.0)
    assert [entry.number for entry in again.history()] == [13]
    again.close()
    last = SqliteStore(path)
    assert last.view([], []).lease(NET + 50) == lease(50)
    last.close()


def test_a_second_server_is_refused_by_name_and_may_come_later(path: Path, store: SqliteStore) -> None:
    link = path.with_name("other.db")
    link.symlink_to(path)
    for name in (path, link):
        with pytest.raises(StoreError, match=r"leases\.db is in use by another server \(process \d+\)"):
            SqliteStore(name)
    assert store.commit([grant(1)], 1.0).refused == frozenset()
    store.close()
    later = SqliteStore(path)
    assert list(later.all()) == [lease(1)]
    later.close()


def test_a_newer_schema_is_refused_and_the_lock_given_back(path: Path) -> None:
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 4")
    for opener in (SqliteStore, SqliteReader, SqliteStore):
        with pytest.raises(StoreError, match=r"leases\.db has schema 4, this relet knows 3"):
            opener(path)
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    SqliteStore(path).close()


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="not a lease store"):
        SqliteStore(path)
    with pytest.raises(StoreError, match="not a lease store"):
        SqliteReader(path)


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_text("dear diary, " * 100)
    with pytest.raises(StoreError, match=r"leases\.db: file is not a database"):
        SqliteStore(path)
    assert path.read_text() == "dear diary, " * 100


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere does not exist"):
        SqliteStore(tmp_path / "nowhere" / "leases.db")
    with pytest.raises(StoreError, match="does not exist; a server makes it"):
        SqliteReader(tmp_path / "leases.db")


def test_an_unknown_state_is_a_fault_of_the_file(path: Path, store: SqliteStore) -> None:
    store.commit([grant(1)], 1.0)
    store.fold()
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE lease SET state = 'lost'")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match=r"leases\.db: .*lost"):
        SqliteStore(path)


def test_an_operator_reads_it_with_plain_sql(path: Path, store: SqliteStore) -> None:
    fill(store)
    store.fold(12)
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT address, client, state, starts, hostname FROM leases_text ORDER BY address"
    ).fetchall()
    changes = connection.execute("SELECT count(*) FROM history_text WHERE address = '10.0.0.2'").fetchone()
    connection.close()
    assert rows[2] == ("10.0.0.2", "hw 01000000000009", "bound", "1970-01-01 00:50:00", "höst-9")
    assert len(rows) == 6
    assert changes == (3,)


MANY = PIECE * 2 + 10


@pytest.mark.parametrize("folded", [0, PIECE + 10, MANY], ids=["tail", "both", "folded"])
def test_a_store_is_read_in_steps_and_never_says_what_is_not_so(path: Path, folded: int) -> None:
    store = SqliteStore(path)
    store.commit([grant(number, who=number) for number in range(MANY)], 1.0)
    store.fold(folded)
    newest = [lease(number, who=number + 1, starts=2000) for number in range(0, MANY, 7)]
    store.commit([Change(lease(each.address - NET, who=each.address - NET), each) for each in newest], 2.0)
    leases = {each.address: each for each in store.all()}
    store.close()

    again = SqliteStore(path, load=False)
    assert list(again.all()) == []
    seen, told = [0], []
    for step in again.loading():
        told += step.leases
        known = list(again.all())
        assert len(known) == len(told)
        assert all(leases[each.address] == each for each in known)
        seen.append(len(known))
    assert seen == sorted(seen)
    assert seen[-1] == MANY
    assert max(after - before for before, after in pairwise(seen)) <= PIECE
    assert list(again.all()) == [lease for _, lease in sorted(leases.items())]
    for number in (1, MANY - 1):
        expected = [each for _, each in sorted(leases.items()) if each.client == client(number)]
        assert list(again.view([], []).leases(client(number))) == expected
    assert {each.address: each for each in told} == leases
    assert {each.address: each for step in again.loading() for each in step.leases} == leases
    again.close()


def test_what_an_operator_keeps_for_somebody_is_known_before_the_rest_of_the_table(path: Path) -> None:
    store = SqliteStore(path)
    many = [lease(number, who=number) for number in range(MANY)]
    many[-1] = msgspec.structs.replace(many[-1], kept=True)
    many[-2] = msgspec.structs.replace(many[-2], kept=True)
    store.commit([Change(None, each) for each in many], 1.0)
    store.fold(MANY)
    let_go = msgspec.structs.replace(many[-2], kept=False)
    store.commit([Change(many[-2], let_go)], 2.0)
    store.close()

    again = SqliteStore(path, load=False)
    known: list[Lease] = []
    for step in again.loading():
        if step.kept:
            break
        known += step.leases
    assert sorted(known, key=lambda each: each.address) == [let_go, many[-1]]
    again.close()


def test_a_half_read_store_refuses_what_it_cannot_know_and_keeps_what_is_newer(path: Path) -> None:
    store = SqliteStore(path)
    store.commit([grant(number, who=number) for number in range(MANY)], 1.0)
    store.fold(MANY)
    store.close()

    again = SqliteStore(path, load=False)
    assert again.commit([grant(1), grant(MANY)], 2.0).refused == {0, 1}
    loading = again.loading()
    while not next(loading).leases:
        pass
    renewed = lease(1, who=9, starts=5000)
    assert again.commit([Change(lease(1), renewed), grant(MANY - 1)], 3.0).refused == {1}
    assert again.fold() == 0
    assert sum(1 for _ in loading) > 1
    assert again.view([], []).lease(NET + 1) == renewed
    assert again.view([], []).leases(client(1)) == ()
    assert again.commit([grant(MANY)], 4.0).refused == frozenset()
    again.close()
    last = SqliteStore(path)
    assert last.view([], []).lease(NET + 1) == renewed
    assert len(list(last.all())) == MANY + 1
    last.close()


def test_a_file_that_cannot_be_read_to_its_end_says_so_and_can_be_closed(path: Path, store: SqliteStore) -> None:
    store.commit([grant(1)], 1.0)
    store.fold()
    store.close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE lease SET state = 'lost'")
    connection.commit()
    connection.close()
    again = SqliteStore(path, load=False)
    with pytest.raises(StoreError, match=r"leases\.db: .*lost"):
        list(again.loading())
    assert again.commit([grant(2)], 2.0).refused == {0}
    again.close()
