"""The client goes into the background: the command ends when there is an address, and the client goes on without it.

The process divides before it has opened anything. In front, the one that was called waits for a word from the one behind,
which is the client in a session of its own; it lets go of terminal and folder when it gives that word. What dies without a
word ends the wait too, with an exit code that is never 0.
"""

import os
import signal
from contextlib import suppress
from pathlib import Path

from relet.errors import MachineError

NO = 1
"""The exit code where none was left: the client was killed, or ended before it had anything."""

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the wait are the client's to obey, and the wait ends with it."""


class Background:
    """Divides the process. Raises OSError if it cannot be divided.

    in_front: is this the one that the caller waits for? goes_on: after `outcome`, does the client go on?
    """

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self.goes_on = False
        self._pid = os.fork()
        self.in_front = self._pid != 0
        if self.in_front:
            self._word = reader
            os.close(writer)
        else:
            self._word = writer
            os.close(reader)
            os.setsid()

    def outcome(self) -> int:
        """In front: wait for the word, or for the client's end. The exit code."""
        for number in FORWARDED:
            signal.signal(number, self._forward)
        word = os.read(self._word, 1)
        os.close(self._word)
        if word:
            self.goes_on = True
            return word[0]
        _, status = os.waitpid(self._pid, 0)
        return max(NO, os.waitstatus_to_exitcode(status))

    def detach(self, code: int, errors: int | None = None) -> None:
        """Behind: let the caller go with this exit code, and go on without its terminal and folder.

        errors: descriptor that takes the place of standard output and error; by default they lead nowhere.
        """
        let_go(errors)
        with suppress(OSError):  # the caller may be gone
            os.write(self._word, bytes((code,)))
        os.close(self._word)

    def _forward(self, number: int, _frame: object) -> None:
        os.kill(self._pid, number)


def let_go(errors: int | None = None) -> None:
    """Go on without the caller's terminal and folder. errors: takes the place of standard output and error."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor, target in ((0, nowhere), (1, errors), (2, errors)):
        os.dup2(nowhere if target is None else target, descriptor)
    if nowhere > 2:
        os.close(nowhere)
    os.chdir("/")


class PidFile:
    """The id of this process, for scripts that want to send it a signal."""

    def __init__(self, path: Path) -> None:
        self._path, self._line = path, f"{os.getpid()}\n"

    def write(self) -> None:
        """In the place of another one. Raises MachineError."""
        try:
            self._path.write_text(self._line, "ascii")
        except OSError as error:
            raise MachineError(f"cannot write the process id to {self._path}: {error.strerror}") from error

    def remove(self) -> None:
        """If it is still ours, and we still may."""
        with suppress(OSError):
            if self._path.read_text("ascii") == self._line:
                self._path.unlink()
