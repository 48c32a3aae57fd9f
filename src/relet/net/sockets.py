"""What every socket here shares: a large receive buffer, names for failures, and how many packets the kernel lost.

A failure to send is the network's ordinary life: it is counted under a name, never raised.
"""

import errno
import socket
import struct

BATCH = 256
"""Packets that one `receive` takes at most, so that one busy socket cannot starve the others."""

QUIET_BATCH = 16
"""The same for a client, which starts sooner if less is laid ready."""

DATAGRAM_MAX = 4096
"""Octets of the longest message read. More is never DHCP: option 57 asks of nobody more than an MTU."""

RECEIVE_BUFFER = 64 << 20
"""Octets that wait at a server's socket, as the kernel reckons: it charges 1,280 for a message of up to some 600 octets (its
frame in 1,024, and the 256 that describe it; measured on Ethernet, veth and loopback) and 2,304 for a full frame. So 52,000
requests wait, 0.6 s of the work of a server that answers 80,000 a second. That bridges what keeps the loop busy for some
milliseconds, and the front of a storm. More would be answered later than its client asks again (RFC 2131 s4.1: 4 s) only
from 400 MiB on; what it costs is the kernel's memory, for each socket that is flooded."""

QUIET_BUFFER = 1 << 20
"""The same for a client, and for what hears ARP: 800 packets."""

MESSAGE = 1280
"""Octets that an ordinary message takes there."""

SEND_BUFFER = 2 << 20
"""Octets, reckoned alike, that wait until the interface has taken them: six batches of ordinary replies, three of full
frames. The system's default holds less than one, and a batch goes out at once."""

_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h, as the next
_SO_MEMINFO = 55
_MEMINFO_HELD, _MEMINFO_ROOM, _MEMINFO_DROPS = 0, 1, 8  # linux/sock_diag.h SK_MEMINFO_RMEM_ALLOC, _RCVBUF, _DROPS
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


def set_buffers(sock: socket.socket, receive: int) -> int:
    """Make room for so many octets to come, and for SEND_BUFFER to go. How much room there is for what comes.

    Who lacks CAP_NET_ADMIN gets no more than twice net.core.rmem_max and wmem_max.
    """
    _set_buffer(sock, _SO_RCVBUFFORCE, socket.SO_RCVBUF, receive)
    _set_buffer(sock, _SO_SNDBUFFORCE, socket.SO_SNDBUF, SEND_BUFFER)
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def _set_buffer(sock: socket.socket, force: int, ask: int, octets: int) -> None:
    asked = octets // 2  # socket(7): the kernel doubles what it is asked for
    try:
        sock.setsockopt(socket.SOL_SOCKET, force, asked)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, ask, asked)


def overruns(sock: socket.socket) -> int:
    """Packets that the kernel threw away because the receive buffer was full, since the socket was opened."""
    fields = _memory(sock)
    return fields[_MEMINFO_DROPS] if len(fields) > _MEMINFO_DROPS else 0


def held(sock: socket.socket) -> tuple[int, float]:
    """How many messages wait in the receive buffer, as near as what they take tells, and what share of it they fill."""
    octets, room = _memory(sock)[_MEMINFO_HELD : _MEMINFO_ROOM + 1]
    return octets // MESSAGE, octets / room


def _memory(sock: socket.socket) -> tuple[int, ...]:
    octets = sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * _MEMINFO_FIELDS)
    return struct.unpack(f"@{len(octets) // 4}I", octets)
