"""What happens to a core: datagrams, ARP packets, links that come and go, time that passes, the operator's word."""

from enum import Enum

import msgspec

from relet.wire.arp import Arp


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A DHCP message's octets and where they came in.

    interface: name of the interface heard on, '' if the kernel routed it to us.
    local:     our own address there (what it was sent to; for a broadcast, the interface's first address), 0 if none.
    source, port: of the sender. broadcast: sent to everybody on the link.
    """

    payload: bytes
    interface: str = ""
    local: int = 0
    source: int = 0
    port: int = 68
    broadcast: bool = True


class ArpSeen(msgspec.Struct, frozen=True):
    """An ARP packet heard on the client's link, its own packets not included."""

    arp: Arp


class LinkChanged(msgspec.Struct, frozen=True):
    """The link of the client's interface came up or went down (netlink's carrier)."""

    up: bool


class Wake(msgspec.Struct, frozen=True):
    """The deadline that the core asked for has come, or may have."""


class Woken(msgspec.Struct, frozen=True):
    """The machine has slept, its link did not go down: what was true of the network need not be so any more."""


class ClockSet(msgspec.Struct, frozen=True):
    """Somebody has set the wall clock forward by so many seconds, or back; monotonic time went on as ever."""

    by: float


class Command(Enum):
    """What an operator asks of a running client."""

    START = "start"
    RENEW = "renew"  # ask for an extension now
    RELEASE = "release"  # give the lease back and stop
    STOP = "stop"  # stop and keep the lease for the next start


Event = Arrival | ArpSeen | LinkChanged | Wake | Woken | ClockSet | Command
