"""What one option is: the row of which decoding, encoding, text and configuration follow."""

import msgspec

from relet.errors import WireError
from relet.wire.address import hex_text
from relet.wire.cursor import Cursor
from relet.wire.kinds import Kind, Value
from relet.wire.texts import raw_octets


class Option(msgspec.Struct, frozen=True):
    """One row: of the options themselves (space 'dhcp4') or of the sub-options of another.

    name: in configuration and output, kebab-case. title: for people.
    min_len..max_len: permitted octets, max_len None for no limit; a length less `remainder` is a multiple of `multiple`.
    """

    space: str
    code: int
    name: str
    title: str
    kind: Kind
    min_len: int
    max_len: int | None
    multiple: int = 1
    remainder: int = 0

    def decode(self, octets: bytes) -> Value:
        """The value. Raises WireError, its offset counted from the option's first octet of data."""
        problem = self._length_problem(len(octets))
        if problem:
            raise WireError("bad-length", 0, problem)
        cursor = Cursor(octets)
        value = self.kind.read(cursor)
        cursor.finish()
        return value

    def encode(self, value: Value) -> bytes:
        """The octets of a value. ValueError says what is wrong with it."""
        try:
            octets = self.kind.write(value)
        except (TypeError, AttributeError, OverflowError):
            raise ValueError(f"{value!r} is no value of {self.name}") from None
        problem = self._length_problem(len(octets))
        if problem:
            raise ValueError(problem)
        return octets

    def parse(self, configured: object) -> bytes:
        """The octets of what stands in a configuration file: what `plain` gives, or { hex = "01:52" } for any octets.

        ValueError says what to write instead.
        """
        raw = raw_octets(configured)
        return self.encode(self.kind.parse(configured)) if raw is None else raw

    def text(self, octets: bytes) -> str:
        """For people, on one line without control characters; hexadecimal if the octets are malformed."""
        try:
            return self.kind.text(self.decode(octets))
        except WireError as error:
            return f"{hex_text(octets)} ({error.reason})"

    def plain(self, octets: bytes) -> object:
        """For JSON; {"hex": ..} if the octets are malformed."""
        try:
            return self.kind.plain(self.decode(octets))
        except WireError:
            return {"hex": hex_text(octets)}

    def _length_problem(self, length: int) -> str:
        if length < self.min_len:
            return f"{self.name} has {length} octets, it needs at least {self.min_len}"
        if self.max_len is not None and length > self.max_len:
            return f"{self.name} has {length} octets, it takes at most {self.max_len}"
        if (length - self.remainder) % self.multiple:
            beside = f"{self.remainder} and " if self.remainder else ""
            return f"{self.name} has {length} octets, it takes {beside}a multiple of {self.multiple}"
        return ""


def row(
    space: str, code: int, name: str, title: str, kind: Kind, least: int | None = None, most: int | None = None
) -> Option:
    """The row whose lengths are its kind's, but for those that are given."""
    return Option(
        space,
        code,
        name,
        title,
        kind,
        kind.least if least is None else least,
        kind.most if most is None else most,
        kind.multiple,
        kind.remainder,
    )


def numbered(name: str) -> int | None:
    """The code of 'option-<code>', None for any other name."""
    number = name.removeprefix("option-")
    if number == name or not number.isdecimal() or len(number) > 3 or int(number) > 255:
        return None
    return int(number)
