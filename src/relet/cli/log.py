"""Where the log of `serve` and `client` goes: standard error, for people on a terminal, as JSON lines for programs.

A log is no reason to stop or to wait: a line that cannot be written at once (a full disk, a pipe that nobody reads or that
is closed) is lost and counted, and the next line that can be written says how many were. What came from the network moves
no terminal and ends no line.
"""

import os
import select
import sys
from collections.abc import Callable
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["auto", "human", "json"]
STDERR = 2

MAX_LINE = 4096
"""Octets of a line: what a pipe takes at once or not at all (PIPE_BUF, pipe(7))."""
MAX_VALUE = 3000
"""Characters of one value; the middle of a longer one is left out."""
_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}
"""What the journal calls the levels (sd-daemon(3))."""


def log_to_stderr(form: LogFormat = "auto") -> None:
    """Set up structlog for this process. form: 'auto' is 'human' on a terminal and 'json' elsewhere."""
    terminal = sys.stderr.isatty()
    shown: list[Processor] = (
        [structlog.processors.TimeStamper(fmt="iso", utc=False), _console(terminal)]
        if form == "human" or (form == "auto" and terminal)
        else [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            bounded,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(),
        ]
    )
    lines = Lines(STDERR, in_journal(STDERR))
    structlog.configure(
        processors=[structlog.processors.add_log_level, bounded, *shown], logger_factory=lambda *_: lines
    )


def _console(colours: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)


def harmless(text: str) -> str:
    """A text in which nothing moves a terminal or ends a line."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def bounded(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor: texts harmless and no longer than MAX_VALUE."""
    for name, value in event.items():
        if isinstance(value, str):
            text = value if name == "exception" else harmless(value)
            half = MAX_VALUE // 2
            event[name] = text if len(text) <= MAX_VALUE else f"{text[:half]} ... {text[-half:]}"
    return event


def in_journal(descriptor: int) -> bool:
    """Is this what systemd's journal reads (systemd.exec(5), JOURNAL_STREAM)?"""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


class Lines:
    """A structlog logger that writes lines to a descriptor and never waits. lost: lines that could not be written since
    the last that could. journal: say the level as the journal reads it."""

    def __init__(self, descriptor: int, journal: bool = False) -> None:
        self.lost = 0
        self._descriptor = descriptor
        self._journal = journal
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def _write(self, level: str, line: str) -> None:
        prefix = f"<{_PRIORITIES[level]}>" if self._journal else ""
        lines = [prefix + each for each in line.splitlines() or [""]]
        octets = "\n".join(lines).encode("utf-8", "backslashreplace")[: MAX_LINE - 1] + b"\n"
        if self.lost and self._put(f"{prefix}{self.lost} lines of the log were lost\n".encode()):
            self.lost = 0
        if not self._put(octets):
            self.lost += 1

    def _put(self, octets: bytes) -> bool:
        try:
            ready = self._poll.poll(0)
            return bool(ready and ready[0][1] & select.POLLOUT and os.write(self._descriptor, octets))
        except OSError:
            return False

    def __getattr__(self, level: str) -> Callable[[str], None]:
        if level == "msg":
            level = "info"
        level = {"exception": "error", "warn": "warning", "fatal": "critical"}.get(level, level)
        if level not in _PRIORITIES:
            raise AttributeError(level)
        return lambda line: self._write(level, line)
