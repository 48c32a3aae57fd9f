"""How `relet client` says what happens: as lines for people or for programs, on the terminal and in a log.

Whoever reads may be gone, and the disk full; the lease goes on.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from relet.cli.words import complain, printable
from relet.run.presence import FAILED
from relet.run.report import Result
from relet.run.sinks import Sink
from relet.run.starter import Starter
from relet.run.told import Told

STDOUT, STDERR = 1, 2


class Telling:
    """Says each thing to the terminal, until the client has gone into the background, and to the sink if there is one.

    events: the descriptor for what happens; STDERR where the standard output is for a result.
    """

    def __init__(self, starter: Starter, as_json: bool, events: int = STDOUT, sink: Sink | None = None) -> None:
        self._starter, self._as_json, self._events, self._sink = starter, as_json, events, sink

    def tell(self, told: Told) -> None:
        """Something has happened."""
        line = _json_line(told) if self._as_json else printable(f"{told.interface}: {told.text}")
        if self._sink:
            self._sink.write(line)
        if self._starter.detached:
            return
        if told.event == FAILED:
            _complain(told.text)
        if told.event != FAILED or self._as_json:
            _print(line, self._events)


def print_results(results: Sequence[Result]) -> None:
    """A line of JSON for each interface."""
    for result in results:
        _print(msgspec.json.encode(msgspec.structs.replace(result, text=printable(result.text))).decode(), STDOUT)


def _json_line(told: Told) -> str:
    # A server's words are in some of the texts, and names of files, which need not be UTF-8.
    return msgspec.json.encode(msgspec.structs.replace(told, text=printable(told.text))).decode()


def _print(line: str, descriptor: int) -> None:
    # Past Python's buffer, which would try again when the program ends, and fail. Without a standard output there is no
    # stream, and 1 is another's number.
    stream = sys.stdout if descriptor == STDOUT else sys.stderr
    if stream:
        with suppress(OSError):
            os.write(stream.fileno(), f"{line}\n".encode())


def _complain(text: str) -> None:
    with suppress(OSError):
        complain(text)
