"""What a core wants done: values that the loop, the laboratory and the tests carry out or read."""

from typing import Literal

import msgspec

from relet.wire.address import BROADCAST_MAC, class_width, mask
from relet.wire.arp import Arp
from relet.wire.codes import INFINITE

SERVER_PORT = 67
CLIENT_PORT = 68

_SUBNET_MASK = 1
"""Option 1 (RFC 2132 s3.3); the table of options costs more to import than all of this."""


class Send(msgspec.Struct, frozen=True, gc=False):
    """A DHCP message to send (RFC 2131 s4.1).

    mac: send as a frame to this hardware address on `interface`, past ARP and routing; None: as a datagram through the
    kernel, from the address `source`.
    """

    payload: bytes
    destination: int
    port: int
    source: int
    interface: str = ""
    mac: bytes | None = None


class Probe(msgspec.Struct, frozen=True):
    """Ask whether a host uses an address that is to be offered (RFC 2131 s4.3.1). What is heard goes to `Engine.answered`.

    arp: by ARP on `interface`. ping: by an ICMP echo request, through the kernel's routes.
    """

    address: int
    interface: str
    arp: bool
    ping: bool


class SendArp(msgspec.Struct, frozen=True):
    """An ARP packet for the client's link. mac: of whom it is for; by default everybody."""

    arp: Arp
    mac: bytes = BROADCAST_MAC


class Binding(msgspec.Struct, frozen=True):
    """A lease as its client knows it; what the client's lease file holds.

    requested_at: wall time at which the request that won it was sent; t1, t2 and lease_time (seconds) count from there
    (RFC 2131 s4.4.1). lease_time is INFINITE for ever. options: all options of the DHCPACK, code -> octets.
    """

    address: int
    server: int
    requested_at: float
    lease_time: int
    t1: int
    t2: int
    options: dict[int, bytes] = {}
    siaddr: int = 0
    sname: bytes = b""
    file: bytes = b""

    def expires(self) -> float:
        """Wall time at which the address must no longer be used; infinity for an infinite lease."""
        return float("inf") if self.lease_time == INFINITE else self.requested_at + self.lease_time

    def prefix(self) -> tuple[int, int]:
        """(network address, width) of the subnet that the address lies in, by the netmask of option 1.

        RFC 2131 is silent on a lease without a mask, or with one that is none; then the class of the address says it.
        """
        octets = self.options.get(_SUBNET_MASK, b"")
        netmask = int.from_bytes(octets)
        width = netmask.bit_count()
        if len(octets) != 4 or not netmask or netmask != mask(width):
            width = class_width(self.address)
        return self.address & mask(width), width


class Gateway(msgspec.Struct, frozen=True):
    """A router of a network, by both of its addresses: who answers ARP with them shows that the network is this one.

    RFC 4436 s2: the hardware address is what tells networks apart; private addresses occur in many of them.
    """

    address: int
    mac: bytes


class Remembered(msgspec.Struct, frozen=True):
    """A lease that outlives the client's process, and the gateway of its network, None if it has not been heard."""

    binding: Binding
    gateway: Gateway | None = None


class Remember(msgspec.Struct, frozen=True):
    """Make these the remembered leases, newest first, in the lease file; () for none. All others are forgotten.

    Comes before the Configure, and after the Deconfigure, that it belongs to.
    """

    leases: tuple[Remembered, ...]


class Configure(msgspec.Struct, frozen=True):
    """Put the binding's address and routes on the interface, then run the hook.

    cause: 'bound' (new), 'reboot' (remembered and confirmed), 'renew', 'rebind', 'network' (remembered, and its gateway has
    answered, RFC 4436), or 'remembered' (used without an answer, as RFC 2131 s3.2 permits and the operator asked).
    """

    binding: Binding
    cause: Literal["bound", "reboot", "renew", "rebind", "network", "remembered"]


class Deconfigure(msgspec.Struct, frozen=True):
    """Take the address away at once, then run the hook."""

    binding: Binding
    cause: Literal["expire", "nak", "release", "stop", "conflict", "link-down", "moved", "ipv6-only"]


class Note(msgspec.Struct, frozen=True):
    """Something an operator would like to read: `text` in plain words, `kind` a kebab-case name."""

    kind: str
    text: str


class Finished(msgspec.Struct, frozen=True):
    """The client has stopped; the loop may end."""


Effect = Send | SendArp | Remember | Configure | Deconfigure | Note | Finished
