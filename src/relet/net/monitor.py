"""Hears from the kernel when the link of one interface comes up or goes down, or the interface becomes another.

Of rtnetlink's notices (linux/rtnetlink.h) it reads the fixed head alone; no attribute is looked at. Everything that is
asked of the kernel goes through netlink.py.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator

from relet.model.events import LinkChanged
from relet.net import netlink
from relet.net.link import LinkError, LinkInfo, carries
from relet.net.rtnetlink import DEL_LINK, NEW_LINK, messages
from relet.wire.address import hex_text

NOTICES_MAX = 64
"""Netlink datagrams that one `receive` takes at most."""

_RTMGRP_LINK = 1
_IFINFO = struct.Struct("@BxHiII")  # ifinfomsg: family, type, index, flags, change
_DATAGRAM_MAX = 65536


class LinkMonitor:
    """A netlink socket that listens for one interface's changes. Raises LinkError.

    up: as last heard, at first as it was asked for once the socket was listening.
    lost: why this is no longer the interface it was, '' while it is: it is gone, or has another hardware address.
    """

    def __init__(self, link: LinkInfo) -> None:
        self._link = link
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, _RTMGRP_LINK))
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot listen to netlink: {error.strerror}", error.errno or 0) from error
        self.lost = ""
        self.up = self._ask()

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def receive(self) -> list[LinkChanged]:
        """The changes since last time; a link that went down and came up again gives both."""
        changes = []
        heard = list(self._notices())
        for up in heard:
            if up != self.up:
                self.up = up
                changes.append(LinkChanged(up))
        if heard:
            self._ask()
        return changes

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()

    def _notices(self) -> Iterator[bool]:
        for _ in range(NOTICES_MAX):
            try:
                octets, (sender, _) = self._socket.recvfrom(_DATAGRAM_MAX)
            except BlockingIOError:
                return
            except OSError as error:
                # The kernel lost notices (netlink(7), ENOBUFS): ask for what they would have said.
                if error.errno == errno.ENOBUFS:
                    yield self._ask()
                    continue
                raise LinkError(f"netlink: {os.strerror(error.errno or 0)}", error.errno or 0) from error
            if sender == 0:  # the kernel itself
                yield from states(octets, self._link.index)

    def _ask(self) -> bool:
        """Is the link up now? Notices too if it is lost."""
        try:
            now = netlink.link(self._link.name)
        except LinkError as error:
            if error.code == errno.ENODEV:
                self.lost = f"interface {self._link.name} is gone"
            return False
        if now.index != self._link.index:
            self.lost = f"interface {now.name} is gone, and another one has its name"
        elif now.mac != self._link.mac:
            self.lost = f"the hardware address of {now.name} has changed to {hex_text(now.mac)}"
        return now.up and not self.lost


def states(octets: bytes, index: int) -> Iterator[bool]:
    """What the messages of one netlink datagram say of an interface: up, down (or gone).

    A bridge tells of its ports in messages of its own family, and that a port left it is none of our business.
    """
    for kind, _, _, body in messages(octets):
        if kind in (NEW_LINK, DEL_LINK) and len(body) >= _IFINFO.size:
            family, _, which, flags, _ = _IFINFO.unpack_from(body)
            if which == index and family == socket.AF_UNSPEC:
                yield kind == NEW_LINK and carries(flags)
