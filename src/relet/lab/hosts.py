"""Who can be on a link of `lab.ether`: the production cores of server and client, and neighbours that know ARP alone.

They answer ARP for the addresses that they use, as a kernel would. No host sends by itself: each call gives the frames.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import assert_never

from relet.client.dice import Dice
from relet.client.machine import Client
from relet.client.settings import ClientSettings
from relet.client.states import State
from relet.errors import WireError
from relet.model.clock import Now
from relet.model.effects import (
    CLIENT_PORT,
    SERVER_PORT,
    Binding,
    Configure,
    Deconfigure,
    Effect,
    Finished,
    Note,
    Probe,
    Remember,
    Remembered,
    Send,
    SendArp,
)
from relet.model.events import ArpSeen, Arrival, Command, Event, Wake
from relet.model.lease import Leases
from relet.model.network import Network
from relet.server.engine import Engine
from relet.server.record import Record
from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.arp import REPLY, REQUEST, Arp, decode_arp, encode_arp
from relet.wire.frame import ETHERTYPE_ARP, Datagram, decode_datagram, encode_datagram, open_ethernet

MAX_DEEDS = 10_000
"""Effects and states of a client, and verdicts of a server that was stopped, that are kept, the newest."""

Resolve = Callable[[str, int], bytes]
"""The hardware address that ARP would find on a network for an address (`Ether.resolve`)."""


class Neighbour:
    """A host that uses addresses and tells so when it is asked by ARP; nobody needs to have granted them to it."""

    def __init__(self, name: str, mac: bytes, network: str, held: Iterable[int] = ()) -> None:
        self.name, self.mac, self.network = name, mac, network
        self.held = set(held)

    def addresses(self) -> Iterable[int]:
        return self.held

    def hear(self, frame: bytes, _now: Now) -> list[bytes]:
        heard = heard_in(frame)
        return arp_answer(heard, self.mac, self.held) if isinstance(heard, Arp) else []

    def deadline(self) -> float | None:
        return None

    def wake(self, _now: Now) -> list[bytes]:
        return []


class ServerHost:
    """A server's engine on a link, at one address, as the interface eth0. Its store outlives the engine, as a database
    outlives a process. Of the probes of addresses, those by ARP are sent; an engine that pings hears nothing.

    records: verdicts of engines that were stopped.
    """

    def __init__(self, name: str, mac: bytes, network: str, address: int, store: Leases, resolve: Resolve) -> None:
        self.name, self.mac, self.network, self.address = name, mac, network, address
        self.store = store
        self.engine: Engine | None = None
        self.records: list[Record] = []
        self._resolve = resolve

    def start(self, networks: tuple[Network, ...]) -> None:
        """Serve these networks, with the leases that the store has."""
        self.engine = Engine(networks, self.store, frozenset({self.address}))

    def stop(self) -> None:
        """Stop serving; the store stays."""
        self.records = self.verdicts()[-MAX_DEEDS:]
        self.engine = None

    def verdicts(self) -> list[Record]:
        """What was answered, or not, and why, oldest first; no more than engines remember."""
        return [*self.records, *(self.engine.records if self.engine is not None else ())]

    def addresses(self) -> Iterable[int]:
        return (self.address,)

    def hear(self, frame: bytes, now: Now) -> list[bytes]:
        match heard_in(frame):
            case Arp() as arp:
                return [*arp_answer(arp, self.mac, (self.address,)), *self._arp_heard(arp, now)]
            case Datagram(dport=port, dst=dst) as datagram if port == SERVER_PORT and dst in (BROADCAST, self.address):
                return self._served(datagram, now)
            case _:
                return []

    def deadline(self) -> float | None:
        return None if self.engine is None else self.engine.deadline()

    def wake(self, now: Now) -> list[bytes]:
        return [] if self.engine is None else self._frames(self.engine, self.engine.wake(now))

    def _served(self, datagram: Datagram, now: Now) -> list[bytes]:
        if self.engine is None:
            return []
        everybody = datagram.dst == BROADCAST
        interface = "eth0" if everybody else ""
        arrival = Arrival(datagram.payload, interface, self.address, datagram.src, datagram.sport, everybody)
        return self._frames(self.engine, self.engine.handle([arrival], now))

    def _arp_heard(self, arp: Arp, now: Now) -> list[bytes]:
        return self._frames(self.engine, self.engine.answered(arp.spa, arp.sha, now)) if self.engine else []

    def _frames(self, engine: Engine, sends: Sequence[Send]) -> list[bytes]:
        asked = [_question(probe, self.mac, self.address) for probe in engine.probes() if probe.arp]
        return [*(sent(send, self.mac, SERVER_PORT, partial(self._resolve, self.network)) for send in sends), *asked]


class ClientHost:
    """A client's machine on a link. What it remembers outlives the machine, as a lease file outlives a process.

    machine: None while the host has no power. asleep: it neither hears nor does anything, and its address stays. ahead:
    seconds by which its wall clock is before the link's. binding: the lease whose address is on the interface. deeds,
    states: what the machine wanted and came to, the newest MAX_DEEDS, each with its wall time (the link's).
    """

    def __init__(
        self, name: str, mac: bytes, network: str, settings: ClientSettings, dice: Dice, resolve: Resolve
    ) -> None:
        self.name, self.mac, self.network, self.settings = name, mac, network, settings
        self.machine: Client | None = None
        self.asleep = False
        self.ahead = 0.0
        self.remembered: tuple[Remembered, ...] = ()
        self.binding: Binding | None = None
        self.deeds: deque[tuple[float, Effect]] = deque(maxlen=MAX_DEEDS)
        self.states: deque[tuple[float, State]] = deque(maxlen=MAX_DEEDS)
        self._dice, self._resolve = dice, resolve

    def boot(self, now: Now) -> list[bytes]:
        """Switch it on with what it remembers."""
        self.machine, self.asleep = Client(self.settings, self._dice, self.remembered), False
        return self.happen(Command.START, now)

    def crash(self) -> None:
        """Cut its power: nothing is tidied up, and there is no address on its interface afterwards."""
        self.machine = self.binding = None

    def happen(self, event: Event, now: Now) -> list[bytes]:
        """Tell the machine of an event; what it sends."""
        if self.machine is None or self.asleep:
            return []
        before = self.machine.state
        effects = self.machine.handle(event, Now(now.wall + self.ahead, now.mono))
        self.deeds.extend((now.wall, effect) for effect in effects)
        if type(self.machine.state) is not type(before):
            self.states.append((now.wall, self.machine.state))
        return [frame for effect in effects for frame in self._carry_out(effect)]

    def addresses(self) -> Iterable[int]:
        return () if self.binding is None else (self.binding.address,)

    def hear(self, frame: bytes, now: Now) -> list[bytes]:
        if self.asleep:
            return []
        match heard_in(frame):
            case Arp() as arp:
                return [*arp_answer(arp, self.mac, self.addresses()), *self.happen(ArpSeen(arp), now)]
            case Datagram(payload=payload, src=src, sport=sport, dst=dst, dport=port) if port == CLIENT_PORT:
                return self.happen(Arrival(payload, self.settings.interface, 0, src, sport, dst == BROADCAST), now)
            case _:
                return []

    def deadline(self) -> float | None:
        return None if self.machine is None or self.asleep else self.machine.deadline()

    def wake(self, now: Now) -> list[bytes]:
        return self.happen(Wake(), now)

    def _carry_out(self, effect: Effect) -> list[bytes]:
        match effect:
            case Send():
                return [sent(effect, self.mac, CLIENT_PORT, partial(self._resolve, self.network))]
            case SendArp(arp=arp, mac=mac):
                return [encode_arp(arp, mac)]
            case Remember(leases=leases):
                self.remembered = leases
            case Configure(binding=binding):
                self.binding = binding
            case Deconfigure():
                self.binding = None
            case Note() | Finished():
                pass
            case _:
                assert_never(effect)
        return []


def heard_in(frame: bytes) -> Arp | Datagram | None:
    """What a frame carries, if it is ARP or UDP and in order."""
    try:
        _, ethertype, _ = open_ethernet(frame)
        return decode_arp(frame) if ethertype == ETHERTYPE_ARP else decode_datagram(frame)
    except WireError:
        return None


def sent(send: Send, mac: bytes, port: int, resolve: Callable[[int], bytes]) -> bytes:
    """The frame that carries a message from a host's hardware address and port. resolve: what ARP would find."""
    target = send.mac or (BROADCAST_MAC if send.destination == BROADCAST else resolve(send.destination))
    return encode_datagram(Datagram(mac, target, send.source, send.destination, port, send.port, send.payload))


def arp_answer(arp: Arp, mac: bytes, addresses: Iterable[int]) -> list[bytes]:
    """RFC 826: who has the address that is asked for says so; announcements of it are for the machine to judge."""
    asked = arp.op == REQUEST and arp.spa != arp.tpa and arp.tpa in addresses
    return [encode_arp(Arp(REPLY, mac, arp.tpa, arp.sha, arp.spa), arp.sha)] if asked else []


def _question(probe: Probe, mac: bytes, address: int) -> bytes:
    return encode_arp(Arp(REQUEST, mac, address, bytes(6), probe.address))
