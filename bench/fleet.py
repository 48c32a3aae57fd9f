"""Clients as they are met: with option 82 from their relay, and names, vendor classes and parameter lists of real systems.

The parameter lists are those by which such systems are commonly told apart.

Client n has the hardware address 02:00 followed by n in four octets, as in the side-by-side bench. Three in ten are
reserved.
"""

from collections.abc import Mapping
from typing import NamedTuple

from stand import RELAY

from relet.wire.address import parse_ip
from relet.wire.message import Message, encode

FIRST_RESERVED, LAST_RESERVED = parse_ip("10.64.16.0"), parse_ip("10.64.255.255")
SYSTEMS = (
    # vendor class, parameter request list
    (b"MSFT 5.0", bytes.fromhex("0103060f1f212b2c2e2f7779f9fc")),
    (b"android-dhcp-14", bytes.fromhex("0103060f1a1c333a3b2b726c")),
    (b"", bytes.fromhex("017903060f6c7277fc5f2c2e")),  # macOS, iOS
    (b"", bytes.fromhex("01020c060f1a1c790321282a77f9fc11")),  # NetworkManager
    (b"udhcp 1.36.1", bytes.fromhex("0103060c0f1c2a79")),
    (b"Cisco Systems IP Phone CP-8841", bytes.fromhex("014206030f962397")),
)


class Client(NamedTuple):
    """mac: six octets. address: what is reserved for it, or what it was given; 0 for none."""

    mac: bytes
    address: int = 0


def mac(number: int) -> bytes:
    """Hardware address of a client."""
    return b"\2\0" + number.to_bytes(4)


def reserved(clients: int) -> list[Client]:
    """Three of ten, and the address that is kept for each."""
    chosen = [number for number in range(clients) if number % 10 < 3]
    return [Client(mac(number), FIRST_RESERVED + place) for place, number in enumerate(chosen)]


def plain(number: int, options: Mapping[int, bytes]) -> bytes:
    """A request as the side-by-side bench sends it."""
    return _relayed(number, {**options, 55: bytes((1, 28, 2, 3, 15, 6, 12))})


def real(number: int, options: Mapping[int, bytes]) -> bytes:
    """A request with all that comes with it in a real network."""
    vendor, asked = SYSTEMS[number % len(SYSTEMS)]
    circuit = b"eth%d/%d" % (number % 4, number // 4 % 48)
    relay = b"\1" + bytes((len(circuit),)) + circuit + b"\2\6" + b"\2\1" + (number // 192).to_bytes(4)
    sent = {**options, 57: (1500).to_bytes(2), 12: b"host-%d" % number, 55: asked}
    if vendor:
        sent[60] = vendor
    return _relayed(number, sent | {82: relay})


def _relayed(number: int, options: Mapping[int, bytes]) -> bytes:
    return encode(Message(op=1, xid=0, hops=1, giaddr=parse_ip(RELAY), chaddr=mac(number), options=dict(options)))
