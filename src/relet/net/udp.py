"""DHCP messages through the kernel's UDP: relayed and unicast traffic of a server, unicast requests of a client.

`Datagrams` is the server's fast road: one receive call and one Arrival per datagram, and nothing else. What cannot be
sent is counted in `drops` under a name and never raised.
"""

import fcntl
import socket
import struct
import sys
import termios
from collections import Counter
from functools import lru_cache

from relet.model.effects import CLIENT_PORT, Send
from relet.model.events import Arrival
from relet.net import filter as bpf
from relet.net.link import LinkError
from relet.net.sockets import BATCH, DATAGRAM_BUFFER, failure, overruns, set_receive_buffer
from relet.wire.address import ip_text

DATAGRAM_MAX = 4096
"""Octets of the longest datagram read. More is never DHCP: option 57 asks of nobody more than an MTU."""

KNOWN_SENDERS = 4096
"""Addresses remembered in both forms; behind relays, there are few."""

_IP_PKTINFO = 8  # linux/in.h; the socket module does not name it
_IN_PKTINFO = struct.Struct("@I4s4s")  # interface index, source, destination


class Datagrams:
    """A server's UDP socket, bound to one address of its own. Raises LinkError if it cannot be opened.

    It hears no broadcasts: they come through the packet socket of their interface.
    """

    def __init__(self, address: int, port: int) -> None:
        self.address = address
        self.drops: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            set_receive_buffer(self._socket, DATAGRAM_BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self._socket.bind((ip_text(address), port))
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot bind {ip_text(address)}:{port}: {error.strerror}", error.errno or 0) from error

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def receive(self) -> list[Arrival]:
        """What the socket holds, at most BATCH messages."""
        receive, local = self._socket.recvfrom, self.address
        arrivals = []
        try:
            for _ in range(BATCH):
                payload, (host, port) = receive(DATAGRAM_MAX + 1)
                if len(payload) > DATAGRAM_MAX:
                    self.drops["too-long"] += 1
                    continue
                arrivals.append(Arrival(payload, "", local, _number(host), port, False))
        except BlockingIOError:
            pass
        except OSError as error:
            self.drops[failure(error)] += 1
        return arrivals

    def send(self, send: Send) -> bool:
        """Send from our address. False, and counted, if the kernel would not."""
        try:
            self._socket.sendto(send.payload, (_text(send.destination), send.port))
        except OSError as error:
            self.drops[failure(error)] += 1
            return False
        return True

    def overruns(self) -> int:
        """Datagrams lost in the kernel because we did not read fast enough."""
        return overruns(self._socket)

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()


class Mouth:
    """A client's UDP socket: it sends and is deaf. Raises LinkError if it cannot be opened.

    A client hears everything through its packet socket. This one sends what the kernel shall route, and stands at the
    client's port so that the kernel does not answer a unicast DHCPACK with ICMP 'port unreachable'.
    """

    def __init__(self, interface: str, port: int = CLIENT_PORT) -> None:
        self.drops: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            bpf.attach(self._socket, bpf.NOTHING)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
            self._socket.bind(("0.0.0.0", port))
        except OSError as error:
            self._socket.close()
            raise LinkError(f"cannot bind port {port} on {interface}: {error.strerror}", error.errno or 0) from error

    def send(self, send: Send) -> bool:
        """Send from `send.source` (0: the kernel chooses). False, and counted, if the kernel would not."""
        source = _IN_PKTINFO.pack(0, send.source.to_bytes(4), bytes(4))
        try:
            self._socket.sendmsg(
                [send.payload], [(socket.IPPROTO_IP, _IP_PKTINFO, source)], 0, (_text(send.destination), send.port)
            )
        except OSError as error:
            self.drops[failure(error)] += 1
            return False
        return True

    def unsent(self) -> int:
        """Octets that still wait in the kernel, perhaps for the hardware address of their receiver."""
        octets = fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(octets, sys.byteorder)

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()


@lru_cache(KNOWN_SENDERS)
def _number(host: str) -> int:
    return int.from_bytes(socket.inet_aton(host))


@lru_cache(KNOWN_SENDERS)
def _text(address: int) -> str:
    return socket.inet_ntoa(address.to_bytes(4))
