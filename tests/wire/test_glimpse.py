"""A glimpse sees what decoding sees, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relet.wire.glimpse import MOST_OPTIONS, glimpse
from relet.wire.message import COOKIE, decode

HEADER = b"\1\1\6\0" + bytes(232)
TELLING = (53, 61, 50, 54)
FULL = b"\x35\1\3" + b"\x3d\7\1abcdef" + b"\x32\4\xc0\0\2\1" + b"\x0c\4host" + b"\x36\4\xc0\0\2\2"

codes = st.one_of(st.sampled_from((*TELLING, 12, 55, 52, 0, 255)), st.integers(0, 255))
options = st.tuples(codes, st.binary(max_size=12)).map(lambda each: bytes((each[0], len(each[1]))) + each[1])
fields = st.one_of(st.lists(options, max_size=12).map(b"".join), st.binary(max_size=60))


@given(fields, st.binary(max_size=3))
def test_it_is_what_decoding_sees(field: bytes, behind: bytes) -> None:
    data = HEADER + COOKIE + field + behind
    seen = glimpse(data)
    if seen is not None:
        options = decode(data).options
        assert seen == {code: octets for code, octets in options.items() if code in TELLING}


@given(st.binary(max_size=300))
def test_no_octets_are_a_bug(data: bytes) -> None:
    assert glimpse(data) is None or data[236:240] == COOKIE


@pytest.mark.parametrize(
    ("field", "seen"),
    [
        (FULL + b"\xff", {53: b"\3", 61: b"\1abcdef", 50: b"\xc0\0\2\1", 54: b"\xc0\0\2\2"}),
        (FULL, {53: b"\3", 61: b"\1abcdef", 50: b"\xc0\0\2\1", 54: b"\xc0\0\2\2"}),
        (b"\0\0\x35\1\1\xff" + bytes(60), {53: b"\1"}),
        (b"\xff" + FULL, {}),
        (b"", {}),
        (b"\x35\1\1\x3d\3\1ab\x3d\2cd\xff", None),  # RFC 3396: an identifier in two parts
        (b"\x35\1\1\x34\1\1\xff", None),  # RFC 2132 s9.3: more options in the file field
        (b"\x35\1\1\x3d\7\1abc", None),
        (b"\x35", None),
        (b"\x0c\0" * MOST_OPTIONS + b"\x35\1\1\xff", None),
    ],
)
def test_shapes_of_the_options_field(field: bytes, seen: dict[int, bytes] | None) -> None:
    assert glimpse(HEADER + COOKIE + field) == seen


def test_without_a_cookie_there_is_none() -> None:
    assert glimpse(HEADER + bytes(64)) is None
