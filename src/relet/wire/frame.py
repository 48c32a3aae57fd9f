"""Frames around a DHCP message: Ethernet with 802.1Q/802.1ad tags, IPv4 and UDP (RFC 894, RFC 791, RFC 768).

For the hosts that have no address yet, and whom the kernel's own stack therefore cannot hear or reach. Knows nothing of
what the payload says.
"""

from struct import Struct

import msgspec

from relet.errors import WireError

ETHERTYPE_IP = 0x0800
ETHERTYPE_ARP = 0x0806
ETHERTYPE_VLAN = 0x8100  # 802.1Q, the customer's or the only tag
ETHERTYPE_SERVICE_VLAN = 0x88A8  # 802.1ad, the provider's
TAGS = (ETHERTYPE_VLAN, ETHERTYPE_SERVICE_VLAN)
MOST_TAGS = 2
"""802.1ad stacks two; more are taken for garbage."""

UDP = 17
TTL = 64
IP_HEADER = 20
"""Octets of it without options."""
UDP_HEADER = 8
MOST_PAYLOAD = 65535 - IP_HEADER - UDP_HEADER

_IP = Struct("!HHHHHHII")
_UDP = Struct("!4H")
_IP_AND_UDP = Struct(_IP.format + _UDP.format[1:])
_VERSION_AND_LENGTH = 0x4500
_TTL_AND_PROTOCOL = TTL << 8 | UDP


class Datagram(msgspec.Struct, frozen=True, gc=False):
    """A UDP datagram in its frame. Addresses are integers, hardware addresses 6 octets; vlans: tags, the outer first."""

    src_mac: bytes
    dst_mac: bytes
    src: int
    dst: int
    sport: int
    dport: int
    payload: bytes
    vlans: tuple[int, ...] = ()


def decode_datagram(frame: bytes, verify: bool = True) -> Datagram:
    """The datagram in an Ethernet frame. Raises WireError; what pads the frame behind the IP packet is cut off.

    verify: check the UDP checksum; False for a frame of this host, which the kernel leaves to the hardware to fill in.
    """
    vlans, ethertype, at = open_ethernet(frame)
    if ethertype != ETHERTYPE_IP:
        raise WireError("not-ipv4", at - 2, f"ethertype is {ethertype:#06x}")
    if len(frame) < at + IP_HEADER:
        raise WireError("truncated-frame", len(frame), "the IP header is cut off")
    words = _IP.unpack_from(frame, at)
    first, total, _, fragment, last, _, src, dst = words
    header = (first >> 8 & 15) * 4
    if first >> 12 != 4 or header < IP_HEADER:
        raise WireError("bad-ip-header", at, f"version and header length are {first >> 8:#04x}")
    end, udp = at + total, at + header
    if end > len(frame) or total < header:
        raise WireError("bad-ip-length", at + 2, f"total length {total}, {len(frame) - at} octets are there")
    # RFC 1071: the sum over a header with its checksum in place is all ones.
    options = _sum(frame[at + IP_HEADER : udp]) if header > IP_HEADER else 0
    if (sum(words) + options) % 0xFFFF:
        raise WireError("ip-checksum", at + 10)
    if last & 0xFF != UDP:
        raise WireError("not-udp", at + 9, f"protocol is {last & 0xFF}")
    if fragment & 0x3FFF:
        raise WireError("fragment", at + 6, "fragments are not put together here")
    if end < udp + UDP_HEADER:
        raise WireError("bad-udp-length", at + 2, "the UDP header is cut off")
    sport, dport, size, checksum = _UDP.unpack_from(frame, udp)
    if size < UDP_HEADER or udp + size > end:
        raise WireError("bad-udp-length", udp + 4, f"length {size}, {end - udp} octets are there")
    # RFC 768: a checksum of zero was not computed.
    if verify and checksum and (_sum(frame[udp : udp + size]) + src + dst + UDP + size) % 0xFFFF:
        raise WireError("udp-checksum", udp + 6)
    payload = frame[udp + UDP_HEADER : udp + size]
    return Datagram(frame[6:12], frame[:6], src, dst, sport, dport, payload, vlans)


def encode_datagram(datagram: Datagram) -> bytes:
    """The frame of a datagram: TTL 64, not forbidden to be fragmented, checksums filled in. ValueError if impossible."""
    payload, src, dst = datagram.payload, datagram.src, datagram.dst
    if len(payload) > MOST_PAYLOAD:
        raise ValueError(f"{len(payload)} octets do not fit into a datagram")
    size = UDP_HEADER + len(payload)
    total = IP_HEADER + size
    ports = datagram.sport + datagram.dport
    # RFC 768: a sum that comes out as zero is sent as all ones.
    checksum = 0xFFFF - (_sum(payload) + ports + size + src + dst + UDP + size) % 0xFFFF
    summed = 0xFFFF - (_VERSION_AND_LENGTH + total + _TTL_AND_PROTOCOL + src + dst) % 0xFFFF
    headers = _IP_AND_UDP.pack(
        _VERSION_AND_LENGTH, total, 0, 0, _TTL_AND_PROTOCOL, summed, src, dst,
        datagram.sport, datagram.dport, size, checksum,
    )  # fmt: skip
    return ethernet_header(datagram.dst_mac, datagram.src_mac, ETHERTYPE_IP, datagram.vlans) + headers + payload


def open_ethernet(frame: bytes) -> tuple[tuple[int, ...], int, int]:
    """(VLAN identifiers, the outer first; ethertype; offset of what it carries) of a frame. Raises WireError."""
    vlans: tuple[int, ...] = ()
    at = 14
    ethertype = int.from_bytes(frame[12:14])
    while ethertype in TAGS and len(frame) >= at + 4:
        if len(vlans) == MOST_TAGS:
            raise WireError("too-many-tags", at - 2, f"more than {MOST_TAGS} VLAN tags")
        vlans += (int.from_bytes(frame[at : at + 2]) & 0xFFF,)
        ethertype = int.from_bytes(frame[at + 2 : at + 4])
        at += 4
    if len(frame) < at or ethertype in TAGS:
        raise WireError("truncated-frame", len(frame), "the Ethernet header is cut off")
    return vlans, ethertype, at


def ethernet_header(destination: bytes, source: bytes, ethertype: int, vlans: tuple[int, ...] = ()) -> bytes:
    """Header of a frame. ValueError for hardware addresses that are not 6 octets and for impossible tags."""
    if len(destination) != 6 or len(source) != 6:
        raise ValueError("an Ethernet address has 6 octets")
    if vlans and (len(vlans) > MOST_TAGS or not all(0 <= vlan <= 0xFFF for vlan in vlans)):
        raise ValueError(f"VLAN identifiers are at most {MOST_TAGS} numbers of 12 bits, found {vlans}")
    tags = b""
    for inner, vlan in enumerate(vlans, 2 - len(vlans)):
        tags += (ETHERTYPE_VLAN if inner else ETHERTYPE_SERVICE_VLAN).to_bytes(2) + vlan.to_bytes(2)
    return destination + source + tags + ethertype.to_bytes(2)


def _sum(octets: bytes) -> int:
    """The sum of their 16-bit words in one's complement, all ones being zero; the last octet is the first of its word.

    A number modulo 0xFFFF is the sum of its 16-bit digits in one's complement, since 0x10000 leaves a rest of 1 (RFC 1071).
    """
    total = int.from_bytes(octets) % 0xFFFF
    return total << 8 if len(octets) % 2 else total
