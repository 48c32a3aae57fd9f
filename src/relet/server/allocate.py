"""A free address in amortised constant time, however large or full the pools: each step is paid for by a lease.

Each pool has its own free addresses, so that a guard costs one test for the pool and none per address. In a pool there are
three sources, in this order: addresses that never had a lease (a cursor through the gaps between leases), addresses given
back or offered in vain (first in, first out), addresses whose lease ran out (a heap by expiry, the longest expired first,
so that a client that comes back late still finds its own).

Every address that was ever touched stands in the heap or among the returned, so nothing is lost when an offer lapses or
a process ends. A heap entry's expiry is put right when it comes up: renewals cost nothing here.
"""

from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import heapify, heappop, heappush
from itertools import chain

from relet.model.lease import Lease, LeaseState
from relet.model.network import Network, Pool, Subnet
from relet.model.ranges import Ranges
from relet.wire.address import BROADCAST

MAX_TRIES = 64
"""Addresses of one source of one pool looked at for one request. What is on offer to others is put back to the end, and
what was leased meanwhile need not be looked at again, so the next request goes on where this one stopped."""


LOADED_AT_ONCE = 5000
"""Leases taken in at one step: some milliseconds."""


class PoolAddresses:
    """The free addresses of one pool. reserved: addresses of it that are kept for somebody."""

    def __init__(self, pool: Pool, reserved: Collection[int]) -> None:
        self.pool = pool
        self._reserved = sorted(reserved)
        self._fresh = chain.from_iterable(list(_gaps(pool.addresses, self._reserved)))
        self._returned: OrderedDict[int, bool] = OrderedDict()  # address -> does the heap have an entry for it?
        self._expiring: list[int] = []  # expiry << 32 | address: an int costs half of a tuple

    def loading(self, leases: Iterable[Lease]) -> Iterator[None]:
        """See `FreeAddresses.loading`."""
        near: defaultdict[int, list[int]] = defaultdict(list)  # what is taken, by the upper half of the address
        for address in self._reserved:
            near[address >> 16].append(address)
        for number, lease in enumerate(leases, 1):
            self._expiring.append(lease.expires << 32 | lease.address)
            near[lease.address >> 16].append(lease.address)
            if lease.state is LeaseState.RELEASED and not lease.kept:
                self._returned[lease.address] = True
            if not number % LOADED_AT_ONCE:
                yield
        heapify(self._expiring)
        yield
        taken: list[int] = []
        for upper in sorted(near):
            taken += sorted(near[upper])
            yield
        gaps: list[range] = []
        for number, gap in enumerate(_gaps(self.pool.addresses, taken), 1):
            if gap:
                gaps.append(gap)
            if not number % LOADED_AT_ONCE:
                yield
        self._fresh = chain.from_iterable(gaps)

    def note(self, before: Lease | None, after: Lease) -> None:
        """Follow a committed change of an address of the pool that is not reserved."""
        address = after.address
        # what is kept for a client leaves the heap when it comes up
        in_heap = self._returned.pop(address, before is not None and not before.kept)
        if after.state is LeaseState.RELEASED and not after.kept:
            self._returned[address] = in_heap
        elif not in_heap or (before is not None and after.expires < before.expires):
            # an entry that is too early is put right when it comes up; one that is too late would hide the address
            heappush(self._expiring, after.expires << 32 | address)

    def choose(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool], wall: int) -> int:
        """See `FreeAddresses.choose`."""
        for _, address in zip(range(MAX_TRIES), self._fresh, strict=False):
            if lease(address) is None:
                self._returned[address] = False
                if free(address):
                    return address
        return self._from_returned(free) or self._from_expired(lease, free, wall)

    def _from_returned(self, free: Callable[[int], bool]) -> int:
        for _ in range(min(MAX_TRIES, len(self._returned))):
            address = next(iter(self._returned))
            self._returned.move_to_end(address)  # so that the front is what was looked at longest ago
            if free(address):
                return address
        return 0

    def _from_expired(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool], wall: int) -> int:
        for _ in range(MAX_TRIES):
            if not self._expiring or self._expiring[0] >> 32 > wall:
                break
            address = heappop(self._expiring) & 0xFFFFFFFF
            held = lease(address)
            if held is not None and held.expires > wall and held.state is not LeaseState.RELEASED:
                heappush(self._expiring, held.expires << 32 | address)
                continue
            if held is not None and held.kept:
                continue
            self._returned[address] = False
            if free(address):
                return address
        return 0


class FreeAddresses:
    """The free addresses of one network, pool by pool in the file's order, reserved ones left out."""

    def __init__(self, network: Network) -> None:
        rows = (*network.reservations, *network.everywhere)
        self._reserved = frozenset(row.address for row in rows if row.address)
        self._pools: list[PoolAddresses] = []
        self._by_subnet: dict[int, list[PoolAddresses]] = {}  # prefix -> its pools
        spans: list[tuple[int, int, PoolAddresses]] = []
        for subnet in network.subnets:
            of_subnet = self._by_subnet[subnet.prefix] = []
            for pool in subnet.pools:
                own = PoolAddresses(pool, {each for each in self._reserved if each in pool.addresses})
                of_subnet.append(own)
                spans += [(first, last, own) for first, last in pool.addresses.pairs()]
            self._pools += of_subnet
        self._spans = sorted(spans, key=lambda span: span[0])
        self._starts = [first for first, _, _ in self._spans]

    def load(self, leases: Iterable[Lease]) -> None:
        """Take in all leases of the network at start."""
        for _ in self.loading(leases):
            pass

    def loading(self, leases: Iterable[Lease]) -> Iterator[None]:
        """Take in all leases of the network, in steps: a server that has others to serve goes on between them."""
        by_pool: dict[PoolAddresses, list[Lease]] = {pool: [] for pool in self._pools}
        for number, lease in enumerate(leases, 1):
            if (pool := self._pool(lease.address)) is not None:
                by_pool[pool].append(lease)
            if not number % LOADED_AT_ONCE:
                yield
        for pool, of_pool in by_pool.items():
            yield from pool.loading(of_pool)

    def note(self, before: Lease | None, after: Lease) -> None:
        """Follow a committed change."""
        if (pool := self._pool(after.address)) is not None:
            pool.note(before, after)

    def choose(
        self,
        lease: Callable[[int], Lease | None],
        free: Callable[[int], bool],
        wall: int,
        classes: Collection[str] = (),
        near: Subnet | None = None,
    ) -> int:
        """A free address, 0 if there is none.

        lease: what is known of an address. free: may it be offered to this client now? classes: those of the client; a
        pool that does not admit them is passed over. near: only addresses of this subnet. The address stays available
        here until a commit says otherwise.
        """
        for pool in self._pools if near is None else self._by_subnet.get(near.prefix, ()):
            if pool.pool.admits(classes) and (address := pool.choose(lease, free, wall)):
                return address
        return 0

    def _pool(self, address: int) -> PoolAddresses | None:
        """The pool of an address that is for any client of it. A lease may lie outside of them, by reservation or from
        earlier days."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or address > self._spans[at][1] or address in self._reserved:
            return None
        return self._spans[at][2]


def _gaps(addresses: Ranges, taken: Iterable[int]) -> Iterator[range]:
    """The addresses before, between and behind those that are taken, in order; many of the ranges are empty.

    taken: sorted.
    """
    rest = iter(taken)
    at = next(rest, BROADCAST + 1)
    for first, last in addresses.pairs():
        begin = first
        while at <= last:
            yield range(begin, at)
            begin = max(begin, at + 1)
            at = next(rest, BROADCAST + 1)
        yield range(begin, last + 1)
