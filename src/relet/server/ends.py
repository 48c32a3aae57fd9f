"""When leases end: each held address stands here under a time that is not later than its end, at four octets each.

Far ends stand in slots of some minutes, unsorted, and no more than the address is kept: a million leases, most of which
are renewed long before, should cost little to keep and nothing to renew. When a slot begins, its addresses are taken out
one by one, and who keeps this book looks where each of them belongs by now: most go to a later slot, and what really
ends soon is sorted by the second.
"""

from array import array
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush

from relet.model.lease import Lease

SLOT_BITS = 8
"""A slot is 256 s long: few slots, and few addresses in each (3,000 of a million leases for a day)."""


class Ends:
    """Times are wall time in whole seconds, from 1 on. An address may stand here several times."""

    def __init__(self) -> None:
        self._far: dict[int, array[int]] = {}  # slot -> addresses
        self._slots: list[int] = []  # a heap of the keys
        self._slot = -1  # the newest that has begun
        self._rest: array[int] = array("I")  # what has not been taken out of it
        self._near: list[int] = []  # a heap of end << 32 | address, for all ends in slots that have begun

    def __len__(self) -> int:
        return len(self._near) + len(self._rest) + sum(map(len, self._far.values()))

    def add(self, address: int, end: int) -> None:
        """An address is held until then."""
        slot = end >> SLOT_BITS
        if slot <= self._slot:
            heappush(self._near, end << 32 | address)
            return
        far = self._far.get(slot)
        if far is None:
            far = self._far[slot] = array("I")
            heappush(self._slots, slot)
        far.append(address)

    def add_all(self, leases: Iterable[Lease]) -> None:
        """The same for many leases, more quickly."""
        slots, begun = self._far, self._slot
        for lease in leases:
            end = lease.expires
            far = slots.get(end >> SLOT_BITS)
            if far is not None and end >> SLOT_BITS > begun:
                far.append(lease.address)
            else:
                self.add(lease.address, end)

    def misses(self, end: int, sooner: int) -> bool:
        """Would what was added for an end come up too late for a sooner one?"""
        slot = sooner >> SLOT_BITS
        return sooner < end and (slot <= self._slot or slot < end >> SLOT_BITS)

    def begun(self, wall: int, limit: int) -> Iterator[tuple[int, int]]:
        """(slot, address) of at most so many that stand in a slot that begins by now, or is the next to begin. The caller
        adds each of them anew while it goes on."""
        for _ in range(limit):
            while not self._rest:
                if not self._slots or self._slots[0] > (wall >> SLOT_BITS) + 1:
                    return
                self._slot = heappop(self._slots)
                self._rest = self._far.pop(self._slot)
            yield self._slot, self._rest.pop()

    def due(self, wall: int) -> tuple[int, int] | None:
        """Take out the first of those that have come up: (slot, address), None if there is none."""
        if not self._near or self._near[0] >> 32 > wall:
            return None
        entry = heappop(self._near)
        return entry >> 32 + SLOT_BITS, entry & 0xFFFFFFFF
