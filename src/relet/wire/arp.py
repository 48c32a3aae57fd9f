"""ARP for IPv4 over Ethernet (RFC 826), with the probe and the announcement of RFC 5227."""

from struct import Struct

import msgspec

from relet.errors import WireError
from relet.wire.address import BROADCAST_MAC
from relet.wire.frame import ETHERTYPE_ARP, ETHERTYPE_IP, ethernet_header, open_ethernet

REQUEST = 1
REPLY = 2

_ARP = Struct("!HHBBH6sI6sI")
_ETHERNET = (1, ETHERTYPE_IP, 6, 4)  # hardware type, protocol type and their address lengths
_LEAST_FRAME = 60  # Ethernet's minimum without the frame check sequence


class Arp(msgspec.Struct, frozen=True):
    """One ARP packet. op: REQUEST or REPLY; sha, tha: hardware addresses; spa, tpa: protocol addresses."""

    op: int
    sha: bytes
    spa: int
    tha: bytes
    tpa: int


def probe(mac: bytes, address: int) -> Arp:
    """Does anybody have this address? Sent from no address, so that nobody learns a wrong one (RFC 5227 s2.1.1)."""
    return Arp(REQUEST, mac, 0, bytes(6), address)


def announcement(mac: bytes, address: int) -> Arp:
    """This address is ours now (RFC 5227 s2.3)."""
    return Arp(REQUEST, mac, address, bytes(6), address)


def question(mac: bytes, address: int, target: int) -> Arp:
    """Who has `target`? Asked by `address`."""
    return Arp(REQUEST, mac, address, bytes(6), target)


def decode_arp(frame: bytes) -> Arp:
    """The ARP packet in an Ethernet frame, tagged or not. Raises WireError."""
    _, ethertype, at = open_ethernet(frame)
    if ethertype != ETHERTYPE_ARP:
        raise WireError("not-arp", at - 2, f"ethertype is {ethertype:#06x}")
    if len(frame) < at + _ARP.size:
        raise WireError("truncated-frame", len(frame), "the ARP packet is cut off")
    htype, ptype, hlen, plen, op, sha, spa, tha, tpa = _ARP.unpack_from(frame, at)
    if (htype, ptype, hlen, plen) != _ETHERNET:
        raise WireError("bad-arp", at, "not IPv4 over Ethernet")
    if op not in (REQUEST, REPLY):
        raise WireError("bad-arp", at + 6, f"operation is {op}")
    return Arp(op, sha, spa, tha, tpa)


def encode_arp(arp: Arp, mac: bytes = BROADCAST_MAC) -> bytes:
    """The packet in a frame to `mac`; by default to everybody, so that every host on the link sees it.

    ValueError for hardware addresses that are not 6 octets.
    """
    if len(arp.tha) != 6:
        raise ValueError("an Ethernet address has 6 octets")
    packet = _ARP.pack(*_ETHERNET, arp.op, arp.sha, arp.spa, arp.tha, arp.tpa)
    return (ethernet_header(mac, arp.sha, ETHERTYPE_ARP) + packet).ljust(_LEAST_FRAME, b"\0")
