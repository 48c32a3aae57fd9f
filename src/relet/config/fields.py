"""What a test may look at: the fields by name, what sort each is, and which values it can be compared with."""

from collections.abc import Callable

from relet.config.report import suggestion
from relet.config.values import MAC_OCTETS
from relet.model.expression import Field, Operator, Prefix, Sort, Value
from relet.wire.address import parse_hex, parse_ip, parse_prefix
from relet.wire.compounds import List, Tuples
from relet.wire.kinds import Address, Kind, Uint
from relet.wire.option import Option, numbered
from relet.wire.options import CLIENT_SYSTEM, OPTIONS, RELAY, by_name
from relet.wire.texts import Opaque, Text

OptionNames = Callable[[str], Option | None]
"""The row of an option by its name, or by 'option-<code>'."""

MOST_VALUE = 512
"""Characters of a value; 255 octets in hexadecimal fit."""

_MAC = "52:54:00:12:34:56"
_MOST_MAC = 16
"""Octets of chaddr (RFC 2131 s2)."""
_WIDTHS = {"htype": 1, "hops": 1, "secs": 2}
"""Octets of the numbers among the fields of a message (RFC 2131 s2)."""

FLAGS = {
    "known": "the client has a reservation",
    "random-mac": "the hardware address is locally administered, as randomised ones are",
    "bootp": "the request is BOOTP, without a DHCP message type",
    "broadcast": "the client asks for broadcast replies",
}
"""Tests that stand alone."""

HEADER: dict[str, tuple[Sort, str]] = {
    "mac": ("octets", "hardware address (chaddr)"),
    "htype": ("number", "hardware type, 1 for Ethernet"),
    "hops": ("number", "relays that the request has passed"),
    "secs": ("number", "seconds since the client began"),
    "ciaddr": ("address", "the address that the client uses"),
    "giaddr": ("address", "the relay's address"),
    "interface": ("text", "the interface on which the request was heard"),
    "network": ("text", "the name of the network that it came from"),
    "hostname": ("text", "the name that the client gives itself (option 12 or 81), in lower case"),
}
OPTION_NAMES: dict[str, tuple[str, str]] = {
    "client-id": ("dhcp-client-identifier", "client identifier (option 61)"),
    "vendor-class": ("vendor-class-identifier", "vendor class (option 60)"),
    "user-class": ("user-class", "user classes (option 77)"),
    "architecture": ("client-system", "architectures of the boot firmware (option 93), by name or number"),
}
"""Short names of options: name -> (option, meaning)."""
RELAY_NAMES = ("circuit-id", "remote-id", "subscriber-id")
"""Sub-options of option 82 that need no 'relay.' before them."""
SPACES = {
    "option.NAME": "any option by its name, or as `option-N`",
    "relay.NAME": "any sub-option of the relay information (82) by its name, or as `option-N`",
    "vendor.ENTERPRISE": "what option 125 has for an enterprise, as octets",
    "vendor.ENTERPRISE.CODE": "one sub-option of it",
    "vendor-class.ENTERPRISE": "what option 124 has for an enterprise, as octets",
}
"""Fields that are many: as they are written -> meaning."""


def field_of(name: str, options: OptionNames = by_name) -> Field:
    """The field of a name. options: what names of options mean. Raises ValueError."""
    if name in HEADER:
        return Field("header", name, HEADER[name][0])
    if name in OPTION_NAMES:
        row = by_name(OPTION_NAMES[name][0])
        assert row is not None
        return _of_row("option", name, row)
    if name in RELAY_NAMES:
        return _of_row("relay", name, next(row for row in RELAY.values() if row.name == name))
    space, dot, inner = name.partition(".")
    if dot and space == "option":
        row = options(inner)
        if row is None:
            raise ValueError(f"unknown option {inner!r}; {_advice(inner, [each.name for each in OPTIONS.values()])}")
        return _of_row("option", name, row)
    if dot and space == "relay":
        row = next((each for each in RELAY.values() if each.name == inner), None)
        code = numbered(inner)
        if row is not None or (code is not None and (row := RELAY.get(code)) is not None):
            return _of_row("relay", name, row)
        if code is not None:
            return Field("relay", name, "octets", code)
        raise ValueError(f"unknown sub-option {inner!r}; {_advice(inner, [each.name for each in RELAY.values()])}")
    if dot and space in ("vendor", "vendor-class"):
        return _of_vendor(name, space, inner)
    known = [*HEADER, *OPTION_NAMES, *RELAY_NAMES, *FLAGS]
    raise ValueError(f"unknown field {name!r}; {suggestion(name, known, 'or write option.NAME')}")


def _advice(name: str, known: list[str]) -> str:
    return suggestion(name, known, "or write option-NUMBER")


