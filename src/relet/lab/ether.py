"""Links without a kernel: hosts that hear each other's frames under virtual time.

What passes are the octets that would pass on a wire. Time goes by only when nothing is left to do at the present moment, so
an hour takes no longer than what happens in it. A hook sees each frame before it is under way and says what becomes of it:
lost, late, doubled, another one. The seed decides everything that is left to chance.
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Protocol

import msgspec
from msgspec.structs import replace

from relet.errors import WireError
from relet.lab.words import words
from relet.model.clock import Now
from relet.wire.address import BROADCAST_MAC
from relet.wire.frame import decode_datagram, encode_datagram
from relet.wire.message import DEFAULT_LIMIT, Message, encode

DELAY = 0.0005
"""Seconds that a frame is under way if no hook says otherwise."""

MAX_COPIES = 16
"""Frames that hooks can make of one."""

MAX_STILL = 100_000
"""Things that can happen at one moment: of more, time would never go on."""

NOBODY = bytes.fromhex("02ffffffffff")
"""Where a message goes whose receiver's hardware address nobody knows."""

START = Now(wall=1_700_000_000.0, mono=1000.0)


class Frame(msgspec.Struct, frozen=True):
    """A frame that a host sends. at: wall time; source: the host's name; delay: seconds that it is under way."""

    at: float
    source: str
    network: str
    octets: bytes
    delay: float = DELAY

    @property
    def label(self) -> str:
        """'DHCPACK', 'ARP probe', ...; '' for what is neither DHCP nor ARP."""
        said = words(self.octets)
        return said.label if said else ""

    @property
    def message(self) -> Message | None:
        """The DHCP message in it, None if there is none that can be read."""
        said = words(self.octets)
        return said.message if said else None

    def later(self, seconds: float) -> "Frame":
        """The same, so much longer under way."""
        return replace(self, delay=self.delay + seconds)

    def carrying(self, message: Message) -> "Frame":
        """The same with another message in it. Raises ValueError if it carries none, or the message has no room."""
        try:
            datagram = decode_datagram(self.octets)
        except WireError as error:
            raise ValueError(f"the frame of {self.source} carries no datagram: {error}") from error
        payload = encode(message, max(DEFAULT_LIMIT, len(datagram.payload)))
        return replace(self, octets=encode_datagram(replace(datagram, payload=payload)))


class Host(Protocol):
    """Somebody on a link. What it is told of, it answers with the frames that it sends. network: where it is plugged in."""

    name: str
    mac: bytes
    network: str

    def addresses(self) -> Iterable[int]:
        """The IPv4 addresses for which ARP would find it."""

    def hear(self, frame: bytes, now: Now, /) -> Iterable[bytes]:
        """A frame for it, or for everybody."""

    def deadline(self) -> float | None:
        """Monotonic time at which it wants to be woken; None: not at all."""

    def wake(self, now: Now, /) -> Iterable[bytes]:
        """The deadline has come."""


Hook = Callable[[Frame], Iterable[Frame] | None]
"""What becomes of a frame: the frames that arrive in its place, none if it is lost; None: it arrives as it is."""

Watcher = Callable[[Frame, bool], None]
"""Is told of each frame as it was sent, and whether nobody will hear it."""


class Ether:
    """The links, and who is plugged into which. hooks: asked in this order. watchers: told of each frame that is sent."""

    def __init__(self, seed: int = 1, start: Now = START) -> None:
        self.now = start
        self.random = Random(seed)
        self.hosts: dict[str, Host] = {}
        self.hooks: list[Hook] = []
        self.watchers: list[Watcher] = []
        self._under_way: list[tuple[float, int, Host, bytes]] = []
        self._numbers = count()

    def add(self, host: Host) -> None:
        """Plug a host in. Raises ValueError if there is one of this name or hardware address."""
        for other in self.hosts.values():
            if other.name == host.name or other.mac == host.mac:
                raise ValueError(f"{host.name} is another host's name, or its hardware address is {other.name}'s")
        self.hosts[host.name] = host

    def resolve(self, network: str, address: int) -> bytes:
        """The hardware address that ARP would find on a network; NOBODY's if there is none."""
        found = (host.mac for host in self.hosts.values() if host.network == network and address in host.addresses())
        return next(found, NOBODY)

    def send(self, host: Host, frames: Iterable[bytes]) -> None:
        """A host sends frames; who is concerned on its network hears them a moment later."""
        for octets in frames:
            frame = Frame(self.now.wall, host.name, host.network, octets)
            copies = self._hooked(frame)
            heard = [(copy, self._listeners(host, copy)) for copy in copies]
            for watcher in self.watchers:
                watcher(frame, not any(listeners for _, listeners in heard))
            for copy, listeners in heard:
                at = self.now.mono + max(0.0, copy.delay)
                for listener in listeners:
                    heappush(self._under_way, (at, next(self._numbers), listener, copy.octets))

    def step(self, latest: float) -> None:
        """To the next thing that happens, but not further than the monotonic time `latest`."""
        arriving = self._under_way[0][0] if self._under_way else latest
        waiting = [(due, host) for host in self.hosts.values() if (due := host.deadline()) is not None]
        due, sleeper = min(waiting, key=lambda pair: pair[0], default=(latest, None))
        at = max(self.now.mono, min(latest, arriving, due))
        self.now = Now(self.now.wall + at - self.now.mono, at)
        if self._under_way and arriving <= at:
            _, _, host, octets = heappop(self._under_way)
            if self.hosts.get(host.name) is host:
                self.send(host, host.hear(octets, self.now))
        elif sleeper is not None and due <= at:
            self.send(sleeper, sleeper.wake(self.now))

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time go by, until something is so. Was it, before the time was over? RuntimeError if time stands still."""
        end = self.now.mono + seconds
        moment, still = self.now.mono, 0
        while not until():
            if self.now.mono >= end and not self._pending(end):
                return False
            self.step(end)
            still = still + 1 if self.now.mono == moment else 0
            moment = self.now.mono
            if still > MAX_STILL:
                raise RuntimeError(f"time stands still: {', '.join(self._due(moment)) or 'frames'} never come to rest")
        return True

    def _due(self, moment: float) -> list[str]:
        waiting = ((host.name, host.deadline()) for host in self.hosts.values())
        return [name for name, due in waiting if due is not None and due <= moment]

    def _pending(self, end: float) -> bool:
        """Is there still something to do at the present moment?"""
        dues = (host.deadline() for host in self.hosts.values())
        return any(due is not None and due <= end for due in dues) or bool(
            self._under_way and self._under_way[0][0] <= end
        )

    def _hooked(self, frame: Frame) -> Sequence[Frame]:
        copies = [frame]
        for hook in self.hooks:
            copies = [each for copy in copies for each in _after(hook, copy)][:MAX_COPIES]
        return copies

    def _listeners(self, sender: Host, frame: Frame) -> list[Host]:
        return [
            host
            for host in self.hosts.values()
            if host is not sender and host.network == frame.network and frame.octets[:6] in (host.mac, BROADCAST_MAC)
        ]


def _after(hook: Hook, frame: Frame) -> Iterable[Frame]:
    become = hook(frame)
    return (frame,) if become is None else become
