"""More clients than addresses, all in a hurry: what they send, and what they make of the answers. Without sockets.

A client without an address asks for one, or for one that it had; a client with one reboots, renews, rebinds, asks anew,
gives it back or declines it. Leases are of all lengths, many shorter than a restart. Every promise goes into the ledger.
The messages take one of three roads: through a relay, by broadcast on the server's own link, or by unicast from the
client's address.
"""

from collections import deque
from random import Random
from typing import NamedTuple

from crash.ledger import Ledger
from relet.errors import WireError
from relet.wire.message import BROADCAST_FLAG, Message, decode, encode
from relet.wire.options import (
    CLIENT_IDENTIFIER,
    LEASE_TIME,
    REQUESTED_ADDRESS,
    SERVER_IDENTIFIER,
    MessageType,
)

RELAYED, LINK, UNICAST = "relayed", "link", "unicast"
"""Roads."""

PATIENCE_S = 0.3
"""So long a client waits for an answer before it does something else."""
ASKED_AGAIN = 20
"""So often a client that is asked about its lease repeats itself before it gives up: six seconds."""
REMEMBERED = 50_000
"""Requests whose late answers are understood."""
LONG_S, SHORT_S, TINY_S = 600, 30, 3
"""Lease times that clients ask for lie between one second and one of these."""
NOT_ASKED = 0.3
"""Share of the holders that keep quiet after a restart: nobody but the server protects their leases."""


class Packet(NamedTuple):
    """What a client sends. source: its address, of a unicast."""

    road: str
    source: int
    payload: bytes


class Pending(NamedTuple):
    """A request under way. asked: the address that the client wants to keep, 0 if it chose an offer or has none yet."""

    client: int
    kind: int
    asked: int
    sent: float


