"""A free address in amortised constant time, however large or full the pools: each step is paid for by a lease.

Each pool has its own free addresses, so that a guard costs one test for the pool and none per address. In a pool there are
three sources, in this order: addresses that never had a lease (a cursor through the gaps between leases), addresses given
back or offered in vain (first in, first out), addresses whose lease ran out (a heap by expiry, the longest expired first,
so that a client that comes back late still finds its own).

Every address that was ever touched stands in the heap or among the returned, so nothing is lost when an offer lapses or
a process ends. The heap has for each held address an entry that is not later than its end. An early one is put right when
it comes up, so renewals cost nothing here; where an end moves forward (quarantine, a shorter lease), there is a second one.
The server works off what has come up between batches, in bounded steps; the counts of a pool are as true as that.
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
"""Addresses of one source of one pool looked at in one go. What is on offer to others is put back to the end, and what was
leased meanwhile need not be looked at again, so the next search goes on where this one stopped."""
MAX_GOES = 4
"""Goes for one request, while there are addresses that were not looked at."""
MAX_PASSED = 4096
"""Addresses that never had a lease when the pool was loaded, and have one or were promised since, passed over in one go.
Each is passed once for ever, paid for by its lease or offer, and is no try; the bound keeps one request from waiting."""
MAX_SHORTER = 16
"""Later entries of one address that may wait in the heap behind the true one. Beyond that, an address whose end moves
forward is free again only at its old end: nobody can fill the memory by short and long leases in turn."""


LOADED_AT_ONCE = 5000
"""Leases taken in at one step: some milliseconds."""


class PoolAddresses:
    """The free addresses of one pool. reserved: addresses of it that are kept for somebody.

    text: its ranges in words. size: all its addresses. used, declined, offered: how many of those that are not reserved are
    leased, in quarantine, and on offer without being leased (kept by Offers). unfinished: did the last search end before all
    was looked at?
    """

    def __init__(self, pool: Pool, reserved: Collection[int]) -> None:
        self.pool = pool
        self.text = str(pool.addresses)
        self.size = len(pool.addresses)
        self.used = self.declined = self.offered = 0
        self.unfinished = False
        self._reserved = sorted(reserved)
        self._fresh = chain.from_iterable(list(_gaps(pool.addresses, self._reserved)))
        self._promised: set[int] = set()  # on offer when the pool was made; only those count that the cursor meets
        self._returned: OrderedDict[int, int] = OrderedDict()  # address -> 0, or a time: the heap's entry is not later
        self._kept: dict[int, int] = {}  # the same for what an operator keeps for its last holder
        self._expiring: list[int] = []  # expiry << 32 | address: an int costs half of a tuple
        self._shorter: dict[int, tuple[int, int]] = {}  # address -> time of its true entry, number of later ones

    def loading(self, leases: Iterable[Lease]) -> Iterator[None]:
        """See `FreeAddresses.loading`."""
        near: defaultdict[int, list[int]] = defaultdict(list)  # what is taken, by the upper half of the address
        for address in self._reserved:
            near[address >> 16].append(address)
        for number, lease in enumerate(leases, 1):
            self._expiring.append(lease.expires << 32 | lease.address)
            near[lease.address >> 16].append(lease.address)
            if lease.state is LeaseState.RELEASED:
                (self._kept if lease.kept else self._returned)[lease.address] = lease.expires
            else:
                self._count(lease.state, 1)
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

    def reserved(self) -> int:
        """How many of its addresses are kept for somebody, by a reservation or by the operator's order."""
        return len(self._reserved) + len(self._kept)

    def free(self) -> int:
        """How many of its addresses anybody may still get."""
        return max(0, self.size - self.reserved() - self.used - self.declined - self.offered)

    def note(self, before: Lease | None, after: Lease) -> None:
        """Follow a committed change of an address of the pool that is not reserved."""
        address = after.address
        entry = self._returned.pop(address, None)
        if entry is None:
            entry = self._kept.pop(address, None)
        if entry is None:
            entry = 0
            if before is not None:
                entry = before.expires
                self._count(before.state, -1)
        shorter = self._shorter.get(address)
        if entry and shorter is not None:
            entry = min(entry, shorter[0])
        if after.state is LeaseState.RELEASED:
            (self._kept if after.kept else self._returned)[address] = entry
            return
        self._count(after.state, 1)
        later = shorter[1] if shorter is not None else 0
        if not entry:
            self._push(address, after.expires, later)
        elif entry > after.expires and later < MAX_SHORTER:
            self._push(address, after.expires, later + 1)

    def promised(self, address: int) -> None:
        """An address of the pool was on offer already when the pool was made: count it, and do not look for it first."""
        self.offered += 1
        self._promised.add(address)

    def expire(self, lease: Callable[[int], Lease | None], wall: int, limit: int) -> int:
        """Work off at most so many entries that have come up; how many there were."""
        done = 0
        while done < limit and self._expiring and self._expiring[0] >> 32 <= wall:
            self._work_off(lease, wall)
            done += 1
        return done

    def choose(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool], wall: int, go: int) -> int:
        """See `FreeAddresses.choose`. go: the how manieth one of this request, from 1 on."""
        self.unfinished = False
        return self._from_fresh(lease, free) or self._from_returned(free, go) or self._from_expired(lease, free, wall)

    def _from_fresh(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool]) -> int:
        tries = 0
        for _ in range(MAX_PASSED):
            address = next(self._fresh, 0)
            if not address:
                return 0
            if lease(address) is not None:
                continue  # its commit has put it into the heap or among the returned
            self._returned[address] = 0
            if address in self._promised:
                self._promised.remove(address)
                continue
            if free(address):
                return address
            tries += 1
            if tries == MAX_TRIES:
                break
        self.unfinished = True
        return 0

    def _from_returned(self, free: Callable[[int], bool], go: int) -> int:
        for _ in range(min(MAX_TRIES, len(self._returned))):
            address = next(iter(self._returned))
            self._returned.move_to_end(address)  # so that the front is what was looked at longest ago
            if free(address):
                return address
        self.unfinished |= len(self._returned) > MAX_TRIES * go
        return 0

    def _from_expired(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool], wall: int) -> int:
        for _ in range(MAX_TRIES):
            if not self._expiring or self._expiring[0] >> 32 > wall:
                return 0
            address = self._work_off(lease, wall)
            if address and free(address):
                return address
        self.unfinished = True
        return 0

    def _work_off(self, lease: Callable[[int], Lease | None], wall: int) -> int:
        """Take the heap's first entry out. The address that it makes free, 0 if none."""
        entry = heappop(self._expiring)
        address = entry & 0xFFFFFFFF
        true, later = self._shorter.get(address, (entry >> 32, 0))
        if true != entry >> 32:
            if later > 1:
                self._shorter[address] = (true, later - 1)
            else:
                del self._shorter[address]
            return 0
        if later:
            self._shorter[address] = (0, later)  # until it is pushed again, the heap has none but later ones
        for ended in (self._returned, self._kept):
            if address in ended:
                ended[address] = 0
                return 0
        held = lease(address)
        if held is not None and held.expires > wall and held.state is not LeaseState.RELEASED:
            self._push(address, held.expires, later)
            return 0
        if held is not None:
            self._count(held.state, -1)
            if held.kept:
                self._kept[address] = 0
                return 0
        self._returned[address] = 0
        return address

    def _push(self, address: int, expires: int, later: int) -> None:
        heappush(self._expiring, expires << 32 | address)
        if later:
            self._shorter[address] = (expires, later)

    def _count(self, state: LeaseState, by: int) -> None:
        if state is LeaseState.BOUND:
            self.used += by
        elif state is LeaseState.DECLINED:
            self.declined += by


