"""The play's stage without a kernel: the production cores of server and client under virtual time.

What passes between them are the same octets that would pass on a wire. Time goes by only when nothing is left to do at the
present moment, so the whole play takes a fraction of a second.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random

from relet.client.machine import Client
from relet.client.settings import ClientSettings
from relet.config.load import parse
from relet.errors import WireError
from relet.lab.stage import CLIENT, CLIENT_MAC, OFFICE, SERVERS, STRANGER, STRANGER_MAC, WORKSHOP, Cast, Seen
from relet.model.clock import Now
from relet.model.effects import (
    CLIENT_PORT,
    SERVER_PORT,
    Binding,
    Configure,
    Deconfigure,
    Effect,
    Forget,
    Remember,
    Send,
    SendArp,
)
from relet.model.events import ArpSeen, Arrival, Command, Event, Wake
from relet.server.engine import Engine
from relet.server.told import Told, told
from relet.store.memory import MemoryStore
from relet.wire.address import BROADCAST, BROADCAST_MAC, hex_text
from relet.wire.arp import REPLY, REQUEST, Arp, decode_arp, encode_arp
from relet.wire.frame import ETHERTYPE_ARP, Datagram, decode_datagram, encode_datagram

DELAY = 0.0005
"""Seconds that a frame is under way."""
TICK = 0.05
"""Seconds between looks when nothing happens."""


class VirtualServer:
    """An engine on a link. Its store outlives the engine, as a database outlives a process."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.store = MemoryStore()
        self.engine: Engine | None = None

    def start(self) -> None:
        settings = parse(self.cast.configuration("eth0"), self.cast.name, Path("/"))
        self.engine = Engine(settings.networks, self.store, frozenset({self.cast.address}))

    def hear(self, datagram: Datagram, now: Now) -> list[Send]:
        """The replies to what was heard, if it was for this server."""
        everybody = datagram.dst == BROADCAST
        if self.engine is None or not (everybody or datagram.dst == self.cast.address):
            return []
        local = self.cast.address
        arrival = Arrival(datagram.payload, "eth0" if everybody else "", local, datagram.src, datagram.sport, everybody)
        return self.engine.handle([arrival], now)


class VirtualStage:
    """See `lab.stage.Stage`. The seed decides every delay and every transaction's number."""

    def __init__(self, seed: int = 1) -> None:
        self._wall, self._mono = 1_700_000_000.0, 1000.0
        self._random = Random(seed)
        self._servers = {name: VirtualServer(cast) for name, cast in SERVERS.items()}
        self._client: Client | None = None
        self._lease: Binding | None = None
        self._network = OFFICE
        self._squatted = 0
        self._arriving: list[tuple[float, int, str, bytes]] = []
        self._numbers = count()
        self._passed: deque[Seen] = deque()

    def start(self, server: str) -> None:
        self._servers[server].start()

    def stop(self, server: str) -> None:
        self._servers[server].engine = None

    def boot(self, reboot_timeout: float) -> None:
        settings = ClientSettings(mac=CLIENT_MAC, interface="eth0", hostname=CLIENT, reboot_timeout=reboot_timeout)
        self._client = Client(settings, self._random.random, self._lease)
        self._happen(Command.START)

    def crash(self) -> None:
        self._client = None
        self._arriving.clear()

    def plug(self, network: str) -> None:
        self._network = network

    def squat(self, address: int) -> None:
        self._squatted = address

    def watch(self, seconds: float) -> Iterator[Seen | None]:
        end = self._mono + seconds
        while True:
            while self._passed:
                yield self._passed.popleft()
            if self._mono >= end:
                return
            self._step(min(end, self._mono + TICK))
            if not self._passed:
                yield None

    def verdicts(self, server: str, limit: int) -> Sequence[Told]:
        engine = self._servers[server].engine
        return told(engine.records, hex_text(CLIENT_MAC), limit) if engine is not None else []

    def wall(self) -> float:
        return self._wall

    def close(self) -> None:
        """Nothing to do: there is nothing outside of this object."""

    def _now(self) -> Now:
        return Now(self._wall, self._mono)

    def _step(self, latest: float) -> None:
        """To the next thing that happens, but not further than `latest`."""
        arriving = self._arriving[0][0] if self._arriving else latest
        deadline = self._client.deadline() if self._client is not None else None
        at = max(self._mono, min(latest, arriving, latest if deadline is None else deadline))
        self._wall += at - self._mono
        self._mono = at
        if self._arriving and arriving <= at:
            _, _, host, frame = heappop(self._arriving)
            self._arrive(host, frame)
        elif deadline is not None and deadline <= at:
            self._happen(Wake())

    def _emit(self, source: str, frame: bytes) -> None:
        """A host sends a frame; everybody else on its network hears it a moment later."""
        self._passed.append(Seen(self._wall, source, frame))
        for host in self._hosts(self._where(source)):
            if host != source:
                heappush(self._arriving, (self._mono + DELAY, next(self._numbers), host, frame))

    def _where(self, host: str) -> str:
        if host == CLIENT:
            return self._network
        return WORKSHOP if host == STRANGER else SERVERS[host].network

    def _hosts(self, network: str) -> list[str]:
        return [host for host in (CLIENT, STRANGER, *SERVERS) if self._where(host) == network]

    def _arrive(self, host: str, frame: bytes) -> None:
        own = CLIENT_MAC if host == CLIENT else STRANGER_MAC if host == STRANGER else SERVERS[host].mac
        if frame[:6] not in (own, BROADCAST_MAC):
            return
        try:
            if int.from_bytes(frame[12:14], "big") == ETHERTYPE_ARP:
                self._arp(host, decode_arp(frame))
                return
            datagram = decode_datagram(frame)
        except WireError:
            return
        if host == CLIENT:
            self._happen(Arrival(datagram.payload, "eth0", 0, datagram.src, datagram.sport, datagram.dst == BROADCAST))
        elif host in self._servers:
            for send in self._servers[host].hear(datagram, self._now()):
                self._emit(host, _frame(send, SERVERS[host].mac, SERVER_PORT, CLIENT_MAC))

    def _arp(self, host: str, arp: Arp) -> None:
        if host == CLIENT:
            self._happen(ArpSeen(arp))
        elif host == STRANGER and arp.op == REQUEST and arp.tpa == self._squatted:
            self._emit(STRANGER, encode_arp(Arp(REPLY, STRANGER_MAC, self._squatted, arp.sha, arp.spa)))

    def _happen(self, event: Event) -> None:
        if self._client is not None:
            for effect in self._client.handle(event, self._now()):
                self._do(effect)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Send():
                mac = next((cast.mac for cast in SERVERS.values() if cast.address == effect.destination), BROADCAST_MAC)
                self._emit(CLIENT, _frame(effect, CLIENT_MAC, CLIENT_PORT, mac))
            case SendArp(arp=arp):
                self._emit(CLIENT, encode_arp(arp))
            case Remember(leases=leases):
                self._lease = leases[0].binding if leases else None
            case Configure(binding=binding):
                self._lease = binding
            case Deconfigure(forget=True) | Forget():
                self._lease = None
            case _:
                pass


def _frame(send: Send, mac: bytes, port: int, resolved: bytes) -> bytes:
    """The frame that carries a message; `resolved` is what ARP would say of its destination."""
    datagram = Datagram(
        src_mac=mac,
        dst_mac=send.mac or resolved,
        src=send.source,
        dst=send.destination,
        sport=port,
        dport=send.port,
        payload=send.payload,
    )
    return encode_datagram(datagram)
