"""What SQLite and the system say, in our words; and transactions that end as they should."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from relet.errors import StoreError


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Committed at the end, undone by any exception. Raises sqlite3.Error."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Whatever SQLite or the system says becomes a StoreError that names the store."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}{_more(error)}") from error
    except msgspec.MsgspecError as error:
        raise StoreError(f"{path}: a record of the tail cannot be read: {error}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}{_file(path, error)}") from error


def _file(path: Path, error: OSError) -> str:
    """The file, where it is another one than the store."""
    return f" ({error.filename})" if error.filename and str(error.filename) != str(path) else ""


def _more(error: sqlite3.Error) -> str:
    """What the system said when SQLite only says that something went wrong."""
    name = getattr(error, "sqlite_errorname", "")
    return f" ({name})" if name.startswith("SQLITE_IOERR") else ""
