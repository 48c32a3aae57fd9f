"""Domain names on the wire (RFC 1035 s3.1), compressed or not, and the options made of them.

A name is text inside: labels with dots between, what is not printable ASCII escaped as RFC 1035 s5.1 has it (\\. and
\\DDD), so that every name comes back as it was. Compression is followed backwards only, a bounded number of times.
"""

import re

from relet.wire.compounds import List
from relet.wire.cursor import Cursor
from relet.wire.kinds import UINT8, Kind, Value
from relet.wire.texts import quoted

MOST_LABEL = 63
MOST_NAME = 255
"""Octets of a name on the wire, its lengths and the root included (RFC 1035 s2.3.4)."""

MOST_JUMPS = 127
"""Compression pointers followed for one name: it can have no more labels than that."""

MOST_NAMES = 256
"""Names in one option: more cannot be meant, and would cost a reader dearly where all are pointers."""

_PIECE = re.compile(r"(\.)|\\(\d{3})|\\(\D)|([^.\\])", re.DOTALL)
"""Of a name in text: a dot between labels, an escaped number, an escaped character, any other character."""


def read_labels(cursor: Cursor, compressed: bool = True) -> tuple[list[bytes], bool]:
    """(labels, was the root there?) of the name at the cursor, which comes to stand behind it.

    Without the root only where the octets end (the partial names of RFC 4702 s3.3). Raises WireError.
    """
    octets = cursor.octets
    labels: list[bytes] = []
    size = jumps = 0
    at = bound = cursor.at
    behind = -1  # where reading goes on after the first pointer
    while at < len(octets):
        length = octets[at]
        if length >= 0xC0:
            target = int.from_bytes(octets[at : at + 2], "big") & 0x3FFF
            jumps += 1
            if not compressed or at + 2 > len(octets) or target >= bound or jumps > MOST_JUMPS:
                raise cursor.error("bad-name", f"the compression at octet {at} is not permitted there")
            if behind < 0:
                behind = at + 2
            at = bound = target
            continue
        if length > MOST_LABEL:
            raise cursor.error("bad-name", f"{length:#04x} is neither a length nor a pointer")
        at += 1
        size += 1 + length
        if size > MOST_NAME:
            raise cursor.error("bad-name", f"the name is longer than {MOST_NAME} octets")
        if length == 0:
            cursor.at = behind if behind >= 0 else at
            return labels, True
        if at + length > len(octets):
            raise cursor.error("bad-name", "a label runs past the end")
        labels.append(octets[at : at + length])
        at += length
    if behind >= 0:
        raise cursor.error("bad-name", "compression leads to a name without an end")
    cursor.at = at
    return labels, False


def labels_text(labels: list[bytes]) -> str:
    """'www.example.org'; '.' for the root."""
    return ".".join(map(_label_text, labels)) or "."


def text_labels(name: str) -> tuple[list[bytes], bool]:
    """(labels, does it end in a dot?) of a name. ValueError for what cannot be one."""
    if not name.isascii():
        raise ValueError(f"{name!r} is not ASCII; write the name in its xn-- form")
    if name == ".":
        return [], True
    labels = [bytearray()]
    at = 0
    while at < len(name):
        piece = _PIECE.match(name, at)
        if piece is None or (piece[2] and int(piece[2]) > 255):
            raise ValueError(f"{name!r} is no name: an escape is neither \\. nor \\065")
        if piece[1]:
            labels.append(bytearray())
        else:
            labels[-1].append(int(piece[2]) if piece[2] else ord(piece[3] or piece[4]))
        at = piece.end()
    rooted = len(labels) > 1 and not labels[-1]
    if rooted:
        labels.pop()
    if not all(labels):
        raise ValueError(f"{name!r} is no name: a label is empty")
    if any(len(label) > MOST_LABEL for label in labels):
        raise ValueError(f"{name!r} is no name: a label has more than {MOST_LABEL} octets")
    if sum(map(len, labels)) + len(labels) + 1 > MOST_NAME:
        raise ValueError(f"{name!r} is no name: it has more than {MOST_NAME} octets")
    return [bytes(label) for label in labels], rooted


def wire_name(labels: list[bytes], root: bool = True) -> bytes:
    """Labels with their lengths, uncompressed."""
    return b"".join(bytes((len(label),)) + label for label in labels) + (b"\0" if root else b"")


class Name(Kind, frozen=True):
    """str: one name, never compressed."""

    def read(self, cursor: Cursor) -> str:
        labels, root = read_labels(cursor, compressed=False)
        if not root:
            raise cursor.error("bad-name", "the name has no end")
        return labels_text(labels)

    def write(self, value: Value) -> bytes:
        return wire_name(text_labels(_string(value))[0])

    def parse(self, configured: object) -> str:
        return labels_text(text_labels(_string(configured))[0])

    def text(self, value: Value) -> str:
        return str(value)


