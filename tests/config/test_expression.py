"""The language of classes: what it reads, what it refuses and with which words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.config.expression import MOST_CHARACTERS, MOST_DEPTH, parse_expression
from relet.model.expression import All, Any, AsksFor, Compare, Exists, Expression, Flag, InClass, Not

GOOD = [
    'vendor-class starts-with "PXEClient" and architecture in ["x64-uefi", "ebc"]',
    'user-class == "iPXE"',
    "mac starts-with 52:54:00",
    "random-mac",
    'relay.circuit-id like "eth*"',
    "option.client-system contains 7",
    "giaddr in 10.9.0.0/16",
    "not known",
    "exists option.v4-captive-portal",
    "hops > 2",
    'in-class "phones"',
    "asks-for routers or asks-for option-252",
    "mac[0..2] == 52:54:00",
    "vendor.4491.2 == 0x0102 and exists vendor-class.4491",
    "option.option-200 == ab:cd",
    "(known or bootp) and not (secs < 4)",
]
BAD = [
    ("", "ends too early"),
    ('giaddr == "x"', "giaddr is an address"),
    ("hops == 10.0.0.1", "hops is a number"),
    ("giaddr == 10.0.0.0/8", "write giaddr in 10.0.0.0/8"),
    ('vendor-clas == "x"', "vendor-class"),
    ("option.nonsense == 1", "unknown option"),
    ('architecture == "x64-ufi"', "x64-uefi"),
    ("hops starts-with 3", "hops is compared by"),
    ("known known", "at character 7; write 'and' or 'or'"),
    ("(known", "close the parenthesis"),
    ('mac == "abc', "close the quotation mark"),
    ("vendor-class == 52:54", "not compared with"),
    ("client-id == 56", 'write "text", 52:54:00 or 0x52'),
    ('vendor-class == "' + "x" * 600 + '"', "at most 512"),
    ("hops[0..1] == 00:00", "mac[0..2]"),
    ("not " * (MOST_DEPTH + 2) + "known", "inside each other"),
    ("known" + " " * MOST_CHARACTERS, "characters"),
    ("hops in [" + ",".join("1" * 300) + "]", "at most"),
]


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read(text: str) -> None:
    assert isinstance(parse_expression(text), Expression)


def _refused(text: str) -> str:
    """The words of the error, '' if it is read."""
    try:
        parse_expression(text)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("text", "words"), BAD)
def test_what_is_refused(text: str, words: str) -> None:
    error = _refused(text)
    assert words in error
    assert ";" in error


def test_and_binds_closer_than_or() -> None:
    read = parse_expression('known or bootp and not in-class "a" and asks-for routers')
    assert read == Any((Flag("known"), All((Flag("bootp"), Not(InClass("a")), AsksFor(3)))))


def test_values_are_those_of_the_field() -> None:
    read = parse_expression('architecture in ["ebc", 7]')
    assert isinstance(read, Compare)
    assert (read.field.code, read.field.many, read.field.width, read.values) == (93, True, 2, (9, 7))
    read = parse_expression("exists relay.option-77")
    assert isinstance(read, Exists)
    assert (read.field.space, read.field.code) == ("relay", 77)


@given(st.text(max_size=60) | st.lists(st.sampled_from(" ".join(GOOD).split()), max_size=12).map(" ".join))
def test_any_text_is_a_test_or_an_error_in_words(text: str) -> None:
    error = _refused(text)
    assert not error or ";" in error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mac == 52:54:00", "mac has 6 octets and 52:54:00 has 3 at character 8; write mac starts-with 52:54:00"),
        ("exists known", "'known' does not fit at character 8; write known alone"),
        ("mac in [52:54]", "mac has 6 octets and 52:54 has 2 at character 9; write mac starts-with 52:54"),
        ('mac == "printer"',
         "mac is octets and 'printer' is none at character 8; write 52:54:00:12:34:56, or mac starts-with 52:54:00"),
        ("mac[0..2] != 52:54", "mac[0..2] has 3 octets and '52:54' has 2 at character 14; write 3 octets, or mac[0..1]"),
        ('circuit-id[4..5] starts-with "eth"',
         "circuit-id[4..5] has 2 octets and 'eth' has 3 at character 30; write 2 octets, or circuit-id[4..6]"),
        ("htype == 999", "htype is 255 at most and 999 is more at character 10; write one such as 7"),
        ("hops > 999", "hops is 255 at most and 999 is more at character 8; write one such as 7"),
        ("secs >= 65536", "secs is 65535 at most and 65536 is more at character 9; write one such as 7"),
        ("architecture == 99999999",
         "architecture is 65535 at most and 99999999 is more at character 17; write one such as 7"),
        ('vendor-class contains ""',
         "vendor-class is compared with nothing at character 23; write a value, or exists vendor-class"),
    ],
)  # fmt: skip
def test_what_could_never_be_true_is_refused(text: str, words: str) -> None:
    assert _refused(text) == words


def test_a_host_name_is_compared_in_lower_case() -> None:
    read = parse_expression('hostname in ["Printer", "SCANNER"]')
    assert isinstance(read, Compare)
    assert read.values == (b"printer", b"scanner")
