"""A new configuration is built beside the one that serves, in steps, and takes its place in one moment.

Leases that change meanwhile are noted and caught up with at the end, so no request has to wait for more than a step, and
none is ever decided by half of a configuration.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby, islice

from relet.model.ident import ClientKey
from relet.model.lease import Change, Lease
from relet.model.network import Network
from relet.server.identify import Directory, Site
from relet.server.moving import Mover, mover

LOADED_AT_ONCE = 2000
"""Leases taken in at one step: some milliseconds."""
MAX_MOVERS = 1000
"""Clients that have to move told one by one; of more, only the number."""


def take_in(directory: Directory, leases: Iterable[Lease], look: Callable[[Lease, Site], None] | None = None) -> None:
    """Give the sites of a directory some leases. By where an address lies now: networks may have been renamed since the
    lease was granted. look: is shown every lease that has a site."""
    for site, found in groupby(leases, lambda lease: directory.locate(lease.address)):
        if site is None:
            continue
        of_site = list(found)
        site.load(of_site)
        if look is not None:
            for lease in of_site:
                look(lease, site)


class Rebuild:
    """The networks of a new configuration, on their way.

    movers: clients that will have to move, MAX_MOVERS at most; moving: how many there are.
    leases: all there are, as of this moment, in any order. known: what the store has on an address. wall: now.
    kept: see `mover`.
    """

    def __init__(
        self,
        networks: tuple[Network, ...],
        leases: Iterable[Lease],
        known: Callable[[int], Lease | None],
        wall: float,
        kept: Mapping[ClientKey, int],
    ) -> None:
        self.directory = Directory(networks)
        self.movers: list[Mover] = []
        self.moving = 0
        self._known = known
        self._kept = kept
        self._wall = wall
        self._changes: dict[int, Change] = {}
        self._leases = iter(leases)

    def step(self) -> bool:
        """Some milliseconds of work. Is there more to do?"""
        piece = list(islice(self._leases, LOADED_AT_ONCE))
        take_in(self.directory, piece, self._look)
        return bool(piece)

    def note(self, change: Change) -> None:
        """A change that was committed meanwhile."""
        address = change.after.address
        earlier = self._changes.get(address)
        self._changes[address] = change if earlier is None else Change(earlier.before, change.after)

    def done(self) -> Directory:
        """The sites, up to date; all steps must have been done."""
        while self.step():
            pass
        for change in self._changes.values():
            if (site := self.directory.locate(change.after.address)) is not None:
                site.note(change.before, change.after)
        self._changes.clear()
        return self.directory

    def _look(self, lease: Lease, site: Site) -> None:
        found = mover(lease, site, self._known, self._wall, self._kept)
        if found is not None:
            self.moving += 1
            if len(self.movers) < MAX_MOVERS:
                self.movers.append(found)
