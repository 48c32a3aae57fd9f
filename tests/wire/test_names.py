"""Domain names: what is read, what is written, and how compression is kept from doing harm."""

import pytest

from relet.errors import WireError
from relet.wire.cursor import Cursor
from relet.wire.names import MOST_JUMPS, MOST_NAMES, NAMES, labels_text, read_labels, text_labels
from relet.wire.options import DOMAIN_SEARCH, FQDN, RDNSS_SELECTION, SIP_SERVERS, V4_LOST


def test_names_are_compressed_over_the_whole_option() -> None:
    octets = DOMAIN_SEARCH.encode(("eng.apple.com", "marketing.apple.com"))
    # The example of RFC 3397 s2.
    assert octets == b"\3eng\5apple\3com\0\x09marketing\xc0\4"
    assert DOMAIN_SEARCH.decode(octets) == ("eng.apple.com", "marketing.apple.com")


def test_a_name_that_was_there_is_one_pointer() -> None:
    assert DOMAIN_SEARCH.encode(("a.org", "a.org")) == b"\1a\3org\0\xc0\0"


@pytest.mark.parametrize(
    "octets",
    [
        b"\xc0\0",  # to itself
        b"\1a\xc0\0",  # into its own name
        b"\xc0\2\1a\0",  # forwards
        b"\1a\0\xc0",  # half a pointer
        b"\1a\0\xc0\4",  # behind itself
        b"\1a\0\xc0\xff",  # behind the end
        b"\x40" + b"a" * 64 + b"\0",  # a length of RFC 2673
        b"\x80a",
        b"\5abc",  # label past the end
        b"\3abc",  # no root
        b"\1a\0\1b",
        (b"\x3f" + b"a" * 63) * 4 + b"\0",  # 257 octets
    ],
)
def test_malformed_names_are_refused(octets: bytes) -> None:
    with pytest.raises(WireError) as caught:
        DOMAIN_SEARCH.decode(octets)
    assert caught.value.reason == "bad-name"


def test_the_longest_name_has_255_octets() -> None:
    longest = (b"\x3f" + b"a" * 63) * 3 + b"\x3d" + b"a" * 61 + b"\0"
    assert len(longest) == 255
    (name,) = DOMAIN_SEARCH.decode(longest)
    assert DOMAIN_SEARCH.encode((name,)) == longest
    with pytest.raises(ValueError, match="255 octets"):
        DOMAIN_SEARCH.encode((name + "a",))
    with pytest.raises(ValueError, match="63 octets"):
        DOMAIN_SEARCH.encode(("a" * 64 + ".org",))


def test_pointers_are_followed_a_bounded_number_of_times() -> None:
    def chain(jumps: int) -> Cursor:
        octets = b"\0" + b"".join((0xC000 | max(at - 1, 0)).to_bytes(2, "big") for at in range(0, 2 * jumps, 2))
        cursor = Cursor(octets)
        cursor.take(len(octets) - 2)
        return cursor

    assert read_labels(chain(MOST_JUMPS)) == ([], True)
    with pytest.raises(WireError):
        read_labels(chain(MOST_JUMPS + 1))


def test_names_in_one_option_are_bounded() -> None:
    assert len(DOMAIN_SEARCH.decode(b"\1a\0" * MOST_NAMES)) == MOST_NAMES
    with pytest.raises(WireError) as caught:
        DOMAIN_SEARCH.decode(b"\1a\0" * (MOST_NAMES + 1))
    assert caught.value.reason == "too-many"
    with pytest.raises(ValueError, match="at most 256"):
        NAMES.write(("a",) * (MOST_NAMES + 1))


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([b"www", b"example", b"org"], "www.example.org"),
        ([], "."),
        ([b"a.b", b"c\\d"], r"a\.b.c\\d"),
        ([b"\0 \xff"], r"\000\032\255"),
        ([b"-_*"], "-_*"),
    ],
)
def test_text_of_labels(labels: list[bytes], text: str) -> None:
    assert labels_text(labels) == text
    assert text_labels(text)[0] == labels


@pytest.mark.parametrize("name", ["", "..", "a..b", ".a", "\\", "a\\1b", "\\256", "a.\\", "bücher.example"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        DOMAIN_SEARCH.parse([name])


def test_a_dot_at_the_end_says_nothing_new() -> None:
    assert DOMAIN_SEARCH.parse("example.org.") == DOMAIN_SEARCH.parse(["example.org"])
    assert text_labels("a\\..")[0] == [b"a."]


@pytest.mark.parametrize("row", [V4_LOST, RDNSS_SELECTION], ids=lambda row: row.name)
def test_compression_is_refused_where_it_is_forbidden(row: object) -> None:
    head = bytes(9) if row is RDNSS_SELECTION else b""
    with pytest.raises(WireError) as caught:
        row.decode(head + b"\1a\0\xc0\0")  # type: ignore[attr-defined]
    assert caught.value.reason in {"bad-name", "trailing-octets"}


def test_sip_servers_are_names_or_addresses() -> None:
    assert SIP_SERVERS.decode(b"\0\1a\0\1b\xc0\0") == (0, ("a", "b.a"))
    assert SIP_SERVERS.encode((0, ("a", "b.a"))) == b"\0\1a\0\1b\1a\0"
    assert SIP_SERVERS.parse({"addresses": ["1.2.3.4"]}) == b"\1\1\2\3\4"
    assert SIP_SERVERS.plain(b"\2abcd") == {"hex": "02:61:62:63:64"}


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        (b"\4\0\0\4host\7example\3org\0", (4, 0, 0, "host.example.org.")),
        (b"\4\0\0\4host", (4, 0, 0, "host")),  # partial, RFC 4702 s3.3
        (b"\5\xff\xff", (5, 255, 255, "")),
        (b"\4\0\0\0", (4, 0, 0, ".")),
        (b"\1\0\0host.example.org", (1, 0, 0, "host.example.org")),
    ],
)
def test_client_fqdn(octets: bytes, value: tuple[int, int, int, str]) -> None:
    assert FQDN.decode(octets) == value
    assert FQDN.encode(value) == octets


def test_client_fqdn_text() -> None:
    assert FQDN.text(b"\5\0\0\4host") == '"host" flags SE'
    assert FQDN.text(b"\0\1\2h\x1b[2J") == '"h\\x1b[2J" flags none rcodes 1 2'
