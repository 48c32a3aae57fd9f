"""A plan on an interface: its address and routes, set and taken away.

Only what a plan once set is ever taken away: other addresses and routes of the interface are not ours.
"""

from contextlib import suppress

from relet.net import netlink
from relet.net.link import LinkError, LinkInfo
from relet.run.plan import Plan

METRIC = 1000
"""Routes get this metric plus the interface's index, so that clients on two interfaces keep out of each other's way."""


class Interface:
    """One interface and what we set on it."""

    def __init__(self, link: LinkInfo) -> None:
        self._link = link
        self._metric = METRIC + link.index
        self._plan: Plan | None = None

    def apply(self, wanted: Plan, wall: float) -> list[str]:
        """Set address and routes; the kernel drops the address by itself when the lease ends.

        Returns what went wrong with single routes, in plain words. Raises LinkError if the address cannot be set.
        """
        if self._plan and (self._plan.address, self._plan.width) != (wanted.address, wanted.width):
            self._take(self._plan)
        before = self._plan.routes if self._plan else ()
        problems = netlink.put_lease(
            self._link.index,
            wanted.address,
            wanted.width,
            lifetime(wanted, wall),
            [(route, self._metric) for route in wanted.routes],
        )
        self._plan = wanted
        kept = {(route.prefix, route.width) for route in wanted.routes}
        for route in before:
            if (route.prefix, route.width) not in kept:
                with suppress(LinkError):
                    netlink.take_route(self._link.index, route, self._metric)
        return [str(problem) for problem in problems]

    def withdraw(self, left: Plan) -> bool:
        """Take the address and its routes away, or what an earlier run left of that plan. Was it there? Raises LinkError."""
        return self._take(self._plan or left)

    def _take(self, old: Plan) -> bool:
        self._plan = None
        # The kernel takes the routes along whose source the address is.
        return netlink.take_address(self._link.index, old.address, old.width)


def lifetime(wanted: Plan, wall: float) -> int:
    """Whole seconds until the lease ends, at least one."""
    if wanted.expires is None:
        return netlink.FOREVER
    return max(1, min(int(wanted.expires - wall), netlink.FOREVER - 1))
