"""What is asked of the kernel about interfaces, addresses and routes.

Each function opens a netlink socket, asks and closes it: nothing is kept. Every refusal is a LinkError, except where the
wish was already true: an address that is there is given its new lifetime, and what is gone counts as taken away. A route
replaces one of ours (RTPROT_DHCP, on that interface) to the same prefix with the same metric, and nobody else's.
"""

import errno
import os
import socket
import struct
from collections.abc import Container, Sequence

from relet.net import rtnetlink
from relet.net.link import LinkError, LinkInfo, Route, carries
from relet.net.rtnetlink import CREATE_NEW, CREATE_OR_REPLACE, Kernel, Request, attribute, attributes
from relet.wire.address import BROADCAST, ip_text, mask

FOREVER = 0xFFFFFFFF
"""Lifetime of an address that the kernel keeps until told otherwise."""

NAME_MAX = 15
"""Octets of an interface's name (linux/if.h IFNAMSIZ, without the zero at its end)."""

_LINK = struct.Struct("@BxHiII")  # ifinfomsg: family, type, index, flags, which flags to change
LINK_SIZE = _LINK.size
"""Octets that a message about an interface has at least; the first is its family."""

_ADDRESS = struct.Struct("@BBBBi")  # ifaddrmsg: family, width, flags, scope, index
_ROUTE = struct.Struct(
    "@BBBBBBBBI"
)  # rtmsg: family, widths of destination and source, tos, table, protocol, scope, type, flags
_NUMBER = struct.Struct("@I")
_IP = struct.Struct("!I")
_LIFETIMES = struct.Struct("@IIII")  # ifa_cacheinfo: preferred, valid, when it was made and last changed

# linux/if_link.h, linux/if_addr.h, linux/rtnetlink.h: attributes
_LINK_MAC, _LINK_NAME, _LINK_MTU = 1, 3, 4
_ADDRESS_PEER, _ADDRESS_LOCAL, _ADDRESS_BROADCAST, _ADDRESS_LIFETIMES, _ADDRESS_PROTOCOL = 1, 2, 4, 6, 11
_ROUTE_TO, _ROUTE_OUT, _ROUTE_VIA, _ROUTE_METRIC, _ROUTE_SOURCE = 1, 4, 5, 6, 7

_UP = 0x1  # IFF_UP
_PERMANENT = 0x80  # IFA_F_PERMANENT: without a lifetime
_MAIN_TABLE = 254
PROTOCOL_DHCP = 16
"""rtm_protocol of what DHCP has set. Addresses get the same number, of which the kernel (5.18 and later) only keeps note."""

_MARK = bytes((PROTOCOL_DHCP,))
_SCOPE_NOWHERE, _SCOPE_LINK, _SCOPE_GLOBAL = 255, 253, 0
_UNICAST = 1
_ONLINK = 4


def link(name: str) -> LinkInfo:
    """The interface of that name as it is now. Raises LinkError, also if there is none."""
    what = f"cannot look at interface {name}"
    octets = os.fsencode(name)
    if not 1 <= len(octets) <= NAME_MAX:
        raise LinkError(f"{what}: {os.strerror(errno.ENODEV)}", errno.ENODEV)
    with Kernel() as kernel:
        wanted = attribute(_LINK_NAME, octets + b"\0")
        row = kernel.ask(what, rtnetlink.GET_LINK, _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0) + wanted)
        if len(row) < _LINK.size:
            raise LinkError(f"{what}: {os.strerror(errno.EBADMSG)}", errno.EBADMSG)
        _, _, index, _, _ = _LINK.unpack_from(row)
        return described(row, _addresses(kernel, index).get(index, ()))


