"""Leases that survive. A store keeps what was decided and says what it keeps; the policy lives in the server."""

from pathlib import Path

from relet.errors import ConfigError, Problem
from relet.model.lease import Leases, Sync
from relet.store.memory import MemoryStore
from relet.store.reader import SqliteReader
from relet.store.sqlite import SqliteStore

__all__ = ["SqliteReader", "open_reader", "open_store"]


def open_store(url: str, load: bool = True, sync: Sync = "batch") -> Leases:
    """The store that 'memory:' or 'sqlite:PATH' names, made if it does not exist, for its one server.

    load: read its leases at once; else its owner works `Leases.loading` off. sync: what a commit survives.

    Raises ConfigError for a name that is none, StoreError for a file that cannot be used.
    """
    if url == "memory:":
        return MemoryStore()
    return SqliteStore(_sqlite_path(url), load, sync)


def open_reader(url: str) -> SqliteReader:
    """A reader of the store, for commands beside a server. Raises ConfigError and StoreError."""
    if url == "memory:":
        raise _refused(url, "a store in memory can be read by nobody but its server", "use 'sqlite:PATH'")
    return SqliteReader(_sqlite_path(url))


def _sqlite_path(url: str) -> Path:
    scheme, _, path = url.partition(":")
    if scheme == "sqlite" and path:
        return Path(path)
    if scheme in ("postgresql", "postgres"):
        raise _refused(url, "PostgreSQL is not supported yet", "write 'sqlite:PATH'")
    raise _refused(url, "names no store", "write 'sqlite:PATH' or 'memory:'")


def _refused(url: str, what: str, instead: str) -> ConfigError:
    return ConfigError([Problem("store", 0, repr(url), what, instead)])
