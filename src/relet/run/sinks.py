"""Where a client's lines go besides the terminal: a file, or the system's log. Neither can hold it up.

A line that cannot be written is lost: the lease goes on. Both are opened while the client still may, and once.
"""

import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from relet.errors import MachineError

SYSTEM_LOG = Path("/dev/log")
MAX_LINE = 2000
"""Characters of one message to the system's log; what is longer is cut."""

_DAEMON_INFO = 3 << 3 | 6
"""RFC 5424 s6.2.1: facility 3, severity 6."""


class Sink(Protocol):
    """A place for lines."""

    def write(self, line: str) -> None:
        """One line, without its end."""

    def fileno(self) -> int | None:
        """Where standard error may lead, None for nowhere."""

    def close(self) -> None:
        """No more lines. Idempotent."""


class LogFile:
    """Lines behind each other, each after its time, in a file that others may cut or move. Raises MachineError."""

    def __init__(self, path: Path, timed: bool = True) -> None:
        self._timed = timed
        try:
            # O_NOCTTY: a terminal that is named here does not become this session's.
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOCTTY | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise MachineError(f"cannot write the log {path}: {error.strerror}") from error

    def write(self, line: str) -> None:
        """timed: `2026-11-25 17:20:03 line`."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S ") if self._timed else ""
        with suppress(OSError):
            os.write(self._file, f"{stamp}{line}\n".encode(errors="replace"))

    def fileno(self) -> int:
        """The file's."""
        return self._file

    def close(self) -> None:
        """Give the file back. Idempotent."""
        if self._file >= 0:
            os.close(self._file)
        self._file = -1


class SystemLog:
    """syslog(3) by datagrams of our own, because the C library's waits for a reader. A system without one hears nothing."""

    def __init__(self, path: Path = SYSTEM_LOG, name: str = "relet") -> None:
        self._path, self._name = str(path), name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)

    def write(self, line: str) -> None:
        """As a daemon's message for information, with a time as RFC 3164 s4.1.2 has it."""
        stamp = time.strftime("%b %e %H:%M:%S")
        text = f"<{_DAEMON_INFO}>{stamp} {self._name}[{os.getpid()}]: {line[:MAX_LINE]}"
        with suppress(OSError):
            self._socket.sendto(text.encode(errors="replace"), self._path)

    def fileno(self) -> None:
        """Nothing but lines goes there."""

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()
