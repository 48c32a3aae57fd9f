"""A client on a bench: a clock that the test turns, dice that show the middle, and replies to its last question.

`reach` brings a client into any state by the events that lead there in life.
"""

from collections.abc import Callable

from msgspec.structs import replace

from relet.client.arrows import Arrow, Cause
from relet.client.machine import Client
from relet.client.settings import ClientSettings
from relet.client.states import (
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
)
from relet.model.clock import Now
from relet.model.effects import Binding, Configure, Deconfigure, Effect, Finished, Forget, Note, Remember, Send, SendArp
from relet.model.events import ArpSeen, Arrival, Command, Event, LinkChanged, Wake
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
REMEMBERED = Binding(ADDRESS, SERVER, START.wall - 600, LEASE_TIME, 1800, 3150)


class Dice:
    """Dice that show the middle every time, but for a hair: hardly any jitter up or down, and each xid another."""

    def __init__(self) -> None:
        self.throws = 0

    def __call__(self) -> float:
        self.throws += 1
        return 0.5 + self.throws * 1e-9


class Traced(Client):
    """A client that tells which arrows it went along."""

    def __init__(self, settings: ClientSettings, dice: Callable[[], float], remembered: Binding | None) -> None:
        super().__init__(settings, dice, remembered)
        self.trace: list[Arrow] = []

    def _go(self, cause: Cause, target: State) -> None:
        self.trace.append(Arrow(type(self.state), cause, type(target)))
        super()._go(cause, target)


class Rig:
    """A client, the time, the last message that it sent, and all that it sent."""

    def __init__(
        self,
        remembered: Binding | None = None,
        settings: ClientSettings = SETTINGS,
        dice: Callable[[], float] | None = None,
        now: Now = START,
    ) -> None:
        self.client = Traced(settings, dice or Dice(), remembered)
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

    def later(self, seconds: float) -> "Rig":
        """Turn both clocks on."""
        self.now = Now(self.now.wall + seconds, self.now.mono + seconds)
        return self

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

    def reply(self, kind: MessageType, address: int = ADDRESS, **changes: object) -> Message:
        """What a server would answer to the last message. changes: fields of the message that are to be wrong."""
        options = {53: bytes((kind,)), 54: SERVER.to_bytes(4)}
        if kind is not MessageType.NAK:
            options |= {51: LEASE_TIME.to_bytes(4), 1: bytes((255, 255, 255, 0)), 3: SERVER.to_bytes(4)}
        asked = self.sent
        good = Message(
            op=message.BOOTREPLY,
            xid=asked.xid if asked else 1,
            yiaddr=0 if kind is MessageType.NAK else address,
            chaddr=MAC,
            options=options | {61: CLIENT_ID},
        )
        return replace(good, **changes)

    def answer(self, kind: MessageType, address: int = ADDRESS, **changes: object) -> list[Effect]:
        """A server answers the last message now."""
        return self.feed(Arrival(message.encode(self.reply(kind, address, **changes))))

    def hear(self, packet: arp.Arp) -> list[Effect]:
        """An ARP packet comes by."""
        return self.feed(ArpSeen(packet))


def reach(kind: type[State], settings: ClientSettings = SETTINGS, address: int = ADDRESS) -> Rig:
    """A client that has come to this state in a usual way; where the state asks something, it has asked."""
    if kind in (Stopped, LinkDown, InitReboot, Rebooting):
        return _remembering(kind, settings)
    rig = Rig(None, settings)
    rig.feed(Command.START)
    if kind is Init:
        return rig
    rig.wake_until(Selecting)
    if kind is Selecting:
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
            return "announce" if packet.spa else "probe"
        case Remember(leases=leases):
            return f"remember:{len(leases)}"
        case Configure(cause=cause):
            return f"configure:{cause}"
        case Deconfigure(cause=cause, forget=forget):
            return f"deconfigure:{cause}" + ("" if forget else ":keep")
        case Forget(cause=cause):
            return f"forget:{cause}"
        case Note(kind=kind):
            return f"note:{kind}"
        case Finished():
            return "finished"
