"""What every socket here shares: a large receive buffer, names for failures, and how many packets the kernel lost.

A failure to send is the network's ordinary life: it is counted under a name, never raised.
"""

import errno
import socket
import struct

BATCH = 256
"""Packets that one `receive` takes at most, so that one busy socket cannot starve the others."""

DATAGRAM_MAX = 4096
"""Octets of the longest message read. More is never DHCP: option 57 asks of nobody more than an MTU."""

PACKET_BUFFER = 8 << 20
"""Receive buffer of a packet socket, octets."""

DATAGRAM_BUFFER = 32 << 20
"""Receive buffer of a UDP socket, octets: some 30,000 waiting requests, a third of a second at full speed."""

SEND_BUFFER = 1 << 20
"""Send buffer, octets. A whole batch of replies waits there until the interface has taken it, each with some 1,280 octets
of the kernel's own reckoning; the system's default holds fewer than a batch."""

_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h, as the next
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8  # linux/sock_diag.h SK_MEMINFO_DROPS
_MEMINFO_FIELDS = 9

_NAMES = {
    errno.EMSGSIZE: "too-long",
    errno.ENOBUFS: "no-buffer",
    errno.EAGAIN: "queue-full",
    errno.ENETDOWN: "link-down",
    errno.ENXIO: "link-gone",
    errno.ENODEV: "link-gone",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.EADDRNOTAVAIL: "no-address",
    errno.EPERM: "forbidden",
    errno.EACCES: "forbidden",
}


def failure(error: OSError) -> str:
    """The name under which a failed send or receive is counted; 'os-error' for what has no name of its own."""
    return _NAMES.get(error.errno or 0, "os-error")


def set_buffers(sock: socket.socket, receive: int, send: int) -> None:
    """Ask for so many octets; without the right to exceed net.core.rmem_max and wmem_max, take what the system allows."""
    for octets, force, plain in (
        (receive, _SO_RCVBUFFORCE, socket.SO_RCVBUF),
        (send, _SO_SNDBUFFORCE, socket.SO_SNDBUF),
    ):
        try:
            sock.setsockopt(socket.SOL_SOCKET, force, octets)
        except PermissionError:
            sock.setsockopt(socket.SOL_SOCKET, plain, octets)


def overruns(sock: socket.socket) -> int:
    """Packets that the kernel threw away because the receive buffer was full, since the socket was opened."""
    octets = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * _MEMINFO_FIELDS)
    fields = struct.unpack(f"@{len(octets) // 4}I", octets)
    return int(fields[_MEMINFO_DROPS]) if len(fields) > _MEMINFO_DROPS else 0
