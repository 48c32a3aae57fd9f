"""From frames on the wire to a ladder: what passed, what it meant for the client, and which servers kept silent.

The states are those that the frames prove: a client that sends a DHCPREQUEST without server identifier is REBOOTING, one
that announces its address by ARP is BOUND. The reasons come from the servers themselves.
"""

from collections.abc import Callable, Sequence

from relet.errors import WireError
from relet.lab.ladder import EVERYBODY, Aside, Event, Ladder, Packet, Silence, State
from relet.lab.stage import CLIENT, HOSTS, Seen
from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.server.told import Told
from relet.wire import summary
from relet.wire.address import ip_text
from relet.wire.arp import REQUEST, Arp, decode_arp
from relet.wire.frame import ETHERTYPE_ARP, decode_datagram
from relet.wire.message import Message, decode
from relet.wire.options import REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

HEARING_TIME = 0.15
"""Seconds after which a server that has not answered is asked why."""

Verdicts = Callable[[str, int], Sequence[Told]]


class Observer:
    """Watches one client. Facts gathered so far, for the play to wait for:

    sent: (host, label) pairs in order. bound: the address that the client uses, 0 if none. silent: servers by reason.
    """

    def __init__(self, ladder: Ladder, verdicts: Verdicts) -> None:
        self.sent: list[tuple[str, str]] = []
        self.bound = 0
        self.silent: dict[str, str] = {}
        self._ladder = ladder
        self._verdicts = verdicts
        self._began = 0.0
        self._servers: tuple[str, ...] = ()
        self._present: set[str] = set()
        self._asked_at: float | None = None
        self._told_until: dict[str, float] = {}
        self._claimed = 0
        self._probed = False
        self._state = ""
        self._down = False

    def begin(self, at: float, servers: Sequence[str], down: bool = False) -> None:
        """The ladder's newest scene begins, on a link with these servers. down: they do not run, and nobody hears the
        client."""
        self._present = {host.name for host in self._ladder.scenes()[-1].hosts}
        self._down = down
        self.sent, self.silent, self.bound = [], {}, 0
        self._began, self._servers, self._asked_at, self._told_until = at, tuple(servers), None, {}
        self._claimed, self._probed, self._state = 0, False, ""

    def at(self, wall: float) -> float:
        """Seconds since the scene began."""
        return max(0.0, wall - self._began)

    def see(self, seen: Seen) -> None:
        """A frame passed. What is neither DHCP nor ARP about the client's address is not part of the story; of hosts that
        are not on the stage, it is counted but not shown."""
        try:
            if int.from_bytes(seen.frame[12:14], "big") == ETHERTYPE_ARP:
                self._arp(seen, decode_arp(seen.frame))
                return
            datagram = decode_datagram(seen.frame, verify=False)
            if datagram.dport not in (SERVER_PORT, CLIENT_PORT):
                return
            message = decode(datagram.payload)
        except WireError:
            return
        target = HOSTS.get(datagram.dst_mac, EVERYBODY)
        label, about = summary.label(message), summary.gist(message)
        at = self.at(seen.at)
        self.sent.append((seen.source, label))
        if not {seen.source, target} <= self._present | {EVERYBODY}:
            return
        if seen.source == CLIENT:
            self._ladder.add(Packet(at, CLIENT, label, target, about, lost=self._down))
            self._client_state(at, message)
            self._asked_at = seen.at
        else:
            reason = self._reason(seen.source, message)
            self._ladder.add(Packet(at, seen.source, label, target, about, reason))
            if message.kind == MessageType.NAK:
                self._enter(at, "INIT", "the lease is not asked for again here")
            elif message.kind == MessageType.ACK:
                self._claim(message.yiaddr)

    def tick(self, wall: float) -> None:
        """Time passes: servers that heard the client's last message and did not answer are asked why."""
        if self._asked_at is not None and wall >= self._asked_at + HEARING_TIME:
            self._asked_at = None
            self.ask(wall)

    def ask(self, wall: float) -> None:
        """Ask all servers why they kept silent, where they have not said so yet."""
        for server in self._servers:
            for told in reversed(self._verdicts(server, 4)):
                if told.answer == "SILENT" and told.at > self._told_until.get(server, self._began):
                    self._told_until[server] = told.at
                    self.silent[server] = told.reason
                    self._ladder.add(_unanswered(self.at(wall), server, told))

    def _reason(self, server: str, message: Message) -> str:
        """Why a server gave this answer; by now it may have given another one."""
        answer, address = MessageType(message.kind).name, ip_text(message.yiaddr)
        for told in self._verdicts(server, 8):
            if told.answer == answer and (not message.yiaddr or told.address == address):
                return f"because {told.text}"
        return ""

    def _client_state(self, at: float, message: Message) -> None:
        if message.kind == MessageType.DISCOVER:
            self._enter(at, "SELECTING")
        elif message.kind == MessageType.REQUEST:
            self._claim(message.ip(REQUESTED_ADDRESS.code) or message.ciaddr)
            # A copy beside a DHCPDISCOVER does not lead back.
            if message.ip(SERVER_IDENTIFIER.code) is not None:
                self._enter(at, "REQUESTING")
            elif self._state != "SELECTING":
                self._enter(at, "REBOOTING")
        elif message.kind == MessageType.DECLINE:
            self._claimed = 0
            self._enter(at, "INIT", "after a wait of ten seconds")

    def _claim(self, address: int) -> None:
        """The address that the client asks for, or has been granted; it may ask for it by ARP from now on."""
        if address != self._claimed:
            self._claimed, self._probed = address, False

    def _enter(self, at: float, state: str, detail: str = "") -> None:
        """Show a state when it is entered, not when it is confirmed."""
        if state != self._state:
            self._state = state
            self._ladder.add(State(at, CLIENT, state, detail))

    def _arp(self, seen: Seen, arp: Arp) -> None:
        at, address = self.at(seen.at), self._claimed
        if not address or address not in (arp.tpa, arp.spa):
            return
        text = ip_text(address)
        if seen.source != CLIENT:
            if arp.spa == address:
                self.sent.append((seen.source, "ARP reply"))
                if seen.source not in self._present:
                    return
                self._ladder.add(Packet(at, seen.source, "ARP reply", CLIENT, f"{text} is mine"))
        elif arp.op == REQUEST and arp.spa == 0:
            if not self._probed:
                self._ladder.add(Packet(at, CLIENT, "ARP probe", EVERYBODY, f"does anybody have {text}?"))
            self._probed = True
        elif arp.spa == arp.tpa == address and not self.bound:
            self._ladder.add(Packet(at, CLIENT, "ARP announcement", EVERYBODY, f"{text} is mine"))
            self.bound = address
            self._enter(at, "BOUND", text)


def _unanswered(at: float, server: str, told: Told) -> Event:
    """What a server made of a message that it did not answer; a DHCPDECLINE is never answered."""
    if told.request == "DECLINE":
        return Aside(at, server, told.text)
    return Silence(at, server, f"because {told.text}")
