"""Spans of addresses that do not overlap, each of them somebody's: a subnet's, or a piece of a pool."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

Owner = TypeVar("Owner")


class Spans(Generic[Owner]):
    """(first address, last address, owner), in any order."""

    def __init__(self, spans: Iterable[tuple[int, int, Owner]]) -> None:
        self._spans = sorted(spans, key=lambda span: span[0])
        self._starts = [first for first, _, _ in self._spans]

    def of(self, address: int) -> tuple[int, int, Owner] | None:
        """The span that an address lies in."""
        at = bisect_right(self._starts, address) - 1
        return None if at < 0 or address > self._spans[at][1] else self._spans[at]
