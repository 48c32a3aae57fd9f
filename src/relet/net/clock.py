"""The one place that reads the clocks. Cores get their `Now` as an argument; shells take it from here."""

import time

from relet.model.clock import Now

LEAST_SLEEP_S = 1.0
"""What is less is the time between two readings."""

LEAST_SET_S = 1.0
"""Leases bear a wall clock that is a little wrong."""


def now() -> Now:
    """Both clocks, read one after the other, in seconds.

    `mono` is CLOCK_BOOTTIME: it never jumps, and it goes on while the machine sleeps, as leases do.
    """
    return Now(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))


def asleep() -> float:
    """Seconds that this machine has been suspended since it was booted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class Naps:
    """Notices that the machine has slept."""

    def __init__(self) -> None:
        self._before = asleep()

    def taken(self) -> bool:
        """Has it slept since this was asked last?"""
        before, self._before = self._before, asleep()
        return self._before - before >= LEAST_SLEEP_S


class WallClock:
    """Notices that somebody has set the wall clock: a machine without one of its own hears the time from the network."""

    def __init__(self) -> None:
        self._before = _ahead()

    def was_set(self) -> float:
        """Seconds by which it was set forward since this was asked last, back if negative; 0 for less than LEAST_SET_S."""
        ahead = _ahead()
        by = ahead - self._before
        if abs(by) < LEAST_SET_S:
            return 0.0
        self._before = ahead
        return by


def _ahead() -> float:
    """Seconds by which the wall clock is ahead of the other; slowing it down or speeding it up does the same to both."""
    both = now()
    return both.wall - both.mono
