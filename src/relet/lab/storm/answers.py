"""What a server's answer says, read at fixed offsets; what looks odd is read again by `wire.message.decode`.

`read` gives what the fleet needs, and raises WireError for an answer that is none: it is malformed, under that reason.
"""

from struct import Struct, error
from typing import NamedTuple

from relet.errors import WireError
from relet.wire.message import BOOTREPLY, COOKIE, decode
from relet.wire.options import LEASE_TIME, MESSAGE_TYPE, RELAY_AGENT_INFORMATION, SERVER_IDENTIFIER, MessageType

OFFER, ACK, NAK = int(MessageType.OFFER), int(MessageType.ACK), int(MessageType.NAK)
KNOWN = {OFFER: "OFFER", ACK: "ACK", NAK: "NAK"}

LEAST = 241
"""Octets of the shortest answer that has a cookie and an option's first octet."""

_HEADER = Struct("!B3xI8xI8xHI202x4s")  # op, xid, yiaddr, chaddr in two parts, cookie
XID, CHADDR_START = slice(4, 8), slice(28, 30)
"""Where an answer has its transaction number, and the first two octets of a hardware address (RFC 2131 s2)."""
_WORD = Struct("!I")
_OPTIONS = 240
_END = 255
_TYPE, _SERVER, _TIME = MESSAGE_TYPE.code, SERVER_IDENTIFIER.code, LEASE_TIME.code
_RELAY, _OVERLOAD = RELAY_AGENT_INFORMATION.code, 52


class Answer(NamedTuple):
    """An answer. start, number: the first two and the other four octets of chaddr. seconds: the lease time, 0 if none.
    relay: the octets of option 82, b'' if none."""

    xid: int
    kind: int
    address: int
    start: int
    number: int
    server: int
    seconds: int
    relay: bytes


def read(data: bytes) -> Answer:
    """Raises WireError: what decode finds wrong, or 'not-a-reply', 'bad-message-type', 'no-server-identifier',
    'no-lease-time', 'no-address' (RFC 2131 s4.3.1, table 3)."""
    if len(data) < LEAST:
        return _odd(data)
    op, xid, address, start, number, cookie = _HEADER.unpack_from(data)
    if op != BOOTREPLY or cookie != COOKIE:
        return _odd(data)
    kind = server = seconds = 0
    relay = b""
    at = _OPTIONS
    try:
        while (code := data[at]) != _END:
            if not code:
                at += 1
                continue
            length = data[at + 1]
            if code == _TYPE and length == 1:
                kind = data[at + 2]
            elif code == _SERVER and length == 4:
                (server,) = _WORD.unpack_from(data, at + 2)
            elif code == _TIME and length == 4:
                (seconds,) = _WORD.unpack_from(data, at + 2)
            elif code == _RELAY:
                relay = data[at + 2 : at + 2 + length]
            elif code == _OVERLOAD:
                return _odd(data)
            at += 2 + length
    except (IndexError, error):
        return _odd(data)
    answer = Answer(xid, kind, address, start, number, server, seconds, relay)
    return answer if server and kind in KNOWN and address and seconds else _sound(answer)


def _odd(data: bytes) -> Answer:
    """The slow and certain way."""
    message = decode(data)
    if message.op != BOOTREPLY:
        raise WireError("not-a-reply", 0, f"op is {message.op}")
    chaddr = message.chaddr.ljust(6, b"\0")
    return _sound(
        Answer(
            message.xid,
            message.kind,
            message.yiaddr,
            int.from_bytes(chaddr[:2]),
            int.from_bytes(chaddr[2:6]),
            message.ip(_SERVER) or 0,
            message.uint(_TIME) or 0,
            message.options.get(_RELAY, b""),
        )
    )


def _sound(answer: Answer) -> Answer:
    """What every answer must have (RFC 2131 s4.3.1, table 3)."""
    if answer.kind not in KNOWN:
        raise WireError("bad-message-type", _OPTIONS, f"message type {answer.kind} is no answer to a client")
    if not answer.server:
        raise WireError("no-server-identifier", _OPTIONS, KNOWN[answer.kind])
    if answer.kind != NAK:
        if not answer.address:
            raise WireError("no-address", 16, KNOWN[answer.kind])
        if not answer.seconds:
            raise WireError("no-lease-time", _OPTIONS, KNOWN[answer.kind])
    return answer
