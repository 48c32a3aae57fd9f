"""What decides whether a client belongs to a class: a test over the fields and options of its request.

Only the shape of a test; config/expression.py reads one from text, server/match.py makes it answer.
"""

from typing import Literal, TypeAlias

import msgspec

Sort: TypeAlias = Literal["text", "octets", "number", "address"]
Operator: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">=", "in", "starts-with", "ends-with", "contains", "like"]
Prefix: TypeAlias = tuple[int, int]
"""(network address, width)."""
Value: TypeAlias = bytes | int | Prefix
"""What a field is compared with: octets for text and octets, an integer for numbers and addresses."""


class Expression(msgspec.Struct, frozen=True, tag=True):
    """A test. It is true or false of any request, and never fails."""


class Field(msgspec.Struct, frozen=True):
    """What of a request is looked at.

    space: 'header' (fields of the message, and what follows from where it came in), 'option', 'relay' (option 82),
    'vendor' (option 125 by enterprise) or 'vendor-class' (option 124 by enterprise).
    name: as written. code: of the option or sub-option, 0 for none. enterprise: of a vendor's, else 0.
    sort: of its value. many: does it hold several values, any of which may fit? width: octets of one number.
    first, last: the octets of it that are looked at, counted from 0, both included; last -1: all of them.
    """

    space: Literal["header", "option", "relay", "vendor", "vendor-class"]
    name: str
    sort: Sort
    code: int = 0
    enterprise: int = 0
    many: bool = False
    width: int = 0
    first: int = 0
    last: int = -1


class Compare(Expression, frozen=True):
    """Field, operator, values: more than one only with 'in'. An absent or malformed field makes it false, also with !=."""

    field: Field
    operator: Operator
    values: tuple[Value, ...]


class Exists(Expression, frozen=True):
    """Is the option there, whatever it holds?"""

    field: Field


class Flag(Expression, frozen=True):
    """'known' (has a reservation), 'random-mac' (locally administered, IEEE 802 s8.2), 'bootp' or 'broadcast'."""

    name: str


class InClass(Expression, frozen=True):
    """Is the client in a class that stands earlier in the file, or that its reservation names?"""

    name: str


class AsksFor(Expression, frozen=True):
    """Does the parameter request list (option 55) have the code?"""

    code: int


class Not(Expression, frozen=True):
    """The opposite."""

    part: Expression


class All(Expression, frozen=True):
    """'and': every part is true."""

    parts: tuple[Expression, ...]


class Any(Expression, frozen=True):
    """'or': one part is true."""

    parts: tuple[Expression, ...]
