"""The server's open sockets, held to what is wanted and what the machine has: interfaces and addresses come and go.

`want` takes the configuration, at start and at a reload; every netlink notice makes it look again. What is missing is waited
for, and each change is told once. What goes wrong on one interface leaves the others as they are.
"""

import errno
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from relet.model.effects import SERVER_PORT, Send
from relet.model.events import Arrival
from relet.model.network import Network, Settings
from relet.net.link import LinkError, LinkInfo
from relet.net.packet import DhcpFrames, dhcp_frames
from relet.net.udp import Datagrams
from relet.net.watch import Watch
from relet.run.loop import Loop
from relet.wire.address import ip_text

NO_LINK = "there is no such interface"
NO_ADDRESS = "it has no IPv4 address"
NOT_OURS = "this machine does not have it"


class Ear(Protocol):
    """A socket that hears and says DHCP messages."""

    drops: Counter[str]
    room: int

    def fileno(self) -> int: ...
    def receive(self) -> list[Arrival]: ...
    def send(self, sends: Sequence[Send]) -> int: ...
    def overruns(self) -> int: ...
    def held(self) -> tuple[int, float]: ...
    def close(self) -> None: ...


class Ears:
    """hear: called with a socket that has something to read. changed: called after `own` has changed.

    own: the addresses of the interfaces that are served, and those listened on.
    """

    def __init__(self, loop: Loop, hear: Callable[[Ear], None], changed: Callable[[], None]) -> None:
        self.own: frozenset[int] = frozenset()
        self._log = structlog.get_logger("relet.serve")
        self._loop = loop
        self._hear = hear
        self._changed = changed
        self._served: dict[str, Network] = {}
        self._listen: tuple[int, ...] = ()
        self._receive_buffer = 0
        self._merge = False
        self._told_room = False
        self._on_link: dict[str, DhcpFrames] = {}
        self._known: dict[str, LinkInfo] = {}
        self._routed: dict[int, Datagrams] = {}
        self._missing: dict[str, str] = {}
        self._past: Counter[str] = Counter()
        self._watch = Watch()
        loop.register(self._watch.fileno(), self._noticed)

    def want(self, settings: Settings) -> None:
        """Hear what these settings name, from now on. What is not there yet is waited for.

        Raises LinkError if they name nothing at all, or if something that is there cannot be opened; the rest is open then.
        """
        self._served = {name: network for network in settings.networks for name in network.interfaces}
        self._listen = settings.listen
        self._receive_buffer = settings.receive_buffer
        self._merge = settings.merge_replies
        for routed in self._routed.values():
            routed.merge = self._merge
        if not self._served and not self._listen:
            raise LinkError(
                "no network has an interface, so it is not known where relays are to be heard; "
                'write [server] listen = ["ADDRESS OF THIS MACHINE"]'
            )
        problems = self._look()
        if problems:
            raise problems[0]

    def send(self, sends: Iterable[Send]) -> int:
        """Send by frame or by UDP, in this order at each socket. For how many was there no socket?"""
        lost = 0
        batches: dict[str | int, list[Send]] = {}
        for send in sends:
            batches.setdefault(send.source if send.mac is None else send.interface, []).append(send)
        for way, batch in batches.items():
            ear = self._on_link.get(way) if isinstance(way, str) else self._routed.get(way)
            if ear is None:
                lost += len(batch)
            else:
                ear.send(batch)
        return lost

    def open(self) -> list[Ear]:
        """Every socket."""
        return [*self._on_link.values(), *self._routed.values()]

    def drops(self) -> Counter[str]:
        """What all sockets threw away, those that are closed by now included."""
        total = Counter(self._past)
        for ear in self.open():
            total.update(ear.drops)
            total["overrun"] += ear.overruns()
        return +total

    def close(self) -> None:
        """Give back every socket."""
        self._loop.unregister(self._watch.fileno())
        self._watch.close()
        for name in tuple(self._on_link):
            self._shut(self._on_link.pop(name))
        for address in tuple(self._routed):
            self._shut(self._routed.pop(address))

    def _noticed(self) -> None:
        if self._watch.receive():
            self._look()

    def _look(self) -> list[LinkError]:
        """Hold the sockets to what is there; what could not be opened, each told once."""
        links = self._watch.links()
        problems = self._links(links)
        own = {address for name in self._served if name in links for address, _ in links[name].addresses}
        problems += self._addresses(dict.fromkeys((*sorted(own), *self._listen)))
        own_now = frozenset(own | set(self._routed))
        if own_now != self.own:
            self.own = own_now
            self._changed()
        return problems

    def _links(self, links: Mapping[str, LinkInfo]) -> list[LinkError]:
        problems = []
        for name in tuple(self._on_link):
            link, known = links.get(name), self._known[name]
            if name not in self._served:
                self._leave(name, "it is not served any more")
            elif link is None:
                self._leave(name, NO_LINK)
            elif (link.index, link.mac) != (known.index, known.mac):
                self._leave(name, "another one has its name or its hardware address has changed")
            elif not link.addresses:
                self._leave(name, NO_ADDRESS)
        for name, network in self._served.items():
            link = links.get(name)
            if link is None or not link.addresses:
                self._lacks(name, NO_LINK if link is None else NO_ADDRESS)
                continue
            try:
                self._attend(link, network)
            except LinkError as error:
                self._lacks(name, str(error))
                problems.append(error)
        return problems

    def _attend(self, link: LinkInfo, network: Network) -> None:
        """Hear an interface that has an address. Raises LinkError."""
        addresses = [address for address, _ in link.addresses]
        frames = self._on_link.get(link.name)
        if frames is None:
            frames = dhcp_frames(link.name, SERVER_PORT, _local(addresses, network), self._receive_buffer)
            self._on_link[link.name] = frames
            self._listening(frames, interface=link.name, address=ip_text(frames.local), mtu=link.mtu)
            self._missing.pop(link.name, None)
            self._fits(link, frames, network)
        elif frames.local not in addresses or (
            network.subnet_of(frames.local) is None and _local(addresses, network) != frames.local
        ):
            frames.local = _local(addresses, network)
            self._log.info("address changed", interface=link.name, address=ip_text(frames.local))
            self._fits(link, frames, network)
        self._known[link.name] = link

    def _fits(self, link: LinkInfo, frames: DhcpFrames, network: Network) -> None:
        """Will clients be able to reach the address that they are told of? If not, a cable may be in the wrong place."""
        if network.subnet_of(frames.local) is None:
            because = f"it lies in no subnet of network {network.name}"
            self._log.warning(
                "address out of place", interface=link.name, address=ip_text(frames.local), because=because
            )

    def _addresses(self, wanted: Mapping[int, None]) -> list[LinkError]:
        problems = []
        for address in tuple(self._routed):
            if address not in wanted:
                self._shut(self._routed.pop(address))
                self._log.info("not listening any more", address=f"{ip_text(address)}:{SERVER_PORT}")
        for address in wanted:
            if address in self._routed:
                continue
            text = f"{ip_text(address)}:{SERVER_PORT}"
            try:
                self._routed[address] = Datagrams(address, SERVER_PORT, self._receive_buffer, self._merge)
            except LinkError as error:
                absent = error.code == errno.EADDRNOTAVAIL
                self._lacks(text, NOT_OURS if absent else str(error))
                if not absent:
                    problems.append(error)
                continue
            self._listening(self._routed[address], address=text)
            self._missing.pop(text, None)
        return problems

    def _listening(self, ear: Ear, **words: object) -> None:
        self._loop.register(ear.fileno(), lambda: self._hear(ear))
        self._log.info("listening", **words)
        if ear.room < self._receive_buffer and not self._told_room:
            self._told_room = True
            self._log.warning(
                "little room for what waits",
                octets=ear.room,
                wanted=self._receive_buffer,
                because="the system allows no more; sysctl -w net.core.rmem_max="
                f"{self._receive_buffer // 2} lets the next start have it",
            )

    def _leave(self, name: str, because: str) -> None:
        self._shut(self._on_link.pop(name))
        self._missing[name] = because
        self._log.warning("interface lost", interface=name, because=because)

    def _lacks(self, what: str, because: str) -> None:
        if self._missing.get(what) != because:
            self._missing[what] = because
            self._log.warning("waiting", what=what, because=because)

    def _shut(self, ear: Ear) -> None:
        self._past.update(ear.drops)
        self._past["overrun"] += ear.overruns()
        self._loop.unregister(ear.fileno())
        ear.close()


def _local(addresses: list[int], network: Network) -> int:
    """The server's address on a link: one that lies in a subnet of the network, else the first."""
    return next((address for address in addresses if network.subnet_of(address) is not None), addresses[0])
