"""Data of vendors under their enterprise numbers (RFC 3925, RFC 4243)."""

from collections.abc import Mapping
from types import MappingProxyType

from relet.wire.cursor import Cursor
from relet.wire.kinds import Kind, Value
from relet.wire.relayinfo import SUBOPTIONS, Suboptions
from relet.wire.texts import OPAQUE


class Vendors(Kind, frozen=True):
    """tuple of (enterprise number, value): what each vendor says, `inside` saying of which kind.

    Configured as a list of tables { enterprise = 4491, data = .. }, or as { 4491 = .. }. known: kinds that some
    enterprises are known for.
    """

    inside: Kind = OPAQUE
    known: Mapping[int, Kind] = MappingProxyType({})

    def read(self, cursor: Cursor) -> tuple[tuple[int, Value], ...]:
        found: list[tuple[int, Value]] = []
        while cursor.left():
            enterprise = cursor.uint(4)
            part = cursor.part(cursor.uint(1))
            found.append((enterprise, self._kind(enterprise).read(part)))
            part.finish()
        return tuple(found)

    def write(self, value: Value) -> bytes:
        out = bytearray()
        for enterprise, inner in value:
            octets = self._kind(enterprise).write(inner)
            if not 0 <= enterprise < 1 << 32 or len(octets) > 255:
                raise ValueError(f"enterprise {enterprise}: the number needs 32 bits, its data at most 255 octets")
            out += enterprise.to_bytes(4, "big") + bytes((len(octets),)) + octets
        return bytes(out)

    def parse(self, configured: object) -> tuple[tuple[int, Value], ...]:
        if isinstance(configured, dict) and configured and all(str(number).isdecimal() for number in configured):
            return tuple((int(number), self._kind(int(number)).parse(data)) for number, data in configured.items())
        return tuple(map(self._parse_one, configured if isinstance(configured, list | tuple) else [configured]))

    def text(self, value: Value) -> str:
        return "; ".join(f"enterprise {number}: {self._kind(number).text(inner)}" for number, inner in value)

    def plain(self, value: Value) -> object:
        return [{"enterprise": number, "data": self._kind(number).plain(inner)} for number, inner in value]

    def _kind(self, enterprise: int) -> Kind:
        return self.known.get(enterprise, self.inside)

    def _parse_one(self, configured: object) -> tuple[int, Value]:
        if not isinstance(configured, dict) or configured.keys() != {"enterprise", "data"}:
            raise ValueError(f"{configured!r} is not a table such as {{ enterprise = 4491, data = .. }}")
        enterprise = configured["enterprise"]
        if type(enterprise) is not int:
            raise ValueError(f"enterprise {enterprise!r} is not a number such as 4491")
        return enterprise, self._kind(enterprise).parse(configured["data"])


VENDOR_CLASSES = Vendors("vendor-tuples", 5)


def vendor_suboptions(known: Mapping[int, Suboptions], least: int = 5) -> Vendors:
    """Sub-options of vendors, those of `known` enterprises by name."""
    return Vendors("vendor-suboptions", least, inside=SUBOPTIONS, known=known)