class Names(List, frozen=True):
    """tuple of str: names. compressed: read so if they are; shortened: written so, over the whole list (RFC 3397 s2)."""

    compressed: bool = True
    shortened: bool = True

    def read(self, cursor: Cursor) -> tuple[str, ...]:
        names: list[str] = []
        if cursor.at:  # pointers count from the first name
            cursor = cursor.part(cursor.left())
        while cursor.left():
            labels, root = read_labels(cursor, self.compressed)
            if not root:
                raise cursor.error("bad-name", "the last name has no end")
            if len(names) == MOST_NAMES:
                raise cursor.error("too-many", f"more than {MOST_NAMES} names")
            names.append(labels_text(labels))
        return tuple(names)

    def write(self, value: Value) -> bytes:
        if isinstance(value, str | bytes | dict) or len(value) > MOST_NAMES:
            raise ValueError(f"{value!r} is not a list of at most {MOST_NAMES} names")
        out = bytearray()
        places: dict[tuple[bytes, ...], int] = {}
        for name in value:
            labels = tuple(text_labels(_string(name))[0])
            for start, label in enumerate(labels):
                place = places.get(labels[start:]) if self.shortened else None
                if place is not None:
                    out += (0xC000 | place).to_bytes(2, "big")
                    break
                if len(out) < 0x4000:
                    places[labels[start:]] = len(out)
                out.append(len(label))
                out += label
            else:
                out.append(0)
        return bytes(out)


class ClientName(Kind, frozen=True):
    """(flags, rcode1, rcode2, name): the client's FQDN option (RFC 4702 s2).

    With flag E the name has wire form, and ends in a dot if it is fully qualified, in none if it is partial (s3.3).
    Without E it is ASCII as it stands, which is deprecated.
    """

    def read(self, cursor: Cursor) -> tuple[int, int, int, str]:
        flags, rcode1, rcode2 = cursor.take(3)
        if not flags & E_FLAG:
            octets = cursor.take(cursor.left()).rstrip(b"\0")
            try:
                return flags, rcode1, rcode2, octets.decode("ascii")
            except UnicodeDecodeError:
                raise cursor.error("bad-text", "the name is not ASCII") from None
        if not cursor.left():
            return flags, rcode1, rcode2, ""
        labels, root = read_labels(cursor, compressed=False)
        name = labels_text(labels) if labels else ""
        return flags, rcode1, rcode2, name + "." if root else name

    def write(self, value: Value) -> bytes:
        if not isinstance(value, tuple) or len(value) != 4:
            raise ValueError(f"{value!r} is not (flags, rcode1, rcode2, name)")
        flags, rcode1, rcode2, name = value
        head = UINT8.write(flags) + UINT8.write(rcode1) + UINT8.write(rcode2)
        if flags & E_FLAG:
            return head + (wire_name(*text_labels(_string(name))) if name else b"")
        if not isinstance(name, str) or not name.isascii() or "\0" in name:
            raise ValueError(f"{name!r} is not a name in ASCII")
        return head + name.encode("ascii")

    def parse(self, configured: object) -> tuple[int, int, int, str]:
        if isinstance(configured, str):
            return E_FLAG, 0, 0, configured
        if not isinstance(configured, dict) or configured.keys() != {"flags", "rcode1", "rcode2", "name"}:
            raise ValueError(f"{configured!r} is neither a name nor a table of flags, rcode1, rcode2 and name")
        flags, rcode1, rcode2 = (UINT8.parse(configured[field]) for field in ("flags", "rcode1", "rcode2"))
        return flags, rcode1, rcode2, _string(configured["name"])

    def text(self, value: Value) -> str:
        flags, rcode1, rcode2, name = value
        letters = "".join(letter for bit, letter in FLAGS if flags & bit) or "none"
        codes = f" rcodes {rcode1} {rcode2}" if rcode1 or rcode2 else ""
        return f"{quoted(name)} flags {letters}{codes}"

    def plain(self, value: Value) -> object:
        return dict(zip(("flags", "rcode1", "rcode2", "name"), value, strict=True))


E_FLAG = 4
FLAGS = ((1, "S"), (2, "O"), (E_FLAG, "E"), (8, "N"))


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f'{value!r} is not a name such as "example.org"')
    return value


def _label_text(label: bytes) -> str:
    if label.isalnum():
        return label.decode("ascii")
    return "".join(_octet_text(octet) for octet in label)


def _octet_text(octet: int) -> str:
    if octet in b".\\":
        return "\\" + chr(octet)
    return chr(octet) if 33 <= octet < 127 else f"\\{octet:03}"


NAME = Name("fqdn", 1)
NAMES = Names("domain-list", 1, item=NAME)
LONG_NAMES = Names("domain-list", 1, item=NAME, shortened=False)
PLAIN_NAMES = Names("domain-list-uncompressed", 1, item=NAME, compressed=False, shortened=False)
CLIENT_NAME = ClientName("record(uint8,uint8,uint8,fqdn)", 3)
