"""A free address in amortised constant time, however large or full the pools: each step is paid for by a lease.

Three sources, in this order: addresses that never had a lease (a cursor through the pools), addresses given back or
offered in vain (first in, first out), addresses whose lease ran out (a heap by expiry, the longest expired first, so
that a client that comes back late still finds its own).

Every address that was ever touched stands in the heap or among the returned, so nothing is lost when an offer lapses or
a process ends. A heap entry's expiry is put right when it comes up: renewals cost nothing here.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush

from relet.model.lease import Lease, LeaseState
from relet.model.network import Network
from relet.model.ranges import Ranges

RETURNED_TRIES = 64
"""Returned addresses looked at for one request; those that are on offer to others are put back to the end."""


class FreeAddresses:
    """The free addresses of one network, reserved ones left out."""

    def __init__(self, network: Network) -> None:
        self._reserved = frozenset(row.address for row in network.reservations)
        pools = [pool for subnet in network.subnets for pool in subnet.pools]
        self._pools = Ranges.of(pair for pool in pools for pair in pool.addresses.pairs())
        self._fresh: Iterator[int] = (
            address for pool in pools for address in pool.addresses if address not in self._reserved
        )
        self._returned: OrderedDict[int, bool] = OrderedDict()  # address -> does the heap have an entry for it?
        self._expiring: list[int] = []  # expiry << 32 | address: an int costs half of a tuple

    def load(self, leases: Iterable[Lease]) -> None:
        """Take in all leases of the network at start."""
        for lease in leases:
            if self._ours(lease.address):
                self._expiring.append(lease.expires << 32 | lease.address)
                if lease.state is LeaseState.RELEASED:
                    self._returned[lease.address] = True
        heapify(self._expiring)

    def note(self, before: Lease | None, after: Lease) -> None:
        """Follow a committed change."""
        address = after.address
        if not self._ours(address):
            return
        in_heap = self._returned.pop(address, before is not None)
        if after.state is LeaseState.RELEASED:
            self._returned[address] = in_heap
        elif not in_heap:
            heappush(self._expiring, after.expires << 32 | address)

    def _ours(self, address: int) -> bool:
        """Is it for any client of the pools? A lease may lie outside of them, by reservation or from earlier days."""
        return address not in self._reserved and address in self._pools

    def choose(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool], wall: int) -> int:
        """A free address, 0 if there is none.

        lease: what is known of an address. free: may it be offered to this client now? The address stays available
        here until a commit says otherwise.
        """
        for address in self._fresh:
            if lease(address) is None:
                self._returned[address] = False
                if free(address):
                    return address
        return self._from_returned(free) or self._from_expired(lease, free, wall)

    def _from_returned(self, free: Callable[[int], bool]) -> int:
        for _ in range(min(RETURNED_TRIES, len(self._returned))):
            address = next(iter(self._returned))
            self._returned.move_to_end(address)  # so that the front is what was looked at longest ago
            if free(address):
                return address
        return 0

    def _from_expired(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool], wall: int) -> int:
        while self._expiring and self._expiring[0] >> 32 <= wall:
            address = heappop(self._expiring) & 0xFFFFFFFF
            held = lease(address)
            if held is not None and held.expires > wall and held.state is not LeaseState.RELEASED:
                heappush(self._expiring, held.expires << 32 | address)
                continue
            self._returned[address] = False
            if free(address):
                return address
        return 0
