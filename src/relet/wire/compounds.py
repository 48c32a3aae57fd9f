"""Kinds made of other kinds: lists, lists with lengths before their items, records, and values told apart by a tag."""

from collections.abc import Iterable, Sequence
from typing import Self

from relet.wire.cursor import Cursor
from relet.wire.kinds import ADDRESS, UINT8, UINT16, Kind, Value
from relet.wire.texts import OPAQUE, Opaque


class List(Kind, frozen=True):
    """tuple: items of one kind up to the end. A single item may be configured without brackets."""

    item: Kind = OPAQUE

    def read(self, cursor: Cursor) -> tuple[Value, ...]:
        items: list[Value] = []
        while cursor.left():
            items.append(self.item.read(cursor))
        return tuple(items)

    def write(self, value: Value) -> bytes:
        return b"".join(map(self.item.write, _sequence(value)))

    def parse(self, configured: object) -> tuple[Value, ...]:
        return tuple(map(self.item.parse, configured if isinstance(configured, list | tuple) else [configured]))

    def text(self, value: Value) -> str:
        return ", ".join(map(self.item.text, value)) or "none"

    def plain(self, value: Value) -> object:
        return [self.item.plain(item) for item in value]


class Tuples(List, frozen=True):
    """tuple: items with their length before them, in `width` octets. bare: take what is not such a list for one item."""

    width: int = 1
    bare: bool = False

    def read(self, cursor: Cursor) -> tuple[Value, ...]:
        whole = cursor.octets[cursor.at :]
        if self.bare and not self._fits(whole):
            return (self.item.read(cursor),)
        items: list[Value] = []
        while cursor.left():
            part = cursor.part(cursor.uint(self.width))
            items.append(self.item.read(part))
            part.finish()
        return tuple(items)

    def write(self, value: Value) -> bytes:
        parts = [self.item.write(item) for item in _sequence(value)]
        if any(len(part) >> 8 * self.width for part in parts):
            raise ValueError(f"an item has more octets than its length can say ({(1 << 8 * self.width) - 1})")
        return b"".join(len(part).to_bytes(self.width, "big") + part for part in parts)

    def _fits(self, octets: bytes) -> bool:
        at = 0
        while at < len(octets):
            at += self.width + int.from_bytes(octets[at : at + self.width], "big")
        return at == len(octets)


class Record(Kind, frozen=True):
    """tuple: one value for each of `parts`, (name, kind) pairs. Configured as a table of these names or a list."""

    parts: tuple[tuple[str, Kind], ...] = ()

    @classmethod
    def of(cls, *parts: tuple[str, Kind], least: int | None = None, form: str = "") -> Self:
        """The record whose lengths and format name follow from its parts. least: if the last may be left out."""
        last = parts[-1][1]
        fixed = sum(kind.least for _, kind in parts[:-1])
        return cls(
            form or f"record({','.join(kind.format for _, kind in parts)})",
            fixed + last.least if least is None else least,
            None if last.most is None else fixed + last.most,
            last.multiple,
            (fixed + last.remainder) % last.multiple,
            parts,
        )

    def read(self, cursor: Cursor) -> tuple[Value, ...]:
        return tuple([kind.read(cursor) for _, kind in self.parts])

    def write(self, value: Value) -> bytes:
        values = _sequence(value)
        if len(values) != len(self.parts):
            raise ValueError(f"{value!r} is not {len(self.parts)} values: {self._names()}")
        return b"".join(kind.write(each) for each, (_, kind) in zip(values, self.parts, strict=True))

    def parse(self, configured: object) -> tuple[Value, ...]:
        if isinstance(configured, dict) and configured.keys() == {name for name, _ in self.parts}:
            configured = [configured[name] for name, _ in self.parts]
        if not isinstance(configured, list | tuple) or len(configured) != len(self.parts):
            raise ValueError(f"{configured!r} is not a table of {self._names()}")
        return tuple(kind.parse(each) for each, (_, kind) in zip(configured, self.parts, strict=True))

    def text(self, value: Value) -> str:
        return " ".join(f"{name} {kind.text(each)}" for each, (name, kind) in zip(value, self.parts, strict=True))

    def plain(self, value: Value) -> object:
        return {name: kind.plain(each) for each, (name, kind) in zip(value, self.parts, strict=True)}

    def _names(self) -> str:
        return ", ".join(name for name, _ in self.parts)


class Tagged(Kind, frozen=True):
    """(tag, value): a first octet that says of which kind the rest is; `choices` are (tag, name, kind)."""

    choices: tuple[tuple[int, str, Kind], ...] = ()

    def read(self, cursor: Cursor) -> tuple[int, Value]:
        tag = cursor.uint(1)
        for number, _, kind in self.choices:
            if number == tag:
                # Compression counts from behind the tag here: RFC 3361 does not say from where. So names are written
                # uncompressed, which is right by any reading.
                return tag, kind.read(cursor.part(cursor.left()))
        raise cursor.error("bad-value", f"{tag} is none of {[number for number, _, _ in self.choices]}")

    def write(self, value: Value) -> bytes:
        for number, _, kind in self.choices:
            if isinstance(value, tuple) and len(value) == 2 and value[0] == number:
                return bytes((number,)) + kind.write(value[1])
        raise ValueError(f"{value!r} does not begin with one of {[number for number, _, _ in self.choices]}")

    def parse(self, configured: object) -> tuple[int, Value]:
        for number, name, kind in self.choices:
            if isinstance(configured, dict) and configured.keys() == {name}:
                return number, kind.parse(configured[name])
        names = " or ".join(f"{{ {name} = .. }}" for _, name, _ in self.choices)
        raise ValueError(f"{configured!r} is not {names}")

    def text(self, value: Value) -> str:
        return next(f"{name} {kind.text(value[1])}" for number, name, kind in self.choices if number == value[0])

    def plain(self, value: Value) -> object:
        return next({name: kind.plain(value[1])} for number, name, kind in self.choices if number == value[0])


def list_of(item: Kind, form: str = "") -> List:
    """One or more items of a fixed length."""
    return List(form or f"{item.format}-list", item.least, None, item.least, 0, item)


def _sequence(value: Value) -> Sequence[Value]:
    if isinstance(value, str | bytes | dict) or not isinstance(value, Iterable):
        raise ValueError(f"{value!r} is not a list")
    return tuple(value)


ADDRESSES = list_of(ADDRESS)
UINT8S = list_of(UINT8)
UINT16S = list_of(UINT16)
USER_CLASSES = Tuples("tuple8-list", 2, item=Opaque("binary", 0), bare=True)
