"""What `relet decode` reads: octets of unknown origin to messages, whatever they are wrapped in.

A capture, hexadecimal, or plain octets; in each a DHCP message as it is, or a packet around one or around ARP, with or
without the header of a link. Guesses, and prints nothing.
"""

from collections.abc import Iterator

import msgspec

from relet.cli.hexadecimal import packets
from relet.errors import WireError
from relet.lab.pcap import ETHERNET, LINUX_SLL, LINUX_SLL2, RAW_IP, is_capture, read_capture
from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.wire.address import ip_text
from relet.wire.arp import Arp, decode_arp
from relet.wire.frame import ETHERTYPE_ARP, ETHERTYPE_IP, TAGS, decode_datagram, ethernet_header
from relet.wire.message import BOOTREPLY, BOOTREQUEST, COOKIE, Message, decode

GZIP = b"\x1f\x8b"
COOKIE_AT = 236
BARE_ARP = b"\0\1\x08\0\6\4"
"""An ARP packet for IPv4 over Ethernet begins so (RFC 826)."""
COOKED = {LINUX_SLL: (14, 16), LINUX_SLL2: (0, 20)}
"""Offset of the ethertype and length of the header that Linux puts in the place of the link's own."""
NOBODY = bytes(6)
OTHERS = frozenset({"not-ipv4", "not-udp", "fragment"})
"""Reasons of a WireError that say no more than that a frame carries neither DHCP nor ARP."""


class Piece(msgspec.Struct, frozen=True):
    """Octets to be understood. at: wall time of capture, None if not captured; link: its type, None if not known."""

    octets: bytes
    at: float | None = None
    link: int | None = None


class Understood(msgspec.Struct, frozen=True):
    """A message or an ARP packet. route: 'address:port > address:port', '' if there was no frame around it."""

    content: Message | Arp
    route: str = ""


class Broken(msgspec.Struct, frozen=True):
    """Something malformed. part: 'frame' or 'message', from whose first octet the error's offset counts."""

    part: str
    error: WireError


def pieces(octets: bytes) -> Iterator[Piece]:
    """What stands in the input. Raises WireError for a broken capture, ValueError for text that is no hexadecimal."""
    if octets.startswith(GZIP):
        raise ValueError("it is compressed; try `zcat FILE | relet decode -`")
    if is_capture(octets):
        for captured in read_capture(octets):
            yield Piece(captured.frame, captured.at, captured.link)
    elif (text := _text(octets)) is not None:
        yield from map(Piece, packets(text))
    else:
        yield Piece(octets)


def _text(octets: bytes) -> str | None:
    """The octets as text for people; None if they are not."""
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return None
    return text if all(c.isprintable() or c.isspace() for c in text) else None


def understand(piece: Piece) -> Understood | Broken | None:
    """What a piece says; None if it is neither DHCP nor ARP."""
    link = _guess(piece.octets) if piece.link is None else piece.link
    if link is None:
        return _message(piece.octets, "")
    frame = _as_ethernet(piece.octets, link)
    try:
        if _ethertype(frame) == ETHERTYPE_ARP:
            return Understood(decode_arp(frame))
        # A capture on the sending host has checksums that the hardware was to fill in.
        datagram = decode_datagram(frame, verify=False)
    except WireError as error:
        offset = max(0, error.offset + len(piece.octets) - len(frame))
        return None if error.reason in OTHERS else Broken("frame", WireError(error.reason, offset, error.detail))
    if {datagram.sport, datagram.dport}.isdisjoint({SERVER_PORT, CLIENT_PORT}):
        return None
    source, target = f"{ip_text(datagram.src)}:{datagram.sport}", f"{ip_text(datagram.dst)}:{datagram.dport}"
    return _message(datagram.payload, f"{source} > {target}")


def _message(octets: bytes, route: str) -> Understood | Broken:
    try:
        return Understood(decode(octets), route)
    except WireError as error:
        return Broken("message", error)


def _guess(octets: bytes) -> int | None:
    """The type of the link that a packet came from; None for a message without a packet around it."""
    if octets[:1] in (bytes((BOOTREQUEST,)), bytes((BOOTREPLY,))) and octets[COOKIE_AT:].startswith(COOKIE):
        return None
    if octets.startswith(BARE_ARP):
        return RAW_IP
    if _ethertype(octets) in {ETHERTYPE_IP, ETHERTYPE_ARP}:
        return ETHERNET
    return RAW_IP if octets and octets[0] >> 4 == 4 else None


def _as_ethernet(octets: bytes, link: int) -> bytes:
    """The frame that Ethernet would have made of it."""
    if link == ETHERNET:
        return octets
    if link in COOKED:
        at, header = COOKED[link]
        return ethernet_header(NOBODY, NOBODY, int.from_bytes(octets[at : at + 2], "big")) + octets[header:]
    ethertype = ETHERTYPE_ARP if octets.startswith(BARE_ARP) else ETHERTYPE_IP
    return ethernet_header(NOBODY, NOBODY, ethertype) + octets


def _ethertype(octets: bytes) -> int:
    """The type behind all VLAN tags."""
    at = 12
    while int.from_bytes(octets[at : at + 2], "big") in TAGS:
        at += 4
    return int.from_bytes(octets[at : at + 2], "big")
