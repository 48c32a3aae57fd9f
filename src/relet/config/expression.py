"""Tests of classes from text: a small language without loops, functions or regular expressions.

    vendor-class starts-with "PXEClient" and architecture in ["x64-uefi", "ebc"]

`parse_expression` reads one. What a field is, and which operators fit it, is checked here; nothing is left to fail when a
request is there. Lengths and depths are bounded.
"""

import re
from typing import NamedTuple

from relet.config.fields import FLAGS, OptionNames, field_of, value_of
from relet.model.expression import (
    All,
    Any,
    AsksFor,
    Compare,
    Exists,
    Expression,
    Field,
    Flag,
    InClass,
    Not,
    Operator,
    Sort,
)
from relet.wire.options import by_name

MOST_CHARACTERS = 4096
MOST_DEPTH = 32
"""Parentheses and 'not' inside each other."""
MOST_VALUES = 256
"""In one list."""

ORDER: tuple[Operator, ...] = ("==", "!=", "<", "<=", ">", ">=")
WORDS: tuple[Operator, ...] = ("in", "starts-with", "ends-with", "contains", "like")
OPERATORS: dict[Sort, tuple[Operator, ...]] = {
    "text": ("==", "!=", "in", "starts-with", "ends-with", "contains", "like"),
    "octets": ("==", "!=", "in", "starts-with", "ends-with", "contains", "like"),
    "number": (*ORDER, "in"),
    "address": (*ORDER, "in"),
}
"""Which operators fit which sort of field. Fields of several values know 'contains' as well."""

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<hex>0x(?:[0-9A-Fa-f]{2})+(?!\w)|[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})+(?!\w))"
    r"|(?P<address>[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?)"
    r"|(?P<number>[0-9]+(?![\w]))"
    r"|(?P<word>[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*)"
    r"|(?P<sign>==|!=|<=|>=|<|>|\(|\)|\[|\]|,|\.\.))"
)


class Token(NamedTuple):
    """sort: name of the group that matched, 'end' behind the last. at: character, counted from 1."""

    sort: str
    text: str
    at: int


