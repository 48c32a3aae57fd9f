"""A host on a virtual link whose DHCP is somebody else's: a client or server under test, as octets in and octets out."""

from collections.abc import Callable, Iterable

from relet.errors import WireError
from relet.lab.ether import START, Ether
from relet.lab.hosts import arp_answer, heard_in
from relet.model.clock import Now
from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.wire.address import BROADCAST, BROADCAST_MAC, hex_text, ip_text, parse_ip
from relet.wire.arp import Arp
from relet.wire.frame import Datagram, encode_datagram
from relet.wire.message import Message, decode, encode

Answer = Callable[[bytes], Iterable[bytes]]
"""Gets the payload of each datagram that is heard, and gives the payloads to broadcast."""


class Station:
    """A host that hears DHCP at one port and sends to the other. heard: the payloads, oldest first.

    address: '' for a client that has none; it is answered for by ARP, and unicast to it is heard. It may be set anew.
    answer: called with each payload; None to look at `heard` and to `send` by hand. on_wake: called at `wake_at` (by the
    link's `now`), for a program with timers; it gives payloads to broadcast as well.
    """

    def __init__(
        self, ether: Ether, name: str, mac: bytes, network: str, port: int, address: str, answer: Answer | None
    ) -> None:
        self.name, self.mac, self.network, self.port, self.address = name, mac, network, port, address
        self.heard: list[bytes] = []
        self.answer = answer
        self.on_wake: Callable[[], Iterable[bytes]] | None = None
        self.wake_at: float | None = None
        self._ether = ether

    @property
    def messages(self) -> list[Message]:
        """Those of the payloads heard that are DHCP messages."""
        read = []
        for payload in self.heard:
            try:
                read.append(decode(payload))
            except WireError:
                continue
        return read

    def send(self, payload: bytes | Message, to: str = "255.255.255.255") -> None:
        """Send a payload now; by broadcast, or to an address."""
        octets = encode(payload) if isinstance(payload, Message) else payload
        self._ether.send(self, [self._frame(octets, parse_ip(to))])

    def addresses(self) -> Iterable[int]:
        return (parse_ip(self.address),) if self.address else ()

    def hear(self, frame: bytes, _now: Now) -> list[bytes]:
        match heard_in(frame):
            case Arp() as arp:
                return arp_answer(arp, self.mac, self.addresses())
            case Datagram(dport=port, payload=payload, dst=dst) if port == self.port and self._is_ours(dst):
                self.heard.append(payload)
                return [self._frame(each, BROADCAST) for each in (self.answer(payload) if self.answer else ())]
            case _:
                return []

    def deadline(self) -> float | None:
        return None if self.wake_at is None else START.mono + self.wake_at

    def wake(self, _now: Now) -> list[bytes]:
        self.wake_at = None
        return [self._frame(each, BROADCAST) for each in (self.on_wake() if self.on_wake else ())]

    def _is_ours(self, destination: int) -> bool:
        # A client hears what is sent to the address that it is yet to get (RFC 2131 s4.1).
        return self.port == CLIENT_PORT or destination == BROADCAST or destination in self.addresses()

    def _frame(self, payload: bytes, destination: int) -> bytes:
        source = next(iter(self.addresses()), 0)
        mac = BROADCAST_MAC if destination == BROADCAST else self._ether.resolve(self.network, destination)
        other = SERVER_PORT if self.port == CLIENT_PORT else CLIENT_PORT
        return encode_datagram(Datagram(self.mac, mac, source, destination, self.port, other, payload))

    def __repr__(self) -> str:
        return f"<station {self.name} {hex_text(self.mac)} {ip_text(next(iter(self.addresses()), 0))}>"
