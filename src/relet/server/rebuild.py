"""A new configuration is built beside the one that serves, in steps, and takes its place in one moment.

Leases that change meanwhile are noted and caught up with at the end, so no request has to wait for more than a step, and
none is ever decided by half of a configuration.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from relet.model.ident import ClientKey
from relet.model.lease import Change, Lease
from relet.model.network import Network
from relet.server.allocate import LOADED_AT_ONCE
from relet.server.identify import Directory, Site
from relet.server.moving import Mover, mover

MAX_MOVERS = 1000
"""Clients that have to move told one by one; of more, only the number."""


def loading(
    directory: Directory, leases: Iterable[Lease], look: Callable[[Lease, Site], None] | None = None
) -> Iterator[None]:
    """Give every site of a directory its leases, in steps of bounded length. By where an address lies now: networks may
    have been renamed since the lease was granted. look: is shown every lease that has a site."""
    by_site: defaultdict[Site, list[Lease]] = defaultdict(list)
    for number, lease in enumerate(leases, 1):
        if (site := directory.locate(lease.address)) is not None:
            by_site[site].append(lease)
            if lease.kept:
                site.kept.add(lease.address)
            if look is not None:
                look(lease, site)
        if not number % LOADED_AT_ONCE:
            yield
    for site, found in by_site.items():
        yield from site.loading(found)


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
        self._steps = loading(self.directory, leases, self._look)

    def step(self) -> bool:
        """Some milliseconds of work. Is there more to do?"""
        return next(self._steps, self) is None

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
