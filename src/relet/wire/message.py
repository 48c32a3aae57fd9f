"""One BOOTP/DHCP message: header fields and options (RFC 2131 s2, RFC 951).

Options stay raw octets until somebody asks `options.Option` for their value; unknown ones survive a round trip. This file
knows where options lie (options field, file, sname; RFC 2131 s4.1, RFC 3396), never what they mean.
`decode` runs once for every datagram heard: one unpack, one pass, no object per option.
"""

from struct import Struct

import msgspec

from relet.errors import WireError
from relet.wire.layout import END, OVERLOAD, PAD, overloaded
from relet.wire.layout import encode_options as encode_options  # noqa: PLC0414 - found here with the other encoders

BOOTREQUEST = 1
BOOTREPLY = 2
BROADCAST_FLAG = 0x8000
COOKIE = b"\x63\x82\x53\x63"
"""What the options field begins with (RFC 2131 s3)."""

MESSAGE_TYPE = 53

LEAST_SIZE = 300
"""A message is never sent shorter than BOOTP's 300 octets (RFC 951 s3, RFC 1542 s2.1): some relays drop shorter ones."""

DEFAULT_LIMIT = 548
"""The UDP payload that every client must take: 576 less the IP and UDP headers (RFC 2131 s2)."""

KEPT = frozenset((53, 54, 51, 58, 59, 1, 61, 82, 118))
"""Options that `fit` never drops: without them a reply is not one."""

