"""What a client said and heard in its last exchange, so that an operator can see why it is where it is.

An exchange begins when the client turns from rest to asking, and goes on until it does so again; who takes its address away
in between is part of it. Recording keeps references to what passed and looks at nothing, for it stands beside the first
packet; words are made of it when somebody asks.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from relet.client.states import Backoff, Bound, Leased, LinkDown, Probing, State, Stopped
from relet.errors import WireError
from relet.model.clock import Now
from relet.model.effects import Deconfigure, Effect, Note, Send, SendArp
from relet.model.events import ArpSeen, Arrival, Event
from relet.run.told import DECONFIGURED, state_name
from relet.wire import arp, summary
from relet.wire.address import BROADCAST, BROADCAST_MAC, hex_text, ip_text
from relet.wire.arp import Arp
from relet.wire.message import Message, decode
from relet.wire.options import SERVER_IDENTIFIER

MAX_MOMENTS = 64
"""Of one exchange; the newest are kept."""

MAX_IGNORED = 8
"""Messages to us that changed nothing, kept of one exchange: whoever sends many shall not push out what counted."""

RESTING = (Stopped, LinkDown, Bound)
"""States in which nothing is asked."""

_CHADDR = slice(28, 34)

Thing = Arrival | ArpSeen | Send | SendArp | Deconfigure | Note | State


class Moment(msgspec.Struct, frozen=True, omit_defaults=True, rename="kebab"):
    """Something that happened. at: seconds since the exchange began.

    what: 'ignored' is what was heard and changed nothing. label: name of message, state or note. peer: address of whoever
    was heard or spoken to, the hardware address where it claims ours, '' for everybody. mac: its hardware address, if known.
    """

    at: float
    what: Literal["sent", "heard", "ignored", "state", "note"]
    label: str
    peer: str = ""
    mac: str = ""
    text: str = ""


class Exchange(msgspec.Struct, frozen=True, omit_defaults=True, rename="kebab"):
    """began: seconds since 1970. omitted: moments that were too many, the oldest."""

    began: float
    moments: tuple[Moment, ...] = ()
    omitted: int = 0


class Recorder:
    """mac: the client's own; what was sent to others is not kept. since: wall time of the last change of state."""

    def __init__(self, mac: bytes) -> None:
        self._mac, self.since = mac, 0.0
        self._began = Now(0.0, 0.0)
        self._kept: deque[tuple[float, Thing, bool]] = deque(maxlen=MAX_MOMENTS)
        self._all = 0
        self._ignored = 0

    def record(self, event: Event, before: State, effects: Sequence[Effect], after: State, now: Now) -> None:
        """An event was handled: the state before, what followed, the state after."""
        if isinstance(before, RESTING) and not isinstance(after, (*RESTING, Backoff)):
            self._began, self._all, self._ignored = now, 0, 0
            self._kept.clear()
        heeded = bool(effects) or after is not before
        if (isinstance(event, ArpSeen) and heeded) or (isinstance(event, Arrival) and (heeded or self._worth(event))):
            self._keep(now.mono, event, heeded)
        for effect in effects:
            if isinstance(effect, Send | SendArp | Deconfigure | Note):
                self._keep(now.mono, effect)
        if type(after) is not type(before):
            self._keep(now.mono, after)
            self.since = now.wall

    def exchange(self) -> Exchange | None:
        """The last exchange, None if there was none."""
        if not self._kept:
            return None
        return Exchange(self._began.wall, tuple(self._moments()), self._all - len(self._kept))

    def _worth(self, arrival: Arrival) -> bool:
        """Is this ignored message kept?"""
        self._ignored += arrival.payload[_CHADDR] == self._mac
        return arrival.payload[_CHADDR] == self._mac and self._ignored <= MAX_IGNORED

    def _keep(self, mono: float, thing: Thing, heeded: bool = True) -> None:
        self._kept.append((mono, thing, heeded))
        self._all += 1

    def _moments(self) -> Iterator[Moment]:
        claimed = {address for _, thing, _ in self._kept for address in _ours(thing)}
        for mono, thing, heeded in self._kept:
            moment = _moment(max(0.0, mono - self._began.mono), thing, heeded, claimed)
            if moment:
                yield moment


def _moment(at: float, thing: Thing, heeded: bool, claimed: set[int]) -> Moment | None:
    match thing:
        case Send(payload=payload, destination=destination):
            message = _decoded(payload)
            if message is None:
                return None
            peer = "" if destination == BROADCAST else ip_text(destination)
            return Moment(at, "sent", summary.label(message), peer, text=summary.gist(message))
        case Arrival(payload=payload, source=source):
            message = _decoded(payload)
            if message is None:
                return None
            server = message.ip(SERVER_IDENTIFIER.code) or source
            what: Literal["heard", "ignored"] = "heard" if heeded else "ignored"
            return Moment(at, what, summary.label(message), ip_text(server), text=summary.gist(message))
        case SendArp(arp=packet, mac=mac):
            to = ("", "") if mac == BROADCAST_MAC else (ip_text(packet.tpa), hex_text(mac))
            return Moment(at, "sent", summary.arp_label(packet), *to, text=summary.arp_gist(packet))
        case ArpSeen(arp=packet):
            mac_text = hex_text(packet.sha)
            peer = mac_text if packet.spa in (0, *claimed) else ip_text(packet.spa)
            return Moment(at, "heard", summary.arp_label(packet), peer, mac_text, summary.arp_gist(packet))
        case Deconfigure(binding=binding, cause=cause):
            return Moment(at, "note", "unbound", text=f"{ip_text(binding.address)} taken away: {DECONFIGURED[cause]}")
        case Note(kind=kind, text=text):
            return Moment(at, "note", kind, text=text)
        case _:
            address = thing.held.binding.address if isinstance(thing, Leased | Probing) else 0
            return Moment(at, "state", state_name(thing), text=ip_text(address) if address else "")


def _decoded(payload: bytes) -> Message | None:
    try:
        return decode(payload)
    except WireError:
        return None  # counted by the machine, under its name


def _ours(thing: Thing) -> tuple[int, ...]:
    """An address that the client wants or has, by what it did: whoever else says that it has it, is no host of that name."""
    match thing:
        case SendArp(arp=Arp(op=arp.REQUEST, spa=spa, tpa=tpa)) if spa in (0, tpa):
            return (tpa,)
        case Deconfigure(binding=binding):
            return (binding.address,)
        case _:
            return (thing.held.binding.address,) if isinstance(thing, Leased | Probing) else ()
