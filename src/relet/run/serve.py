"""The server in the real world: sockets, store and engine, driven by the loop.

A batch is what one socket holds: it is received, handled and sent as a whole. Between batches the history is folded a
little, and questions at the control socket are answered. What to decide is the engine's alone.
"""

from collections import Counter
from pathlib import Path
from typing import Protocol

import structlog

from relet.errors import ReletError
from relet.model.effects import SERVER_PORT, Send
from relet.model.events import Arrival
from relet.model.lease import Leases
from relet.model.network import Network, Settings
from relet.net import netlink
from relet.net.clock import now
from relet.net.link import LinkError, LinkInfo
from relet.net.packet import DhcpFrames, dhcp_frames
from relet.net.udp import Datagrams
from relet.run.asked import answer
from relet.run.control import Control
from relet.run.figures import Figures, Timed
from relet.run.journal import Journal
from relet.run.loop import Loop
from relet.run.metrics import exposition
from relet.run.scrape import Scrape
from relet.server.engine import Engine
from relet.wire.address import ip_text

FOLD_STEP = 100
"""Pieces of housekeeping done at once: some six milliseconds in which nobody is served."""
FOLD_EVERY_S = 1.0
"""Seconds between steps while requests come in, or when there was nothing left to do."""
FOLD_AGAIN_S = 0.02
"""Seconds between steps while nobody asks for anything and there is more to do."""


class Ear(Protocol):
    """A socket that hears and says DHCP messages."""

    drops: Counter[str]

    def fileno(self) -> int: ...
    def receive(self) -> list[Arrival]: ...
    def send(self, send: Send) -> bool: ...
    def overruns(self) -> int: ...
    def close(self) -> None: ...


class Server:
    """A running server. Raises LinkError and StoreError while it is built, nothing afterwards.

    verbose: log every verdict. ready: a line for people once everything is open.
    """

    def __init__(self, settings: Settings, store: Leases, verbose: bool = False) -> None:
        self._log = structlog.get_logger("relet.serve")
        self._settings = settings
        self._store = store
        self._fold_at = 0.0
        self._heard_at = 0.0
        self._on_link: dict[str, DhcpFrames] = {}
        self._routed: dict[int, Datagrams] = {}
        self.figures = Figures()
        self.started = now().wall
        self.loop = Loop(lambda: self._fold_at, self._fold)
        self._control: Control | None = None
        self._scrape: Scrape | None = None
        try:
            self._open(settings)
            if settings.control:
                self._control = Control(Path(settings.control), lambda question: answer(self, question), self.loop)
            if settings.metrics is not None:
                self._scrape = Scrape(settings.metrics, lambda: exposition(self), self.loop)
        except (ReletError, OSError):
            self.close()
            raise
        own = {address for frames in self._links.values() for address, _ in frames.addresses} | set(self._routed)
        self.engine = Engine(settings.networks, Timed(store, self.figures.commit, lambda: now().mono), frozenset(own))
        self._journal = Journal(self.engine, verbose)

    def run(self) -> None:
        """Serve until the loop is stopped."""
        self._journal.started(self._settings)
        for interface, link in self._links.items():
            self._log.info(
                "listening", interface=interface, address=ip_text(self._on_link[interface].local), mtu=link.mtu
            )
        for address in self._routed:
            self._log.info("listening", address=f"{ip_text(address)}:{SERVER_PORT}")
        self.loop.run()
        self._log.info("stopped", **self.summary())

    def close(self) -> None:
        """Give back every socket. The store stays open: it is its owner's."""
        if self._control is not None:
            self._control.close()
        if self._scrape is not None:
            self._scrape.close()
        for ear in self._ears():
            self.loop.unregister(ear.fileno())
            ear.close()
        self.loop.close()

    def summary(self) -> dict[str, int]:
        """Verdicts by answer, and datagrams dropped."""
        answers: Counter[str] = Counter()
        for (_, given, _), count in self.engine.counts.items():
            answers[given.lower()] += count
        return {**answers, "dropped": self.drops().total()}

    def drops(self) -> Counter[str]:
        """Everything that was thrown away, by name."""
        total = Counter(self.engine.drops)
        for ear in self._ears():
            total.update(ear.drops)
            total["overrun"] += ear.overruns()
        return +total

    def _ears(self) -> list[Ear]:
        return [*self._on_link.values(), *self._routed.values()]

    def _open(self, settings: Settings) -> None:
        served = {name: network for network in settings.networks for name in network.interfaces}
        self._links = {name: netlink.link(name) for name in served}
        for name, network in served.items():
            frames = dhcp_frames(name, SERVER_PORT, _local(self._links[name], network))
            self._on_link[name] = frames
            self.loop.register(frames.fileno(), lambda ear=frames: self._ready(ear))  # type: ignore[misc]
        own = (address for link in self._links.values() for address, _ in link.addresses)
        addresses = tuple(dict.fromkeys((*own, *settings.listen)))
        if not addresses:
            raise LinkError(
                "no network has an interface, so it is not known where relays are to be heard; "
                'write [server] listen = ["ADDRESS OF THIS MACHINE"]'
            )
        for address in addresses:
            datagrams = Datagrams(address, SERVER_PORT)
            self._routed[address] = datagrams
            self.loop.register(datagrams.fileno(), lambda ear=datagrams: self._ready(ear))  # type: ignore[misc]

    def _ready(self, ear: Ear) -> None:
        arrivals = ear.receive()
        if not arrivals:
            return
        moment = now()
        self._heard_at = moment.mono
        self.figures.batch.observe(len(arrivals))
        for send in self.engine.handle(arrivals, moment):
            self._send(send)
        self.figures.answer.observe(now().mono - moment.mono)
        self._journal.follow(moment.mono)

    def _send(self, send: Send) -> None:
        ear = self._on_link.get(send.interface) if send.mac is not None else self._routed.get(send.source)
        if ear is None:
            self.engine.drops["no-way-out"] += 1
        else:
            ear.send(send)

    def _fold(self) -> None:
        """A step of the store's housekeeping; the next one soon if there is more."""
        done = 0
        try:
            done = self._store.fold(FOLD_STEP)
        except ReletError as error:
            self._log.error("fold failed", error=str(error))
        drops = self.drops()
        self._journal.links(drops)
        mono = now().mono
        self._journal.dropped(drops, mono)
        idle = mono - self._heard_at > FOLD_EVERY_S
        self._fold_at = mono + (FOLD_AGAIN_S if idle and done >= FOLD_STEP else FOLD_EVERY_S)


def _local(link: LinkInfo, network: Network) -> int:
    """The server's address on a link: one that lies in a subnet of the network, else the first. Raises LinkError."""
    if not link.addresses:
        raise LinkError(f"{link.name} has no IPv4 address; give it one of network {network.name!r} first")
    inside = (address for address, _ in link.addresses if network.subnet_of(address) is not None)
    return next(inside, link.addresses[0][0])
