"""Every lease in memory, by address and by client: what a store reads from while it decides nothing.

Both stores keep one. It knows nothing of disks and times. A change that does not hold is sorted out here, before anything
is written; `put` is called only for what is safe.

A million leases should fit into memory: one entry per client holds an address, or several of them as octets for the few
clients with more than one. Octets and not a tuple, because nothing here may be what Python's cyclic collector looks into:
it would walk through all leases each time.
"""

from array import array
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence

from relet.model.ident import ClientKey
from relet.model.lease import Change, Lease


class Index:
    """All leases; the `View` of every store that keeps them in memory."""

    def __init__(self) -> None:
        self._leases: dict[int, Lease] = {}
        self._addresses: dict[ClientKey, int | bytes] = {}
        self.complete = True
        """Is an address without a lease known to have none? Not while a store is still reading."""

    def lease(self, address: int) -> Lease | None:
        """The lease on an address, None if there never was one."""
        return self._leases.get(address)

    def leases(self, client: ClientKey) -> Sequence[Lease]:
        """All leases of which this client is the last holder, by address."""
        held = self._addresses.get(client)
        if held is None:
            return ()
        return tuple(self._leases[address] for address in _several(held))

    def all(self) -> Iterator[Lease]:
        """Every lease, by address, as of this moment."""
        return iter([lease for _, lease in sorted(self._leases.items())])

    def snapshot(self) -> Iterator[Lease]:
        """Every lease in no order, as of this moment."""
        return iter(list(self._leases.values()))

    def __len__(self) -> int:
        return len(self._leases)

    def sift(self, changes: Sequence[Change]) -> tuple[list[Change], frozenset[int]]:
        """(changes to write, positions refused): compare-and-set, in which an earlier change of the batch counts as done."""
        accepted: list[Change] = []
        refused: list[int] = []
        done: dict[int, Lease] = {}
        known = self._leases
        for position, change in enumerate(changes):
            after = change.after
            address = after.address
            current = done.get(address) or known.get(address)
            holds = current is change.before or current == change.before
            if holds and (current is not None or self.complete):
                done[address] = after
                accepted.append(change)
            else:
                refused.append(position)
        return accepted, frozenset(refused)

    def put(self, leases: Iterable[Lease]) -> None:
        """Take leases over as they are now, each in place of the one before it on its address."""
        known = self._leases
        for lease in leases:
            address = lease.address
            before = known.get(address)
            known[address] = lease
            if before is None:
                self._add(lease.client, address)
            elif before.client != lease.client:
                self._remove(before.client, address)
                self._add(lease.client, address)

    def add(self, leases: Iterable[Lease]) -> None:
        """Take over leases of addresses that have none yet; whatever is known already is newer."""
        known, held = self._leases, self._addresses
        for lease in leases:
            address = lease.address
            if address not in known:
                known[address] = lease
                if held.setdefault(lease.client, address) != address:
                    self._add(lease.client, address)

    def _add(self, client: ClientKey, address: int) -> None:
        held = self._addresses.setdefault(client, address)
        if held == address:
            return
        several = _several(held)
        if address not in several:
            insort(several, address)
            self._addresses[client] = array("I", several).tobytes()

    def _remove(self, client: ClientKey, address: int) -> None:
        left = [other for other in _several(self._addresses[client]) if other != address]
        if left:
            self._addresses[client] = left[0] if len(left) == 1 else array("I", left).tobytes()
        else:
            del self._addresses[client]


def _several(held: int | bytes) -> list[int]:
    """The addresses in an entry of a client, in order."""
    return [held] if isinstance(held, int) else array("I", held).tolist()
