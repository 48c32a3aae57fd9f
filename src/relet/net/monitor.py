"""Hears from the kernel how interfaces come, change and go, and what is taken off them: one netlink socket for all that
somebody cares about.

Whatever else is asked of the kernel goes through netlink.py.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator

import msgspec

from relet.net import netlink
from relet.net.filter import IF_EQUAL, LOAD_BYTE, LOAD_HALF, Step, attach
from relet.net.link import LinkError, LinkInfo
from relet.net.rtnetlink import DEL_ADDR, DEL_LINK, DEL_ROUTE, NEW_ADDR, NEW_LINK, NEW_ROUTE, messages

NOTICES_MAX = 64
"""Netlink datagrams that one `receive` takes at most; the loop calls again for more."""

_GROUPS = 0x1 | 0x10 | 0x40
"""RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE"""

_DATAGRAM_MAX = 65536


class Notice(msgspec.Struct, frozen=True):
    """What became of the interface of that name. link: as it is now, without its addresses; None if there is none."""

    name: str
    link: LinkInfo | None


class Taken(msgspec.Struct, frozen=True):
    """Something was taken off the interface of that name, by whomever. route: prefix, width and metric if it was a route
    that DHCP had set; None if it was an address, or if nobody knows."""

    name: str
    route: tuple[int, int, int] | None = None


class LinkMonitor:
    """A netlink socket that listens for what happens to the interfaces of these names. Raises LinkError.

    links: each as last heard, None if there is none; at first as it was asked for once the socket was listening.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            attach(self._socket, _filter())
            self._socket.bind((0, _GROUPS))
            self.links = {name: _asked(name) for name in names}
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot listen to netlink: {error.strerror}", error.errno or 0) from error
        except LinkError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def receive(self) -> list[Notice | Taken]:
        """The changes since last time, in order: a link that went down and came up again gives both."""
        changes: list[Notice | Taken] = []
        for notice in self._notices():
            if isinstance(notice, Taken):
                changes.append(notice)
            elif _differs(notice.link, self.links[notice.name]):
                self.links[notice.name] = notice.link
                changes.append(notice)
        return changes

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()

    def _notices(self) -> Iterator[Notice | Taken]:
        for _ in range(NOTICES_MAX):
            try:
                octets, (sender, _) = self._socket.recvfrom(_DATAGRAM_MAX)
            except BlockingIOError:
                return
            except OSError as error:
                # The kernel lost notices (netlink(7), ENOBUFS): ask for what they would have said.
                if error.errno == errno.ENOBUFS:
                    yield from [Notice(name, _asked(name)) for name in self.links]
                    yield from map(Taken, self.links)
                    continue
                raise LinkError(f"netlink: {os.strerror(error.errno or 0)}", error.errno or 0) from error
            if sender == 0:  # the kernel itself
                for link, there in heard(octets):
                    yield from self._about(link, there)
                for index, route in lost(octets):
                    yield from (Taken(name, route) for name, link in self.links.items() if link and link.index == index)

    def _about(self, link: LinkInfo, there: bool) -> Iterator[Notice]:
        for name, known in self.links.items():
            if name == link.name and there:
                yield Notice(name, link)
            elif known and known.index == link.index:  # it is gone, or is called something else now
                yield Notice(name, None)


def heard(octets: bytes) -> Iterator[tuple[LinkInfo, bool]]:
    """What the messages of one netlink datagram say: an interface, and whether it is (still) there.

    A bridge tells of its ports in messages of its own family, and that a port left it is none of our business.
    """
    for kind, _, _, body in messages(octets):
        if kind in (NEW_LINK, DEL_LINK) and len(body) >= netlink.LINK_SIZE and body[0] == socket.AF_UNSPEC:
            link = netlink.described(body)
            if link.name and link.mtu:  # a wireless driver's own events have no more than a name
                yield link, kind == NEW_LINK


def lost(octets: bytes) -> Iterator[tuple[int, tuple[int, int, int] | None]]:
    """What the messages of one netlink datagram say is gone: the interface, and which route if it was one."""
    for kind, _, _, body in messages(octets):
        if kind == DEL_ADDR and (index := netlink.address_described(body)):
            yield index, None
        elif kind == DEL_ROUTE and (route := netlink.route_described(body)):
            yield route[0], route[1:]


def _filter() -> list[Step]:
    """Routes of a router change by the thousand. What comes is none of our business; only what is gone may have been ours.

    Offsets as in nlmsghdr and rtmsg; the filter reads numbers in network order, and the kernel writes them in its own.
    """
    return [
        Step(LOAD_HALF, 4),
        Step(IF_EQUAL, _as_read(NEW_ROUTE), true="drop"),
        Step(IF_EQUAL, _as_read(NEW_ADDR), true="drop"),
        Step(IF_EQUAL, _as_read(DEL_ROUTE), false="keep"),
        Step(LOAD_BYTE, 21),
        Step(IF_EQUAL, netlink.PROTOCOL_DHCP, false="drop"),
    ]


def _as_read(kind: int) -> int:
    return int.from_bytes(struct.pack("@H", kind))


def _asked(name: str) -> LinkInfo | None:
    """Raises LinkError, but for an interface that is not there."""
    try:
        return netlink.link(name)
    except LinkError as error:
        if error.code != errno.ENODEV:
            raise
        return None


def _differs(one: LinkInfo | None, other: LinkInfo | None) -> bool:
    """For a client: another interface, another hardware address, up or down."""
    if one is None or other is None:
        return one is not other
    return (one.index, one.mac, one.up) != (other.index, other.mac, other.up)
