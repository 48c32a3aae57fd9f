"""Wakes its owner when links or addresses change, and asks the kernel for all of them at once (rtnetlink(7)).

Notices only wake: what they say is not read. The truth is one dump, so that lost or doubled notices cost nothing. Both
sockets are opened once and stay in the network namespace in which they were made.
"""

import errno
import socket

from relet.net import netlink
from relet.net.link import LinkError, LinkInfo
from relet.net.rtnetlink import Kernel

NOTICES_MAX = 256
"""Netlink datagrams that one `receive` takes at most; the loop calls again for more."""

_GROUPS = 0x1 | 0x10  # linux/rtnetlink.h RTMGRP_LINK, RTMGRP_IPV4_IFADDR
_NOTICE_OCTETS = 1
"""The rest of a notice is thrown away by the kernel."""


class Watch:
    """Every interface and its addresses. Raises LinkError if netlink is not to be had."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        try:
            self._socket.bind((0, _GROUPS))
            self._kernel = Kernel()
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot listen to netlink: {error.strerror}", error.errno or 0) from error
        except LinkError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def receive(self) -> bool:
        """Take the notices that wait. Was there any, or have any been lost (ENOBUFS)?"""
        heard = False
        for _ in range(NOTICES_MAX):
            try:
                self._socket.recv(_NOTICE_OCTETS)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise LinkError(f"netlink: {error.strerror}", error.errno or 0) from error
            heard = True
        return heard

    def links(self) -> dict[str, LinkInfo]:
        """Every interface as it is now, by name. Raises LinkError."""
        return netlink.links(self._kernel)

    def close(self) -> None:
        """Give the sockets back. Idempotent."""
        self._socket.close()
        self._kernel.close()
