"""The message as octets: fields, where options lie, and what is refused."""

import pytest

from relet.errors import WireError
from relet.wire.message import BOOTREPLY, BOOTREQUEST, COOKIE, DEFAULT_LIMIT, Message, decode, encode, fit

BOOTP = bytes((1, 1, 6, 0)) + bytes(232)
HEADER = BOOTP + COOKIE
MAC = bytes.fromhex("525400123456")


def message(**fields: object) -> Message:
    return Message(**({"op": BOOTREQUEST, "xid": 7, "chaddr": MAC} | fields))  # type: ignore[arg-type]


def overloaded(said: bytes, *, file: bytes = b"", sname: bytes = b"", more: bytes = b"") -> bytes:
    """A message with option 52 and these octets in its fields."""
    header = bytes((1, 1, 6, 0)) + bytes(40) + sname.ljust(64, b"\0") + file.ljust(128, b"\0")
    return header + COOKIE + bytes((52, len(said))) + said + more + b"\xff"


def refused(data: bytes) -> tuple[str, int]:
    with pytest.raises(WireError) as caught:
        decode(data)
    return caught.value.reason, caught.value.offset


def test_every_field_has_its_place() -> None:
    octets = encode(
        Message(
            op=BOOTREPLY,
            htype=6,
            hops=3,
            xid=0x01020304,
            secs=0x0506,
            flags=0x8000,
            ciaddr=0x0A000001,
            yiaddr=0x0A000002,
            siaddr=0x0A000003,
            giaddr=0x0A000004,
            chaddr=MAC,
            sname=b"boot",
            file=b"/kernel",
            options={53: b"\5"},
        )
    )
    assert octets[:28].hex(" ", 4) == "02060603 01020304 05068000 0a000001 0a000002 0a000003 0a000004"
    assert octets[28:44] == MAC + bytes(10)
    assert octets[44:108] == b"boot" + bytes(60)
    assert octets[108:236] == b"/kernel" + bytes(121)
    assert octets[236:] == COOKIE + b"\x35\1\5\xff" + bytes(56)


def test_flags_and_kind() -> None:
    assert message(flags=0x8000).broadcast
    assert not message(flags=0x7FFF).broadcast
    assert message(options={53: b"\3"}).kind == 3
    assert message().kind == 0
    assert message(options={53: b"\3\3"}).kind == 0


def test_addresses_and_numbers_are_none_unless_they_are_whole() -> None:
    read = message(options={50: b"\xc0\xa8\1\1", 54: b"\1\2\3", 57: b"\5\xdc", 51: b"", 116: b"\1"})
    assert (read.ip(50), read.ip(54), read.ip(99)) == (0xC0A80101, None, None)
    assert (read.uint(57), read.uint(51), read.uint(116), read.uint(54)) == (1500, None, 1, None)
    assert read.uint(50) == 0xC0A80101


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"", "truncated-message", 0),
        (BOOTP[:-1], "truncated-message", 235),
        (b"\0" + HEADER[1:], "bad-op", 0),
        (b"\3" + HEADER[1:], "bad-op", 0),
        (HEADER[:2] + b"\x11" + HEADER[3:], "bad-hlen", 2),
        (BOOTP + b"\x63\x82\x53\x64", "no-cookie", 236),
        (BOOTP + b"\x63", "no-cookie", 236),
        (BOOTP + bytes(63) + b"\1", "no-cookie", 236),
        (HEADER + b"\x35", "truncated-option", 240),
        (HEADER + b"\x35\2\1", "truncated-option", 240),
        (HEADER + b"\0\0\x35\1\1\x0c\xffabc", "truncated-option", 245),
        (overloaded(b"\1", file=b"\x0c\x7f"), "truncated-option", 108),
        (overloaded(b"\1", file=bytes(127) + b"\x0c"), "truncated-option", 235),
        (overloaded(b"\2", sname=bytes(62) + b"\x0c\1"), "truncated-option", 106),
    ],
)
def test_what_is_refused(data: bytes, reason: str, offset: int) -> None:
    assert refused(data) == (reason, offset)


@pytest.mark.parametrize("vendor", [b"", b"\0\0", bytes(4), bytes(64)])
def test_bootp_without_a_vendor_field_is_a_message(vendor: bytes) -> None:
    read = decode(BOOTP + vendor)
    assert (read.options, read.kind) == ({}, 0)


def test_a_missing_end_is_tolerated_and_what_follows_an_end_ignored() -> None:
    assert decode(HEADER + b"\x35\1\1").options == {53: b"\1"}
    assert decode(HEADER + b"\x35\1\1\xff\x0c\xff").options == {53: b"\1"}
    assert decode(HEADER + b"\0\x35\1\1\0\0\xff").options == {53: b"\1"}


def test_malformed_values_do_not_spoil_the_message() -> None:
    read = decode(HEADER + b"\x35\1\1\x32\3abc\xff")
    assert read.options == {53: b"\1", 50: b"abc"}
    assert read.ip(50) is None


