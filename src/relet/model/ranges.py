"""Sets of addresses as sorted ranges: a network of 16 million addresses costs as much as one of ten."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import msgspec

from relet.wire.address import ip_text


class Ranges(msgspec.Struct, frozen=True):
    """A set of addresses. `starts` and `ends` (inclusive) are sorted, disjoint and not adjacent."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> "Ranges":
        """The union of (first, last) pairs, which may overlap and come in any order."""
        starts: list[int] = []
        ends: list[int] = []
        for first, last in sorted(pairs):
            if ends and first <= ends[-1] + 1:
                ends[-1] = max(ends[-1], last)
            else:
                starts.append(first)
                ends.append(last)
        return cls(tuple(starts), tuple(ends))

    def __contains__(self, address: int) -> bool:
        at = bisect_right(self.starts, address) - 1
        return at >= 0 and address <= self.ends[at]

    def __len__(self) -> int:
        return sum(self.ends) - sum(self.starts) + len(self.starts)

    def __iter__(self) -> Iterator[int]:
        for first, last in zip(self.starts, self.ends, strict=True):
            yield from range(first, last + 1)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """(first, last) of each range."""
        return zip(self.starts, self.ends, strict=True)

    def without(self, address: int) -> "Ranges":
        """The set less one address."""
        return Ranges.of(
            piece
            for first, last in self.pairs()
            for piece in ((first, min(last, address - 1)), (max(first, address + 1), last))
            if piece[0] <= piece[1]
        )

    def less(self, other: "Ranges") -> "Ranges":
        """The set less another one."""
        left: list[tuple[int, int]] = []
        taken = list(other.pairs())
        at = 0
        for first, last in self.pairs():
            while at < len(taken) and taken[at][1] < first:
                at += 1
            start, next_taken = first, at
            while next_taken < len(taken) and taken[next_taken][0] <= last:
                if start < taken[next_taken][0]:
                    left.append((start, taken[next_taken][0] - 1))
                start = taken[next_taken][1] + 1
                next_taken += 1
            if start <= last:
                left.append((start, last))
        return Ranges.of(left)

    def __str__(self) -> str:
        return ", ".join(ip_text(a) if a == b else f"{ip_text(a)}-{ip_text(b)}" for a, b in self.pairs())
