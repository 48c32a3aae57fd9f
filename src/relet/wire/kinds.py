"""Kinds of values that options hold: what a kind is, and the numbers and addresses.

A kind reads a value from a cursor and writes it back, takes it as it stands in a configuration file, and shows it to
people and to JSON. What `plain` gives, `parse` takes. Other kinds are in texts.py, compounds.py, names.py, routes.py,
relayinfo.py and vendor.py; which option has which kind is said in options.py alone.
"""

from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Any, TypeAlias

import msgspec

from relet.wire.address import ip_text, parse_ip
from relet.wire.cursor import Cursor

Value: TypeAlias = Any
"""What a kind reads: int, bool, str, bytes, None, or tuples and dicts of them. Each class says which."""


class Kind(msgspec.Struct, frozen=True):
    """format: its name in the facts file. least, most, multiple, remainder: lengths that it permits, in octets; a length
    less `remainder` is a multiple of `multiple`; most is None where there is no limit."""

    format: str
    least: int
    most: int | None = None
    multiple: int = 1
    remainder: int = 0

    def read(self, cursor: Cursor) -> Value:
        """The value at the cursor. Raises WireError."""
        raise NotImplementedError

    def write(self, value: Value) -> bytes:
        """The octets of a value. ValueError says what is wrong with it."""
        raise NotImplementedError

    def parse(self, configured: object) -> Value:
        """The value of what stands in a configuration file. ValueError says what to write instead."""
        raise NotImplementedError

    def text(self, value: Value) -> str:
        """For people, on one line."""
        return str(self.plain(value))

    def plain(self, value: Value) -> object:
        """For JSON; `parse` takes it back."""
        return value


class Uint(Kind, frozen=True):
    """int: an unsigned number of `least` octets. names: what some of the numbers are called."""

    names: Mapping[int, str] = {}

    def read(self, cursor: Cursor) -> int:
        return cursor.uint(self.least)

    def write(self, value: Value) -> bytes:
        top = (1 << 8 * self.least) - 1
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= top:
            raise ValueError(f"{value!r} is not a number from 0 to {top}")
        return value.to_bytes(self.least, "big")

    def parse(self, configured: object) -> int:
        for number, name in self.names.items():
            if configured == name:
                return number
        if isinstance(configured, bool) or not isinstance(configured, int):
            known = f" or one of {', '.join(self.names.values())}" if self.names else ""
            raise ValueError(f"{configured!r} is not a number such as 42{known}")
        return configured

    def text(self, value: Value) -> str:
        return f"{value} ({self.names[value]})" if value in self.names else str(value)

    def plain(self, value: Value) -> object:
        return self.names.get(value, value)


class FirstOctet(Uint, frozen=True):
    """int: the first octet; those behind it are for a later standard (RFC 5010 s3)."""

    def read(self, cursor: Cursor) -> int:
        octet = cursor.uint(1)
        cursor.rest()
        return octet


class Int(Kind, frozen=True):
    """int: a number of `least` octets in two's complement."""

    def read(self, cursor: Cursor) -> int:
        return int.from_bytes(cursor.take(self.least), "big", signed=True)

    def write(self, value: Value) -> bytes:
        half = 1 << 8 * self.least - 1
        if isinstance(value, bool) or not isinstance(value, int) or not -half <= value < half:
            raise ValueError(f"{value!r} is not a number from {-half} to {half - 1}")
        return value.to_bytes(self.least, "big", signed=True)

    def parse(self, configured: object) -> int:
        if isinstance(configured, bool) or not isinstance(configured, int):
            raise ValueError(f"{configured!r} is not a number such as -3600")
        return configured


class Bool(Kind, frozen=True):
    """bool: one octet, 0 or 1."""

    def read(self, cursor: Cursor) -> bool:
        octet = cursor.uint(1)
        if octet > 1:
            raise cursor.error("bad-value", f"{octet} is neither 0 nor 1")
        return octet == 1

    def write(self, value: Value) -> bytes:
        if not isinstance(value, bool):
            raise ValueError(f"{value!r} is not true or false")
        return bytes((value,))

    def parse(self, configured: object) -> bool:
        if not isinstance(configured, bool):
            raise ValueError(f"{configured!r} is not true or false")
        return configured

    def text(self, value: Value) -> str:
        return "true" if value else "false"


class Nothing(Kind, frozen=True):
    """True: no octets at all; that the option is there says everything."""

    def read(self, cursor: Cursor) -> bool:
        cursor.finish()
        return True

    def write(self, value: Value) -> bytes:
        if value is not True:
            raise ValueError(f"{value!r} is not true; leave the option out if it is not wanted")
        return b""

    def parse(self, configured: object) -> bool:
        if configured is not True:
            raise ValueError(f"{configured!r} is not true; leave the option out if it is not wanted")
        return True

    def text(self, value: Value) -> str:  # noqa: ARG002 - there is only one value
        return "present"


class Address(Kind, frozen=True):
    """int: an IPv4 address."""

    def read(self, cursor: Cursor) -> int:
        return cursor.uint(4)

    def write(self, value: Value) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 32:
            raise ValueError(f"{value!r} is not an IPv4 address as a number")
        return value.to_bytes(4, "big")

    def parse(self, configured: object) -> int:
        if not isinstance(configured, str):
            raise ValueError(f'{configured!r} is not an IPv4 address such as "192.168.1.10"')
        return parse_ip(configured)

    def plain(self, value: Value) -> object:
        return ip_text(value)


class Address6(Kind, frozen=True):
    """bytes: the 16 octets of an IPv6 address."""

    def read(self, cursor: Cursor) -> bytes:
        return cursor.take(16)

    def write(self, value: Value) -> bytes:
        if not isinstance(value, bytes) or len(value) != 16:
            raise ValueError(f"{value!r} is not the 16 octets of an IPv6 address")
        return value

    def parse(self, configured: object) -> bytes:
        try:
            return IPv6Address(str(configured)).packed
        except ValueError:
            raise ValueError(f'{configured!r} is not an IPv6 address such as "2001:db8::1"') from None

    def plain(self, value: Value) -> object:
        return str(IPv6Address(value))


UINT8 = Uint("uint8", 1, 1)
FIRST_OCTET = FirstOctet("uint8", 1)
UINT16 = Uint("uint16", 2, 2)
UINT32 = Uint("uint32", 4, 4)
UINT64 = Uint("uint64", 8, 8)
INT32 = Int("int32", 4, 4)
BOOL = Bool("bool", 1, 1)
NOTHING = Nothing("none", 0, 0)
ADDRESS = Address("ip", 4, 4)
ADDRESS6 = Address6("ipv6", 16, 16)


def named(width: int, names: Mapping[int, str]) -> Uint:
    """A number of `width` octets, some of which have names."""
    return Uint(f"uint{8 * width}", width, width, names=names)