def links(kernel: Kernel) -> dict[str, LinkInfo]:
    """Every interface as it is now, by name. Raises LinkError."""
    rows = kernel.all("cannot look at the interfaces", rtnetlink.GET_LINK, _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
    on = _addresses(kernel, 0)
    found = (described(row, on.get(_LINK.unpack_from(row)[2], ())) for row in rows if len(row) >= _LINK.size)
    return {each.name: each for each in found}


def hardware() -> frozenset[bytes]:
    """The hardware addresses of all interfaces. Raises LinkError."""
    with Kernel() as kernel:
        rows = kernel.all("cannot look at the interfaces", rtnetlink.GET_LINK, _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
    return frozenset(described(row).mac for row in rows if len(row) >= _LINK.size)


def has_ipv6(index: int) -> bool:
    """Has the interface an IPv6 address? With IPv6 switched on it has, once it is up. Raises LinkError."""
    wanted = _ADDRESS.pack(socket.AF_INET6, 0, 0, 0, index)
    with Kernel() as kernel:
        rows = kernel.all("cannot look at the addresses", rtnetlink.GET_ADDR, wanted)
    heads = [_ADDRESS.unpack_from(row) for row in rows if len(row) >= _ADDRESS.size]
    return any((family, at) == (socket.AF_INET6, index) for family, _, _, _, at in heads)


def is_anothers(index: int, address: int, width: int) -> bool:
    """Is that address there for good, and not by DHCP? An operator has set it, or whoever booted the machine by a file
    system on the network. Raises LinkError."""
    with Kernel() as kernel:
        rows = _address_rows(kernel, index)
    return any(
        flags & _PERMANENT and has.get(_ADDRESS_PROTOCOL) != _MARK and has.get(_ADDRESS_LOCAL) == _IP.pack(address)
        for flags, its_width, at, has in rows
        if (at, its_width) == (index, width)
    )


def has_route(index: int, prefix: int, width: int, metric: int) -> bool:
    """Is a route to there that DHCP has set in the main table, with that metric? Raises LinkError."""
    wanted = _ROUTE.pack(socket.AF_INET, 0, 0, 0, _MAIN_TABLE, PROTOCOL_DHCP, 0, 0, 0)
    with Kernel() as kernel:
        rows = kernel.all(
            "cannot look at the routes", rtnetlink.GET_ROUTE, wanted + attribute(_ROUTE_OUT, _NUMBER.pack(index))
        )
    return any(route_described(row) == (index, prefix, width, metric) for row in rows)


def switch_on(index: int) -> None:
    """Set an interface administratively up; nothing if it is. Raises LinkError."""
    _carry_out(
        Request("cannot switch the interface on", rtnetlink.NEW_LINK, _LINK.pack(socket.AF_UNSPEC, 0, index, _UP, _UP))
    )


def set_mtu(index: int, mtu: int) -> None:
    """Set the most octets that an interface carries in one packet. Raises LinkError."""
    body = _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0) + attribute(_LINK_MTU, _NUMBER.pack(mtu))
    _carry_out(Request(f"cannot set an MTU of {mtu}", rtnetlink.NEW_LINK, body))


def put_lease(
    index: int,
    address: int,
    width: int,
    lifetime: int | None,
    routes: Sequence[tuple[Route, int]],
    known: Container[Route] = (),
) -> list[LinkError]:
    """Put an address on an interface, or give the one that is there a new lifetime, and then the routes that use it, each
    with its metric; all in one request.

    lifetime: seconds after which the kernel takes the address away by itself, should nobody renew it; None if the address is
    there and stays as it is.
    A router is taken to be on the link whether or not its address lies in our prefix (RFC 3442 'Local Subnet Routes' leaves
    routers outside of it to the client).
    known: routes that we have put there before; they stay as they are if they still are there. Gives what went wrong with
    single routes. Raises LinkError if the address cannot be put there.
    """
    requests = [] if lifetime is None else [_put_address(index, address, width, lifetime)]
    for route, metric in routes:
        requests += _put_route(index, route, address, metric, route in known)
    with Kernel() as kernel:
        outcomes = kernel.carry_out(requests)
    if outcomes and lifetime is not None and isinstance(outcomes[0], LinkError):
        raise outcomes[0]
    return [each for each in outcomes if isinstance(each, LinkError)]


def take_address(index: int, address: int, width: int) -> bool:
    """Take an address, and with it the routes that use it, off an interface. Was it there? Raises LinkError."""
    return _carry_out(
        Request(
            f"cannot remove address {ip_text(address)}/{width}",
            rtnetlink.DEL_ADDR,
            _ADDRESS.pack(socket.AF_INET, width, 0, 0, index) + attribute(_ADDRESS_LOCAL, _IP.pack(address)),
            harmless=(errno.EADDRNOTAVAIL, errno.ENODEV),
        )
    )


def take_route(index: int, route: Route, metric: int) -> bool:
    """Remove our route to that prefix with that metric. Was it there? Raises LinkError."""
    return _carry_out(_take_route(index, route, metric))


def _put_address(index: int, address: int, width: int, lifetime: int) -> Request:
    body = (
        _ADDRESS.pack(socket.AF_INET, width, 0, _SCOPE_GLOBAL, index)
        + attribute(_ADDRESS_LOCAL, _IP.pack(address))
        + attribute(_ADDRESS_PEER, _IP.pack(address))
        # RFC 3021: with a prefix of 31 bits, what would be the broadcast address is the other host's.
        + (attribute(_ADDRESS_BROADCAST, _IP.pack(address | ~mask(width) & BROADCAST)) if width < 31 else b"")
        + attribute(_ADDRESS_LIFETIMES, _LIFETIMES.pack(lifetime, lifetime, 0, 0))
        + attribute(_ADDRESS_PROTOCOL, _MARK)
    )
    return Request(f"cannot set address {ip_text(address)}/{width}", rtnetlink.NEW_ADDR, body, CREATE_OR_REPLACE)


def _put_route(index: int, route: Route, source: int, metric: int, known: bool = False) -> list[Request]:
    """known: it may be there as it is; otherwise one of ours to that prefix goes first."""
    scope, flags = (_SCOPE_GLOBAL, _ONLINK) if route.router else (_SCOPE_LINK, 0)
    body = (
        _route(index, route, metric, scope, flags)
        + (attribute(_ROUTE_VIA, _IP.pack(route.router)) if route.router else b"")
        + attribute(_ROUTE_SOURCE, _IP.pack(source))
    )
    what = f"cannot set the route to {ip_text(route.prefix)}/{route.width}"
    if known:
        return [Request(what, rtnetlink.NEW_ROUTE, body, CREATE_NEW, harmless=(errno.EEXIST,))]
    return [_take_route(index, route, metric), Request(what, rtnetlink.NEW_ROUTE, body, CREATE_NEW)]


def _take_route(index: int, route: Route, metric: int) -> Request:
    return Request(
        f"cannot remove the route to {ip_text(route.prefix)}/{route.width}",
        rtnetlink.DEL_ROUTE,
        _route(index, route, metric, _SCOPE_NOWHERE, 0),
        harmless=(errno.ESRCH, errno.ENODEV),
    )


def _route(index: int, route: Route, metric: int, scope: int, flags: int) -> bytes:
    """Which route it is. scope: _SCOPE_NOWHERE for one of any scope, which is to be removed."""
    return (
        _ROUTE.pack(socket.AF_INET, route.width, 0, 0, _MAIN_TABLE, PROTOCOL_DHCP, scope, _UNICAST, flags)
        + (attribute(_ROUTE_TO, _IP.pack(route.prefix)) if route.width else b"")
        + attribute(_ROUTE_OUT, _NUMBER.pack(index))
        + attribute(_ROUTE_METRIC, _NUMBER.pack(metric))
    )


def _carry_out(*requests: Request) -> bool:
    """Was there something to be done by the last of them? Raises LinkError, the first there was."""
    with Kernel() as kernel:
        outcomes = kernel.carry_out(requests)
    for outcome in outcomes:
        if isinstance(outcome, LinkError):
            raise outcome
    return outcomes[-1] is True


def described(row: bytes, addresses: tuple[tuple[int, int], ...] = ()) -> LinkInfo:
    """What a message of LINK_SIZE octets or more says of an interface; name '' and mtu 0 if it does not say."""
    _, _, index, flags, _ = _LINK.unpack_from(row)
    known = attributes(row, _LINK.size)
    mtu = known.get(_LINK_MTU, b"")
    return LinkInfo(
        name=os.fsdecode(known.get(_LINK_NAME, b"").rstrip(b"\0")),
        index=index,
        mac=known.get(_LINK_MAC, b""),
        mtu=_NUMBER.unpack(mtu)[0] if len(mtu) == _NUMBER.size else 0,
        up=carries(flags),
        addresses=addresses,
    )


def route_described(row: bytes) -> tuple[int, int, int, int] | None:
    """Interface, prefix, width and metric of a route that DHCP has set in the main table; None for any other."""
    if len(row) < _ROUTE.size:
        return None
    family, width, _, _, table, protocol, _, _, _ = _ROUTE.unpack_from(row)
    if (family, table, protocol) != (socket.AF_INET, _MAIN_TABLE, PROTOCOL_DHCP):
        return None
    has = attributes(row, _ROUTE.size)
    prefix, out, metric = (has.get(kind, bytes(4)) for kind in (_ROUTE_TO, _ROUTE_OUT, _ROUTE_METRIC))
    if not len(prefix) == len(out) == len(metric) == _NUMBER.size:
        return None
    return _NUMBER.unpack(out)[0], _IP.unpack(prefix)[0], width, _NUMBER.unpack(metric)[0]


def address_described(row: bytes) -> int:
    """The interface of an IPv4 address; 0 for none."""
    if len(row) < _ADDRESS.size or row[0] != socket.AF_INET:
        return 0
    index: int = _ADDRESS.unpack_from(row)[4]
    return index


def _addresses(kernel: Kernel, index: int) -> dict[int, tuple[tuple[int, int], ...]]:
    """(address, width) pairs by interface; index: of one alone, 0 for all."""
    on: dict[int, tuple[tuple[int, int], ...]] = {}
    for _, width, at, has in _address_rows(kernel, index):
        local = has.get(_ADDRESS_LOCAL, b"")
        if len(local) == _IP.size:
            on[at] = (*on.get(at, ()), (_IP.unpack(local)[0], width))
    return on


def _address_rows(kernel: Kernel, index: int) -> list[tuple[int, int, int, dict[int, bytes]]]:
    """Flags, width, interface and attributes of each IPv4 address; index: of one interface alone, 0 for all."""
    wanted = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, index)
    rows = [
        row
        for row in kernel.all("cannot look at the addresses", rtnetlink.GET_ADDR, wanted)
        if len(row) >= _ADDRESS.size
    ]
    heads = map(_ADDRESS.unpack_from, rows)
    return [
        (flags, width, at, attributes(row, _ADDRESS.size))
        for (_, width, flags, _, at), row in zip(heads, rows, strict=True)
    ]
