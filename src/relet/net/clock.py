"""The one place that reads the clocks. Cores get their `Now` as an argument; shells take it from here."""

import time

from relet.model.clock import Now


def now() -> Now:
    """Both clocks, read one after the other, in seconds.

    `mono` is CLOCK_BOOTTIME: it never jumps, and it goes on while the machine sleeps, as leases do.
    """
    return Now(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME))
