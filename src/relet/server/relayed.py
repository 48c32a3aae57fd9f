"""What a relay says about a request in option 82, as far as the server acts on it; the rest is only echoed.

link selection (RFC 3527), agent flags (RFC 5010), server identifier override (RFC 5107), relay source port (RFC 8357),
and which circuit the client is on (RFC 3046 s3.1, s3.2)
"""

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from relet.errors import WireError
from relet.wire.message import Message
from relet.wire.options import (
    CIRCUIT_ID,
    LINK_SELECTION,
    RELAY_AGENT_INFORMATION,
    RELAY_FLAGS,
    RELAY_PORT,
    REMOTE_ID,
    SERVER_ID_OVERRIDE,
)
from relet.wire.relayinfo import decode_suboptions, encode_suboptions

MAX_READ = 16_384
"""Different relay informations kept; the book starts anew when it is full."""

_RELAY_INFO = RELAY_AGENT_INFORMATION.code
_CIRCUIT = (CIRCUIT_ID.code, REMOTE_ID.code)
_LINK_SELECTION_HEAD = bytes((LINK_SELECTION.code, 4))
_UNICAST = 0x80


@lru_cache(MAX_READ)
def suboptions(info: bytes) -> Mapping[int, bytes]:
    """Code -> octets of the sub-options. Raises WireError. A circuit's clients send the same octets again and again."""
    return decode_suboptions(info)


class Relayed(msgspec.Struct, frozen=True):
    """What a relay says.

    link: the subnet that the client is on, None if it does not say, 0 if it says nothing sensible.
    override: the address that stands for the server, 0 for none. port: does the reply go to the port that the message came
    from? unicast: did the client send to the relay's own address?
    circuit: circuit id and remote id as octets to compare, b'' for neither.
    """

    link: int | None = None
    override: int = 0
    port: bool = False
    unicast: bool = False
    circuit: bytes = b""


NOTHING_SAID = Relayed()
"""No relay, or one that says nothing of it."""


class RelayBook:
    """Reads option 82."""

    def __init__(self) -> None:
        self._read: dict[bytes, Relayed] = {}

    def of(self, message: Message) -> Relayed:
        """What the relay says of a message. Raises WireError as `read` does."""
        info = message.options.get(_RELAY_INFO)
        return NOTHING_SAID if info is None else self.read(info)

    def read(self, info: bytes) -> Relayed:
        """What a relay information says. Broken ones say nothing and are echoed all the same, for the option is the
        relay's (RFC 3046 s2.2); but where one may name the client's link, nobody can tell the link: WireError."""
        found = self._read.get(info)
        if found is None:
            if len(self._read) >= MAX_READ:
                self._read.clear()
            found = self._read[info] = _relayed(info)
        return found

    def remembered(self, info: bytes) -> Relayed:
        """What a relay information on record says; broken ones say nothing."""
        try:
            return self.read(info) if info else NOTHING_SAID
        except WireError:  # it was not needed when it was written down, and is no fault of this request
            return NOTHING_SAID


def _relayed(info: bytes) -> Relayed:
    try:
        parts = suboptions(info)
    except WireError:
        if _LINK_SELECTION_HEAD in info:
            raise
        return NOTHING_SAID
    link, override = parts.get(LINK_SELECTION.code), parts.get(SERVER_ID_OVERRIDE.code, b"")
    circuit = {code: parts[code] for code in _CIRCUIT if code in parts}
    return Relayed(
        None if link is None else int.from_bytes(link, "big") if len(link) == 4 else 0,
        int.from_bytes(override, "big") if len(override) == 4 else 0,
        RELAY_PORT.code in parts,
        # RFC 5010 s5: of a longer sub-option, the first octet counts
        bool(parts.get(RELAY_FLAGS.code, b"")[:1] and parts[RELAY_FLAGS.code][0] & _UNICAST),
        encode_suboptions(circuit),
    )