class Fleet:
    """size: how many clients there are at a time. relay: address (giaddr) that half of them are behind."""

    def __init__(self, dice: Random, ledger: Ledger, size: int, relay: int, server: int) -> None:
        self._dice = dice
        self._ledger = ledger
        self._relay = relay
        self._server = server
        self._idle = deque(range(size))
        self._next = size + 1 | 1  # the next client on the link
        self._had: dict[int, int] = {}  # the address that a client had last
        self._xid = 0
        self._requests: dict[int, Pending] = {}
        self._waiting: dict[int, int] = {}  # client -> the request that it waits for

    @property
    def waiting(self) -> int:
        """How many clients wait for an answer."""
        return len(self._waiting)

    def act(self, now: float, most: int) -> list[Packet]:
        """What clients do next, of whom at most so many are to be waiting at a time."""
        self._tire(now)
        acting = min(len(self._idle), max(0, most - self.waiting))
        return [self._something(self._idle.popleft(), now) for _ in range(acting)]

    def ask(self, now: float) -> list[Packet]:
        """INIT-REBOOT of most clients that were promised an address, all others at rest."""
        holders = [each for each in self._ledger.due(now) if self._dice.random() >= NOT_ASKED]
        resting = {client for client, _ in holders}
        self._idle = deque(client for client in self._idle if client not in resting)
        return [self._request(client, now, asked=address, reboots=True) for client, address in holders]

    def ask_again(self, now: float) -> list[Packet]:
        """The same of those that wait for an answer."""
        asked = [(client, self._requests[xid].asked) for client, xid in self._waiting.items()]
        return [self._request(client, now, asked=address, reboots=True) for client, address in asked]

    def give_up_asking(self, now: float) -> None:
        """Whoever waits still was left without an answer."""
        for client, xid in tuple(self._waiting.items()):
            self._ledger.unanswered(client, self._requests[xid].asked, now)
            self._rest(client)

    def hear(self, payload: bytes, now: float) -> list[Packet]:
        """A reply. An offer is accepted, all else told to the ledger."""
        try:
            reply = decode(payload)
        except WireError:
            return []
        request = self._requests.get(reply.xid)
        if request is None:
            return []
        client = request.client
        if reply.kind == MessageType.OFFER:
            if request.kind != MessageType.DISCOVER or self._waiting.get(client) != reply.xid:
                return []
            return [self._request(client, now, chosen=reply)]
        if reply.kind == MessageType.ACK:
            seconds = reply.uint(LEASE_TIME.code) or 0
            self._ledger.acknowledged(client, reply.yiaddr, seconds, request.sent, now, request.asked)
            self._had[client] = reply.yiaddr
        elif reply.kind == MessageType.NAK:
            self._ledger.refused(client, request.asked, request.sent, now)
        if self._waiting.get(client) == reply.xid:
            self._rest(client)
        return []

    def stop_waiting(self) -> None:
        """The server is dead; what had left it must have been heard before."""
        for client in tuple(self._waiting):
            self._rest(client)

    def _something(self, client: int, now: float) -> Packet:
        chance = self._dice.random()
        had = self._had.get(client, 0)
        if not had or self._ledger.promise(client, had, now) is None:
            if had and chance < 0.2:
                return self._request(client, now, asked=had, reboots=True)
            return self._discover(client, now)
        if chance < 0.4:
            return self._request(client, now, asked=had, reboots=True)
        if chance < 0.7:
            return self._request(client, now, asked=had, unicast=chance < 0.55)
        if chance < 0.8:
            return self._discover(client, now)
        return self._give_up(client, had, MessageType.RELEASE if chance < 0.95 else MessageType.DECLINE, now)

    def _discover(self, client: int, now: float) -> Packet:
        self._begin(client, MessageType.DISCOVER, 0, now)
        return self._packet(client, MessageType.DISCOVER, self._time())

    def _request(
        self,
        client: int,
        now: float,
        asked: int = 0,
        reboots: bool = False,
        unicast: bool = False,
        chosen: Message | None = None,
    ) -> Packet:
        """The four kinds of DHCPREQUEST (RFC 2131 s4.3.2)."""
        options = self._time()
        if chosen is not None:
            options[REQUESTED_ADDRESS.code] = chosen.yiaddr.to_bytes(4)
            options[SERVER_IDENTIFIER.code] = chosen.options[SERVER_IDENTIFIER.code]
            self._requests[chosen.xid] = Pending(client, MessageType.REQUEST, 0, now)
            self._waiting[client] = self._waiting.pop(client)  # those that have waited longest stand first
            return self._packet(client, MessageType.REQUEST, options, xid=chosen.xid)
        if reboots:
            options[REQUESTED_ADDRESS.code] = asked.to_bytes(4)
        self._begin(client, MessageType.REQUEST, asked, now)
        return self._packet(client, MessageType.REQUEST, options, 0 if reboots else asked, unicast)

    def _give_up(self, client: int, address: int, kind: int, now: float) -> Packet:
        """DHCPRELEASE or DHCPDECLINE. A client on the link comes back as another one: its RELEASE takes another road than
        its next words, and might be heard behind them."""
        self._ledger.gave_up(client, address, now)
        options = {SERVER_IDENTIFIER.code: self._server.to_bytes(4)}
        self._xid += 1
        declines = kind == MessageType.DECLINE
        if declines:
            options[REQUESTED_ADDRESS.code] = address.to_bytes(4)
        packet = self._packet(client, kind, options, 0 if declines else address, unicast=not declines)
        if _on_link(client):
            del self._had[client]
            client, self._next = self._next, self._next + 2
        self._idle.append(client)
        return packet

    def _packet(
        self, client: int, kind: int, options: dict[int, bytes], ciaddr: int = 0, unicast: bool = False, xid: int = 0
    ) -> Packet:
        head = {53: bytes((kind,))}
        if client % 3 == 0:
            head[CLIENT_IDENTIFIER.code] = b"\xff" + client.to_bytes(8)
        road = UNICAST if unicast else LINK if _on_link(client) else RELAYED
        message = Message(
            op=1,
            xid=xid or self._xid,
            flags=BROADCAST_FLAG if road == LINK else 0,
            ciaddr=ciaddr,
            giaddr=self._relay if road == RELAYED else 0,
            chaddr=bytes((2, 0)) + client.to_bytes(4),
            options=head | options,
        )
        return Packet(road, ciaddr, encode(message))

    def _time(self) -> dict[int, bytes]:
        longest = self._dice.choice((LONG_S, LONG_S, SHORT_S, TINY_S))
        return {LEASE_TIME.code: self._dice.randint(1, longest).to_bytes(4)}

    def _begin(self, client: int, kind: int, asked: int, now: float) -> None:
        self._xid += 1
        self._requests[self._xid] = Pending(client, kind, asked, now)
        self._waiting[client] = self._xid
        if len(self._requests) > REMEMBERED:
            del self._requests[next(iter(self._requests))]

    def _tire(self, now: float) -> None:
        for client, xid in tuple(self._waiting.items()):
            if now - self._requests[xid].sent < PATIENCE_S:
                break
            self._rest(client)

    def _rest(self, client: int) -> None:
        del self._waiting[client]
        self._idle.append(client)


def _on_link(client: int) -> bool:
    return client % 2 == 1
