"""A client on a bench: a clock that the test turns, dice that show the middle, and replies to its last question.

`reach` brings a client into any state by the events that lead there in life.
"""

from collections.abc import Callable
from math import inf

from msgspec.structs import replace

from relet.client.arrows import Arrow, Cause
from relet.client.conflict import Check
from relet.client.machine import Client
from relet.client.settings import ClientSettings
from relet.client.states import (
    Attached,
    Backoff,
    Bound,
    Init,
    InitReboot,
    LinkDown,
    Probing,
    Rebooting,
    Requesting,
    Selecting,
    State,
    Stopped,
    V6Only,
)
from relet.model.clock import Now
from relet.model.effects import (
    Binding,
    Configure,
    Deconfigure,
    Effect,
    Finished,
    Gateway,
    Note,
    Remember,
    Remembered,
    Send,
    SendArp,
)
from relet.model.events import ArpSeen, Arrival, ClockSet, Command, Event, LinkChanged, Wake
from relet.wire import arp, message
from relet.wire.address import parse_ip
from relet.wire.message import Message
from relet.wire.options import MessageType

MAC = bytes.fromhex("525400000001")
OTHER_MAC = bytes.fromhex("525400000099")
CLIENT_ID = b"\x01" + MAC
ADDRESS = parse_ip("192.168.1.100")
OTHER_ADDRESS = parse_ip("192.168.1.150")
SERVER = parse_ip("192.168.1.1")
OTHER_SERVER = parse_ip("192.168.1.2")
LEASE_TIME = 3600
START = Now(wall=1_700_000_000.0, mono=1000.0)
SETTINGS = ClientSettings(MAC, interface="eth0", client_id=CLIENT_ID, hostname="host")
CAREFUL = replace(SETTINGS, check_again=Check.FULL, timing=replace(SETTINGS.timing, hedge_after=inf, start_delay=1.0))
"""Every address is checked before its use, and nobody is hurried: the client of RFC 2131 and RFC 5227 to the letter."""
V6ONLY_WAIT = 1800
GATEWAY = Gateway(SERVER, bytes.fromhex("525400000011"))
HERE = arp.Arp(arp.REPLY, GATEWAY.mac, GATEWAY.address, MAC, ADDRESS)
"""The remembered gateway answers."""
BINDING = Binding(ADDRESS, SERVER, START.wall - 600, LEASE_TIME, 1800, 3150)
REMEMBERED = Remembered(BINDING)
"""A lease of a network of which nothing else is known."""
ROUTED = {1: bytes((255, 255, 255, 0)), 3: GATEWAY.address.to_bytes(4)}
KNOWN = Remembered(replace(BINDING, options=ROUTED), GATEWAY)
"""The same with the network's gateway."""
AWAY = Remembered(
    replace(
        BINDING, address=0x0A000005, server=0x0A000001, options={1: bytes((255, 0, 0, 0)), 3: bytes((10, 0, 0, 1))}
    ),
    Gateway(0x0A000001, bytes.fromhex("525400000022")),
)
"""A lease of another network, with its gateway."""
AWAY_HERE = arp.Arp(arp.REPLY, bytes.fromhex("525400000022"), 0x0A000001, MAC, 0x0A000005)


class Dice:
    """Dice that show the middle every time, but for a hair: hardly any jitter up or down, and each xid another."""

    def __init__(self) -> None:
        self.throws = 0

    def __call__(self) -> float:
        self.throws += 1
        return 0.5 + self.throws * 1e-9


class Traced(Client):
    """A client that tells which arrows it went along."""

    def __init__(self, settings: ClientSettings, dice: Callable[[], float], remembered: tuple[Remembered, ...]) -> None:
        super().__init__(settings, dice, remembered)
        self.trace: list[Arrow] = []

    def _go(self, cause: Cause, target: State) -> None:
        self.trace.append(Arrow(type(self.state), cause, type(target)))
        super()._go(cause, target)


