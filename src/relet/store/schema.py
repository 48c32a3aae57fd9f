"""The SQLite file: its tables, its version, and how it is opened.

The newest changes are not in it but in the tail beside it (tail.py); the fold moves them here. `history` is the record:
one row per change, appended and never touched again, with no index. What is folded is also in `lease` (the newest row of
each address) and in `by_address` and `by_client`, where the history of one of them is found. `watermark` says how far that
has come. Up to version 2 commits went into `history`, and its rows behind the watermark were the tail: the view of that
name, which only a file of that time still finds anything in. `identity` tells whose the files of a tail are. The views
are for people with a SQL prompt.
"""

import sqlite3
from pathlib import Path

from relet.errors import StoreError

APPLICATION_ID = 0x52454C54
"""'RELT' in the file's header: this is a lease store and nothing else."""

VERSION = 3
"""`PRAGMA user_version` of the tables below."""

BUSY_TIMEOUT_S = 1.0
"""How long to wait for somebody at a SQL prompt who holds the file."""

CHECKPOINT_PAGES = 8192
"""The fold's write-ahead log goes back into the file at this length (32 MiB)."""

LOG_OCTETS = 64 << 20
"""What is longer of it, after a large step, is given back."""

CACHE_KIB = 8192
"""Pages of the tables that the fold keeps in memory."""

_LEASE = """
    client BLOB NOT NULL, network TEXT NOT NULL, state TEXT NOT NULL, starts INTEGER NOT NULL, expires INTEGER NOT NULL,
    hardware BLOB NOT NULL, hostname TEXT NOT NULL, relay BLOB NOT NULL, reason TEXT NOT NULL,
    kept INTEGER NOT NULL DEFAULT 0"""

_TEXT = """
    (address >> 24) || '.' || (address >> 16 & 255) || '.' || (address >> 8 & 255) || '.' || (address & 255) AS address,
    CASE substr(client, 1, 1) WHEN x'69' THEN 'id ' || hex(substr(client, 2))
        ELSE 'hw ' || hex(substr(client, 2)) END AS client,
    network, state, datetime(starts, 'unixepoch') AS starts, datetime(expires, 'unixepoch') AS expires,
    hex(hardware) AS hardware, hostname, hex(relay) AS relay, reason, kept"""

_VIEWS = f"""CREATE VIEW tail AS SELECT * FROM history WHERE number > (SELECT folded_to FROM watermark);
CREATE VIEW leases_text AS SELECT {_TEXT} FROM (
    SELECT * FROM lease WHERE address NOT IN (SELECT address FROM tail)
    UNION ALL SELECT address, client, network, state, starts, expires, hardware, hostname, relay, reason, kept
        FROM tail
        WHERE number IN (SELECT max(number) FROM tail GROUP BY address));
CREATE VIEW history_text AS SELECT number, datetime(at, 'unixepoch') AS at, {_TEXT}, who FROM history;"""

_KEPT = "CREATE INDEX kept ON lease (address) WHERE kept != 0;"
"""What a start has to know first is found without a walk through the table."""

_IDENTITY = """CREATE TABLE identity (id BLOB NOT NULL);
INSERT INTO identity VALUES (randomblob(16));"""

TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE history (number INTEGER PRIMARY KEY, at REAL NOT NULL, address INTEGER NOT NULL, {_LEASE},
    who TEXT NOT NULL DEFAULT '');
CREATE TABLE lease (address INTEGER PRIMARY KEY, {_LEASE});
{_KEPT}
CREATE TABLE by_address (address INTEGER, number INTEGER, PRIMARY KEY (address, number)) WITHOUT ROWID;
CREATE TABLE by_client (client BLOB, number INTEGER, PRIMARY KEY (client, number)) WITHOUT ROWID;
CREATE TABLE watermark (folded_to INTEGER NOT NULL);
INSERT INTO watermark VALUES (0);
{_IDENTITY}
{_VIEWS}
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""


MIGRATION_1_2 = f"""
BEGIN IMMEDIATE;
DROP VIEW history_text;
DROP VIEW leases_text;
DROP VIEW tail;
ALTER TABLE history ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE history ADD COLUMN who TEXT NOT NULL DEFAULT '';
ALTER TABLE lease ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
{_VIEWS}
PRAGMA user_version = 2;
COMMIT;
"""
"""From version 1 (0.1.0): `kept`, and who ordered a change. No row is rewritten, so it takes no time."""

MIGRATION_2_3 = f"""
BEGIN IMMEDIATE;
{_IDENTITY}
{_KEPT}
PRAGMA user_version = 3;
COMMIT;
"""
"""From version 2: commits go to a tail beside the file. What is not folded yet stays where it is and is folded."""


MIGRATIONS = (MIGRATION_1_2, MIGRATION_2_3)


def connect(path: Path) -> sqlite3.Connection:
    """The one connection that writes. What it commits is synced: the tail is given up for it. Any thread may use it, but
    only one at a time."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {LOG_OCTETS}")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reads(path: Path) -> sqlite3.Connection:
    """A connection that cannot write, for any number of readers beside a server.

    SQLite wants to make the files of its log even then. Where it may not, and no log lies there, the server was stopped in
    good order and everything is in the file, so it can be read as a file that nobody changes.
    """
    if not path.is_file():
        raise StoreError(f"{path} does not exist; a server makes it when it starts")
    try:
        return _connect_reads(path, "mode=ro")
    except sqlite3.OperationalError:
        if path.with_name(path.name + "-wal").exists():
            raise
        return _connect_reads(path, "mode=ro&immutable=1")


def _connect_reads(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file, or check those that are there. Raises StoreError, sqlite3.Error."""
    if _pragma(connection, "schema_version") == 0:
        connection.executescript(TABLES)
    _check(connection, path)
    for migration in MIGRATIONS[version(connection) - 1 :]:
        connection.executescript(migration)
    if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        raise StoreError(f"{path}: this file system cannot hold a write-ahead log; put the store on a local disk")


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises StoreError if the file is none of ours, or younger than this program."""
    if _pragma(connection, "application_id") != APPLICATION_ID:
        raise StoreError(f"{path} is a SQLite file, but not a lease store")
    found = version(connection)
    if found > VERSION:
        raise StoreError(f"{path} has schema {found}, this relet knows {VERSION}; a newer relet wrote it")


def identity(connection: sqlite3.Connection) -> bytes:
    """What the files of the store's tail are marked with; b'' if the file is of a version that had none."""
    if version(connection) < 3:
        return b""
    (found,) = connection.execute("SELECT id FROM identity").fetchone()
    return bytes(found)


def version(connection: sqlite3.Connection) -> int:
    """The version of the schema in a file."""
    return _pragma(connection, "user_version")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
