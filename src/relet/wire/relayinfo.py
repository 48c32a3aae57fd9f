"""Options inside options: the sub-options of the relay agent information (82, RFC 3046) and of others like it."""

from collections.abc import Mapping
from types import MappingProxyType

from relet.errors import WireError
from relet.wire.cursor import Cursor
from relet.wire.kinds import Kind, Value
from relet.wire.option import Option, numbered, row
from relet.wire.texts import BINARY

PAD, END = 0, 255


def decode_suboptions(octets: bytes) -> dict[int, bytes]:
    """Code -> octets, in order; parts with the same code are joined. Raises WireError.

    RFC 3046 s2.0 knows neither pad nor end inside option 82: 0 and 255 are codes like any other.
    """
    cursor = Cursor(octets)
    return _read(cursor, padded=False)


def encode_suboptions(suboptions: Mapping[int, bytes]) -> bytes:
    """Code, length, octets of each in order; longer ones than 255 octets in parts. ValueError for impossible codes."""
    out = bytearray()
    for code, octets in suboptions.items():
        if not 0 <= code <= 255:
            raise ValueError(f"{code} is not a code from 0 to 255")
        for start in range(0, len(octets) or 1, 255):
            part = octets[start : start + 255]
            out.append(code)
            out.append(len(part))
            out += part
    return bytes(out)


class Suboptions(Kind, frozen=True):
    """dict: code -> octets. rows: those whose inside is known. padded: with pad and end (RFC 2132 s8.4)."""

    rows: Mapping[int, Option] = MappingProxyType({})
    padded: bool = False

    def read(self, cursor: Cursor) -> dict[int, bytes]:
        return _read(cursor, self.padded)

    def write(self, value: Value) -> bytes:
        if not isinstance(value, Mapping):
            raise ValueError(f"{value!r} is not a table of sub-options")
        if self.padded and not value.keys().isdisjoint((PAD, END)):
            raise ValueError(f"sub-options {PAD} and {END} are pad and end here")
        return encode_suboptions(value)

    def parse(self, configured: object) -> dict[int, bytes]:
        if not isinstance(configured, dict):
            raise ValueError(f"{configured!r} is not a table of sub-options: {{ {self._example()} = .. }}")
        found: dict[int, bytes] = {}
        for name, value in configured.items():
            suboption = self._by_name(str(name))
            try:
                found[suboption.code] = suboption.parse(value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return found

    def text(self, value: Value) -> str:
        return ", ".join(f"{self.row(code).name} {self.row(code).text(octets)}" for code, octets in value.items())

    def plain(self, value: Value) -> object:
        return {self.row(code).name: self.row(code).plain(octets) for code, octets in value.items()}

    def row(self, code: int) -> Option:
        """The row of a sub-option; of an unknown one, octets under the name 'option-<code>'."""
        known = self.rows.get(code)
        return row("", code, f"option-{code}", f"Sub-option {code}", BINARY, 0) if known is None else known

    def _by_name(self, name: str) -> Option:
        for known in self.rows.values():
            if known.name == name:
                return known
        code = numbered(name)
        if code is not None:
            return self.row(code)
        raise ValueError(f"{name!r} is no sub-option known here; write {self._example()}, or option-9 for code 9")

    def _example(self) -> str:
        return " or ".join(known.name for known in list(self.rows.values())[:2]) or "option-1"


def _read(cursor: Cursor, padded: bool) -> dict[int, bytes]:
    found: dict[int, list[bytes]] = {}
    while cursor.left():
        code = cursor.uint(1)
        if padded and code == PAD:
            continue
        if padded and code == END:
            cursor.rest()
            break
        if not cursor.left():
            raise WireError("truncated-option", cursor.base + cursor.at - 1, f"sub-option {code} has no length")
        size = cursor.uint(1)
        if size > cursor.left():
            raise WireError("truncated-option", cursor.base + cursor.at - 2, f"sub-option {code} runs past the end")
        found.setdefault(code, []).append(cursor.take(size))
    return {code: b"".join(parts) for code, parts in found.items()}


SUBOPTIONS = Suboptions("suboptions", 2)
ENCAPSULATED = Suboptions("suboptions", 1, padded=True)
