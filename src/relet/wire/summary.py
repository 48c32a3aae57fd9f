"""A DHCP message or an ARP packet in a few words, as ladders show it: what it is called, and what it is about."""

from relet.wire.address import ip_text
from relet.wire.arp import REQUEST, Arp
from relet.wire.message import BOOTREPLY, Message
from relet.wire.options import LEASE_TIME, REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType

_NAMES = {int(kind): f"DHCP{kind.name}" for kind in MessageType}
LABELS = (*_NAMES.values(), "BOOTP", "ARP probe", "ARP announcement", "ARP request", "ARP reply")
"""All that `label` and `arp_label` give."""


def label(message: Message) -> str:
    """'DHCPREQUEST'; 'BOOTP' for a message without a type that is known."""
    return _NAMES.get(message.kind, "BOOTP")


def gist(message: Message) -> str:
    """'INIT-REBOOT, requested 192.168.1.100' of a client's message, '192.168.1.100 for 3600 s' of a server's."""
    return _granted(message) if message.op == BOOTREPLY else _wanted(message)


def arp_label(arp: Arp) -> str:
    """'ARP probe', 'ARP announcement' (RFC 5227 s1.1), 'ARP request', 'ARP reply'."""
    if arp.op != REQUEST:
        return "ARP reply"
    return "ARP probe" if not arp.spa else "ARP announcement" if arp.spa == arp.tpa else "ARP request"


def arp_gist(arp: Arp) -> str:
    """What the sender would say."""
    if arp.op != REQUEST or arp.spa == arp.tpa:
        return f"{ip_text(arp.spa)} is mine"
    return f"does anybody have {ip_text(arp.tpa)}?"


def _wanted(message: Message) -> str:
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


def _granted(message: Message) -> str:
    seconds = message.uint(LEASE_TIME.code)
    if not message.yiaddr:
        return ""
    return ip_text(message.yiaddr) + (f" for {seconds} s" if seconds else "")
