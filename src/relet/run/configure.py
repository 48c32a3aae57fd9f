"""A binding on an interface: its address, prefix and routes, set and taken away.

`plan` says what a lease means for the interface and asks nobody; `Interface` makes it so. Only what a plan once set is
ever taken away: other addresses and routes of the interface are not ours.
"""

from contextlib import suppress
from math import inf
from typing import Any

import msgspec

from relet.errors import WireError
from relet.model.effects import Binding
from relet.net import netlink
from relet.net.link import LinkError, LinkInfo, Route
from relet.wire import options
from relet.wire.address import BROADCAST, mask

METRIC = 1000
"""Routes get this metric plus the interface's index, so that clients on two interfaces keep out of each other's way."""

MAX_ROUTES = 64
"""Routes taken from one lease; a server that sends more does not mean well."""


class Plan(msgspec.Struct, frozen=True):
    """What an interface gets. routes: in the order in which they are set."""

    address: int
    width: int
    routes: tuple[Route, ...] = ()


def plan(binding: Binding) -> Plan:
    """What a lease means for the interface. Options that are malformed count as absent."""
    return Plan(binding.address, _width(binding), tuple(dict.fromkeys(_routes(binding)))[:MAX_ROUTES])


class Interface:
    """One interface and what we set on it."""

    def __init__(self, link: LinkInfo) -> None:
        self._link = link
        self._metric = METRIC + link.index
        self._plan: Plan | None = None

    def apply(self, binding: Binding, wall: float) -> list[str]:
        """Set address and routes; the kernel drops the address by itself when the lease ends.

        Returns what went wrong with single routes, in plain words. Raises LinkError if the address cannot be set.
        """
        wanted = plan(binding)
        if self._plan and (self._plan.address, self._plan.width) != (wanted.address, wanted.width):
            self._take(self._plan)
        before = self._plan.routes if self._plan else ()
        netlink.put_address(self._link.index, wanted.address, wanted.width, _lifetime(binding, wall))
        self._plan = wanted
        problems = []
        for route in wanted.routes:
            try:
                netlink.put_route(self._link.index, route, wanted.address, self._metric)
            except LinkError as error:
                problems.append(str(error))
        kept = {(route.prefix, route.width) for route in wanted.routes}
        for route in before:
            if (route.prefix, route.width) not in kept:
                with suppress(LinkError):
                    netlink.take_route(self._link.index, route, self._metric)
        return problems

    def withdraw(self, binding: Binding) -> bool:
        """Take the address and its routes away. Was it there? Raises LinkError."""
        return self._take(self._plan or plan(binding))

    def _take(self, old: Plan) -> bool:
        self._plan = None
        # The kernel takes the routes along whose source the address is.
        return netlink.take_address(self._link.index, old.address, old.width)


def _width(binding: Binding) -> int:
    octets = binding.options.get(options.SUBNET_MASK.code, b"")
    netmask = int.from_bytes(octets)
    width = netmask.bit_count()
    if len(octets) == 4 and netmask and netmask == mask(width):
        return width
    # RFC 2131 is silent on a lease without a mask; RFC 950 s2.1: then the class of the address says it.
    return _class_width(binding.address)


def _class_width(address: int) -> int:
    """Width of the network part of an address' class (RFC 791 s3.2)."""
    return 8 if address >> 31 == 0 else 16 if address >> 30 == 0b10 else 24


def _routes(binding: Binding) -> list[Route]:
    classless = _decoded(binding, options.CLASSLESS_ROUTES)
    # RFC 3442: a client that gets classless routes ignores routers and static routes.
    if classless:
        # Routes on the link first: a router of another may be reached through them.
        return sorted((Route(*route) for route in classless), key=lambda route: route.router != 0)
    routes = [_static(*pair) for pair in _decoded(binding, options.STATIC_ROUTES)]
    # RFC 2132 s5.8: the default route is none of the static ones.
    routes = [route for route in routes if route.width]
    # RFC 2132 s3.5: in order of preference.
    return [*routes, *(Route(0, 0, router) for router in _decoded(binding, options.ROUTERS)[:1])]


def _static(destination: int, router: int) -> Route:
    """RFC 2132 s5.8 has destinations without a width: the class says it, if that leaves no bits behind."""
    width = _class_width(destination)
    return Route(destination, 32 if destination & ~mask(width) & BROADCAST else width if destination else 0, router)


def _decoded(binding: Binding, option: options.Option) -> tuple[Any, ...]:
    octets = binding.options.get(option.code)
    if octets is None:
        return ()
    try:
        return tuple(option.decode(octets))
    except WireError:
        return ()


def _lifetime(binding: Binding, wall: float) -> int:
    """Whole seconds until the lease ends, at least one."""
    left = binding.expires() - wall
    return netlink.FOREVER if left == inf else max(1, min(int(left), netlink.FOREVER - 1))
