"""Time as a value: the core never reads a clock."""

import msgspec


class Now(msgspec.Struct, frozen=True):
    """One reading of both clocks.

    wall: seconds since 1970; leases start and expire by it.
    mono: seconds of a clock that never jumps; timers run on it.
    """

    wall: float
    mono: float
