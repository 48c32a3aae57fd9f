"""Every lease in memory, by address and by client: what a store reads from while it decides nothing.

Both stores keep one. It knows nothing of disks and times. A change that does not hold is sorted out here, before anything
is written; `put` is called only for what is safe.

A million leases should fit into memory. By address they stand in pages, which takes a quarter of what a dict takes and is
quicker to reach at random; by client, one entry holds an address, or several of them as octets for the few clients with
more than one. Pages are structs, and octets are no tuple, because nothing here may be what Python's cyclic collector looks
into: it would walk through all leases each time.
"""

from array import array
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from relet.model.ident import ClientKey
from relet.model.lease import Change, Lease, Loaded

TOLD_AT_ONCE = 500
"""Leases in a step of `pieces`."""
PAGE_BITS = 5
"""32 neighbours share a page: 11 octets a lease where all addresses are leased, 350 where only one of them is."""
_PLACES = tuple(f"lease_{place}" for place in range(1 << PAGE_BITS))
_INSIDE = len(_PLACES) - 1
_SHARDS = 256
"""Clients stand in so many dicts: one that has to grow is copied at once, and all clients of a million would take 30 ms."""
_LAST_SHARD = _SHARDS - 1
_Page = msgspec.defstruct("_Page", [(place, Lease | None, None) for place in _PLACES], gc=False)


class Index:
    """All leases; the `View` of every store that keeps them in memory."""

    def __init__(self) -> None:
        self._pages: dict[int, msgspec.Struct] = {}
        self._count = 0
        self._addresses: tuple[dict[ClientKey, int | bytes], ...] = tuple({} for _ in range(_SHARDS))
        self.complete = True
        """Is an address without a lease known to have none? Not while a store is still reading."""

    def lease(self, address: int) -> Lease | None:
        """The lease on an address, None if there never was one."""
        page = self._pages.get(address >> PAGE_BITS)
        if page is None:
            return None
        known: Lease | None = getattr(page, _PLACES[address & _INSIDE])
        return known

    def leases(self, client: ClientKey) -> Sequence[Lease]:
        """All leases of which this client is the last holder, by address."""
        held = self._shard(client).get(client)
        if held is None:
            return ()
        if isinstance(held, int):
            known = self.lease(held)
            return () if known is None else (known,)
        return tuple(lease for address in _several(held) if (lease := self.lease(address)) is not None)

    def all(self) -> Iterator[Lease]:
        """Every lease, by address, as of this moment."""
        return iter(list(self.walk()))

    def walk(self) -> Iterator[Lease]:
        """Every lease, by address, each as it is when its page is come to; those on later pages than there are now are left
        out."""
        for number in sorted(self._pages):
            for lease in msgspec.structs.astuple(self._pages[number]):
                if lease is not None:
                    yield lease

    def pieces(self) -> Iterator[Loaded]:
        """Every lease in the steps of `Leases.loading`."""
        leases = self.walk()
        return (Loaded(piece, True) for piece in iter(lambda: list(islice(leases, TOLD_AT_ONCE)), []))

    def __len__(self) -> int:
        return self._count

    def sift(self, changes: Sequence[Change]) -> tuple[list[Change], frozenset[int]]:
        """(changes to write, positions refused): compare-and-set, in which an earlier change of the batch counts as done."""
        accepted: list[Change] = []
        refused: list[int] = []
        done: dict[int, Lease] = {}
        known = self.lease
        for position, change in enumerate(changes):
            after = change.after
            address = after.address
            current = done.get(address) or known(address)
            holds = current is change.before or current == change.before
            if holds and (current is not None or self.complete):
                done[address] = after
                accepted.append(change)
            else:
                refused.append(position)
        return accepted, frozenset(refused)

    def put(self, leases: Iterable[Lease]) -> None:
        """Take leases over as they are now, each in place of the one before it on its address."""
        for lease in leases:
            address = lease.address
            before = self._set(address, lease)
            if before is None:
                self._add(lease.client, address)
            elif before.client != lease.client:
                self._remove(before.client, address)
                self._add(lease.client, address)

    def add(self, leases: Iterable[Lease]) -> list[Lease]:
        """Take over leases of addresses that have none yet; whatever is known already is newer. Those that were new."""
        pages, shards, new = self._pages, self._addresses, []
        for lease in leases:
            address = lease.address
            page = pages.get(address >> PAGE_BITS)
            if page is None:
                page = pages[address >> PAGE_BITS] = _Page()
            place = _PLACES[address & _INSIDE]
            if getattr(page, place) is None:
                setattr(page, place, lease)
                new.append(lease)
                client = lease.client
                if shards[hash(client) >> 48 & _LAST_SHARD].setdefault(client, address) != address:
                    self._add(client, address)
        self._count += len(new)
        return new

    def _set(self, address: int, lease: Lease) -> Lease | None:
        """Put a lease into its place; the one that stood there."""
        page = self._pages.get(address >> PAGE_BITS)
        if page is None:
            page = self._pages[address >> PAGE_BITS] = _Page()
        place = _PLACES[address & _INSIDE]
        before: Lease | None = getattr(page, place)
        setattr(page, place, lease)
        if before is None:
            self._count += 1
        return before

    def _shard(self, client: ClientKey) -> dict[ClientKey, int | bytes]:
        return self._addresses[hash(client) >> 48 & _LAST_SHARD]  # the lowest bits decide about the place in the dict

    def _add(self, client: ClientKey, address: int) -> None:
        shard = self._shard(client)
        held = shard.setdefault(client, address)
        if held == address:
            return
        several = _several(held)
        if address not in several:
            insort(several, address)
            shard[client] = array("I", several).tobytes()

    def _remove(self, client: ClientKey, address: int) -> None:
        shard = self._shard(client)
        left = [other for other in _several(shard[client]) if other != address]
        if left:
            shard[client] = left[0] if len(left) == 1 else array("I", left).tobytes()
        else:
            del shard[client]


def _several(held: int | bytes) -> list[int]:
    """The addresses in an entry of a client, in order."""
    return [held] if isinstance(held, int) else array("I", held).tolist()
