"""What somebody else takes off the interface while its lease lasts, address or route, is put back; but in no race with whom.

The kernel says that something is gone (net/monitor.py). It is looked for before anything is done, since the client hears of
what it takes away itself, too. The first time it is put back at once, and whoever takes it again finds it back after a pause
that doubles each time.
"""

from collections.abc import Iterable
from contextlib import suppress
from math import inf

from relet.model.clock import Now
from relet.net import netlink
from relet.net.link import LinkError, LinkInfo
from relet.run.plan import Plan
from relet.wire.address import ip_text

PAUSE_S = 5.0
"""From one time to the next at least; after each time twice as long, until the lease is extended, and so long at most:"""

PAUSE_MAX_S = 320.0

ENDING_S = 2.0
"""The kernel reckons with whole seconds, and takes an address off a little before its lease ends: that was nobody."""


class Upkeep:
    """Of one interface. metric: of its routes."""

    def __init__(self, link: LinkInfo, metric: int) -> None:
        self._link, self._metric = link, metric
        self._plan: Plan | None = None
        self._lost: frozenset[tuple[int, int]] = frozenset()
        self._pause_s, self._earliest, self._at = PAUSE_S, -inf, inf

    def keep(self, plan: Plan | None) -> None:
        """This has just been set, and is to be kept from now on; None: nothing is."""
        self._plan, self._lost, self._at, self._pause_s = plan, frozenset(), inf, PAUSE_S

    def taken(self, route: tuple[int, int, int] | None, now: Now) -> float | None:
        """The kernel says that a route or, None, an address is gone. If it was of the plan and cannot be put
        back yet: in how many seconds. None if nothing is to be told."""
        plan, waits = self._plan, self._at < inf
        if plan is None or (plan.expires is not None and plan.expires - now.wall < ENDING_S):
            return None
        if route:
            prefix, width, metric = route
            if metric != self._metric or (prefix, width) not in {(each.prefix, each.width) for each in plan.routes}:
                return None
            self._lost |= {(prefix, width)}
        if waits or not self.missing():
            return None
        self._at = max(self._earliest, now.mono)
        return self._at - now.mono or None

    def missing(self) -> str:
        """What is not there that should be, of what may be gone; '' for nothing."""
        plan = self._plan
        with suppress(LinkError):  # an interface that is gone is heard of otherwise
            if plan and (plan.address, plan.width) not in netlink.link(self._link.name).addresses:
                return ip_text(plan.address)
            if lost := [where for where in self._lost if not self._has_route(*where)]:
                return _routes(lost)
        self._lost = frozenset()
        return ""

    def deadline(self) -> float:
        """Monotonic time at which what is missing is to be put back; infinity for never."""
        return self._at

    def hurry(self, now: Now) -> None:
        """The operator wants all to be there now."""
        if self.missing():
            self._at = now.mono

    def put_back(self, now: Now) -> None:
        """It was."""
        self._lost, self._at = frozenset(), inf
        self._earliest, self._pause_s = now.mono + self._pause_s, min(2 * self._pause_s, PAUSE_MAX_S)

    def _has_route(self, prefix: int, width: int) -> bool:
        return netlink.has_route(self._link.index, prefix, width, self._metric)


def _routes(lost: Iterable[tuple[int, int]]) -> str:
    return "; ".join(f"the route to {ip_text(prefix)}/{width}" for prefix, width in sorted(lost))
