"""When each client of a fleet looks at the clock again: buckets of one tick, not an object per client.

Setting a timer anew leaves the old entry where it is; it is passed over when its bucket comes up.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from heapq import heappop, heappush

TICK_S = 0.02
"""Width of a bucket: far below what a retransmission's jitter is."""


class Timers:
    """One timer for each client, by its number 0..clients-1. Times are seconds from the start of the storm."""

    def __init__(self, clients: int) -> None:
        self._due = array("L", bytes(array("L").itemsize * clients))  # tick, 0 for none
        self._buckets: dict[int, array[int]] = {}
        self._ticks: list[int] = []

    def set(self, client: int, at: float) -> None:
        """Ring at that time, or up to a tick later; what was set before is forgotten."""
        tick = int(at / TICK_S) + 1
        self._due[client] = tick
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = array("L")
            heappush(self._ticks, tick)
        bucket.append(client)

    def clear(self, client: int) -> None:
        """Do not ring."""
        self._due[client] = 0

    def rung(self, now: float) -> Iterator[int]:
        """The clients whose time has come, each once."""
        due = self._due
        while self._ticks and self._ticks[0] * TICK_S <= now:
            tick = heappop(self._ticks)
            for client in self._buckets.pop(tick):
                if due[client] == tick:
                    due[client] = 0
                    yield client

    def next(self) -> float | None:
        """When `rung` may have something, None for never."""
        return self._ticks[0] * TICK_S if self._ticks else None
