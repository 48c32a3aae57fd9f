"""How full the pools are: what `relet status` and the metrics tell. Kept count of, never counted up.

A pool is told of in counts that add up: size = used + declined + offered + reserved + free.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import NamedTuple

import msgspec

from relet.model.network import Network, Subnet
from relet.server.allocate import PoolAddresses
from relet.server.identify import Site
from relet.wire.address import ip_text

EASED = 0.05
"""A pool is no longer nearly full when its share in use is this much below `nearly-full`, so that it does not waver."""
EASED_AFTER_S = 60.0
"""Seconds that a pool stays nearly full or full at least, before it is told that this is over."""
MAX_EXPLAINED = 5
"""Pools told of one by one to explain that a network is full."""


class PoolUsage(msgspec.Struct, frozen=True):
    """One pool. subnet: its prefix and width. pool: its addresses. size: how many they are.

    used: leased now. declined: in quarantine. offered: on offer to a client that has not accepted yet. reserved: kept for
    somebody by a reservation, leased or not. free: what is left. allow, deny: the classes that it is guarded by.
    """

    network: str
    subnet: str
    pool: str
    size: int
    used: int
    declined: int
    offered: int
    free: int
    reserved: int
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def guard(self) -> str:
        """Who may have its addresses, '' for everybody."""
        said = [f"for {', '.join(self.allow)}"] if self.allow else []
        return "; ".join(said + ([f"not for {', '.join(self.deny)}"] if self.deny else []))

    def taken(self) -> str:
        """What its addresses are taken by, in words."""
        counts = (
            (self.used, "leased"),
            (self.offered, "on offer"),
            (self.declined, "in quarantine"),
            (self.reserved, "reserved"),
            (self.free, "free"),
        )
        said = ", ".join(f"{count} {what}" for count, what in counts if count)
        guard = f" ({self.guard()})" if self.guard() else ""
        return f"{self.pool}{guard}: {said}"


class Level(IntEnum):
    """How full a pool is told to be."""

    ROOMY = 0
    NEARLY_FULL = 1
    FULL = 2


class PoolEvent(NamedTuple):
    """A pool has come to a level from another one."""

    level: Level
    before: Level
    usage: PoolUsage


class Levels:
    """Watches the pools, and tells of each change of level once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[Level, float]] = {}

    def follow(self, sites: Iterable[Site], mono: float) -> list[PoolEvent]:
        """What has changed since the last call. Upward at once, downward not before EASED_AFTER_S."""
        events = []
        for site in sites:
            network = site.network
            for subnet, pool in site.free.pools():
                key = (network.name, pool.text)
                before, since = self._known.get(key, (Level.ROOMY, 0.0))
                level = _level(pool, network.nearly_full, before)
                if level > before or (level < before and mono - since >= EASED_AFTER_S):
                    self._known[key] = (level, mono)
                    events.append(PoolEvent(level, before, pool_usage(network, subnet, pool)))
        return events


def _level(pool: PoolAddresses, nearly_full: float, before: Level) -> Level:
    size, free = pool.size - pool.reserved(), pool.free()
    share = 1 - free / size if size else 0.0
    if size and not free:
        return Level.FULL
    line = nearly_full if before is Level.ROOMY else nearly_full - EASED
    return Level.NEARLY_FULL if share >= line else Level.ROOMY


def usage(site: Site) -> Iterator[PoolUsage]:
    """Each pool of a network."""
    for subnet, pool in site.free.pools():
        yield pool_usage(site.network, subnet, pool)


def pool_usage(network: Network, subnet: Subnet, addresses: PoolAddresses) -> PoolUsage:
    """One pool."""
    return PoolUsage(
        network=network.name,
        subnet=f"{ip_text(subnet.prefix)}/{subnet.width}",
        pool=addresses.text,
        size=addresses.size,
        used=addresses.used,
        declined=addresses.declined,
        offered=addresses.offered,
        free=addresses.free(),
        reserved=addresses.reserved(),
        allow=addresses.pool.allow,
        deny=addresses.pool.deny,
    )


def explained(rows: Iterable[PoolUsage]) -> str:
    """What the addresses of these pools are taken by, in one line."""
    said = [row.taken() for row in rows]
    more = len(said) - MAX_EXPLAINED
    return "; ".join(said[:MAX_EXPLAINED]) + (f"; and {more} pools more" if more > 0 else "")
