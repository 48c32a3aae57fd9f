"""What clients are called: the policy, what DNS permits, and the answers in options 12 and 81 (RFC 4702)."""

import pytest

from relet.model.network import Reservation
from relet.server.names import permitted
from relet.wire.message import Message, decode
from relet.wire.options import MessageType
from support.table import MAC, OFFICE, Table, arrive, discover, ip, reboot, request, selecting

S, OVERRIDDEN, E, N = 1, 2, 4, 8
DOMAIN = b"\x07example\x03org\x00"
PRINTER = Reservation("mac", MAC, ip(20), "printer")


def office(**policy: object) -> Table:
    return Table(OFFICE, store=None, **policy)


def called(name: bytes | None, fqdn: bytes | None = None, asks: bool = True) -> Message:
    """A DHCPREQUEST of SELECTING with options 12 and 81, None for none of it."""
    message = selecting(ip(100))
    if asks:
        message.options[55] += b"\x0c"
    if name is not None:
        message.options[12] = name
    if fqdn is not None:
        message.options[81] = fqdn
    return message


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"host", "host"),
        (b"Host-7.example.org", "Host-7.example.org"),
        (b"my laptop_2", "my-laptop-2"),
        (b"--x--", "x"),
        (b"a..b.", "a.b"),
        (b"..", ""),
        (b"___", ""),
        (b"", ""),
        ("b\N{LATIN SMALL LETTER U WITH DIAERESIS}ro".encode(), "b-ro"),
        (b"\x1b[31m", "31m"),
        (b"x" * 70, "x" * 63),
        (b"x" * 62 + b"_y", "x" * 62),
        (b".".join([b"x" * 63] * 5), ".".join(["x" * 63] * 3)),
    ],
)
def test_names_are_what_dns_permits(raw: bytes, name: str) -> None:
    assert permitted(raw.split(b".")) == name


@pytest.mark.parametrize(
    ("policy", "reservations", "said", "name"),
    [
        ("client", (), b"laptop", "laptop"),
        ("client", (), b"lap top\0\0", "lap-top"),
        ("client", (), None, ""),
        ("client", (PRINTER,), b"laptop", "printer"),
        ("reserved", (), b"laptop", ""),
        ("reserved", (PRINTER,), b"laptop", "printer"),
        ("none", (), b"laptop", ""),
        ("generate", (), b"laptop", "laptop"),
        ("generate", (), b"!", "dhcp-192-168-1-100"),
        ("generate", (), None, "dhcp-192-168-1-100"),
        ("generate", (PRINTER,), None, "printer"),
    ],
)
def test_whose_word_a_name_is(
    policy: str, reservations: tuple[Reservation, ...], said: bytes | None, name: str
) -> None:
    table = office(hostnames=policy, reservations=reservations)
    address = ip(20) if reservations else ip(100)
    message = called(said)
    message.options[50] = address.to_bytes(4, "big")
    reply = table.say(message)
    lease = table.on(address)
    assert reply is not None
    assert lease is not None
    assert (lease.hostname, reply.options.get(12, b"")) == (name, name.encode())


def test_the_pattern_is_the_operators() -> None:
    reply = office(hostnames="generate", hostname_pattern="pc{address}.dyn").say(called(None))
    assert reply is not None
    assert reply.options[12] == b"pc192-168-1-100.dyn"


def test_a_name_comes_where_it_was_asked_for_and_to_nobody_else() -> None:
    table = office()
    message = called(b"laptop")
    message.options[55] = bytes((3, 12, 6))
    reply = table.say(message)
    assert reply is not None
    assert list(reply.options) == [53, 54, 51, 58, 59, 1, 3, 12, 6]
    other = table.say(called(b"laptop", asks=False))
    assert other is not None
    assert 12 not in other.options
    del message.options[55]
    unlisted = table.say(message)
    assert unlisted is not None
    assert unlisted.options[12] == b"laptop"


def test_prepared_replies_hold_nobodys_name() -> None:
    table = office()
    first, second, third = (table.say(called(name)) for name in (b"one", None, b"three"))
    assert [reply.options.get(12) for reply in (first, second, third) if reply is not None] == [b"one", None, b"three"]


def test_a_configured_host_name_is_for_everybody() -> None:
    reply = office(options={12: b"guest"}).say(called(b"laptop"))
    assert reply is not None
    assert reply.options[12] == b"guest"


def test_a_name_stands_in_a_long_reply_too() -> None:
    many = {code: bytes(100) for code in (17, 40, 47, 64, 100, 101, 114)}
    for name in (b"laptop", None):
        message = called(name)
        message.options[55] = bytes((12, *many))
        (send,) = office(options=many).handle(arrive(message))
        assert len(send.payload) <= 548
        assert decode(send.payload).options.get(12) == name


