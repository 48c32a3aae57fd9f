"""What a lease says, for a program that uses relet as a library: addresses as `ipaddress` has them, texts, seconds.

The values are those of `run/plan.py`, so what a server sent that cannot be meant is left out; the octets of all options are
there as they came.
"""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import msgspec

from relet.model.effects import Binding
from relet.run.plan import plan


class Terms(msgspec.Struct, frozen=True):
    """The terms of a lease at one moment.

    address, prefix: ours, and the subnet that it lies in. server: who granted it (option 54). routers, dns, ntp: in the
    server's order of preference. routes: destination and router, None for one on the link itself. domain, search, hostname:
    names as RFC 1123 has them, '' and () for none. mtu: None if not told. captive_portal: a URI (RFC 8910), '' for none.
    granted, expires: seconds since 1970; `expires` is infinity for a lease without end. options: code -> octets.
    """

    address: IPv4Address
    prefix: IPv4Network
    server: IPv4Address
    granted: float
    expires: float
    routers: tuple[IPv4Address, ...] = ()
    routes: tuple[tuple[IPv4Network, IPv4Address | None], ...] = ()
    dns: tuple[IPv4Address, ...] = ()
    ntp: tuple[IPv4Address, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    hostname: str = ""
    mtu: int | None = None
    captive_portal: str = ""
    options: dict[int, bytes] = {}

    @property
    def interface(self) -> IPv4Interface:
        """Address and width together, such as 192.168.1.100/24."""
        return IPv4Interface((int(self.address), self.prefix.prefixlen))


def terms(binding: Binding) -> Terms:
    """The terms of a binding."""
    planned = plan(binding)
    return Terms(
        address=IPv4Address(binding.address),
        prefix=IPv4Network((binding.address & planned.netmask(), planned.width)),
        server=IPv4Address(binding.server),
        granted=binding.requested_at,
        expires=binding.expires(),
        routers=_addresses(planned.routers),
        routes=tuple(
            (IPv4Network((route.prefix, route.width)), IPv4Address(route.router) if route.router else None)
            for route in planned.routes
        ),
        dns=_addresses(planned.nameservers),
        ntp=_addresses(planned.ntp),
        domain=planned.domain,
        search=planned.search,
        hostname=planned.hostname,
        mtu=planned.mtu or None,
        captive_portal=planned.captive_portal,
        options=dict(binding.options),
    )


def _addresses(addresses: tuple[int, ...]) -> tuple[IPv4Address, ...]:
    return tuple(map(IPv4Address, addresses))
