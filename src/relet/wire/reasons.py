"""Why bytes are refused: every reason of a WireError, with a sentence for people.

The one list of them: drops are counted under these names. An error whose reason is not here is a bug.
"""

from collections.abc import Mapping
from types import MappingProxyType

REASONS: Mapping[str, str] = MappingProxyType(
    {
        # frames
        "truncated-frame": "The frame ends inside one of its headers.",
        "too-many-tags": "The frame carries more VLAN tags than two.",
        "not-ipv4": "The frame carries something other than IPv4.",
        "not-arp": "The frame carries something other than ARP.",
        "not-udp": "The packet carries something other than UDP.",
        "bad-ip-header": "The version or the header length of the IP packet is impossible.",
        "bad-ip-length": "The IP packet claims more octets than the frame has, or fewer than its own header.",
        "ip-checksum": "The checksum of the IP header is wrong.",
        "fragment": "The packet is a fragment of a larger one.",
        "bad-udp-length": "The UDP packet claims more octets than the IP packet has, or fewer than its own header.",
        "udp-checksum": "The UDP checksum is wrong.",
        "bad-arp": "The ARP packet is neither a request nor a reply for IPv4 over Ethernet.",
        "bad-icmp": "The packet is no ICMP echo message, or its checksum is wrong.",
        # messages
        "truncated-message": "The message is shorter than the fixed BOOTP fields.",
        "bad-op": "The message is neither BOOTREQUEST nor BOOTREPLY.",
        "bad-hlen": "The hardware address claims more than 16 octets.",
        "no-cookie": "Something other than DHCP options follows the BOOTP fields.",
        "truncated-option": "An option runs past the end of the field that it stands in.",
        # requests that had to wait, because more came than could be served
        "superseded": "The same client sent a newer request the same way before this one was served; that one was.",
        "stale": "Its client has not asked again for so long that it does not wait for an answer any more.",
        "backlog-full": "More requests waited than `backlog` allows, and this one was worth least.",
        # requests that a server does not answer
        "not-a-request": "A server heard a BOOTREPLY.",
        "no-identity": "The message has neither a hardware address nor a client identifier.",
        "request-without-address": "A DHCPREQUEST names no address, neither in option 50 nor in ciaddr.",
        "untrusted-relay-information": "A host on our own link, and no relay, sent option 82; `trust-relay-information`"
        " accepts it from a switch that adds it.",
        "leasequery-without-relay": "A leasequery names no relay that the answer could go to.",
        "leasequery-refused": "A leasequery by a relay that `leasequery` does not list.",
        "leasequery-keys": "A leasequery does not name exactly one of address, hardware address and client identifier.",
        "unserved-type": "A DHCP message type that servers do not answer.",
        # captures
        "bad-capture": "The file is no capture that can be read.",
        "truncated-capture": "The capture ends inside a block.",
        # values of options
        "bad-length": "An option's length is not one that its definition permits.",
        "truncated-value": "A value ends inside one of its parts.",
        "trailing-octets": "Octets are left over behind a value.",
        "bad-value": "A value is outside the range of its definition.",
        "bad-text": "A text is not UTF-8 or holds a NUL.",
        "bad-name": "A domain name is malformed, too long, or its compression points nowhere sensible.",
        "too-many": "A list is longer than any real one.",
    }
)
