"""ICMP echo (RFC 792): the request that asks whether a host is there, and its reply."""

from struct import Struct
from typing import NamedTuple

from relet.errors import WireError

ECHO_REPLY = 0
ECHO_REQUEST = 8

_ECHO = Struct("!BBHHH")
_IP_LEAST = 20


class Echo(NamedTuple):
    """An echo message. kind: ECHO_REQUEST or ECHO_REPLY; identifier, sequence: 16 bits each, given back with the payload."""

    kind: int
    identifier: int
    sequence: int
    payload: bytes


def encode_echo(echo: Echo) -> bytes:
    """The ICMP packet without an IP header, checksum filled in."""
    bare = _ECHO.pack(echo.kind, 0, 0, echo.identifier, echo.sequence) + echo.payload
    return _ECHO.pack(echo.kind, 0, 0xFFFF - _sum(bare), echo.identifier, echo.sequence) + echo.payload


def decode_echo(packet: bytes) -> tuple[int, Echo]:
    """(sender, message) of an IPv4 packet with an ICMP echo message in it, as a raw socket reads it. Raises WireError."""
    start = (packet[0] & 15) * 4 if packet else 0
    if start < _IP_LEAST or len(packet) < start + _ECHO.size:
        raise WireError("truncated-frame", len(packet), "the ICMP packet is cut off")
    kind, code, _, identifier, sequence = _ECHO.unpack_from(packet, start)
    if kind not in (ECHO_REPLY, ECHO_REQUEST) or code:
        raise WireError("bad-icmp", start, f"type {kind}, code {code}")
    if _sum(packet[start:]):
        raise WireError("bad-icmp", start + 2, "the checksum is wrong")
    return int.from_bytes(packet[12:16]), Echo(kind, identifier, sequence, packet[start + _ECHO.size :])


def _sum(octets: bytes) -> int:
    """The one's complement sum (RFC 1071), all ones being zero: a number modulo 0xFFFF is that of its 16-bit digits."""
    return int.from_bytes(octets + bytes(len(octets) % 2)) % 0xFFFF
