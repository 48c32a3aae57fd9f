"""The ladder diagram as a value: hosts as columns, time downwards, what passed between them and why.

One model, two renderers: `lab.terminal` prints it while it grows, `lab.svg` draws it when it is whole. It holds words,
not packets: whoever watches the wire turns what passed into events. Nothing here knows a screen, a clock or DHCP beyond
the names of its messages and states.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

MAX_HOSTS = 4
"""Columns that fit beside each other on 80 characters and still leave room for a label between them."""

MAX_EVENTS = 500
"""Events of one scene; a longer story is not read as a picture."""

MAX_TEXT = 300
"""Characters kept of any one text; option 56 and host names come from the wire and may be long."""

EVERYBODY = ""
"""Target of a packet that was broadcast: every other host of the scene hears it."""


class Role(StrEnum):
    """What a host does on the link."""

    CLIENT = "client"
    SERVER = "server"
    RELAY = "relay"
    HOST = "host"


class Tone(StrEnum):
    """What a packet means for the client, in one word; renderers give each its colour."""

    ASK = "ask"
    OFFER = "offer"
    YES = "yes"
    NO = "no"
    ARP = "arp"
    PLAIN = "plain"


TONES = {
    "DHCPDISCOVER": Tone.ASK,
    "DHCPREQUEST": Tone.ASK,
    "DHCPINFORM": Tone.ASK,
    "DHCPOFFER": Tone.OFFER,
    "DHCPACK": Tone.YES,
    "DHCPNAK": Tone.NO,
    "DHCPDECLINE": Tone.NO,
}

HOLDING = frozenset({"BOUND", "RENEWING", "REBINDING", "ATTACHED"})
"""States in which the client uses its address: those of RFC 2131 figure 5, and one of our own (RFC 4436)."""


class Host(msgspec.Struct, frozen=True):
    """A column. `subtitle`: what tells it apart on the wire, such as its address."""

    name: str
    role: Role
    subtitle: str = ""


class Packet(msgspec.Struct, frozen=True):
    """Something sent. `at`: seconds since the scene began.

    label: its kind ('DHCPREQUEST', 'ARP probe'). detail: addresses, xid. reason: why it was sent or answered so.
    tone: None means what TONES says of the label. lost: nobody heard it.
    """

    at: float
    source: str
    label: str
    target: str = EVERYBODY
    detail: str = ""
    reason: str = ""
    tone: Tone | None = None
    lost: bool = False

    def colour(self) -> Tone:
        """The tone given, else the label's own."""
        if self.tone is not None:
            return self.tone
        return TONES.get(self.label, Tone.ARP if self.label.startswith("ARP") else Tone.PLAIN)


class Silence(msgspec.Struct, frozen=True):
    """A server heard the packet before and deliberately kept silent."""

    at: float
    host: str
    reason: str


class State(msgspec.Struct, frozen=True):
    """The client entered a state of RFC 2131 figure 5. detail: what it now knows or has, such as its address."""

    at: float
    host: str
    state: str
    detail: str = ""


class Aside(msgspec.Struct, frozen=True):
    """What happened to a host that no packet shows: it lost power, gave up waiting, was moved."""

    at: float
    host: str
    text: str


Event = Packet | Silence | State | Aside


class Scene(msgspec.Struct, frozen=True):
    """One part of the story on one link: a title, a sentence that says what to look for, and what happened."""

    title: str
    sentence: str
    hosts: tuple[Host, ...]
    events: tuple[Event, ...] = ()

    def lane(self, host: str) -> int:
        """Column of a host. Raises ValueError for a name that the scene does not have."""
        for index, candidate in enumerate(self.hosts):
            if candidate.name == host:
                return index
        raise ValueError(f"no host {host!r} in the scene {self.title!r}")

    def reached(self, packet: Packet) -> tuple[int, ...]:
        """Lanes that hear a packet, from left to right; none if it was lost."""
        if packet.target != EVERYBODY:
            target = self.lane(packet.target)
            return () if packet.lost else (target,)
        if packet.lost:
            return ()
        source = self.lane(packet.source)
        return tuple(lane for lane in range(len(self.hosts)) if lane != source)

    def heading(self, packet: Packet) -> int:
        """On which side of its source a packet's words stand: 1 right, -1 left.

        Towards its target; a broadcast leans towards the client, whom it concerns.
        """
        source = self.lane(packet.source)
        if packet.target != EVERYBODY:
            return 1 if self.lane(packet.target) > source else -1
        if any(host.role is Role.CLIENT for host in self.hosts[:source]):
            return -1
        return 1 if source + 1 < len(self.hosts) or source == 0 else -1


