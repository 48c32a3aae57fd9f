"""What is asked of the kernel about interfaces, addresses and routes, through pyroute2.

Each function opens a netlink socket, asks one thing and closes it: nothing is kept. Every refusal is a LinkError, except
where the wish was already true: what is there is replaced, and what is gone counts as taken away.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from relet.net.link import LinkError, LinkInfo, Route, carries
from relet.wire.address import BROADCAST, ip_text, mask, parse_hex, parse_ip

_AF_INET = 2
_PROTOCOL_DHCP = 16  # linux/rtnetlink.h RTPROT_DHCP
_SCOPE_LINK = 253
_SCOPE_GLOBAL = 0
_ONLINK = 4  # RTNH_F_ONLINK

FOREVER = 0xFFFFFFFF
"""Lifetime of an address that the kernel keeps until told otherwise."""


def link(name: str) -> LinkInfo:
    """The interface of that name as it is now. Raises LinkError, also if there is none."""
    with _kernel(f"cannot look at interface {name}") as kernel:
        row = kernel.link("get", ifname=name)[0]
        rows = list(kernel.get_addr(family=_AF_INET, index=row["index"]))
    return LinkInfo(
        name=name,
        index=row["index"],
        mac=parse_hex(row.get_attr("IFLA_ADDRESS") or ""),
        mtu=row.get_attr("IFLA_MTU"),
        up=carries(row["flags"]),
        addresses=tuple((parse_ip(each.get_attr("IFA_LOCAL")), each["prefixlen"]) for each in rows),
    )


def switch_on(index: int) -> None:
    """Set an interface administratively up; nothing if it is. Raises LinkError."""
    with _kernel("cannot switch the interface on") as kernel:
        kernel.link("set", index=index, state="up")


def put_address(index: int, address: int, width: int, lifetime: int = FOREVER) -> None:
    """Put an address on an interface, or give the one that is there a new lifetime. Raises LinkError.

    lifetime: seconds after which the kernel takes the address away by itself, should nobody renew it.
    """
    with _kernel(f"cannot set address {ip_text(address)}/{width}") as kernel:
        kernel.addr(
            "replace",
            index=index,
            address=ip_text(address),
            prefixlen=width,
            broadcast=ip_text(address | ~mask(width) & BROADCAST),
            preferred_lft=lifetime,
            valid_lft=lifetime,
        )


def take_address(index: int, address: int, width: int) -> bool:
    """Take an address, and with it the routes that use it, off an interface. Was it there? Raises LinkError."""
    with _kernel(f"cannot remove address {ip_text(address)}/{width}", errno.EADDRNOTAVAIL, errno.ENODEV) as kernel:
        kernel.addr("delete", index=index, address=ip_text(address), prefixlen=width)
        return True
    return False


def put_route(index: int, route: Route, source: int, metric: int) -> None:
    """Add a route, or set it right if one to that prefix with that metric is there. Raises LinkError.

    The router is taken to be on the link whether or not its address lies in our prefix (RFC 3442 'Local Subnet Routes'
    leaves routers outside of it to the client).
    """
    with _kernel(f"cannot set the route to {ip_text(route.prefix)}/{route.width}") as kernel:
        kernel.route("replace", **_route(index, route, metric), prefsrc=ip_text(source))


def take_route(index: int, route: Route, metric: int) -> bool:
    """Remove a route. Was it there? Raises LinkError."""
    with _kernel(
        f"cannot remove the route to {ip_text(route.prefix)}/{route.width}", errno.ESRCH, errno.ENODEV
    ) as kernel:
        kernel.route("delete", **_route(index, route, metric))
        return True
    return False


def _route(index: int, route: Route, metric: int) -> dict[str, object]:
    where: dict[str, object] = {"scope": _SCOPE_LINK}
    if route.router:
        where = {"scope": _SCOPE_GLOBAL, "gateway": ip_text(route.router), "flags": _ONLINK}
    prefix = f"{ip_text(route.prefix)}/{route.width}"
    return {"dst": prefix, "oif": index, "priority": metric, "proto": _PROTOCOL_DHCP, **where}


@contextmanager
def _kernel(what: str, *harmless: int) -> Iterator[IPRoute]:
    """A netlink socket; refusals become LinkError, but for the errno numbers that mean it was so already."""
    try:
        with IPRoute() as kernel:
            yield kernel
    except (NetlinkError, OSError) as error:
        code = error.code if isinstance(error, NetlinkError) else error.errno or 0
        if code not in harmless:
            raise LinkError(f"{what}: {os.strerror(code)}", code) from error
