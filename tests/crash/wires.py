"""The roads of a fleet in a lab: a relay's socket, frames without an address on the server's link, and the clients' own
addresses, which are all of one host here."""

import socket
import struct
from collections.abc import Callable
from select import select

from crash.fleet import LINK, RELAYED, Packet
from relet.wire.address import BROADCAST, ip_text
from relet.wire.frame import Datagram, encode_datagram
from support.lab import Lab

SERVER, RELAY = 0xC0A80001, 0xC0A80002
"""192.168.0.1 and 192.168.0.2, on a /20."""
POOL_PREFIX = "192.168.2.0/24"
"""All of it is of the fleet's host, so that every client can be reached by unicast."""
RECEIVE_BUFFER = 8 << 20
SETTLES_S = 0.02
"""What a dead server has sent arrives within this time."""

_SO_RCVBUFFORCE = 33
_IP_PKTINFO = 8
_EVERYBODY = b"\xff" * 6


class Wires:
    """Open sockets in a lab; `server` is the namespace of the server, whose interface is s0."""

    def __init__(self, lab: Lab) -> None:
        self.server, host = lab.namespace("server"), lab.namespace("clients")
        lab.cable(self.server, "s0", host, "c0")
        lab.address(self.server, "s0", f"{ip_text(SERVER)}/20")
        lab.address(host, "c0", f"{ip_text(RELAY)}/20")
        lab.ip(host, "route", "add", "local", POOL_PREFIX, "dev", "c0")
        with lab.inside(host):
            self._relay = _udp(ip_text(RELAY), 67)
            self._clients = _udp("", 68)
            self._frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._frames.bind(("c0", 0))

    def send(self, packets: list[Packet]) -> None:
        """On the roads that they name."""
        for packet in packets:
            if packet.road == RELAYED:
                self._relay.sendto(packet.payload, (ip_text(SERVER), 67))
            elif packet.road == LINK:
                mac = packet.payload[28:34]  # chaddr
                datagram = Datagram(mac, _EVERYBODY, 0, BROADCAST, 68, 67, packet.payload)
                self._frames.send(encode_datagram(datagram))
            else:
                # ip(7), struct in_pktinfo: the source address of this datagram
                source = struct.pack("@i4s4s", 0, packet.source.to_bytes(4), bytes(4))
                ancillary = [(socket.IPPROTO_IP, _IP_PKTINFO, source)]
                self._clients.sendmsg([packet.payload], ancillary, 0, (ip_text(SERVER), 67))

    def receive(self, hear: Callable[[bytes], None], seconds: float) -> bool:
        """Wait so long for replies and give all that there are. Was there any?"""
        ready, _, _ = select([self._relay, self._clients], [], [], seconds)
        for each in ready:
            while True:
                try:
                    hear(each.recv(2048))
                except (BlockingIOError, ConnectionRefusedError):
                    break
        return bool(ready)

    def close(self) -> None:
        """Give the sockets back."""
        for each in (self._relay, self._clients, self._frames):
            each.close()


def _udp(address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    made.bind((address, port))
    return made
