"""Which classes a client is in: the tests of the configuration, made into functions once and asked for each request.

A test looks at the message, at where it came in and at the client's reservation. What is absent or malformed compares
false: no octets from outside make a test fail. A network that names no class anywhere has no `Classes` and pays nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any as Anything
from typing import TypeAlias, assert_never

from relet.errors import WireError
from relet.model.events import Arrival
from relet.model.expression import All, Any, AsksFor, Compare, Exists, Expression, Field, Flag, InClass, Not
from relet.model.ident import random_mac
from relet.model.network import BUILT_IN_CLASSES, Network, Reservation
from relet.server.relayed import suboptions
from relet.server.reservations import full_name, host_name
from relet.wire.address import mask
from relet.wire.message import Message
from relet.wire.options import (
    ENTERPRISE_CLASSES,
    ENTERPRISE_OPTIONS,
    MESSAGE_TYPE,
    PARAMETER_REQUEST_LIST,
    USER_CLASS,
)
from relet.wire.relayinfo import decode_suboptions

MOST_GLOB = 255
"""Octets of a value that 'like' looks at: its cost is their number times that of the pattern."""


class Subject:
    """What a test is asked about. info: option 82, of the message or remembered. classes: those found so far."""

    __slots__ = ("arrival", "classes", "info", "message", "network", "reservation")

    def __init__(
        self, message: Message, arrival: Arrival, network: str, reservation: Reservation | None, info: bytes | None
    ) -> None:
        self.message = message
        self.arrival = arrival
        self.network = network
        self.reservation = reservation
        self.info = info
        self.classes: set[str] = set()

    def relay(self) -> Mapping[int, bytes]:
        """The relay's sub-options; none if they are broken."""
        try:
            return suboptions(self.info) if self.info else {}
        except WireError:
            return {}


Test: TypeAlias = Callable[[Subject], bool]
Get: TypeAlias = Callable[[Subject], Anything]
"""The value of a field: octets, an integer, or a tuple of those where it has several; None if it is absent or malformed."""
Fits: TypeAlias = Callable[[Anything], bool]


class Classes:
    """The classes of one network's clients. refusing: names of those that are not served."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._tests = [(row.name, _never if row.test is None else compiled(row.test)) for row in network.classes]
        self._names = frozenset(row.name for row in network.classes)
        self.refusing = frozenset(row.name for row in network.classes if row.refuse)
        self.relayed = any(row.test is not None and _looks_at_relay(row.test) for row in network.classes)

    def of(
        self, message: Message, arrival: Arrival, reservation: Reservation | None, info: bytes | None
    ) -> tuple[str, ...]:
        """The names of the classes that a client is in, in the file's order, then built-in ones."""
        subject = Subject(message, arrival, self._network.name, reservation, info)
        built_in = [name for name, test in _BUILT_IN if test(subject)]
        given: tuple[str, ...] = () if reservation is None else reservation.classes
        found = subject.classes = {*built_in, *given}
        named = []
        for name, test in self._tests:
            if name in given or test(subject):
                found.add(name)
                named.append(name)
        return (
            (*named, *(name for name in given if name not in self._names), *built_in) if given else (*named, *built_in)
        )


def classes_of(network: Network) -> Classes | None:
    """The classes of a network, None where nothing depends on any."""
    pools = [pool for subnet in network.subnets for pool in subnet.pools]
    guarded = network.allow or network.deny or any(pool.allow or pool.deny for pool in pools)
    named = any(row.classes for row in (*network.reservations, *network.everywhere))
    return Classes(network) if network.classes or guarded or named else None


def compiled(expression: Expression) -> Test:
    """The function that answers a test."""
    match expression:
        case All(parts):
            return _all([compiled(part) for part in parts])
        case Any(parts):
            return _any([compiled(part) for part in parts])
        case Not(part):
            inner = compiled(part)
            return lambda subject: not inner(subject)
        case Flag(name):
            return _FLAGS[name]
        case InClass(name):
            return lambda subject: name in subject.classes
        case AsksFor(code):
            return lambda subject: code in subject.message.options.get(PARAMETER_REQUEST_LIST.code, b"")
        case Exists(field):
            present = _presence(field)
            return lambda subject: present(subject) is not None
        case Compare(field, _, _):
            return _comparison(expression, _getter(field))
    raise TypeError(f"{expression!r} is no test")


def _never(_: Subject) -> bool:
    return False


def _all(tests: list[Test]) -> Test:
    one, other = tests[:2]
    if len(tests) == 2:  # a third of the time of what is below
        return lambda subject: one(subject) and other(subject)
    return lambda subject: all(test(subject) for test in tests)


def _any(tests: list[Test]) -> Test:
    one, other = tests[:2]
    if len(tests) == 2:
        return lambda subject: one(subject) or other(subject)
    return lambda subject: any(test(subject) for test in tests)


def _comparison(compare: Compare, get: Get) -> Test:
    fits = _fits(compare)
    if not compare.field.many:
        return lambda subject: (value := get(subject)) is not None and fits(value)
    if compare.operator in ("==", "contains") and isinstance(compare.values[0], int):
        number = compare.values[0]
        return lambda subject: number in get(subject)
    each: Callable[[Iterable[bool]], bool] = all if compare.operator == "!=" else any
    return lambda subject: bool(values := get(subject)) and each(map(fits, values))


