"""ARP of this host's other interfaces on the same link, which is no conflict.

Linux answers for all addresses of the host on every interface, and asks from one for the sake of another (arp(7), arp_ignore
and arp_announce are 0): a client that probes for its own address would be told by its own machine that it is in use.
"""

from collections.abc import Callable

from relet.net import netlink
from relet.net.link import LinkError
from relet.wire.arp import Arp

KEPT_S = 1.0
"""So long the kernel's answer is believed; an interface that came meanwhile is known a moment later."""


class Siblings:
    """The hardware addresses of this host. mono: the monotonic clock. asked: gives all of them, from the kernel. Raises
    LinkError."""

    def __init__(self, mono: Callable[[], float], asked: Callable[[], frozenset[bytes]] = netlink.hardware) -> None:
        self._mono, self._asked = mono, asked
        self._known: frozenset[bytes] = frozenset()
        self._until = 0.0

    def sent(self, arp: Arp, address: int) -> bool:
        """Is this packet, which may be about `address`, from one of our own interfaces?

        The kernel is only asked about packets that would be a conflict: somebody uses the address, or probes for it.
        """
        if arp.spa != address and (arp.spa or arp.tpa != address):
            return False
        if self._mono() >= self._until:
            try:
                self._known, self._until = self._asked(), self._mono() + KEPT_S
            except LinkError:
                return False
        return arp.sha in self._known
