"""What a storm counts while it lasts, in a shape that the processes of one storm can add up.

Time is cut into slots of SLOT_S. Latencies go into buckets that are 5 % wide, one histogram for each slot.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from math import exp, log

import msgspec

from relet.lab.storm.wrong import MOST_EXAMPLES

SLOT_S = 0.01
STEPS = 20
"""Buckets for each factor of e."""
BUCKETS = 512
"""More than there are between a microsecond and a year."""


class Tally(msgspec.Struct):
    """Counts of one process, or of all together.

    sent: by kind of request. again: those of them that were sent before. answers: by kind. late: answers to an attempt that
    its client had given up. surplus: answers to a client that waited for none. ignored: answers to others on the link. met:
    'share outcome' of each first request of clients that remembered something. latencies: slot * BUCKETS + bucket -> how
    many. behind_s: the longest that a client was sent on its way after its time. overruns: answers that the kernel threw
    away unread. unsent: requests that it refused. busy: share of the
    time that the process did not wait, until 90 % had a lease. begun_at, sent_at, ...: slot -> how many.
    """

    sent: Counter[str] = msgspec.field(default_factory=Counter)
    again: int = 0
    answers: Counter[str] = msgspec.field(default_factory=Counter)
    late: int = 0
    surplus: int = 0
    ignored: int = 0
    failed: int = 0
    met: Counter[str] = msgspec.field(default_factory=Counter)
    wrong: Counter[str] = msgspec.field(default_factory=Counter)
    examples: dict[str, list[str]] = msgspec.field(default_factory=dict)
    latencies: Counter[int] = msgspec.field(default_factory=Counter)
    slowest_s: float = 0.0
    behind_s: float = 0.0
    busy: float = 0.0
    overruns: int = 0
    unsent: Counter[str] = msgspec.field(default_factory=Counter)
    begun_at: Counter[int] = msgspec.field(default_factory=Counter)
    sent_at: Counter[int] = msgspec.field(default_factory=Counter)
    answered_at: Counter[int] = msgspec.field(default_factory=Counter)
    bound_at: Counter[int] = msgspec.field(default_factory=Counter)

    def blame(self, name: str, example: str) -> None:
        """Count a wrong answer."""
        self.wrong[name] += 1
        told = self.examples.setdefault(name, [])
        if len(told) < MOST_EXAMPLES:
            told.append(example)

    def took(self, now: float, seconds: float) -> None:
        """An answer came `seconds` after its request was sent for the first time."""
        self.latencies[int(now / SLOT_S) * BUCKETS + bucket(seconds)] += 1
        self.slowest_s = max(self.slowest_s, seconds)

    def add(self, other: Tally) -> None:
        """Add another process's counts to these."""
        for name in self.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif isinstance(mine, float):
                setattr(self, name, max(mine, theirs))
            elif isinstance(mine, int):
                setattr(self, name, mine + theirs)
        for name, told in other.examples.items():
            self.examples[name] = (self.examples.get(name, []) + told)[:MOST_EXAMPLES]


class Part(msgspec.Struct):
    """What one process has to tell at the end. For each of its clients: the second (from the start of the storm) of its
    first request and of its ACK, -1 for never; its address, 0 for none; the wall second at which the lease ends; and the
    server that granted it. left: the second at which it gave up the address that it remembered, -1 for never. refused: was
    that because of a NAK?"""

    first: int
    stride: int
    tally: Tally
    began: array[float]
    bound: array[float]
    addresses: array[int]
    expires: array[int]
    servers: array[int]
    left: array[float]
    refused: bytes


def bucket(seconds: float) -> int:
    """The number of a latency's bucket; below a microsecond, 0."""
    return int(log(seconds * 1e6) * STEPS) if seconds > 1e-6 else 0


def middle(number: int) -> float:
    """Seconds in the (geometric) middle of a bucket."""
    return exp((number + 0.5) / STEPS) / 1e6


def quantile(histogram: Iterable[tuple[int, int]], share: float) -> float | None:
    """The latency below which that share lies, from sorted (bucket, how many); None if there are none."""
    rows = list(histogram)
    wanted = share * sum(number for _, number in rows)
    so_far = 0
    for at, number in rows:
        so_far += number
        if so_far >= wanted:
            return middle(at)
    return None
