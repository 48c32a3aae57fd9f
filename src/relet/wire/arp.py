"""ARP for IPv4 over Ethernet (RFC 826), with the probe and the announcement of RFC 5227."""

import msgspec

REQUEST = 1
REPLY = 2


class Arp(msgspec.Struct, frozen=True):
    """One ARP packet. op: REQUEST or REPLY; sha, tha: hardware addresses; spa, tpa: protocol addresses."""

    op: int
    sha: bytes
    spa: int
    tha: bytes
    tpa: int