class Watcher(Protocol):
    """Whoever wants to see a ladder grow."""

    def scene(self, scene: Scene) -> None:
        """A scene begins; it has no events yet."""

    def event(self, event: Event) -> None:
        """Something happened in the current scene."""


class Ladder:
    """A ladder that grows. Watchers are told of every scene and event as it is added; all text is made fit to show."""

    def __init__(self, watchers: Sequence[Watcher] = ()) -> None:
        self._watchers = tuple(watchers)
        self._scenes: list[tuple[Scene, list[Event]]] = []

    def begin(self, title: str, sentence: str, hosts: Sequence[Host]) -> None:
        """Start a scene. Raises ValueError unless it has 1..MAX_HOSTS hosts with different printable names."""
        names = {host.name for host in hosts}
        if not 1 <= len(hosts) <= MAX_HOSTS or len(names) != len(hosts):
            raise ValueError(f"a scene has 1 to {MAX_HOSTS} hosts, each with a name of its own")
        for name in names:
            if not name or clean(name) != name:
                raise ValueError(f"{name!r} is no name to show")
        columns = tuple(Host(host.name, host.role, clean(host.subtitle)) for host in hosts)
        scene = Scene(clean(title), clean(sentence), columns)
        self._scenes.append((scene, []))
        for watcher in self._watchers:
            watcher.scene(scene)

    def add(self, event: Event) -> None:
        """Add to the current scene what just happened. Past MAX_EVENTS it is dropped. Raises ValueError if unfit."""
        if not self._scenes:
            raise ValueError("no scene has begun")
        scene, events = self._scenes[-1]
        _check(scene, event)
        if len(events) >= MAX_EVENTS:
            return
        shown = _cleaned(event)
        events.append(shown)
        for watcher in self._watchers:
            watcher.event(shown)

    def scenes(self) -> tuple[Scene, ...]:
        """All scenes with all their events so far."""
        return tuple(msgspec.structs.replace(scene, events=tuple(events)) for scene, events in self._scenes)


def _check(scene: Scene, event: Event) -> None:
    """Raise ValueError for hosts that the scene does not have, and for a packet from a host to itself."""
    if not isinstance(event, Packet):
        scene.lane(event.host)
    elif event.target == event.source:
        raise ValueError(f"{event.source!r} cannot send to itself")
    else:
        scene.lane(event.source)
        scene.reached(event)


def _cleaned(event: Event) -> Event:
    match event:
        case Packet(label=label, detail=detail, reason=reason):
            return msgspec.structs.replace(event, label=clean(label), detail=clean(detail), reason=clean(reason))
        case Silence(reason=reason):
            return msgspec.structs.replace(event, reason=clean(reason))
        case State(state=state, detail=detail):
            return msgspec.structs.replace(event, state=clean(state), detail=clean(detail))
        case Aside(text=text):
            return msgspec.structs.replace(event, text=clean(text))


def clean(text: str) -> str:
    """Text fit to be shown: one line, nothing that a terminal would obey or XML forbid, MAX_TEXT characters at most."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in " ".join(text.split()))
    return shown if len(shown) <= MAX_TEXT else shown[: MAX_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def room(span: tuple[float, float]) -> float:
    """How much lies between two places."""
    start, end = span
    return end - start


def time_text(seconds: float) -> str:
    """'0.012 s', '12.3 s': a time since the scene began, as both renderers show it."""
    return f"{seconds:.3f} s" if seconds < 10 else f"{seconds:.1f} s"
