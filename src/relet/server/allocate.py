"""A free address in amortised constant time, however large or full the pools: each step is paid for by a lease.

Each pool has its own free addresses, so that a guard costs one test for the pool and none per address. In a pool there are
three sources, in this order: addresses that never had a lease (fresh.py), addresses given back or offered in vain (first
in, first out), addresses whose lease ran out (ends.py, the longest expired first, so that a client that comes back late
still finds its own).

Every address that was ever touched stands among the ends or the returned, so nothing is lost when an offer lapses or a
process ends. Each held address stands among the ends under a time that is not later than its own end. An early one is put
right when it comes up, so renewals cost nothing here; where an end moves forward (quarantine, a shorter lease), there is a
second one. The server works off what has come up between batches, in bounded steps; the counts of a pool are as true as
that.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from relet.model.lease import Lease, LeaseState
from relet.model.network import Network, Pool, Subnet
from relet.server.ends import SLOT_BITS, Ends
from relet.server.fresh import Fresh
from relet.server.spans import Spans

MAX_TRIES = 64
"""Addresses of one source of one pool looked at in one go. What is on offer to others is put back to the end, and what was
leased meanwhile need not be looked at again, so the next search goes on where this one stopped."""
MAX_GOES = 4
"""Goes for one request, while there are addresses that were not looked at."""
MAX_SHORTER = 16
"""Later ends of one address that may stand behind the true one. Beyond that, an address whose end moves forward is free
again only at its old end: nobody can fill the memory by short and long leases in turn."""
NONE = -1
"""A time that no address ends at."""

Owner = TypeVar("Owner")


def runs(
    leases: Iterable[Lease], span: Callable[[int], tuple[int, int, Owner] | None]
) -> Iterator[tuple[Owner, list[Lease]]]:
    """Leases that come one after the other and lie in the same span, with whose it is; those in none are left out. span:
    (first, last, owner) of an address."""
    last, here = -1, None
    found: list[Lease] = []
    first = 0
    for lease in leases:
        address = lease.address
        if not first <= address <= last:
            if here is not None:
                yield here[2], found
            here, found = span(address), []
            first, last = (here[0], here[1]) if here is not None else (address, address)
        found.append(lease)
    if here is not None:
        yield here[2], found


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
        self._reserved = len(reserved)
        self._fresh = Fresh(pool.addresses, reserved)
        self._returned: OrderedDict[int, int] = (
            OrderedDict()
        )  # address -> a time not before that which it stands under, or 0
        self._kept: dict[int, int] = {}  # the same for what an operator keeps for its last holder
        self._ends = Ends()
        self._shorter: dict[int, tuple[int, int]] = {}  # address -> its true end or NONE, number of later ones

    def reserved(self) -> int:
        """How many of its addresses are kept for somebody, by a reservation or by the operator's order."""
        return self._reserved + len(self._kept)

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
            if before is None:
                self._fresh.touch(address)
                self._count(after.state, 1)
            else:
                entry = before.expires
                if before.state is not after.state:
                    self._count(before.state, -1)
                    self._count(after.state, 1)
        else:
            self._count(after.state, 1)
        later = 0
        if (shorter := self._shorter.get(address)) is not None:
            true, later = shorter
            entry = min(entry, true)
        if after.state is LeaseState.RELEASED:
            (self._kept if after.kept else self._returned)[address] = entry
            return
        if entry <= 0:
            self._stand(address, after.expires, later)
        elif after.expires < entry and self._ends.misses(entry, after.expires) and later < MAX_SHORTER:
            self._stand(address, after.expires, later + 1)

    def load(self, leases: Collection[Lease]) -> None:
        """Take in leases of addresses that are not reserved, and of which nothing is known yet."""
        held = []
        for lease in leases:
            if lease.state is LeaseState.RELEASED:
                (self._kept if lease.kept else self._returned)[lease.address] = 0
            else:
                held.append(lease)
        self._fresh.touch_all([lease.address for lease in leases])
        self._ends.add_all(held)
        states = [lease.state for lease in held]
        self.used += states.count(LeaseState.BOUND)
        self.declined += states.count(LeaseState.DECLINED)

    def promised(self, address: int) -> None:
        """An address of the pool was on offer already when the pool was made: count it, and do not look for it first."""
        self.offered += 1
        if self._fresh.touch(address):
            self._returned[address] = 0

    def expire(self, lease: Callable[[int], Lease | None], wall: int, limit: int) -> int:
        """Work off at most so many ends that have come up; how many there were."""
        done = self._begin(lease, wall, limit)
        while done < limit and (due := self._ends.due(wall)) is not None:
            self._work_off(*due, lease, wall)
            done += 1
        return done

    def choose(self, lease: Callable[[int], Lease | None], free: Callable[[int], bool], wall: int, go: int) -> int:
        """See `FreeAddresses.choose`. go: the how manieth one of this request, from 1 on."""
        self.unfinished = False
        return self._from_fresh(free) or self._from_returned(free, go) or self._from_expired(lease, free, wall)

    def _from_fresh(self, free: Callable[[int], bool]) -> int:
        for _ in range(MAX_TRIES):
            address = self._fresh.take()
            if not address:
                return 0
            self._returned[address] = 0
            if free(address):
                return address
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
        begun = self._begin(lease, wall, MAX_TRIES)
        for _ in range(MAX_TRIES):
            if (due := self._ends.due(wall)) is None:
                self.unfinished |= begun == MAX_TRIES
                return 0
            address = self._work_off(*due, lease, wall)
            if address and free(address):
                return address
        self.unfinished = True
        return 0

    def _begin(self, lease: Callable[[int], Lease | None], wall: int, limit: int) -> int:
        """Look where at most so many addresses of a slot that begins belong by now; how many there were."""
        done = 0
        for slot, address in self._ends.begun(wall, limit):
            self._work_off(slot, address, lease, NONE)
            done += 1
        return done

    def _work_off(self, slot: int, address: int, lease: Callable[[int], Lease | None], wall: int) -> int:
        """An address has come up in a slot. It, if that makes it free; 0 if not. wall: what ends by then is over."""
        true, later = self._shorter.get(address, (slot << SLOT_BITS, 0))
        if true >> SLOT_BITS != slot:
            if later > 1:
                self._shorter[address] = (true, later - 1)
            else:
                del self._shorter[address]
            return 0
        if later:
            self._shorter[address] = (NONE, later)  # until it stands here again, there are none but later ones
        for ended in (self._returned, self._kept):
            if address in ended:
                ended[address] = 0
                return 0
        held = lease(address)
        if held is not None and held.expires > wall and held.state is not LeaseState.RELEASED:
            self._stand(address, held.expires, later)
            return 0
        if held is not None:
            self._count(held.state, -1)
            if held.kept:
                self._kept[address] = 0
                return 0
        self._returned[address] = 0
        return address

    def _stand(self, address: int, expires: int, later: int) -> None:
        self._ends.add(address, expires)
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
        self._spans = Spans(spans)
        self.unfinished = False
        self._turn = 0

    def pools(self) -> Iterator[tuple[Subnet, PoolAddresses]]:
        """Each pool with its subnet, in the file's order."""
        for subnet in self._subnets:
            for pool in self._by_subnet[subnet.prefix]:
                yield subnet, pool

    def load(self, leases: Iterable[Lease]) -> None:
        """Take in leases that are not known yet, at start. Quickest if those of a pool come one after the other."""
        for pool, found in runs(leases, self._spans.of):
            pool.load([lease for lease in found if lease.address not in self._reserved])

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
        span = self._spans.of(address)
        return None if span is None or address in self._reserved else span[2]
