"""A server small enough for one page, to be tested with relet's fixtures; it knows nothing of relet.

It gives one address to whoever asks, and for an hour. Do not use it.
"""

import ipaddress

COOKIE = bytes.fromhex("63825363")
REPLIES = {1: 2, 3: 5}
"""DHCPDISCOVER -> DHCPOFFER, DHCPREQUEST -> DHCPACK."""


class ToyServer:
    """Octets of a UDP payload in and out."""

    def __init__(self, own: str, granted: str) -> None:
        self.own = ipaddress.IPv4Address(own).packed
        self.granted = ipaddress.IPv4Address(granted).packed

    def hear(self, payload: bytes) -> list[bytes]:
        """What to broadcast in answer to a payload."""
        at = payload.find(b"\x35\x01", 240)
        kind = REPLIES.get(payload[at + 2])
        if kind is None:
            return []
        options = bytes([53, 1, kind, 54, 4, *self.own, 51, 4, 0, 0, 0x0E, 0x10, 1, 4, 255, 255, 255, 0, 255])
        return [b"\x02" + payload[1:16] + self.granted + payload[20:236] + COOKIE + options]
