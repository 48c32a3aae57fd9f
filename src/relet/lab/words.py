"""A frame in words: what it is called, and what it is about, as ladders and tests say it."""

import msgspec

from relet.errors import WireError
from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.wire import summary
from relet.wire.arp import decode_arp
from relet.wire.frame import ETHERTYPE_ARP, decode_datagram, open_ethernet
from relet.wire.message import Message, decode


class Words(msgspec.Struct, frozen=True):
    """label: 'DHCPDISCOVER', 'BOOTP', 'ARP probe', 'ARP reply', ... detail: addresses and times. message: if it is DHCP."""

    label: str
    detail: str
    message: Message | None = None


def words(frame: bytes) -> Words | None:
    """What a frame says; None if it is neither DHCP nor ARP, or not in order."""
    try:
        _, ethertype, _ = open_ethernet(frame)
        if ethertype == ETHERTYPE_ARP:
            arp = decode_arp(frame)
            return Words(summary.arp_label(arp), summary.arp_gist(arp))
        datagram = decode_datagram(frame, verify=False)
        if datagram.dport not in (SERVER_PORT, CLIENT_PORT):
            return None
        message = decode(datagram.payload)
    except WireError:
        return None
    return Words(summary.label(message), summary.gist(message), message)