@pytest.mark.parametrize(
    ("fqdn", "answer"),
    [
        # what the client sends                 flags of the answer, name
        (bytes((E, 0, 0)) + b"\x04host", bytes((E | N, 255, 255)) + b"\x04host" + DOMAIN),
        (bytes((E | S, 0, 0)) + b"\x04host", bytes((E | N | OVERRIDDEN, 255, 255)) + b"\x04host" + DOMAIN),
        (bytes((E | N, 7, 7)) + b"\x04host", bytes((E | N, 255, 255)) + b"\x04host" + DOMAIN),
        (bytes((0xF0 | E | S, 0, 0)) + b"\x04host", bytes((E | N | OVERRIDDEN, 255, 255)) + b"\x04host" + DOMAIN),
        (bytes((E | S, 0, 0)) + b"\x01a\x02lo\x00", bytes((E | N | OVERRIDDEN, 255, 255)) + b"\x01a\x02lo\x00"),
        (bytes((E, 0, 0)) + b"\x01a\x00", bytes((E | N, 255, 255)) + b"\x01a\x00"),
        (bytes((E, 0, 0)) + b"\x03a b\x00", bytes((E | N, 255, 255)) + b"\x03a-b\x00"),
        (bytes((S, 0, 0)) + b"host", bytes((N | OVERRIDDEN, 255, 255)) + b"host.example.org"),
        (bytes((0, 0, 0)) + b"host.lan", bytes((N, 255, 255)) + b"host.lan"),
        (bytes((E, 0, 0)), None),  # no name to answer with
        (bytes((E, 0, 0)) + b"\x09cut", None),
        (b"\x04", None),
    ],
)
def test_answers_to_the_fqdn_option(fqdn: bytes, answer: bytes | None) -> None:
    """R4702-2.1-02, R4702-2.1-03, R4702-2.1-04, R4702-2.1-05, R4702-2.2-01, R4702-4-02."""
    table = office()
    for message in (discover(), called(None)):
        message.options[81] = fqdn
        reply = table.say(message)
        assert reply is not None
        assert reply.options.get(81) == answer


def test_the_host_name_does_not_count_beside_the_fqdn_option() -> None:
    """R4702-4-01."""
    table = office()
    reply = table.say(called(b"other", bytes((E, 0, 0)) + b"\x04host"))
    lease = table.on(ip(100))
    assert reply is not None
    assert lease is not None
    assert (lease.hostname, reply.options[12], reply.options[81][3:]) == ("host", b"host", b"\x04host" + DOMAIN)


def test_a_malformed_fqdn_option_is_as_if_it_were_not_there() -> None:
    table = office()
    assert table.say(called(b"other", b"\x04")) is not None
    lease = table.on(ip(100))
    assert lease is not None
    assert lease.hostname == "other"


def test_who_leaves_the_name_to_the_server_is_told_it() -> None:
    """R4702-4-02."""
    generated = office(hostnames="generate").say(called(None, bytes((E | S, 0, 0))))
    kept = office(reservations=(PRINTER,)).say(reboot_with(bytes((E, 0, 0)) + b"\x04host\x00"))
    assert generated is not None
    assert kept is not None
    assert generated.options[81][3:] == b"\x12dhcp-192-168-1-100" + DOMAIN
    assert kept.options[81][3:] == b"\x07printer" + DOMAIN


def reboot_with(fqdn: bytes) -> Message:
    message = reboot(ip(20))
    message.options[81] = fqdn
    return message


def test_without_a_domain_a_partial_name_stays_partial() -> None:
    for domain in (b"", b"___", b"d." * 120):
        reply = office(options={15: domain}).say(called(None, bytes((E, 0, 0)) + b"\x3f" + b"h" * 63))
        assert reply is not None
        assert reply.options[81] == bytes((E | N, 255, 255)) + b"\x3f" + b"h" * 63


def test_only_who_sends_the_option_gets_it_and_only_in_an_allocation() -> None:
    table = office(options={81: bytes(4)}, force=frozenset((81,)))
    asking = called(None)
    asking.options[55] += b"\x51"
    plain = table.say(asking)
    message = request(MessageType.INFORM, {81: bytes((E, 0, 0)) + b"\x04host"}, ciaddr=ip(7))
    informed = table.say(message)
    foreign = reboot(0x0A000001)
    foreign.options[81] = bytes((E, 0, 0)) + b"\x04host"
    refused = table.say(foreign)
    assert plain is not None
    assert informed is not None
    assert (81 in plain.options, 81 in informed.options) == (False, False)
    assert refused is not None
    assert (refused.kind, 81 in refused.options) == (MessageType.NAK, False)
