"""A client small enough for one page, to be tested with relet's fixtures; it knows nothing of relet.

It takes the first offer, never asks again, and never renews. Do not use it.
"""

import struct

COOKIE = bytes.fromhex("63825363")
DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5


class ToyClient:
    """Octets of a UDP payload in and out. address: dotted quad, '' until there is one."""

    def __init__(self, mac: bytes) -> None:
        self.mac = mac
        self.address = ""

    def start(self) -> bytes:
        """The DHCPDISCOVER to broadcast."""
        return self._message(DISCOVER, {})

    def hear(self, payload: bytes) -> list[bytes]:
        """What to broadcast in answer to a payload."""
        options = _options(payload[240:])
        address = payload[16:20]
        if payload[28:34] != self.mac:
            return []
        if options.get(53) == bytes([OFFER]):
            return [self._message(REQUEST, {50: address, 54: options[54]})]
        if options.get(53) == bytes([ACK]):
            self.address = ".".join(map(str, address))
        return []

    def _message(self, kind: int, options: dict[int, bytes]) -> bytes:
        head = struct.pack("!4BI2H16x16s192x", 1, 1, 6, 0, 0x12345678, 0, 0x8000, self.mac)
        body = b"".join(bytes([code, len(octets)]) + octets for code, octets in {53: bytes([kind]), **options}.items())
        return head + COOKIE + body + b"\xff"


def _options(octets: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at + 1 < len(octets) and octets[at] != 255:
        if octets[at] == 0:
            at += 1
            continue
        found[octets[at]] = octets[at + 2 : at + 2 + octets[at + 1]]
        at += 2 + octets[at + 1]
    return found