def _fits(compare: Compare) -> Fits:
    values: tuple[Anything, ...] = compare.values
    first = values[0]
    match compare.operator:
        case "==":
            return lambda value: bool(value == first)
        case "!=":
            return lambda value: bool(value != first)
        case "<":
            return lambda value: bool(value < first)
        case "<=":
            return lambda value: bool(value <= first)
        case ">":
            return lambda value: bool(value > first)
        case ">=":
            return lambda value: bool(value >= first)
        case "in":
            return _among(values)
        case "starts-with":
            return lambda value: bool(value.startswith(first))
        case "ends-with":
            return lambda value: bool(value.endswith(first))
        case "contains":
            return (lambda value: first in value) if isinstance(first, bytes) else lambda value: bool(value == first)
        case "like":
            return lambda value: like(value[:MOST_GLOB], first)
        case _:
            assert_never(compare.operator)


def _among(values: tuple[Anything, ...]) -> Fits:
    single = frozenset(value for value in values if not isinstance(value, tuple))
    prefixes = [(prefix, mask(width)) for prefix, width in (value for value in values if isinstance(value, tuple))]
    if not prefixes:
        return lambda value: value in single
    return lambda value: value in single or any(value & bits == prefix for prefix, bits in prefixes)


def like(value: bytes, pattern: bytes) -> bool:
    """Does the value fit the glob? '*' is any octets, '?' any one. Steps: at most the product of the lengths."""
    at = place = 0
    star, resume = -1, 0
    while at < len(value):
        if place < len(pattern) and pattern[place] == _STAR:
            star, resume = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in (value[at], _ANY_ONE):
            at += 1
            place += 1
        elif star >= 0:
            resume += 1
            at, place = resume, star + 1
        else:
            return False
    return not pattern[place:].strip(b"*")


_STAR, _ANY_ONE = b"*?"


# fields


def _presence(field: Field) -> Get:
    """As `_getter`, but for options: there, whatever they hold."""
    if field.space == "option":
        code = field.code
        return lambda subject: subject.message.options.get(code)
    if field.space == "relay":
        code = field.code
        return lambda subject: subject.relay().get(code)
    return _getter(field)


def _getter(field: Field) -> Get:
    if field.space == "header":
        return _sliced(_HEADER[field.name], field)
    if field.space in ("option", "relay"):
        return _read(_presence(field), field)
    enterprise, code = field.enterprise, field.code
    outer = ENTERPRISE_OPTIONS.code if field.space == "vendor" else ENTERPRISE_CLASSES.code
    return _sliced(lambda subject: _of_vendor(subject.message.options.get(outer), enterprise, code), field)


def _read(get: Get, field: Field) -> Get:
    """From an option's octets to its value."""
    width = field.width
    if field.sort in ("number", "address"):
        if field.many:
            return lambda subject: _numbers(get(subject), width)
        return lambda subject: (
            int.from_bytes(octets) if (octets := get(subject)) is not None and len(octets) == width else None
        )
    if field.many:
        return lambda subject: _texts(get(subject))
    if field.sort == "text":
        return lambda subject: None if (octets := get(subject)) is None else octets.rstrip(b"\0")
    return _sliced(get, field)


def _sliced(get: Get, field: Field) -> Get:
    if field.last < 0:
        return get
    first, behind = field.first, field.last + 1
    return lambda subject: (
        octets[first:behind] if (octets := get(subject)) is not None and len(octets) >= behind else None
    )


def _numbers(octets: bytes | None, width: int) -> tuple[int, ...]:
    if not octets or len(octets) % width:
        return ()
    return tuple(int.from_bytes(octets[at : at + width]) for at in range(0, len(octets), width))


def _texts(octets: bytes | None) -> tuple[bytes, ...]:
    """The user classes of option 77: with lengths (RFC 3004), or one without, as many clients send it."""
    if octets is None:
        return ()
    try:
        return tuple(USER_CLASS.decode(octets))
    except WireError:
        return ()


def _of_vendor(octets: bytes | None, enterprise: int, code: int) -> bytes | None:
    """What option 124 or 125 has for an enterprise (RFC 3925), or a sub-option of it; code 0: all."""
    found = None
    at = 0
    while octets is not None and at + 5 <= len(octets):
        behind = at + 5 + octets[at + 4]
        if behind > len(octets):
            return None
        if int.from_bytes(octets[at : at + 4]) == enterprise:
            found = (found or b"") + octets[at + 5 : behind]
        at = behind
    if found is None or not code:
        return found
    try:
        return decode_suboptions(found).get(code)
    except WireError:
        return None


_HEADER: dict[str, Get] = {
    "mac": lambda subject: subject.message.chaddr or None,
    "htype": lambda subject: subject.message.htype,
    "hops": lambda subject: subject.message.hops,
    "secs": lambda subject: subject.message.secs,
    "ciaddr": lambda subject: subject.message.ciaddr or None,
    "giaddr": lambda subject: subject.message.giaddr or None,
    "interface": lambda subject: subject.arrival.interface.encode() or None,
    "network": lambda subject: subject.network.encode(),
    "hostname": lambda subject: host_name(subject.message) or full_name(subject.message),
}
_FLAGS: dict[str, Test] = {
    "known": lambda subject: subject.reservation is not None,
    "unknown": lambda subject: subject.reservation is None,
    "random-mac": lambda subject: random_mac(subject.message.htype, subject.message.chaddr),
    "bootp": lambda subject: MESSAGE_TYPE.code not in subject.message.options,
    "broadcast": lambda subject: subject.message.broadcast,
}


_BUILT_IN = tuple((name, _FLAGS[name]) for name in BUILT_IN_CLASSES)


def _looks_at_relay(expression: Expression) -> bool:
    match expression:
        case All(parts) | Any(parts):
            return any(map(_looks_at_relay, parts))
        case Not(part):
            return _looks_at_relay(part)
        case Compare(field, _, _) | Exists(field):
            return field.space == "relay"
    return False
