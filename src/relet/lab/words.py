"""A frame in words: what it is called, and what it is about, as ladders and tests say it."""

import msgspec

from relet.errors import WireError
from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.wire.address import ip_text
from relet.wire.arp import REQUEST, Arp, decode_arp
from relet.wire.frame import ETHERTYPE_ARP, decode_datagram, open_ethernet
from relet.wire.message import BOOTREQUEST, Message, decode
from relet.wire.options import LEASE_TIME, REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

_KINDS = frozenset(MessageType)


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
            return _arp(decode_arp(frame))
        datagram = decode_datagram(frame, verify=False)
        if datagram.dport not in (SERVER_PORT, CLIENT_PORT):
            return None
        message = decode(datagram.payload)
    except WireError:
        return None
    return Words(kind(message), question(message) if message.op == BOOTREQUEST else reply(message), message)


def kind(message: Message) -> str:
    """'DHCPREQUEST', or 'BOOTP' for a message without a type that RFC 2131 and its followers know."""
    return f"DHCP{MessageType(message.kind).name}" if message.kind in _KINDS else "BOOTP"


def question(message: Message) -> str:
    """What a client's message is about, in the words of its options."""
    requested, server = message.ip(REQUESTED_ADDRESS.code), message.ip(SERVER_IDENTIFIER.code)
    parts = []
    if message.kind == MessageType.REQUEST and server is None and not message.ciaddr:
        parts.append("INIT-REBOOT")
    if requested:
        parts.append(f"requested {ip_text(requested)}")
    if message.ciaddr:
        parts.append(f"ciaddr {ip_text(message.ciaddr)}")
    if server:
        parts.append(f"server {ip_text(server)}")
    return ", ".join(parts)


def reply(message: Message) -> str:
    """What a server gives, and for how long."""
    seconds = message.uint(LEASE_TIME.code)
    if not message.yiaddr:
        return ""
    return ip_text(message.yiaddr) + (f" for {seconds} s" if seconds else "")


def _arp(arp: Arp) -> Words:
    if arp.op != REQUEST:
        return Words("ARP reply", f"{ip_text(arp.spa)} is mine")
    if arp.spa == arp.tpa:
        return Words("ARP announcement", f"{ip_text(arp.spa)} is mine")
    name = "ARP probe" if arp.spa == 0 else "ARP request"
    return Words(name, f"does anybody have {ip_text(arp.tpa)}?")
