"""The server's probes on the wire: sends what the engine asks for, and tells it which addresses answer.

Sockets are opened when the first probe needs them. What cannot be opened is told once and leaves the address unprobed: a
probe is a precaution, and no client goes without an address for want of it.
"""

from collections.abc import Callable, Iterable

import structlog

from relet.model.effects import Probe, SendArp
from relet.net.arp import ArpFrames, arp_frames
from relet.net.link import LinkError
from relet.net.ping import Pinger
from relet.run.loop import Loop
from relet.wire.arp import probe as arp_probe


class Prober:
    """answered: called with an address that a host uses, and its hardware address (b'' if it is not known)."""

    def __init__(self, loop: Loop, answered: Callable[[int, bytes], None]) -> None:
        self._log = structlog.get_logger("relet.serve")
        self._loop = loop
        self._answered = answered
        self._pinger: Pinger | None = None
        self._on_link: dict[str, ArpFrames] = {}
        self._troubles: dict[str, str] = {}

    def send(self, probes: Iterable[Probe]) -> None:
        """Ask for each address in the ways that its probe names."""
        for each in probes:
            if each.ping and (pinger := self._ping()) is not None:
                pinger.ping(each.address)
            if each.arp and (frames := self._arp(each.interface)) is not None:
                sent = frames.send(SendArp(arp_probe(frames.frames.mac, each.address)))
                if not sent:  # the interface is gone or was made anew; the next probe opens it again
                    self._shut(each.interface)

    def close(self) -> None:
        """Give back every socket."""
        for interface in tuple(self._on_link):
            self._shut(interface)
        if self._pinger is not None:
            self._loop.unregister(self._pinger.fileno())
            self._pinger.close()
            self._pinger = None

    def _ping(self) -> Pinger | None:
        if self._pinger is None:
            try:
                self._pinger = Pinger()
            except LinkError as error:
                self._trouble("ping", error)
                return None
            self._loop.register(self._pinger.fileno(), self._heard_ping)
        return self._pinger

    def _arp(self, interface: str) -> ArpFrames | None:
        if interface not in self._on_link:
            try:
                frames = arp_frames(interface)
            except LinkError as error:
                self._trouble(interface, error)
                return None
            self._on_link[interface] = frames
            self._loop.register(frames.fileno(), lambda: self._heard_arp(interface))
        return self._on_link[interface]

    def _heard_ping(self) -> None:
        if self._pinger is not None:
            for address in self._pinger.receive():
                self._answered(address, b"")

    def _heard_arp(self, interface: str) -> None:
        for seen in self._on_link[interface].receive():
            # RFC 5227 s2.1.1: any packet from the address says that it is in use, be it an answer or not
            if seen.arp.spa:
                self._answered(seen.arp.spa, seen.arp.sha)
        drops = self._on_link[interface].drops
        if drops["link-down"] or drops["link-gone"]:
            self._shut(interface)

    def _shut(self, interface: str) -> None:
        frames = self._on_link.pop(interface)
        self._loop.unregister(frames.fileno())
        frames.close()

    def _trouble(self, what: str, error: LinkError) -> None:
        if self._troubles.get(what) != str(error):
            self._troubles[what] = str(error)
            self._log.error("addresses are offered unprobed", what=what, because=str(error))
