"""A new configuration is built beside the one that serves, in steps, and takes its place in one moment.

Leases that change meanwhile are noted and caught up with at the end, so no request has to wait for more than a step, and
none is ever decided by half of a configuration.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import NamedTuple

from relet.model.ident import ClientKey
from relet.model.lease import Change, Lease
from relet.model.network import Network
from relet.server.allocate import runs
from relet.server.identify import Directory, Site
from relet.server.leasequery import Leasequeries
from relet.server.moving import Mover, mover

LOADED_AT_ONCE = 500
"""Leases taken in at one step: a millisecond or two."""
MAX_MOVERS = 1000
"""Clients that have to move told one by one; of more, only the number."""


def take_in(directory: Directory, leases: Iterable[Lease], look: Callable[[Lease, Site], None] | None = None) -> None:
    """Give the sites of a directory some leases. By where an address lies now: networks may have been renamed since the
    lease was granted. look: is shown every lease that has a site."""
    for site, found in runs(leases, directory.spans.of):
        site.load(found)
        if look is not None:
            for lease in found:
                look(lease, site)


class _Changed(NamedTuple):
    """A lease when it first changed, and now. taken_in: had the walk come by before?"""

    before: Lease | None
    after: Lease
    taken_in: bool


class Rebuild:
    """The networks of a new configuration, on their way.

    movers: clients that will have to move, MAX_MOVERS at most; moving: how many there are.
    leases: see `Leases.walk`. known: what the store has on an address. wall: now.
    kept: see `mover`. queries: of the relays that may ask about leases then, None if they stay the same.
    """

    def __init__(
        self,
        networks: tuple[Network, ...],
        leases: Iterable[Lease],
        known: Callable[[int], Lease | None],
        wall: float,
        kept: Mapping[ClientKey, int],
        queries: Leasequeries | None = None,
    ) -> None:
        self.queries = queries
        self.directory = Directory(networks)
        self.movers: list[Mover] = []
        self.moving = 0
        self._known = known
        self._kept = kept
        self._wall = wall
        self._changes: dict[int, _Changed] = {}
        self._leases = iter(leases)
        self._at = -1  # the last address that the walk has come to

    def step(self) -> bool:
        """Some milliseconds of work. Is there more to do?"""
        piece = list(islice(self._leases, LOADED_AT_ONCE))
        if not piece:
            return False
        self._at = piece[-1].address
        leases = [lease for lease in piece if lease.address not in self._changes]
        take_in(self.directory, leases, self._look)
        if self.queries is not None:
            self.queries.load(leases)
        return True

    def note(self, change: Change) -> None:
        """A change that was committed meanwhile."""
        after = change.after
        earlier = self._changes.get(after.address)
        if earlier is not None:
            self._changes[after.address] = earlier._replace(after=after)
            return
        changed = self._changes[after.address] = _Changed(change.before, after, after.address <= self._at)
        site = self.directory.locate(after.address)
        if site is not None and not changed.taken_in:
            self._look(after, site)

    def done(self) -> Directory:
        """The sites, up to date; all steps must have been done."""
        while self.step():
            pass
        for before, after, taken_in in self._changes.values():
            if (site := self.directory.locate(after.address)) is not None:
                if before is not None and not taken_in:
                    site.load([before])
                site.note(before, after)
            if self.queries is not None:
                self.queries.note(before if taken_in else None, after)
        self._changes.clear()
        return self.directory

    def _look(self, lease: Lease, site: Site) -> None:
        found = mover(lease, site, self._known, self._wall, self._kept)
        if found is not None:
            self.moving += 1
            if len(self.movers) < MAX_MOVERS:
                self.movers.append(found)
