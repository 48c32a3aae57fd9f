"""Alarms that a loop can wait for: a moment of the boot-time clock, and a wall clock that was set (timerfd_create(2)).

What select(2) and its like count as time stands still while the machine sleeps. These do not, so a machine that wakes
finds at once what is due. The os module has no timerfd before Python 3.13.
"""

import ctypes
import os
import struct
import time
from collections.abc import Callable
from errno import EAGAIN, ECANCELED
from math import ceil, inf

from relet.errors import MachineError

_ABSOLUTE, _CANCEL_ON_SET = 1, 2  # linux/timerfd.h
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_ITIMERSPEC = struct.Struct("@llll")  # interval and moment, each in seconds and nanoseconds
_NEVER_S = (1 << 8 * struct.calcsize("@l") - 1) - 1
"""A wall time that does not come."""
_COUNT_OCTETS = 8
_NS = 1_000_000_000


class _Timer:
    """A timer of the kernel on one of its clocks, which can be waited for like a socket. Raises MachineError."""

    def __init__(self, clock: int) -> None:
        create = _call("timerfd_create", ctypes.c_int, ctypes.c_int)
        self._settime = _call("timerfd_settime", ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
        self._descriptor = _checked(create(clock, _FLAGS))

    def fileno(self) -> int:
        """For the loop."""
        return self._descriptor

    def close(self) -> None:
        """Give the descriptor back. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _set(self, flags: int, seconds: int, nanoseconds: int) -> None:
        moment = _ITIMERSPEC.pack(0, 0, seconds, nanoseconds)
        _checked(self._settime(self._descriptor, _ABSOLUTE | flags, moment, None))

    def _read(self) -> int:
        """Make it unreadable. The errno of what is no ringing, 0 if it rang."""
        try:
            os.read(self._descriptor, _COUNT_OCTETS)
        except OSError as error:
            if error.errno not in (EAGAIN, ECANCELED):
                raise
            return error.errno
        return 0


class Alarm(_Timer):
    """Becomes readable at a moment of the boot-time clock (net/clock.py)."""

    def __init__(self) -> None:
        super().__init__(time.CLOCK_BOOTTIME)
        self._at = inf

    def by(self, mono: float) -> None:
        """Ring at that moment, or earlier if it was told to before: so it costs nothing to put a deadline off."""
        if mono < self._at:
            self._set(0, *divmod(max(1, ceil(mono * _NS)), _NS))  # 0 would switch it off
            self._at = mono

    def take(self) -> None:
        """It has rung, and is to be still until `by` is called again."""
        self._at = inf
        self._read()


class ClockWatch(_Timer):
    """Becomes readable when the wall clock was set, or the machine woke from its sleep."""

    def __init__(self) -> None:
        super().__init__(time.CLOCK_REALTIME)
        self._set(_CANCEL_ON_SET, _NEVER_S, 0)

    def take(self) -> bool:
        """Was the clock set since it was asked last?"""
        was_set = self._read() == ECANCELED
        self._set(_CANCEL_ON_SET, _NEVER_S, 0)
        return was_set


def _call(name: str, *arguments: type) -> Callable[..., int]:
    # PyDLL: neither call waits, so the interpreter's lock is kept.
    try:
        function = getattr(ctypes.PyDLL(None, use_errno=True), name)
    except AttributeError:
        raise MachineError(f"the C library has no {name}(2)") from None
    function.argtypes = arguments
    function.restype = ctypes.c_int
    call: Callable[..., int] = function
    return call


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise MachineError(f"cannot set a timer: {os.strerror(code)}")
    return result