_HEADER = Struct("!4BI2H4I16s64s128s")
_unpack = Struct("!4BI2H4I16s").unpack_from  # as far as sname
_FIELDS = _HEADER.size  # 236: here the cookie stands
_OPTIONS = _FIELDS + len(COOKIE)
_SNAME, _FILE = 44, 108
_NO_NAMES = bytes(64 + 128)


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message. Addresses are integers, zero for none.

    chaddr:   hlen octets (0..16).
    sname, file: without trailing NULs; empty if they held options.
    options:  code -> octets of the joined parts, in order of first appearance; without pad, end and overload.
    overload: 1 file held options, 2 sname, 3 both (RFC 2132 s9.3). `encode` decides this anew.
    """

    op: int
    xid: int
    htype: int = 1
    hops: int = 0
    secs: int = 0
    flags: int = 0
    ciaddr: int = 0
    yiaddr: int = 0
    siaddr: int = 0
    giaddr: int = 0
    chaddr: bytes = b""
    sname: bytes = b""
    file: bytes = b""
    options: dict[int, bytes] = {}
    overload: int = 0

    @property
    def broadcast(self) -> bool:
        """Does the client ask for broadcast replies (RFC 2131 s4.1)?"""
        return self.flags & BROADCAST_FLAG != 0

    @property
    def kind(self) -> int:
        """The DHCP message type (option 53); 0 for BOOTP and for an option 53 that is not one octet."""
        octets = self.options.get(MESSAGE_TYPE)
        return octets[0] if octets is not None and len(octets) == 1 else 0

    def ip(self, code: int) -> int | None:
        """An option that is one address; None if it is absent or not 4 octets."""
        octets = self.options.get(code)
        return int.from_bytes(octets, "big") if octets is not None and len(octets) == 4 else None

    def uint(self, code: int) -> int | None:
        """An option that is one number; None if it is absent or not 1, 2 or 4 octets."""
        octets = self.options.get(code)
        return int.from_bytes(octets, "big") if octets is not None and len(octets) in (1, 2, 4) else None


def decode(data: bytes) -> Message:
    """The message in a UDP payload. Raises WireError; offsets count from the start of `data`.

    A missing end option is tolerated, as many clients leave it out; what follows an end option is ignored. Without the
    cookie it is a BOOTP message without options if nothing but zeros follows the header (RFC 951), else 'no-cookie'.
    Values are not looked at: those are read, and refused, through `options.Option.decode`.
    """
    if len(data) < _FIELDS:
        raise WireError("truncated-message", len(data), f"{len(data)} octets, a message has at least {_FIELDS}")
    op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr = _unpack(data)
    if op not in (BOOTREQUEST, BOOTREPLY):
        raise WireError("bad-op", 0, f"op is {op}")
    if hlen > 16:
        raise WireError("bad-hlen", 2, f"hlen is {hlen}, chaddr has 16 octets")
    options: dict[int, bytes] = {}
    repeats: dict[int, list[bytes]] = {}
    overload = 0
    if data[_FIELDS:_OPTIONS] == COOKIE:
        _read_options(data, _OPTIONS, len(data), options, repeats)
        if OVERLOAD in options:
            overload = _read_overloaded(data, options, repeats)
        # RFC 3396 s7: parts of one option are joined in the order in which they were read.
        for code, parts in repeats.items():
            options[code] = b"".join(parts)
    elif any(data[_FIELDS:]):
        raise WireError("no-cookie", _FIELDS, f"found {data[_FIELDS:_OPTIONS].hex(' ')}")
    sname = file = b""
    if data[_SNAME:_FIELDS] != _NO_NAMES:  # few have any
        sname = b"" if overload & 2 else data[_SNAME:_FILE].rstrip(b"\0")
        file = b"" if overload & 1 else data[_FILE:_FIELDS].rstrip(b"\0")
    return Message(
        op, xid, htype, hops, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr[:hlen], sname, file, options, overload
    )


def _read_overloaded(data: bytes, options: dict[int, bytes], repeats: dict[int, list[bytes]]) -> int:
    """Read the fields that option 52 says to hold options too; what it says, 0 if that makes no sense."""
    said = options.pop(OVERLOAD)
    # RFC 2132 s9.3 knows 1, 2 and 3; of any other value, file and sname are left as the names they are.
    overload = said[0] if len(said) == 1 and said[0] <= 3 and OVERLOAD not in repeats else 0
    # RFC 2131 s4.1, RFC 3396 s5: the options field first, then file, then sname.
    if overload & 1:
        _read_options(data, _FILE, _FIELDS, options, repeats)
    if overload & 2:
        _read_options(data, _SNAME, _FILE, options, repeats)
    options.pop(OVERLOAD, None)
    repeats.pop(OVERLOAD, None)
    return overload


def _read_options(data: bytes, at: int, end: int, options: dict[int, bytes], repeats: dict[int, list[bytes]]) -> None:
    """Read one of the three fields. `repeats` takes all parts of what occurs more than once: linear in any input."""
    while at < end:
        code = data[at]
        if code == PAD:
            at += 1
            continue
        if code == END:
            return
        value = at + 2
        stop = value + data[at + 1] if value <= end else end + 1
        if stop > end:
            raise WireError("truncated-option", at, f"option {code} runs past the end of its field")
        if code in options:
            repeats.setdefault(code, [options[code]]).append(data[value:stop])
        else:
            options[code] = data[value:stop]
        at = stop


def encode(message: Message, limit: int = DEFAULT_LIMIT) -> bytes:
    """The UDP payload: 300..limit octets (a limit below 300 counts as 300). ValueError if the message does not fit.

    Options come in the order of the dict. If they do not fit the options field, each goes whole into the first field
    with room for it: options, then file, then sname where these are empty; only what fits nowhere whole is split. Option
    82 then stays at the end of the options field (RFC 3046 s2.1 and s2.2).
    """
    room = _room(limit)
    body = encode_options(message.options)
    sname, file = message.sname, message.file
    if len(body) > room:
        body, file, sname = overloaded(message.options, room, file, sname)
    chaddr = message.chaddr
    if len(chaddr) > 16 or len(sname) > 64 or len(file) > 128:
        raise ValueError(f"chaddr, sname or file is too long: {len(chaddr)}, {len(sname)}, {len(file)} octets")
    header = _HEADER.pack(
        message.op,
        message.htype,
        len(chaddr),
        message.hops,
        message.xid,
        message.secs,
        message.flags,
        message.ciaddr,
        message.yiaddr,
        message.siaddr,
        message.giaddr,
        chaddr,
        sname,
        file,
    )
    return b"".join((header, COOKIE, body, b"\xff")).ljust(LEAST_SIZE, b"\0")


def fit(message: Message, limit: int) -> Message:
    """The message less what does not fit in `limit`: all of KEPT, then each other option, in order, for which there is
    room (RFC 2131 s4.3.1: as many of the requested parameters as possible).

    If even those are too much the rest is given, and `encode` says so.
    """
    if _fits(message, limit):
        return message
    chosen = {code for code in message.options if code in KEPT}
    fitting = _only(message, chosen)
    for code in message.options:
        if code not in chosen and _fits(more := _only(message, chosen | {code}), limit):
            chosen.add(code)
            fitting = more
    return fitting


def _only(message: Message, codes: set[int]) -> Message:
    options = {code: octets for code, octets in message.options.items() if code in codes}
    return msgspec.structs.replace(message, options=options)


def _fits(message: Message, limit: int) -> bool:
    room = _room(limit)
    octets = sum(map(len, message.options.values()))
    # At most this: every full 255 octets begin one more part.
    if octets + 2 * len(message.options) + octets // 255 * 2 <= room:
        return True
    if len(encode_options(message.options)) <= room:
        return True
    try:
        overloaded(message.options, room, message.file, message.sname)
    except ValueError:
        return False
    return True


def _room(limit: int) -> int:
    """Octets for options in the options field, cookie and end aside."""
    return max(limit, LEAST_SIZE) - _OPTIONS - 1
