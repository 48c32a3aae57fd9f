"""A server core on the table: networks, a memory store, a clock to turn by hand, and requests in one line."""

from collections.abc import Sequence
from itertools import count

import msgspec

from relet.model.clock import Now
from relet.model.effects import Send
from relet.model.events import Arrival
from relet.model.ident import client_key
from relet.model.lease import Change, Committed, Lease, Leases, LeaseState
from relet.model.network import Network, Parameters, Reservation
from relet.server.engine import Engine
from relet.store.memory import MemoryStore
from relet.wire.address import parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import (
    PARAMETER_REQUEST_LIST,
    REQUESTED_ADDRESS,
    SERVER_IDENTIFIER,
    MessageType,
)
from support.networks import saying, subnet

SERVER = parse_ip("192.168.1.1")
RELAY = parse_ip("10.9.0.1")
MAC = bytes.fromhex("525400000001")
OTHER_MAC = bytes.fromhex("525400000002")
_xids = count(1000)


def ip(last: int) -> int:
    """192.168.1.<last>"""
    return SERVER & 0xFFFFFF00 | last


OFFICE = Network(
    name="office",
    interfaces=("eth0",),
    relays=(RELAY,),
    subnets=(
        subnet(
            "192.168.1.0/24",
            (ip(100), ip(109)),
            options={
                1: b"\xff\xff\xff\x00",
                3: SERVER.to_bytes(4, "big"),
                15: b"example.org",
                6: SERVER.to_bytes(4, "big"),
            },
            lease_time=3600,
        ),
    ),
)


def reserved(address: int, mac: bytes = MAC) -> Reservation:
    """A reservation by hardware address."""
    return Reservation("mac", mac, address)


class Table:
    """An engine and everything around it. policy: fields of `Network` and of `Parameters` that are not the office's."""

    def __init__(self, network: Network = OFFICE, *, store: Leases | None = None, **policy: object) -> None:
        said = {name: policy.pop(name) for name in Parameters.__struct_fields__ if name in policy}
        self.network = saying(msgspec.structs.replace(network, **policy), **said)
        self.store: Leases = store if store is not None else MemoryStore()
        self.engine = Engine((self.network,), self.store, frozenset({SERVER}))
        self.now = Now(1_000_000.0, 500.0)

    def restart(self) -> None:
        """A new process on the same store."""
        self.engine = Engine((self.network,), self.store, frozenset({SERVER}))

    def later(self, seconds: float) -> None:
        """Turn both clocks."""
        self.now = Now(self.now.wall + seconds, self.now.mono + seconds)

    def lease(self, address: int, mac: bytes = MAC, seconds: int = 1000, state: LeaseState = LeaseState.BOUND) -> Lease:
        """Put a lease into the store, as if granted earlier; negative seconds: it has run out."""
        wall = int(self.now.wall)
        client = client_key(None, 1, mac)
        lease = Lease(address, client, self.network.name, state, wall - 5000, wall + seconds, None)
        assert self.store.commit([Change(self.store.view([], [address]).lease(address), lease)], wall) == Committed(
            frozenset()
        )
        return lease

    def handle(self, *arrivals: Arrival) -> list[Send]:
        """One batch."""
        return self.engine.handle(arrivals, self.now)

    def say(self, message: Message, **arrival: object) -> Message | None:
        """One request; the reply decoded, None for silence."""
        sends = self.handle(arrive(message, **arrival))
        assert len(sends) <= 1
        assert not self.engine.bugs
        return decode(sends[0].payload) if sends else None

    def verdict(self) -> tuple[str, str]:
        """(answer, reason) of the newest verdict."""
        record = self.engine.records[-1]
        return record.answer, record.reason

    def on(self, address: int) -> Lease | None:
        """What the store has on an address."""
        return self.store.view([], [address]).lease(address)


def arrive(message: Message, **where: object) -> Arrival:
    """A message as it comes in on eth0, unless told otherwise."""
    return msgspec.structs.replace(Arrival(encode(message), "eth0", SERVER), **where)


def request(kind: int, options: dict[int, bytes] | None = None, mac: bytes = MAC, **fields: int) -> Message:
    """A client's message of a type."""
    head = {53: bytes((kind,))}
    tail = {PARAMETER_REQUEST_LIST.code: bytes((1, 3, 6, 15))}
    message = Message(op=1, xid=next(_xids), chaddr=mac, options=head | (options or {}) | tail)
    return msgspec.structs.replace(message, **fields)


def address(value: int) -> bytes:
    """Four octets."""
    return value.to_bytes(4, "big")


def discover(wanted: int = 0, mac: bytes = MAC, **fields: int) -> Message:
    """DHCPDISCOVER."""
    return request(MessageType.DISCOVER, {REQUESTED_ADDRESS.code: address(wanted)} if wanted else {}, mac, **fields)


def reboot(wanted: int, mac: bytes = MAC, **fields: int) -> Message:
    """DHCPREQUEST of INIT-REBOOT."""
    return request(MessageType.REQUEST, {REQUESTED_ADDRESS.code: address(wanted)}, mac, **fields)


def selecting(wanted: int, server: int = SERVER, mac: bytes = MAC, **fields: int) -> Message:
    """DHCPREQUEST of SELECTING."""
    options = {REQUESTED_ADDRESS.code: address(wanted), SERVER_IDENTIFIER.code: address(server)}
    return request(MessageType.REQUEST, options, mac, **fields)


def renewing(held: int, mac: bytes = MAC, **fields: int) -> Message:
    """DHCPREQUEST of RENEWING or REBINDING."""
    return request(MessageType.REQUEST, {}, mac, ciaddr=held, **fields)


def decline(held: int, mac: bytes = MAC, server: int = SERVER) -> Message:
    """DHCPDECLINE."""
    options = {REQUESTED_ADDRESS.code: address(held), SERVER_IDENTIFIER.code: address(server)}
    return request(MessageType.DECLINE, options, mac)


def release(held: int, mac: bytes = MAC, server: int = SERVER) -> Message:
    """DHCPRELEASE."""
    return request(MessageType.RELEASE, {SERVER_IDENTIFIER.code: address(server)}, mac, ciaddr=held)


def kind_of(reply: Message | None) -> str:
    """'ACK', 'NAK', 'OFFER', or 'SILENT'."""
    return MessageType(reply.kind).name if reply is not None else "SILENT"


def pairs(sends: Sequence[Send]) -> list[tuple[str, int]]:
    """(type, yiaddr) of each reply."""
    replies = [decode(send.payload) for send in sends]
    return [(MessageType(reply.kind).name, reply.yiaddr) for reply in replies]
