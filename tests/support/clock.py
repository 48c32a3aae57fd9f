"""Setting the wall clock, for tests of those who want to hear of it."""

import ctypes
import struct

from support.lab import lacking


def set_wall_clock() -> None:
    """By a microsecond, and back again. Needs the right to do so."""
    adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    for seconds, microseconds in ((0, 1), (-1, 999_999)):
        by = struct.pack("@I68xll", 0x0100, seconds, microseconds)  # struct timex: ADJ_SETOFFSET
        if adjtimex(ctypes.create_string_buffer(by, 512)) < 0:
            lacking("the right to set the clock")
