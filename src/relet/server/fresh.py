"""The addresses of a pool that nobody ever had, one after the other in order, at one octet for each address around them.

What was touched is marked, so that a search passes a million leased addresses in some hundred microseconds. What lies
behind the cursor is not needed any more and forgotten.
"""

from collections.abc import Iterable

from relet.model.ranges import Ranges

BLOCK_BITS = 10
"""Addresses marked in one piece: 1,024. A pool of 16 million of which a few are touched needs a few pieces."""
_INSIDE = (1 << BLOCK_BITS) - 1


class Fresh:
    """touched: addresses that are not fresh from the beginning."""

    def __init__(self, addresses: Ranges, touched: Iterable[int] = ()) -> None:
        self._spans = addresses.pairs()
        self._at, self._last = next(self._spans, (0, -1))
        self._touched: dict[int, bytearray] = {}  # the upper bits of an address -> an octet for each of its block
        for address in touched:
            self.touch(address)

    def touch(self, address: int) -> bool:
        """An address of the pool is fresh no more. Was it, until now?"""
        if address < self._at:
            return False
        block = self._touched.get(address >> BLOCK_BITS)
        if block is None:
            block = self._touched[address >> BLOCK_BITS] = bytearray(1 << BLOCK_BITS)
        fresh = not block[address & _INSIDE]
        block[address & _INSIDE] = 1
        return fresh

    def touch_all(self, addresses: Iterable[int]) -> None:
        """The same for many, more quickly."""
        blocks, at = self._touched, self._at
        for address in addresses:
            block = blocks.get(address >> BLOCK_BITS)
            if block is not None and address >= at:
                block[address & _INSIDE] = 1
            else:
                self.touch(address)

    def take(self) -> int:
        """The next fresh address, which is so no more; 0 if there is none left."""
        while self._at <= self._last:
            at = self._at
            block = self._touched.get(at >> BLOCK_BITS)
            found = at & _INSIDE if block is None else block.find(0, at & _INSIDE)
            address = at & ~_INSIDE | found
            if found >= 0 and address <= self._last:
                self._move(address + 1)
                return address
            self._move((at | _INSIDE) + 1)
        return 0

    def _move(self, to: int) -> None:
        """The cursor comes to another address, or to the next range behind the last one of this."""
        before = self._at >> BLOCK_BITS
        if to > self._last:
            self._at, self._last = next(self._spans, (to, -1))
        else:
            self._at = to
        if self._at >> BLOCK_BITS != before:
            self._touched.pop(before, None)
