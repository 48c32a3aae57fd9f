"""Looking on from outside: while the server runs, when it does not, and without the right to write."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from relet.store.reader import SqliteReader
from relet.store.sqlite import SqliteStore
from support.leases import client, fill, grant, lease

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leases.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path)
    yield opened
    opened.close()


def test_a_reader_follows_a_running_server(path: Path, store: SqliteStore) -> None:
    fill(store)
    reader = SqliteReader(path)
    for _ in range(13):
        assert list(reader.all()) == list(store.all())
        assert list(reader.history()) == list(store.history())
        assert reader.history(client=client(9)) == store.history(client=client(9))
        store.fold(1)
    store.commit([grant(40)], 9.0)
    assert reader.history(limit=1)[0].lease == lease(40)
    reader.close()
    reader.close()


def test_a_reader_needs_no_server_and_changes_nothing(path: Path, store: SqliteStore) -> None:
    fill(store)
    leases = list(store.all())
    store.close()
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    reader = SqliteReader(path)
    assert list(reader.all()) == leases
    assert len(reader.history()) == 12
    reader.close()
    assert {file: file.read_bytes() for file in before} == before
    SqliteStore(path).close()


def test_a_reader_cannot_write(path: Path, store: SqliteStore) -> None:
    store.commit([grant(1)], 1.0)
    reader = SqliteReader(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM history")
    reader.close()


def test_a_reader_without_the_right_to_write_reads_a_stopped_server() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        store = SqliteStore(folder / "leases.db")
        fill(store)
        store.close()
        folder.chmod(0o555)
        child = os.fork()
        if child == 0:
            os._exit(_leases_seen_by_nobody(folder / "leases.db"))
        seen = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        folder.chmod(0o755)
    assert seen == 6


def _leases_seen_by_nobody(path: Path) -> int:
    """Exit code: the number of leases, 99 for any error."""
    try:
        if os.geteuid() == 0:
            os.setuid(NOBODY)
        return len(list(SqliteReader(path).all()))
    except BaseException:
        return 99