def test_parts_of_an_option_are_joined_where_the_first_stood() -> None:
    read = decode(HEADER + b"\x0c\2ab\x35\1\1\x0c\0\x0c\1c\xff")
    assert list(read.options.items()) == [(12, b"abc"), (53, b"\1")]


def test_file_is_read_before_sname() -> None:
    read = decode(overloaded(b"\3", file=b"\x77\1b\xff", sname=b"\x77\1c\x0c\1h\xff", more=b"\x77\1a"))
    assert (read.options, read.overload) == ({119: b"abc", 12: b"h"}, 3)
    assert (read.file, read.sname) == (b"", b"")


@pytest.mark.parametrize(("said", "options"), [(b"\1", {67: b"f"}), (b"\2", {66: b"s"})])
def test_a_field_that_is_not_overloaded_is_a_name(said: bytes, options: dict[int, bytes]) -> None:
    read = decode(overloaded(said, file=b"\x43\1f\xff", sname=b"\x42\1s\xff"))
    assert read.options == options
    assert (read.file == b"", read.sname == b"") == (said == b"\1", said == b"\2")


@pytest.mark.parametrize("said", [b"", b"\0", b"\4", b"\xff", b"\1\1"])
def test_an_overload_without_meaning_leaves_the_names(said: bytes) -> None:
    read = decode(overloaded(said, file=b"/kernel", sname=b"boot", more=b"\x0c\1h"))
    assert (read.file, read.sname, read.options, read.overload) == (b"/kernel", b"boot", {12: b"h"}, 0)


def test_overload_said_twice_or_in_a_field_is_not_followed() -> None:
    assert decode(overloaded(b"\1", file=b"/kernel", more=b"\x34\1\1")).file == b"/kernel"
    read = decode(overloaded(b"\1", file=b"\x34\1\3\x0c\1h\x34\1\2\xff", sname=b"boot"))
    assert (read.sname, read.options, read.overload) == (b"boot", {12: b"h"}, 1)


def test_long_options_are_split_at_255() -> None:
    octets = encode(message(options={43: b"v" * 600}), 1400)
    assert (octets[240:242], octets[497:499], octets[754:756]) == (b"\x2b\xff", b"\x2b\xff", b"\x2b\x5a")
    assert decode(octets).options == {43: b"v" * 600}


def test_an_empty_option_stays() -> None:
    assert decode(encode(message(options={80: b"", 53: b"\1"}))).options == {80: b"", 53: b"\1"}


def test_fields_are_overloaded_one_after_the_other_and_option_82_stays_last_in_the_first() -> None:
    options = {53: b"\5", 43: b"v" * 250, 12: b"f" * 100, 82: b"\1\4port"}
    read = decode(encode(message(options=options)))
    assert (read.options, read.overload, read.sname) == (options, 1, b"")
    options[15] = b"s" * 50
    octets = encode(message(options=options))
    read = decode(octets)
    assert (read.options, read.overload) == (options, 3)
    assert octets[108:110] == b"\x0c\x64"
    assert octets[44:46] == b"\x0f\x32"
    assert octets.rstrip(b"\0").endswith(b"\x34\1\3\x52\6\1\4port\xff")


def test_an_option_that_fits_nowhere_whole_is_split_over_the_fields() -> None:
    options = {53: b"\5", 119: bytes(range(256)) + bytes(100)}
    read = decode(encode(message(options=options), 548))
    assert (read.options, read.overload) == (options, 1)


def test_names_are_not_overwritten() -> None:
    big = message(file=b"/kernel", options={43: b"v" * 350})
    assert decode(encode(big, 548)).overload == 2
    with pytest.raises(ValueError, match="does not fit"):
        encode(message(file=b"/kernel", sname=b"boot", options={43: b"v" * 350}), 548)


def test_what_does_not_fit_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="option 12 of 600 octets"):
        encode(message(options={12: b"x" * 600}))
    with pytest.raises(ValueError, match="82 does not fit"):
        encode(message(options={82: b"x" * 400}))
    with pytest.raises(ValueError, match="too long"):
        encode(message(chaddr=bytes(17)))


@pytest.mark.parametrize("code", [0, 52, 255, 256, -1])
def test_layout_options_cannot_be_set(code: int) -> None:
    with pytest.raises(ValueError, match="belong to the layout"):
        encode(message(options={code: b"\1"}))


def test_fit_keeps_what_a_reply_needs() -> None:
    needed = {53: b"\5", 54: b"abcd", 51: b"abcd", 61: b"x" * 100, 82: b"\1\2ab"}
    reply = message(options={53: b"\5", 43: b"v" * 250, 12: b"h" * 200, 15: b"d" * 200} | needed)
    assert fit(reply, 1400) is reply
    less = fit(reply, DEFAULT_LIMIT)
    assert less.options == {43: b"v" * 250} | needed
    assert decode(encode(less)).options == less.options
