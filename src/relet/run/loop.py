"""The one loop, for server and client alike: waits for sockets, signals and a deadline, and calls back. One thread.

It knows nothing of DHCP. A callback that raises is a bug of our own: it costs the datum it was busy with, is counted and
told, and the loop goes on; only if nothing succeeds any more does the loop give up. There is no other loop.

Deadlines are moments of the boot-time clock, and the kernel's own alarm rings for them: a machine that was suspended meets
those that have passed as soon as it wakes.
"""

import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Protocol

from relet.net.clock import now
from relet.net.timer import Alarm, ClockWatch

MAX_FAULTS = 100
"""Callbacks that may raise one after the other; after so many the program is beyond repair."""

SIGNALS_READ = 64
"""Pending signals that are read at once."""

Callback = Callable[[], object]
"""What it gives is nobody's business."""

_Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None
"""What signal.signal() gives and takes."""

_FOREVER, _NOT_AT_ALL = -1, 0
"""How long epoll waits: the alarm is one of its sources."""


def unexpected(error: Exception, _faults: int) -> None:
    """Print a traceback to standard error, as of an error that ends the program."""
    sys.excepthook(type(error), error, error.__traceback__)


class Readable(Protocol):
    """A socket, or whatever else has a file descriptor."""

    def fileno(self) -> int:
        """The descriptor."""


class Sources(Protocol):
    """Where what can be read is registered: the one loop, or, for a program that has one of its own, that one."""

    def register(self, source: Readable | int, ready: Callback) -> None:
        """Call `ready` whenever there is something to read."""

    def unregister(self, source: Readable | int) -> None:
        """The opposite; before the descriptor is closed."""


class Loop:
    """Raises MachineError if the system has no alarms for it.

    deadline: monotonic time (net/clock.py) at which `wake` shall be called, None for never; asked anew before each wait.
    failed: called with what a callback raised, and the number of faults so far. faults: that number.
    """

    def __init__(
        self,
        deadline: Callable[[], float | None],
        wake: Callback,
        failed: Callable[[Exception, int], object] = unexpected,
    ) -> None:
        self.faults = 0
        self._deadline = deadline
        self._wake = wake
        self._failed = failed
        self._epoll = select.epoll()
        self._ready: dict[int, Callback] = {}
        self._wait = _NOT_AT_ALL
        self._alarm = Alarm()
        self._bell = self._alarm.fileno()
        self._register(self._bell, self._alarm.take, select.EPOLLIN)
        self._clock: ClockWatch | None = None
        self._signals: dict[int, Callback] = {}
        self._before: dict[int, _Handler] = {}
        self._pipe: tuple[socket.socket, socket.socket, int] | None = None
        self._in_a_row = 0
        self._running = False

    def register(self, source: Readable | int, ready: Callback) -> None:
        """Call `ready` whenever there is something to read."""
        self._register(source, ready, select.EPOLLIN)

    def register_to_write(self, source: Readable | int, ready: Callback) -> None:
        """Call `ready` whenever something can be written."""
        self._register(source, ready, select.EPOLLOUT)

    def unregister(self, source: Readable | int) -> None:
        """The opposite; before the descriptor is closed."""
        fileno = _fileno(source)
        del self._ready[fileno]
        self._epoll.unregister(fileno)

    def on_signal(self, number: int, callback: Callback) -> None:
        """Call back from the loop, not from within whatever the signal interrupts: from now until `run` ends, and whenever
        it is called again. In the main thread."""
        self._signals[number] = callback
        self._hear()

    def on_clock_set(self, callback: Callback) -> None:
        """Call back whenever somebody sets the wall clock, and when the machine has woken. For one who wants to know."""
        clock = self._clock = ClockWatch()
        self._register(clock, lambda: clock.take() and callback(), select.EPOLLIN)

    def stop(self) -> None:
        """End `run` once the present callback is done."""
        self._running = False

    def run(self) -> None:
        """Until `stop`. In the main thread if there are signals to hear. Raises what a callback raised MAX_FAULTS times
        in a row."""
        self._running = True
        self._wait = _NOT_AT_ALL
        self._hear()
        try:
            while self._running:
                self._turn()
        finally:
            self._hear_no_more()

    def close(self) -> None:
        """Give back what waits; the registered descriptors stay their owners'. Idempotent."""
        self._hear_no_more()
        self._epoll.close()
        self._alarm.close()
        if self._clock:
            self._clock.close()

    def _hear(self) -> None:
        """Signals are something to read from now on."""
        if self._pipe is None and self._signals:
            reader, writer = socket.socketpair()
            reader.setblocking(False)
            writer.setblocking(False)
            self._pipe = reader, writer, signal.set_wakeup_fd(writer.fileno())
            self.register(reader, lambda: self._signalled(reader))
        for number in self._signals.keys() - self._before.keys():
            self._before[number] = signal.signal(number, _heard_by_wakeup_fd)

    def _hear_no_more(self) -> None:
        """They do what they did before."""
        if self._pipe is None:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        reader, writer, wakeup = self._pipe
        self._pipe = None
        signal.set_wakeup_fd(wakeup)
        self.unregister(reader)
        reader.close()
        writer.close()

    def _register(self, source: Readable | int, ready: Callback, what: int) -> None:
        fileno = _fileno(source)
        self._epoll.register(fileno, what)
        self._ready[fileno] = ready

    def _turn(self) -> None:
        """Whatever is ready, then the deadline, which is asked and compared with the clock once."""
        ready = self._ready
        for fileno, callback in [(fileno, ready[fileno]) for fileno, _ in self._epoll.poll(self._wait)]:
            # An earlier callback of this turn may have stopped the loop, or have closed what this one would read.
            if fileno == self._bell:
                self._alarm.take()
            elif self._running and ready.get(fileno) is callback:
                self._call(callback)
        if not self._running:
            return
        self._wait = _FOREVER
        deadline = self._deadline()
        if deadline is None:
            return
        if deadline <= now().mono:
            self._call(self._wake)
            self._wait = _NOT_AT_ALL  # what came meanwhile is read, and the deadline asked again, before the next sleep
        else:
            self._alarm.by(deadline)

    def _call(self, callback: Callback) -> None:
        try:
            callback()
            self._in_a_row = 0
        except Exception as error:
            self.faults += 1
            self._in_a_row += 1
            if self._in_a_row >= MAX_FAULTS:
                raise
            # A terminal that is gone, a disk that is full: no reason to end.
            with suppress(OSError, ValueError):
                self._failed(error, self.faults)

    def _signalled(self, reader: socket.socket) -> None:
        for number in reader.recv(SIGNALS_READ):
            if number in self._signals:
                self._call(self._signals[number])


def _fileno(source: Readable | int) -> int:
    return source if isinstance(source, int) else source.fileno()


def _heard_by_wakeup_fd(_number: int, _frame: object) -> None:
    """Python must have a handler, or the signal would end the program; the number comes through the pipe."""
