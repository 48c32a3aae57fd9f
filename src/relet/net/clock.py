"""The one place that reads the clocks. Cores get their `Now` as an argument; shells take it from here."""

import time

from relet.model.clock import Now

LEAST_SLEEP_S = 1.0
"""What is less is the time between two readings."""


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
