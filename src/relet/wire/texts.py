"""Kinds of values that are texts, or octets without a known inside."""

from relet.wire.address import hex_text, parse_hex
from relet.wire.cursor import Cursor
from relet.wire.kinds import Kind, Value


class Text(Kind, frozen=True):
    """str: UTF-8, of which the RFCs' NVT ASCII is a part; `most` octets or to the end. NULs at the end are dropped (RFC
    2132 s2)."""

    def read(self, cursor: Cursor) -> str:
        octets = cursor.take(self.most or cursor.left()).rstrip(b"\0")
        try:
            text = octets.decode()
        except UnicodeDecodeError:
            raise cursor.error("bad-text", "the text is not UTF-8") from None
        if "\0" in text:
            raise cursor.error("bad-text", "a NUL stands inside the text")
        return text

    def write(self, value: Value) -> bytes:
        if not isinstance(value, str) or "\0" in value:
            raise ValueError(f"{value!r} is not a text without NULs")
        try:
            octets = value.encode()
        except UnicodeEncodeError:
            raise ValueError(f"{value!r} cannot be written as UTF-8") from None
        if self.most is not None and not len(octets) == self.most:
            raise ValueError(f"{value!r} has {len(octets)} octets, it needs {self.most}")
        return octets

    def parse(self, configured: object) -> str:
        if not isinstance(configured, str):
            raise ValueError(f'{configured!r} is not a text; write it in quotes, as in "{configured}"')
        return configured

    def text(self, value: Value) -> str:
        return quoted(value)


class Binary(Kind, frozen=True):
    """bytes: octets without a known inside, to the end; hexadecimal in text."""

    def read(self, cursor: Cursor) -> bytes:
        return cursor.rest()

    def write(self, value: Value) -> bytes:
        if not isinstance(value, bytes):
            raise ValueError(f"{value!r} is not octets")
        return value

    def parse(self, configured: object) -> bytes:
        if not isinstance(configured, str):
            raise ValueError(f'{configured!r} is not hexadecimal; write it in quotes, as in "01:52:54:00"')
        return parse_hex(configured)

    def plain(self, value: Value) -> object:
        return hex_text(value)


class Opaque(Binary, frozen=True):
    """bytes: octets that are mostly a text; shown as one if they are printable ASCII, else as {hex = ".."}."""

    def parse(self, configured: object) -> bytes:
        raw = raw_octets(configured)
        if raw is not None:
            return raw
        if not isinstance(configured, str):
            raise ValueError(f'{configured!r} is neither a text in quotes nor {{ hex = "01:52" }}')
        return configured.encode()

    def text(self, value: Value) -> str:
        return quoted(value.decode()) if _printable(value) else hex_text(value)

    def plain(self, value: Value) -> object:
        return value.decode() if _printable(value) else {"hex": hex_text(value)}


def raw_octets(configured: object) -> bytes | None:
    """The octets of { hex = "01:52" }, None for anything else. ValueError for what is not hexadecimal."""
    if isinstance(configured, dict) and configured.keys() == {"hex"} and isinstance(configured["hex"], str):
        return parse_hex(configured["hex"])
    return None


def quoted(text: str) -> str:
    """A text in quotes, nothing in it able to move a terminal's cursor."""
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else _escaped(c) for c in text) + '"'


def _escaped(char: str) -> str:
    """As in Python's literals; not by its codec, which is a module that a process without rights may not find any more."""
    number = ord(char)
    wide = f"\\x{number:02x}" if number < 1 << 8 else f"\\u{number:04x}" if number < 1 << 16 else f"\\U{number:08x}"
    return _ESCAPES.get(char, wide)


def _printable(octets: bytes) -> bool:
    return all(32 <= octet < 127 for octet in octets)


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

TEXT = Text("text", 1)
TEXT2 = Text("text2", 2, 2)
BINARY = Binary("binary", 1)
OPAQUE = Opaque("binary", 0)


def octets(size: int) -> Binary:
    """Exactly so many octets without a known inside."""
    return Binary("binary", size, size)
