"""Hears from the kernel how interfaces come, change and go: one netlink socket for all that somebody cares about.

Whatever else is asked of the kernel goes through netlink.py.
"""

import errno
import os
import socket
from collections.abc import Iterable, Iterator

import msgspec

from relet.net import netlink
from relet.net.link import LinkError, LinkInfo
from relet.net.rtnetlink import DEL_LINK, NEW_LINK, messages

NOTICES_MAX = 64
"""Netlink datagrams that one `receive` takes at most; the loop calls again for more."""

_RTMGRP_LINK = 1
_DATAGRAM_MAX = 65536


class Notice(msgspec.Struct, frozen=True):
    """What became of the interface of that name. link: as it is now, without its addresses; None if there is none."""

    name: str
    link: LinkInfo | None


class LinkMonitor:
    """A netlink socket that listens for what happens to the interfaces of these names. Raises LinkError.

    links: each as last heard, None if there is none; at first as it was asked for once the socket was listening.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, _RTMGRP_LINK))
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

    def receive(self) -> list[Notice]:
        """The changes since last time, in order: a link that went down and came up again gives both."""
        changes = []
        for notice in self._notices():
            if _differs(notice.link, self.links[notice.name]):
                self.links[notice.name] = notice.link
                changes.append(notice)
        return changes

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()

    def _notices(self) -> Iterator[Notice]:
        for _ in range(NOTICES_MAX):
            try:
                octets, (sender, _) = self._socket.recvfrom(_DATAGRAM_MAX)
            except BlockingIOError:
                return
            except OSError as error:
                # The kernel lost notices (netlink(7), ENOBUFS): ask for what they would have said.
                if error.errno == errno.ENOBUFS:
                    yield from [Notice(name, _asked(name)) for name in self.links]
                    continue
                raise LinkError(f"netlink: {os.strerror(error.errno or 0)}", error.errno or 0) from error
            if sender == 0:  # the kernel itself
                for link, there in heard(octets):
                    yield from self._about(link, there)

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
