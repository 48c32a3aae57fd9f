"""The sockets by which a client hears and speaks on an interface: opened by who has the rights, used by who has not."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import msgspec

from relet.model.effects import CLIENT_PORT
from relet.net.arp import arp_socket
from relet.net.claim import claim
from relet.net.packet import dhcp_socket
from relet.net.sockets import QUIET_BUFFER
from relet.net.udp import mouth_socket


class Sockets(msgspec.Struct, frozen=True):
    """claim: is held, and not used. dhcp: frames with DHCP messages to a client. arp: of all. udp: one way, what the kernel
    shall route."""

    claim: socket.socket
    dhcp: socket.socket
    arp: socket.socket
    udp: socket.socket

    def __iter__(self) -> Iterator[socket.socket]:
        return iter((self.claim, self.dhcp, self.arp, self.udp))


def open_sockets(interface: str) -> Sockets:
    """All on that interface. Raises LinkError, and none is open then."""
    with ExitStack() as stack:
        held = stack.enter_context(claim(interface))
        dhcp = stack.enter_context(dhcp_socket(interface, CLIENT_PORT, QUIET_BUFFER))
        arp = stack.enter_context(arp_socket(interface))
        udp = stack.enter_context(mouth_socket(interface))
        stack.pop_all()
    return Sockets(held, dhcp, arp, udp)
