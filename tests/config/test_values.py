"""Values as an operator writes them."""

from collections.abc import Callable

import pytest

from relet.config import values
from relet.config.values import Span
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE

A = parse_ip("10.0.0.0")


@pytest.mark.parametrize(
    ("read", "configured", "expected"),
    [
        (values.duration, "8h", 28800),
        (values.duration, "30m", 1800),
        (values.duration, "1d12h", 129600),
        (values.duration, "90s", 90),
        (values.duration, "1w", 604800),
        (values.duration, 7, 7),
        (values.duration, "0s", 0),
        (values.lease_duration, "infinite", INFINITE),
        (values.lease_duration, 3600, 3600),
        (values.share, 0.5, 0.5),
        (values.threshold, 1, 1.0),
        (values.threshold, 0.75, 0.75),
        (values.span, "10.0.0.1-10.0.0.9", Span(A + 1, A + 9)),
        (values.span, "10.0.0.1 - 10.0.0.9", Span(A + 1, A + 9)),
        (values.span, "10.0.0.1", Span(A + 1, A + 1)),
        (values.span, "10.0.0.0/30", Span(A, A + 3, whole=True)),
        (values.prefix, "10.0.0.0/8", (A, 8)),
        (values.prefix, "1.0.0.0/8", (1 << 24, 8)),
        (values.prefix, "223.0.0.0/8", (223 << 24, 8)),
        (values.route, {"to": "0.0.0.0/0", "via": "10.0.0.1"}, (0, 0, A + 1)),
        (values.buffer_size, "64KiB", 65536),
        (values.buffer_size, "64MiB", 64 << 20),
        (values.buffer_size, "1GiB", 1 << 30),
        (values.mac, "52:54:00:12:34:56", bytes.fromhex("525400123456")),
        (values.mac, "52-54-00-12-34-56", bytes.fromhex("525400123456")),
        (values.identifier, "01:52:54", b"\x01\x52\x54"),
        (values.identifier, "0x0152", b"\x01\x52"),
        (values.identifier, "eth0/1", b"eth0/1"),
        (values.identifier, "abcd", b"abcd"),
        (values.identifier, "text:01:52", b"01:52"),
        (values.identifier, "bücher", "bücher".encode()),
        (values.hostname, "printer-2.example.org", "printer-2.example.org"),
    ],
)
def test_good_values(read: Callable[[object], object], configured: object, expected: object) -> None:
    assert read(configured) == expected


@pytest.mark.parametrize(
    ("read", "configured", "says"),
    [
        (values.duration, "8 hours", "not a duration; write '8h'"),
        (values.duration, "٨h", "not a duration; write '8h'"),
        (values.wait, "٨s", "not a short time; write '500ms'"),
        (values.prefix, "10.0.0.0/٢٤", "not a prefix such as 192.168.1.0/24"),
        (values.duration, "", "not a duration"),
        (values.duration, True, "not a duration"),
        (values.duration, 1.5, "not a duration"),
        (values.duration, -1, "not between 0 and"),
        (values.duration, "9999999999w", "not between 0 and"),
        (values.period, "0s", "no time at all"),
        (values.lease_duration, "forever", "or 'infinite'"),
        (values.share, 1.0, "between 0 and 1"),
        (values.share, 1, "between 0 and 1"),
        (values.share, "half", "between 0 and 1"),
        (values.threshold, 1.1, "up to 1"),
        (values.threshold, True, "up to 1"),
        (values.threshold, float("nan"), "up to 1"),
        (values.address, "10.0.0", "not an IPv4 address"),
        (values.address, 10, "quotation marks"),
        (values.prefix, "10.0.0.1/8", "write 10.0.0.0/8"),
        (values.span, "10.0.0.9-10.0.0.1", "write '10.0.0.1-10.0.0.9'"),
        (values.span, "10.0.0.0/33", "not a prefix"),
        (values.span, "10.0.0.1-", "not an IPv4 address"),
        (values.buffer_size, "64 MB", "not a size; write '64MiB'"),
        (values.buffer_size, 65536, "not a size; write '64MiB'"),
        (values.buffer_size, "٦٤MiB", "not a size; write '64MiB'"),
        (values.buffer_size, "63KiB", "not between '64KiB' and '1GiB'"),
        (values.buffer_size, "2GiB", "not between '64KiB' and '1GiB'"),
        (values.mac, "52:54:00:12:34", "5 octets; write six"),
        (values.mac, "printer", "not hexadecimal"),
        (values.identifier, "0x", "0 octets"),
        (values.identifier, "0x0g", "not hexadecimal"),
        (values.identifier, "x" * 256, "256 octets"),
        (values.identifier, "", "empty"),
        (values.hostname, "my printer", "not a host name"),
        (values.hostname, "-x", "not a host name"),
        (values.hostname, "a..b", "not a host name"),
        (values.interface, "a-very-long-name", "not the name of an interface"),
        (values.interface, "a\tb", "control characters"),
        (values.tables, {}, "two brackets"),
        (values.tables, [1], "two brackets"),
        (values.table, [], "not a table"),
    ],
)
def test_bad_values_say_what_to_write(read: Callable[[object], object], configured: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read(configured)


@pytest.mark.parametrize("read", [values.prefix, values.span])
@pytest.mark.parametrize(
    "configured",
    ["0.0.0.0/0", "0.0.0.0/24", "224.0.0.0/8", "127.0.0.0/8", "127.1.0.0/16", "255.255.255.0/24", "64.0.0.0/2"],
)
def test_prefixes_that_no_host_lies_in(read: Callable[[object], object], configured: str) -> None:
    with pytest.raises(ValueError, match="/") as caught:
        read(configured)
    assert str(caught.value) == f"'{configured}' has addresses that no host has; write one such as 192.168.1.0/24"


@pytest.mark.parametrize("configured", [0, -1, values.MOST_BACKLOG + 1, "many", True])
def test_a_backlog_has_bounds(configured: object) -> None:
    with pytest.raises(ValueError, match="from 1 to 10000000"):
        values.backlog(configured)
    assert values.backlog(200_000) == 200_000
