"""A plan on an interface: its address, routes and MTU, set and taken away.

Only what a plan once set is ever taken away: other addresses and routes of the interface are not ours, and are there again
as they were. So an address that an operator has set for good stays as it is, also where a lease says the same.
"""

import errno
from contextlib import suppress
from pathlib import Path

from relet.model.effects import Note
from relet.net import netlink
from relet.net.link import LinkError, LinkInfo
from relet.run.mtu import Mtu
from relet.run.plan import Plan

METRIC = 1000
"""Routes get this metric plus the interface's index, so that clients on two interfaces keep out of each other's way."""


class Interface:
    """One interface and what we set on it. mtu_file: where is remembered which MTU is to be put back,
    None: by this object alone.

    metric: of all routes; None for METRIC and the interface's index.
    """

    def __init__(self, link: LinkInfo, mtu_file: Path | None, metric: int | None = None) -> None:
        self.metric = metric_of(link, metric)
        self._link = link
        self._mtu = Mtu(link, mtu_file)
        self._plan: Plan | None = None
        self._address_is_ours = False

    def apply(self, wanted: Plan, wall: float) -> list[Note]:
        """Set address, routes and MTU; the kernel drops the address by itself when the lease ends.

        Gives what went wrong beside the address, in plain words. Raises LinkError if the address cannot be set.
        """
        before = self._plan
        if before and (before.address, before.width) != (wanted.address, wanted.width):
            self._take(before)
            before = None
        known = before.routes if before else ()
        ours = self._address_is_ours or not self._is_anothers(wanted)
        problems = netlink.put_lease(
            self._link.index,
            wanted.address,
            wanted.width,
            lifetime(wanted, wall) if ours else None,
            [(route, self.metric) for route in wanted.routes],
            known,
        )
        self._address_is_ours = ours
        self._plan = wanted
        kept = {(route.prefix, route.width) for route in wanted.routes}
        for route in known:
            if (route.prefix, route.width) not in kept:
                with suppress(LinkError):
                    netlink.take_route(self._link.index, route, self.metric)
        return [*map(self._route_problem, problems), *self._mtu.apply(wanted.mtu)]

    def objections(self, plan: Plan) -> list[Note]:
        """What of a plan could not be on this interface, if it is not we who set it."""
        return self._mtu.objections(plan.mtu)

    def withdraw(self, left: Plan | None = None, link_lost: bool = False) -> bool:
        """Take the address and its routes away, or what an earlier run left of that plan, and put the MTU back. Was the
        address there? Raises LinkError.

        link_lost: the MTU stays, since setting it takes the link down on some hardware, and that would never end.
        """
        old = self._plan or left
        try:
            return old is not None and self._take(old)
        finally:
            if not link_lost:
                self._mtu.apply(0)

    def put_back(self) -> None:
        """The client ends: the MTU, if it stayed when the link was lost."""
        if self._plan is None:
            self._mtu.apply(0)

    def _take(self, old: Plan) -> bool:
        ours, self._address_is_ours, self._plan = self._address_is_ours, False, None
        if ours or not self._is_anothers(old):
            # The kernel takes the routes along whose source the address is.
            return netlink.take_address(self._link.index, old.address, old.width)
        for route in old.routes:
            with suppress(LinkError):
                netlink.take_route(self._link.index, route, self.metric)
        return False

    def _is_anothers(self, plan: Plan) -> bool:
        with suppress(LinkError):  # what comes next will say better what is wrong
            return netlink.is_anothers(self._link.index, plan.address, plan.width)
        return False

    def _route_problem(self, error: LinkError) -> Note:
        whose = f"; somebody's route with metric {self.metric} is there: choose another with --metric"
        return Note("bad-route", str(error) + (whose if error.code == errno.EEXIST else ""))


def metric_of(link: LinkInfo, metric: int | None) -> int:
    """Of all routes of an interface. metric: as the operator wants it, None if it is left to us."""
    return METRIC + link.index if metric is None else metric


def lifetime(wanted: Plan, wall: float) -> int:
    """Whole seconds until the lease ends, at least one."""
    if wanted.expires is None:
        return netlink.FOREVER
    return max(1, min(int(wanted.expires - wall), netlink.FOREVER - 1))
