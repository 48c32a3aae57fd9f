"""ICMP echo through the kernel's routes: is there a host at an address? Asked without waiting, of many at once."""

import secrets
import socket
import struct
from collections import Counter

from relet.errors import WireError
from relet.net.link import LinkError
from relet.net.sockets import BATCH, failure
from relet.wire.address import ip_text
from relet.wire.icmp import ECHO_REPLY, ECHO_REQUEST, Echo, decode_echo, encode_echo

PACKET_MAX = 1500
"""Octets read of an echo reply; ours are far shorter."""

_SOL_RAW = 255  # linux/socket.h
_ICMP_FILTER = 1  # linux/icmp.h: a bit for each type that is not wanted


class Pinger:
    """A raw socket that hears echo replies only. Raises LinkError if it cannot be opened (it needs CAP_NET_RAW).

    drops: what was thrown away, by name.
    """

    def __init__(self) -> None:
        self.drops: Counter[str] = Counter()
        self._identifier = secrets.randbits(16)
        self._token = secrets.token_bytes(16)  # so that nobody can answer what he was not asked
        self._sequence = 0
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
        except OSError as error:
            raise LinkError(f"cannot open a socket for ICMP: {error.strerror}", error.errno or 0) from error
        self._socket.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("@I", ~(1 << ECHO_REPLY) & 0xFFFFFFFF))

    def fileno(self) -> int:
        """For the loop."""
        return self._socket.fileno()

    def ping(self, address: int) -> bool:
        """Send an echo request. False, and counted, if the kernel would not."""
        self._sequence = (self._sequence + 1) & 0xFFFF
        packet = encode_echo(Echo(ECHO_REQUEST, self._identifier, self._sequence, self._token))
        try:
            self._socket.sendto(packet, (ip_text(address), 0))
        except OSError as error:
            self.drops[failure(error)] += 1
            return False
        return True

    def receive(self) -> list[int]:
        """The addresses of the hosts that have answered us since the last call, BATCH at most."""
        hosts = []
        for _ in range(BATCH):
            try:
                packet = self._socket.recv(PACKET_MAX)
            except BlockingIOError:
                break
            except OSError as error:
                self.drops[failure(error)] += 1
                break
            try:
                sender, echo = decode_echo(packet)
            except WireError as error:
                self.drops[error.reason] += 1
                continue
            if (echo.kind, echo.identifier, echo.payload) == (ECHO_REPLY, self._identifier, self._token):
                hosts.append(sender)
        return hosts

    def close(self) -> None:
        """Give the socket back. Idempotent."""
        self._socket.close()