class Rig:
    """A client, the time, the last message that it sent, and all that it sent."""

    def __init__(
        self,
        remembered: Remembered | None = None,
        settings: ClientSettings = CAREFUL,
        dice: Callable[[], float] | None = None,
        now: Now = START,
    ) -> None:
        self.client = Traced(settings, dice or Dice(), (remembered,) if remembered else ())
        self.now = now
        self.sent: Message | None = None
        self.sends: list[Send] = []

    @property
    def state(self) -> State:
        return self.client.state

    def feed(self, event: Event) -> list[Effect]:
        """Let something happen now."""
        effects = self.client.handle(event, self.now)
        for effect in effects:
            if isinstance(effect, Send):
                self.sent = message.decode(effect.payload)
                self.sends.append(effect)
        return effects

    def able(self) -> "Rig":
        """The host can do without IPv4 (RFC 8925), and has said so."""
        self.client.settings = replace(self.client.settings, ipv6_only=True)
        return self

    def later(self, seconds: float) -> "Rig":
        """Turn both clocks on."""
        self.now = Now(self.now.wall + seconds, self.now.mono + seconds)
        return self

    def set_clock(self, by: float) -> list[Effect]:
        """Set the wall clock alone, and tell the client."""
        self.now = Now(self.now.wall + by, self.now.mono)
        return self.feed(ClockSet(by))

    def wake(self) -> list[Effect]:
        """Turn the clocks to the deadline and wake the client."""
        deadline = self.client.deadline()
        assert deadline is not None
        return self.later(max(0.0, deadline - self.now.mono)).feed(Wake())

    def wake_until(self, kind: type[State]) -> list[Effect]:
        """Wake the client until it is in a state; all effects on the way."""
        effects: list[Effect] = []
        for _ in range(100):
            if isinstance(self.state, kind):
                return effects
            effects += self.wake()
        raise AssertionError(f"never came to {kind.__name__}, but to {self.state}")

    def wake_until_quiet(self) -> None:
        """Wake the client until what follows the beginning of use is done."""
        while isinstance(self.state, Bound) and self.state.watch.deadline() < inf:
            self.wake()

    def reply(self, kind: MessageType, address: int = ADDRESS, **changes: object) -> Message:
        """What a server would answer to the last message. changes: fields of the message that are to be wrong."""
        options = {53: bytes((kind,)), 54: SERVER.to_bytes(4)}
        if kind is not MessageType.NAK:
            options |= {51: LEASE_TIME.to_bytes(4), 1: bytes((255, 255, 255, 0))}
        asked = self.sent
        good = Message(
            op=message.BOOTREPLY,
            xid=asked.xid if asked else 1,
            yiaddr=0 if kind is MessageType.NAK else address,
            chaddr=MAC,
            options=options | {61: asked.options.get(61, CLIENT_ID) if asked else CLIENT_ID},  # RFC 6842 s3
        )
        return replace(good, **changes)

    def answer(self, kind: MessageType, address: int = ADDRESS, **changes: object) -> list[Effect]:
        """A server answers the last message now."""
        return self.feed(Arrival(message.encode(self.reply(kind, address, **changes))))

    def hear(self, packet: arp.Arp) -> list[Effect]:
        """An ARP packet comes by."""
        return self.feed(ArpSeen(packet))


def reach(kind: type[State], settings: ClientSettings = CAREFUL, address: int = ADDRESS) -> Rig:
    """A client that has come to this state in a usual way; where the state asks something, it has asked."""
    if kind in (Stopped, LinkDown, InitReboot, Rebooting, Attached):
        return _remembering(kind, settings)
    rig = Rig(None, replace(settings, ipv6_only=True) if kind is V6Only else settings)
    rig.feed(Command.START)
    if kind is Init:
        return rig
    rig.wake_until(Selecting)
    if kind is Selecting:
        return rig
    if kind is V6Only:
        rig.answer(
            MessageType.OFFER, address, options=rig.reply(MessageType.OFFER).options | {108: V6ONLY_WAIT.to_bytes(4)}
        )
        return rig
    rig.answer(MessageType.OFFER, address)
    if kind is Requesting:
        return rig
    rig.answer(MessageType.ACK, address)
    if kind is Probing:
        return rig
    if kind is Backoff:
        rig.hear(arp.announcement(OTHER_MAC, address))
        return rig
    rig.wake_until(Bound)
    rig.later(settings.conflict.announce_interval * settings.conflict.announce_num).feed(Wake())
    if kind is not Bound:
        rig.wake_until(kind)
    assert isinstance(rig.state, kind)
    return rig


def _remembering(kind: type[State], settings: ClientSettings) -> Rig:
    rig = Rig(REMEMBERED, settings)
    if kind is Stopped:
        return rig
    rig.feed(Command.START)
    if kind is Rebooting:
        return rig
    if kind is Attached:
        rig = Rig(KNOWN, replace(settings, check_again=Check.OFF))
        rig.feed(Command.START)
        rig.hear(HERE)
        rig.later(settings.conflict.announce_interval * settings.conflict.announce_num).feed(Wake())
        return rig
    if kind is LinkDown:
        rig.feed(LinkChanged(up=False))
        return rig
    # INIT-REBOOT passes at once, but not while a wait after DHCPDECLINE for another address is running.
    rig.wake_until(Selecting)
    rig.answer(MessageType.OFFER, OTHER_ADDRESS)
    rig.answer(MessageType.ACK, OTHER_ADDRESS)
    rig.hear(arp.announcement(OTHER_MAC, OTHER_ADDRESS))
    rig.feed(LinkChanged(up=False))
    rig.feed(LinkChanged(up=True))
    assert isinstance(rig.state, kind)
    return rig


def names(effects: list[Effect]) -> list[str]:
    """The effects in a word each."""
    return [_name(effect) for effect in effects]


def _name(effect: Effect) -> str:
    match effect:
        case Send(payload=payload):
            return MessageType(message.decode(payload).kind).name
        case SendArp(arp=packet):
            return "probe" if not packet.spa else "announce" if packet.spa == packet.tpa else "ask-gateway"
        case Remember(leases=leases):
            return f"remember:{len(leases)}"
        case Configure(cause=cause):
            return f"configure:{cause}"
        case Deconfigure(cause=cause):
            return f"deconfigure:{cause}"
        case Note(kind=kind):
            return f"note:{kind}"
        case Finished():
            return "finished"
