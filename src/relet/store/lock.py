"""One server per file: the lock that keeps two servers from granting the same addresses out of one store.

The lock lies on a file of its own beside the database. On the database itself it would be dangerous: closing any other
descriptor of that file drops the locks that SQLite holds on it in the same process. The kernel gives the lock back
when the process ends, however it ends; the file stays and means nothing by itself.
"""

import fcntl
import os
from pathlib import Path

from relet.errors import StoreError

PID_OCTETS = 20
"""So much of the lock file is read to say who holds it."""


class FileLock:
    """The right to write to a store, held until `release`. Raises StoreError if another holds it."""

    def __init__(self, store: Path) -> None:
        path = store.with_name(store.name + ".lock")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise StoreError(f"{store}: cannot make the lock file {path}: {error.strerror}") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        except BlockingIOError:
            holder = os.pread(self._descriptor, PID_OCTETS, 0).decode("ascii", "replace").strip()
            self.release()
            raise StoreError(f"{store} is in use by another server (process {holder or 'unknown'})") from None
        except OSError as error:
            self.release()
            raise StoreError(f"{store}: cannot lock {path}: {error.strerror}") from error

    def release(self) -> None:
        """Let the next one in. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
