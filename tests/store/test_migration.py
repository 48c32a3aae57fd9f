"""A file of version 1, as relet 0.1.0 made it, in the hands of this one."""

import gzip
import sqlite3
from pathlib import Path

import msgspec
import pytest

from relet.model.lease import Change
from relet.store.sqlite import SqliteReader, SqliteStore
from support.leases import lease

MADE = Path(__file__).parent / "files" / "schema-1.db.gz"
"""Two grants; the first address to another client; folded; a third grant."""
HELD = [lease(1, who=2), lease(2), lease(3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "leases.db"
    file.write_bytes(gzip.decompress(MADE.read_bytes()))
    return file


def schema(path: Path) -> set[tuple[str, ...]]:
    """Columns of every table and view."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    columns = {(name, *(row[1] for row in connection.execute(f"PRAGMA table_info({name})"))) for name in names}
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return columns | {("version", str(version))}


def test_a_reader_reads_it_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    reader = SqliteReader(path)
    assert list(reader.all()) == HELD
    assert [(entry.number, entry.who) for entry in reader.history()] == [(4, ""), (3, ""), (2, ""), (1, "")]
    reader.close()
    assert path.read_bytes() == before


def test_a_server_brings_it_up_to_date_and_loses_nothing(path: Path, tmp_path: Path) -> None:
    store = SqliteStore(path)
    assert list(store.all()) == HELD
    kept = msgspec.structs.replace(HELD[2], kept=True)
    assert not store.commit([Change(HELD[2], kept, "ada")], 20.0).refused
    while store.fold():
        pass
    store.close()
    fresh = tmp_path / "fresh.db"
    SqliteStore(fresh).close()
    assert schema(path) == schema(fresh)
    again = SqliteStore(path)
    assert list(again.all()) == [*HELD[:2], kept]
    newest, *older = again.history()
    assert (newest.number, newest.who, newest.lease) == (5, "ada", kept)
    assert [entry.who for entry in older] == [""] * 4
    again.close()


def test_what_fails_halfway_leaves_it_as_it_was(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("ALTER TABLE history ADD COLUMN who TEXT")  # somebody's own: the second of three fails
    connection.commit()
    connection.close()
    before = schema(path)
    with pytest.raises(Exception, match="duplicate column"):
        SqliteStore(path)
    assert schema(path) == before