class FreeAddresses:
    """The free addresses of one network, pool by pool in the file's order, reserved ones left out.

    unfinished: did the last search find nothing because it ended at its bound?
    """

    def __init__(self, network: Network) -> None:
        rows = (*network.reservations, *network.everywhere)
        self._reserved = frozenset(row.address for row in rows if row.address)
        self._subnets = network.subnets
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
        self.unfinished = False
        self._turn = 0

    def pools(self) -> Iterator[tuple[Subnet, PoolAddresses]]:
        """Each pool with its subnet, in the file's order."""
        for subnet in self._subnets:
            for pool in self._by_subnet[subnet.prefix]:
                yield subnet, pool

    def load(self, leases: Iterable[Lease]) -> None:
        """Take in all leases of the network at start."""
        for _ in self.loading(leases):
            pass

    def loading(self, leases: Iterable[Lease]) -> Iterator[None]:
        """Take in all leases of the network, in steps: a server that has others to serve goes on between them."""
        by_pool: dict[PoolAddresses, list[Lease]] = {pool: [] for pool in self._pools}
        for number, lease in enumerate(leases, 1):
            if (pool := self.pool(lease.address)) is not None:
                by_pool[pool].append(lease)
            if not number % LOADED_AT_ONCE:
                yield
        for pool, of_pool in by_pool.items():
            yield from pool.loading(of_pool)

    def note(self, before: Lease | None, after: Lease) -> None:
        """Follow a committed change."""
        if (pool := self.pool(after.address)) is not None:
            pool.note(before, after)

    def expire(self, lease: Callable[[int], Lease | None], wall: int, limit: int) -> int:
        """Work off at most so many leases and quarantines that are over; how many there were. The pools take turns."""
        done = 0
        for _ in self._pools:
            done += self._pools[self._turn].expire(lease, wall, limit - done)
            if done >= limit:
                break
            self._turn = (self._turn + 1) % len(self._pools)
        return done

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
        pools = self._pools if near is None else self._by_subnet.get(near.prefix, [])
        for go in range(1, MAX_GOES + 1):
            unfinished = []
            for pool in pools:
                if not pool.pool.admits(classes):
                    continue
                if address := pool.choose(lease, free, wall, go):
                    return address
                if pool.unfinished:
                    unfinished.append(pool)
            pools = unfinished
            if not pools:
                break
        self.unfinished = bool(pools)
        return 0

    def pool(self, address: int) -> PoolAddresses | None:
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
