"""Files of earlier versions in the hands of this one."""

import gzip
import sqlite3
from pathlib import Path

import msgspec
import pytest

from relet.errors import StoreError
from relet.model.lease import Change
from relet.store.reader import SqliteReader
from relet.store.sqlite import SqliteStore
from support.leases import client, lease

FILES = Path(__file__).parent / "files"

KEPT = msgspec.structs.replace(lease(2), kept=True)
MADE = {
    # two grants; the first address to another client; folded; a third grant
    1: ([lease(1, who=2), lease(2), lease(3)], ["", "", "", ""]),
    # the same, by an operator; in the tail, also the second address is kept
    2: ([lease(1, who=2), KEPT, lease(3)], ["ada", "", "ada", "", ""]),
}
"""What files of earlier versions hold: leases, and who ordered each change, the newest first."""


@pytest.fixture(params=MADE)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> int:
    version: int = request.param
    packed = (FILES / f"schema-{version}.db.gz").read_bytes()
    (tmp_path / "leases.db").write_bytes(gzip.decompress(packed))
    return version


@pytest.fixture
def path(made: int, tmp_path: Path) -> Path:  # noqa: ARG001
    return tmp_path / "leases.db"


def schema(path: Path) -> set[tuple[str, ...]]:
    """Columns of every table and view."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    columns = {(name, *(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))) for name in names}
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return columns | {("version", str(version))}


def test_a_reader_reads_it_as_it_is(path: Path, made: int) -> None:
    held, who = MADE[made]
    before = path.read_bytes()
    reader = SqliteReader(path)
    assert list(reader.all()) == held
    numbered = [(entry.number, entry.who) for entry in reader.history()]
    assert numbered == list(zip(range(len(who), 0, -1), who, strict=True))
    reader.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("folds", [0, 1, 100])
def test_a_server_brings_it_up_to_date_and_loses_nothing(path: Path, made: int, tmp_path: Path, folds: int) -> None:
    held, who = MADE[made]
    store = SqliteStore(path)
    reader = SqliteReader(path)
    assert list(store.all()) == list(reader.all()) == held
    kept = msgspec.structs.replace(held[2], kept=True)
    assert not store.commit([Change(held[2], kept, "eve")], 20.0).refused
    for _ in range(folds):
        store.fold(1)
    assert list(reader.all()) == [*held[:2], kept]
    reader.close()
    store.close()
    fresh = tmp_path / "fresh.db"
    SqliteStore(fresh).close()
    assert schema(path) == schema(fresh)
    again = SqliteStore(path)
    assert list(again.all()) == [*held[:2], kept]
    newest, *older = again.history()
    assert (newest.number, newest.who, newest.lease) == (len(who) + 1, "eve", kept)
    assert [entry.who for entry in older] == who
    assert [entry.number for entry in again.history(client(1))] == [n for n in range(len(who) + 1, 0, -1) if n != 3]
    again.close()


def test_what_fails_halfway_leaves_it_as_it_was(path: Path, made: int) -> None:
    connection = sqlite3.connect(path)
    if made == 1:
        connection.execute("ALTER TABLE history ADD COLUMN who TEXT")  # somebody's own: the second of three fails
    else:
        connection.execute("CREATE TABLE identity (name TEXT)")
    connection.commit()
    connection.close()
    before = schema(path)
    with pytest.raises(StoreError, match=r"duplicate column|already exists"):
        SqliteStore(path)
    assert schema(path) == before