def _of_vendor(name: str, space: str, inner: str) -> Field:
    enterprise, dot, code = inner.partition(".")
    good = enterprise.isdecimal() and len(enterprise) <= 10 and int(enterprise) < 1 << 32
    if space == "vendor" and good and not dot:
        return Field("vendor", name, "octets", 0, int(enterprise))
    if space == "vendor" and good and code.isdecimal() and len(code) <= 3 and 0 < int(code) <= 255:
        return Field("vendor", name, "octets", int(code), int(enterprise))
    if good and not dot:
        return Field("vendor-class", name, "octets", 0, int(enterprise))
    raise ValueError(f"{name!r} names no vendor; write vendor.4491, vendor.4491.2 or vendor-class.4491")


def _of_row(space: str, name: str, row: Option) -> Field:
    sort, many, width = _sort(row.kind)
    return Field("option" if space == "option" else "relay", name, sort, row.code, many=many, width=width)


def _sort(kind: Kind) -> tuple[Sort, bool, int]:
    """(sort, several values?, octets of a number) of an option's kind; octets where it has a structure of its own."""
    if isinstance(kind, Tuples) and isinstance(kind.item, Opaque) and kind.bare:
        return "text", True, 0
    if isinstance(kind, List) and isinstance(kind.item, Uint):
        return "number", True, kind.item.least
    if isinstance(kind, List) and isinstance(kind.item, Address):
        return "address", True, 4
    if isinstance(kind, Uint):
        return "number", False, kind.least
    if isinstance(kind, Address):
        return "address", False, 4
    return ("text" if isinstance(kind, Text) else "octets"), False, 0


def value_of(field: Field, operator: Operator, sort: str, written: str) -> Value:
    """The value of a literal ('text', 'hex', 'address' or 'number') beside this field. Raises ValueError."""
    if field.sort == "address":
        return _address(field, operator, sort, written)
    if field.sort == "number":
        if sort == "number":
            return _number(field, written)
        if sort == "text" and field.code == CLIENT_SYSTEM.code and field.space == "option":
            return _architecture(written)
        raise ValueError(f"{field.name} is a number and {written!r} is none; write one such as 7")
    if len(written) > MOST_VALUE:
        raise ValueError(f"a value of {len(written)} characters; write at most {MOST_VALUE}")
    if not written:
        raise ValueError(f"{field.name} is compared with nothing; write a value, or exists {field.name}")
    if sort == "text" and field.name != "mac":
        octets = written.encode()
        return _of_length(field, operator, written, octets.lower() if field.name == "hostname" else octets)
    if sort == "hex" and field.sort == "octets":
        return _of_length(field, operator, written, parse_hex(written.removeprefix("0x")))
    if field.name == "mac":
        raise ValueError(f"mac is octets and {written!r} is none; write {_MAC}, or mac starts-with 52:54:00")
    example = '"text", 52:54:00 or 0x52' if field.sort == "octets" else f'"{written}"'
    raise ValueError(f"{field.name} is not compared with {written}; write {example}")


def _number(field: Field, written: str) -> int:
    top = (1 << 8 * (field.width or _WIDTHS[field.name])) - 1
    if len(written) > 20 or int(written) > top:
        raise ValueError(f"{field.name} is {top} at most and {written[:24]} is more; write one such as 7")
    return int(written)


def _of_length(field: Field, operator: Operator, written: str, octets: bytes) -> bytes:
    """The octets, if the field can have so many of them. Raises ValueError."""
    size, whole = len(octets), operator in ("==", "!=", "in")
    if field.last >= 0:
        room = field.last - field.first + 1
        if (whole and size != room) or (size > room and operator != "like"):
            what = f"{field.name}[{field.first}..{field.last}] has {room} octets and {written!r} has {size}"
            raise ValueError(f"{what}; write {room} octets, or {field.name}[{field.first}..{field.first + size - 1}]")
    elif field.name == "mac" and (size > _MOST_MAC or (whole and size < MAC_OCTETS)):
        advice = f"mac starts-with {written}" if size < MAC_OCTETS else _MAC
        raise ValueError(f"mac has {MAC_OCTETS} octets and {written} has {size}; write {advice}")
    return octets


def _address(field: Field, operator: Operator, sort: str, written: str) -> int | Prefix:
    if sort != "address":
        raise ValueError(f"{field.name} is an address and {written!r} is none; write one such as 10.9.0.1")
    if "/" not in written:
        return parse_ip(written)
    if operator != "in":
        raise ValueError(f"{written} is a prefix; write {field.name} in {written}")
    return parse_prefix(written)


def _architecture(written: str) -> int:
    kind = CLIENT_SYSTEM.kind
    assert isinstance(kind, List)
    assert isinstance(kind.item, Uint)
    for number, name in kind.item.names.items():
        if name == written:
            return number
    raise ValueError(
        f"unknown architecture {written!r}; {suggestion(written, kind.item.names.values(), 'or its number')}"
    )