def parse_expression(text: str, options: OptionNames = by_name) -> Expression:
    """The test that a text means. options: what names of options mean.

    Raises ValueError 'what is wrong, at which character; what to write instead'.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the test has {len(text)} characters; write at most {MOST_CHARACTERS}, or several classes")
    reader = _Reader(_tokens(text), options)
    found = reader.any(0)
    reader.done()
    return found


def _tokens(text: str) -> list[Token]:
    tokens = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at, end)
        if match is None or match.lastgroup is None:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            advice = "close the quotation mark" if text[start] == '"' else "write texts in quotation marks"
            raise ValueError(f"cannot read {text[start : start + 12]!r} at character {start + 1}; {advice}")
        tokens.append(Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1))
        at = match.end()
    return [*tokens, Token("end", "", end + 1)]


class _Reader:
    """Recursive descent over tokens: or, and, not, and what stands between them."""

    def __init__(self, tokens: list[Token], options: OptionNames) -> None:
        self._tokens = tokens
        self._options = options
        self._at = 0

    def any(self, depth: int) -> Expression:
        parts = [self._all(depth)]
        while self._take("word", "or"):
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def done(self) -> None:
        if self._next.sort != "end":
            raise self._wrong("write 'and' or 'or' between two tests")

    def _all(self, depth: int) -> Expression:
        parts = [self._not(depth)]
        while self._take("word", "and"):
            parts.append(self._not(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _not(self, depth: int) -> Expression:
        if depth > MOST_DEPTH:
            raise ValueError(
                f"more than {MOST_DEPTH} tests inside each other at {self._place()}; write several classes"
            )
        if self._take("word", "not"):
            return Not(self._not(depth + 1))
        if self._take("sign", "("):
            inner = self.any(depth + 1)
            self._expect(")", "close the parenthesis")
            return inner
        return self._test()

    def _test(self) -> Expression:
        if self._take("word", "in-class"):
            if self._next.sort != "text":
                raise self._wrong('write the name of a class, as in in-class "phones"')
            return InClass(_unquoted(self._move().text))
        if self._take("word", "asks-for"):
            row = self._options(self._next.text) if self._next.sort == "word" else None
            if row is None:
                raise self._wrong("write the name of an option, such as asks-for routers, or option-N")
            self._move()
            return AsksFor(row.code)
        if self._take("word", "exists"):
            if self._next.sort == "word" and self._next.text in FLAGS:
                raise self._wrong(f"write {self._next.text} alone")
            return Exists(self._field())
        if self._next.sort == "word" and self._next.text in FLAGS:
            return Flag(self._move().text)
        return self._comparison(self._field())

    def _field(self) -> Field:
        if self._next.sort != "word":
            raise self._wrong("write a field, such as vendor-class, mac or option.user-class")
        try:
            field = field_of(self._next.text, self._options)
        except ValueError as error:
            raise self._located(error) from None
        self._move()
        return self._slice(field) if self._take("sign", "[") else field

    def _slice(self, field: Field) -> Field:
        first = self._octet()
        last = self._octet() if self._take("sign", "..") else first
        if field.sort not in ("text", "octets") or field.many or last < first:
            raise self._wrong("write octets of a text or of octets, such as mac[0..2]")
        self._expect("]", "close the bracket, as in mac[0..2]")
        return Field(field.space, field.name, "octets", field.code, field.enterprise, first=first, last=last)

    def _octet(self) -> int:
        if self._next.sort != "number" or len(self._next.text) > 5:
            raise self._wrong("write the number of an octet, counted from 0, as in mac[0..2]")
        return int(self._move().text)

    def _comparison(self, field: Field) -> Expression:
        operator = next((each for each in (*ORDER, *WORDS) if each == self._next.text), None)
        fitting = OPERATORS[field.sort] + (("contains",) if field.many else ())
        if operator not in fitting or operator is None or self._next.sort not in ("sign", "word"):
            raise self._wrong(f"{field.name} is compared by {', '.join(dict.fromkeys(fitting))}")
        self._move()
        values = []
        if operator == "in" and self._take("sign", "["):
            values.append(self._value(field, operator))
            while self._take("sign", ","):
                values.append(self._value(field, operator))
            self._expect("]", "close the bracket")
            if len(values) > MOST_VALUES:
                raise ValueError(f"a list of {len(values)} values; write at most {MOST_VALUES}")
        else:
            values.append(self._value(field, operator))
        return Compare(field, operator, tuple(values))

    def _value(self, field: Field, operator: Operator) -> bytes | int | tuple[int, int]:
        token = self._next
        if token.sort not in ("text", "hex", "address", "number"):
            raise self._wrong("write a value: a text in quotation marks, 52:54:00, 42 or 10.9.0.1")
        written = _unquoted(token.text) if token.sort == "text" else token.text
        try:
            value = value_of(field, operator, token.sort, written)
        except ValueError as error:
            raise self._located(error) from None
        self._move()
        return value

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _move(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, sort: str, text: str) -> bool:
        found = self._next.sort == sort and self._next.text == text
        self._at += found
        return found

    def _expect(self, sign: str, advice: str) -> None:
        if not self._take("sign", sign):
            raise self._wrong(advice)

    def _place(self) -> str:
        return "its end" if self._next.sort == "end" else f"character {self._next.at}"

    def _wrong(self, advice: str) -> ValueError:
        what = "the test ends too early" if self._next.sort == "end" else f"{self._next.text!r} does not fit"
        return ValueError(f"{what} at {self._place()}; {advice}")

    def _located(self, error: ValueError) -> ValueError:
        what, _, advice = str(error).partition("; ")
        return ValueError(f"{what} at {self._place()}" + (f"; {advice}" if advice else ""))


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
