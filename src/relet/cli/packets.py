"""What `relet decode` reads: octets of unknown origin to messages, whatever they are wrapped in.

A capture, hexadecimal in paragraphs, or plain octets; in each a DHCP message as it is, or an Ethernet frame around one or
around ARP. Guesses, and prints nothing.
"""

from collections.abc import Iterator

import msgspec

from relet.errors import WireError
from relet.lab.pcap import is_capture, read_capture
from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.wire.address import ip_text, parse_hex
from relet.wire.arp import Arp, decode_arp
from relet.wire.frame import ETHERTYPE_ARP, ETHERTYPE_IP, TAGS, decode_datagram
from relet.wire.message import BOOTREPLY, BOOTREQUEST, COOKIE, Message, decode

HEXADECIMAL = frozenset(b"0123456789abcdefABCDEF:-, \t\r\n")
COOKIE_AT = 236
OTHERS = frozenset({"not-ipv4", "not-udp", "fragment"})
"""Reasons of a WireError that say no more than that a frame carries neither DHCP nor ARP."""


class Piece(msgspec.Struct, frozen=True):
    """Octets to be understood. at: wall time of capture, None if not captured; framed: surely an Ethernet frame."""

    octets: bytes
    at: float | None = None
    framed: bool = False


class Understood(msgspec.Struct, frozen=True):
    """A message or an ARP packet. route: 'address:port > address:port', '' if there was no frame around it."""

    content: Message | Arp
    route: str = ""


class Broken(msgspec.Struct, frozen=True):
    """Something malformed. part: 'frame' or 'message', from whose first octet the error's offset counts."""

    part: str
    error: WireError


def pieces(octets: bytes) -> Iterator[Piece]:
    """What stands in the input. Raises WireError for a broken capture, ValueError for broken hexadecimal."""
    if is_capture(octets):
        for captured in read_capture(octets):
            yield Piece(captured.frame, captured.at, framed=True)
    elif HEXADECIMAL.issuperset(octets.removeprefix(b"0x")):
        for paragraph in octets.decode("ascii").replace("\r", "").split("\n\n"):
            if paragraph.strip():
                yield Piece(unhex(paragraph))
    else:
        yield Piece(octets)


def unhex(text: str) -> bytes:
    """Octets of hexadecimal, blanks and the usual separators permitted. Raises ValueError."""
    return parse_hex("".join(text.replace(",", " ").removeprefix("0x").split()))


def understand(piece: Piece) -> Understood | Broken | None:
    """What a piece says; None if it is neither DHCP nor ARP."""
    octets = piece.octets
    if not piece.framed and not _is_frame(octets):
        return _message(octets, "")
    try:
        if _ethertype(octets) == ETHERTYPE_ARP:
            return Understood(decode_arp(octets))
        # A capture on the sending host has checksums that the hardware was to fill in.
        datagram = decode_datagram(octets, verify=False)
    except WireError as error:
        return None if error.reason in OTHERS else Broken("frame", error)
    if {datagram.sport, datagram.dport}.isdisjoint({SERVER_PORT, CLIENT_PORT}):
        return None
    source, target = f"{ip_text(datagram.src)}:{datagram.sport}", f"{ip_text(datagram.dst)}:{datagram.dport}"
    return _message(datagram.payload, f"{source} > {target}")


def _message(octets: bytes, route: str) -> Understood | Broken:
    try:
        return Understood(decode(octets), route)
    except WireError as error:
        return Broken("message", error)


def _is_frame(octets: bytes) -> bool:
    """Does it look like a frame more than like a message?"""
    if octets[:1] in (bytes((BOOTREQUEST,)), bytes((BOOTREPLY,))) and octets[COOKIE_AT:].startswith(COOKIE):
        return False
    return _ethertype(octets) in {ETHERTYPE_IP, ETHERTYPE_ARP}


def _ethertype(octets: bytes) -> int:
    """The type behind all VLAN tags."""
    at = 12
    while int.from_bytes(octets[at : at + 2], "big") in TAGS:
        at += 4
    return int.from_bytes(octets[at : at + 2], "big")
