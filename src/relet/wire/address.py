"""Addresses at the rim: integers inside, text outside.

IPv4 addresses are plain integers everywhere in the program; these functions turn them into text and back. Hardware
addresses and other identifiers are bytes; their text is colon-separated hex.
"""

from ipaddress import IPv4Address

BROADCAST = 0xFFFFFFFF
"""The limited broadcast address 255.255.255.255 (RFC 919)."""

BROADCAST_MAC = b"\xff" * 6


def ip_text(address: int) -> str:
    """Dotted quad of an address in 0..2**32-1."""
    return f"{address >> 24 & 255}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}"


def parse_ip(text: str) -> int:
    """Address of a dotted quad. Raises ValueError that says what was found."""
    try:
        return int(IPv4Address(text))
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 address such as 192.168.1.10") from None


def parse_prefix(text: str) -> tuple[int, int]:
    """(network address, width) of '192.168.1.0/24'. Raises ValueError, also for set host bits."""
    address, slash, width = text.partition("/")
    if not slash or not (width.isascii() and width.isdecimal()) or int(width) > 32:
        raise ValueError(f"{text!r} is not a prefix such as 192.168.1.0/24")
    network = parse_ip(address)
    if network & ~mask(int(width)) & BROADCAST:
        inside = ip_text(network & mask(int(width)))
        raise ValueError(f"{text!r} has bits set behind its width; write {inside}/{width}")
    return network, int(width)


def mask(width: int) -> int:
    """Netmask of a prefix width 0..32."""
    return BROADCAST << (32 - width) & BROADCAST


def class_width(address: int) -> int:
    """Width of the network part of an address' class (RFC 791 s3.2)."""
    return 8 if address >> 31 == 0 else 16 if address >> 30 == 0b10 else 24


def hex_text(octets: bytes) -> str:
    """'52:54:00:12:34:56'; nothing for no octets."""
    return octets.hex(":")


def parse_hex(text: str) -> bytes:
    """Octets of '52:54:00', '52-54-00' or '525400'. Raises ValueError."""
    try:
        return bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        raise ValueError(f"{text!r} is not hexadecimal such as 52:54:00:12:34:56") from None
