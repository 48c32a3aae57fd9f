"""What a lease says, for a program that uses relet as a library: addresses as `ipaddress` has them, texts, seconds.

An option that is malformed counts as absent; the octets of all options are there as they came.
"""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

import msgspec

from relet.errors import WireError
from relet.model.effects import Binding
from relet.wire import options
from relet.wire.option import Option


class Terms(msgspec.Struct, frozen=True):
    """The terms of a lease at one moment.

    address, prefix: ours, and the subnet that it lies in. server: who granted it (option 54). routers, dns, ntp: in the
    server's order of preference. domain, search: names as the server gave them, not checked. mtu: None if not told.
    granted, expires: seconds since 1970; `expires` is infinity for a lease without end. options: code -> octets.
    """

    address: IPv4Address
    prefix: IPv4Network
    server: IPv4Address
    granted: float
    expires: float
    routers: tuple[IPv4Address, ...] = ()
    dns: tuple[IPv4Address, ...] = ()
    ntp: tuple[IPv4Address, ...] = ()
    domain: str = ""
    search: tuple[str, ...] = ()
    mtu: int | None = None
    options: dict[int, bytes] = {}

    @property
    def interface(self) -> IPv4Interface:
        """Address and width together, such as 192.168.1.100/24."""
        return IPv4Interface((int(self.address), self.prefix.prefixlen))


def terms(binding: Binding) -> Terms:
    """The terms of a binding."""
    network, width = binding.prefix()
    return Terms(
        address=IPv4Address(binding.address),
        prefix=IPv4Network((network, width)),
        server=IPv4Address(binding.server),
        granted=binding.requested_at,
        expires=binding.expires(),
        routers=_addresses(binding, options.ROUTERS),
        dns=_addresses(binding, options.DOMAIN_NAME_SERVERS),
        ntp=_addresses(binding, options.NTP_SERVERS),
        domain=_decoded(binding, options.DOMAIN_NAME) or "",
        search=tuple(_decoded(binding, options.DOMAIN_SEARCH) or ()),
        mtu=_decoded(binding, options.INTERFACE_MTU),
        options=dict(binding.options),
    )


def _addresses(binding: Binding, option: Option) -> tuple[IPv4Address, ...]:
    return tuple(IPv4Address(address) for address in _decoded(binding, option) or ())


def _decoded(binding: Binding, option: Option) -> Any:
    octets = binding.options.get(option.code)
    try:
        return None if octets is None else option.decode(octets)
    except WireError:
        return None
