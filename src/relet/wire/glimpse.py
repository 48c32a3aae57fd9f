"""A glimpse of a message that has to wait: who sent it and what it wants, told from a few octets, without decoding it.

It may only ever change in which order messages are served, and which of a client's own messages is: `message.decode` has
the last word. Where that would see something else, there is no glimpse.
"""

from relet.wire.message import COOKIE
from relet.wire.options import CLIENT_IDENTIFIER, MESSAGE_TYPE, REQUESTED_ADDRESS, SERVER_IDENTIFIER

Glimpse = dict[int, bytes]
"""Octets of message type, client identifier, requested address and server identifier, as far as they are there, by code."""

MOST_OPTIONS = 64
"""Options and pads looked at, several times what clients send."""

_PAD, _OVERLOAD, _END = 0, 52, 255
_TELLING = frozenset(
    (MESSAGE_TYPE.code, CLIENT_IDENTIFIER.code, REQUESTED_ADDRESS.code, SERVER_IDENTIFIER.code, _PAD, _OVERLOAD, _END)
)
_COOKIE = 236
_OPTIONS = _COOKIE + len(COOKIE)


def glimpse(data: bytes) -> Glimpse | None:
    """What a UDP payload is, or None: no DHCP options at all, options that go on in other fields (RFC 2132 s9.3), an option
    in several parts (RFC 3396) or one that runs past the end."""
    if data[_COOKIE:_OPTIONS] != COOKIE:
        return None
    found: Glimpse = {}
    at, end = _OPTIONS, len(data)
    try:
        for _ in range(MOST_OPTIONS):
            code = data[at]
            if code not in _TELLING:
                at += data[at + 1] + 2
            elif code == _PAD:
                at += 1
            elif code == _END:
                return found
            elif code in found or code == _OVERLOAD:
                return None
            else:
                value = at + 2
                at = value + data[at + 1]
                found[code] = data[value:at]
    except IndexError:
        if at == end:  # many clients leave the end option out
            return found
    return None
