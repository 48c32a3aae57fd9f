"""RFC 2131, requirement by requirement, where no other test shows one: docs/conformance.md says which those are."""

import pytest
from msgspec.structs import replace

from relet.model.lease import LeaseState
from relet.model.network import Parameters, Reservation
from relet.wire.address import BROADCAST, BROADCAST_MAC, parse_ip
from relet.wire.message import BROADCAST_FLAG, Message, decode
from relet.wire.options import MessageType
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    SERVER,
    Table,
    address,
    arrive,
    discover,
    ip,
    kind_of,
    reboot,
    renewing,
    request,
    selecting,
)

PRINTER = parse_ip("192.168.1.77")
ASKED = {50: address(ip(100)), 55: bytes((1, 3, 6, 15)), 57: (1000).to_bytes(2), 12: b"host", 60: b"vendor"}
"""What clients say and no reply repeats (s4.3.1 table 3)."""


def bound() -> Table:
    table = Table()
    table.lease(ip(100))
    return table


def loud(message: Message) -> Message:
    """The same request with every field that a reply must not repeat."""
    return replace(message, hops=3, secs=7, options=message.options | {57: ASKED[57], 12: ASKED[12], 60: ASKED[60]})


REQUESTS = [
    ("OFFER", discover(ip(100)), 0),
    ("ACK", selecting(ip(100)), 0),
    ("ACK", reboot(ip(100)), 0),
    ("ACK", renewing(ip(100)), ip(100)),
    ("NAK", reboot(ip(101)), 0),
    ("NAK", renewing(ip(101)), 0),
    ("ACK", request(MessageType.INFORM, ciaddr=ip(7)), ip(7)),
]
EACH = pytest.mark.parametrize(
    ("kind", "message", "ciaddr"),
    REQUESTS,
    ids=["offer", "selecting", "reboot", "renewing", "nak", "nak-renewing", "inform"],
)


@EACH
@pytest.mark.parametrize("giaddr", [0, RELAY])
@pytest.mark.parametrize("flags", [0, BROADCAST_FLAG])
def test_fields_of_table_3(kind: str, message: Message, ciaddr: int, giaddr: int, flags: int) -> None:
    """R2131-3-02, R2131-3-04, R2131-3.1-21, R2131-4.3.1-15 to -19, -21 to -23, -31, -56."""
    asked = replace(loud(message), giaddr=giaddr, flags=flags)
    reply = bound().say(asked)
    assert reply is not None
    assert kind_of(reply) == kind
    assert (reply.op, reply.htype, len(reply.chaddr), reply.hops, reply.secs) == (2, 1, 6, 0, 0)
    assert (reply.xid, reply.giaddr, reply.chaddr, reply.ciaddr) == (asked.xid, giaddr, MAC, ciaddr)
    assert reply.yiaddr == (0 if kind == "NAK" or message.kind == MessageType.INFORM else ip(100))
    # what has no yiaddr, a relay cannot unicast (RFC 1542 s5.4)
    assert reply.flags == (flags | BROADCAST_FLAG if giaddr and not reply.yiaddr else flags)


@EACH
def test_options_of_table_3(kind: str, message: Message, ciaddr: int) -> None:  # noqa: ARG001
    """R2131-4.3.1-25 to -28, -32, -37, -38, -40, -44."""
    reply = bound().say(loud(message))
    assert reply is not None
    assert not {50, 55, 57} & set(reply.options)
    assert reply.ip(54) == SERVER
    granted = kind != "NAK" and message.kind != MessageType.INFORM
    assert ((51 in reply.options), (58 in reply.options), (59 in reply.options)) == (granted,) * 3
    if kind == "NAK":
        assert set(reply.options) == {53, 54, 56}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (discover(giaddr=RELAY), (RELAY, 67, None)),
        (discover(giaddr=RELAY, flags=BROADCAST_FLAG), (RELAY, 67, None)),
        (discover(ciaddr=ip(100)), (ip(100), 68, None)),
        (discover(flags=BROADCAST_FLAG), (BROADCAST, 68, BROADCAST_MAC)),
        (discover(), (ip(100), 68, MAC)),
        (selecting(ip(100), giaddr=RELAY), (RELAY, 67, None)),
        (selecting(ip(100), flags=BROADCAST_FLAG), (BROADCAST, 68, BROADCAST_MAC)),
        (selecting(ip(100)), (ip(100), 68, MAC)),
    ],
)
def test_offers_and_grants_go_where_section_4_1_says(message: Message, expected: tuple[int, int, bytes | None]) -> None:
    """R2131-3.1-08, R2131-4.1-04, -13 to -16, -42 to -44."""
    (send,) = bound().handle(arrive(message))
    assert (send.destination, send.port, send.mac) == expected


@pytest.mark.parametrize("reserved_bits", [1, 0x4000, 0x7FFF])
@pytest.mark.parametrize("flags", [0, BROADCAST_FLAG])
def test_the_reserved_flags_change_nothing(flags: int, reserved_bits: int) -> None:
    """R2131-2-10."""
    (plain,) = bound().handle(arrive(reboot(ip(100), flags=flags)))
    (odd,) = bound().handle(arrive(reboot(ip(100), flags=flags | reserved_bits)))
    assert (odd.destination, odd.mac, odd.port) == (plain.destination, plain.mac, plain.port)
    assert decode(odd.payload).options == decode(plain.payload).options


def test_the_grant_says_what_the_offer_said() -> None:
    """R2131-3.1-19, R2131-4.3.2-04."""
    table = Table(boot_file=b"pxe.0", next_server=SERVER)
    offer = table.say(discover())
    assert offer is not None
    grant = table.say(selecting(offer.yiaddr))
    assert grant is not None
    assert {**grant.options, 53: b""} == {**offer.options, 53: b""}
    assert (grant.yiaddr, grant.siaddr, grant.file) == (offer.yiaddr, offer.siaddr, offer.file)


@pytest.mark.parametrize(
    "identifier", [b"\x01" + MAC, b"\x00" + MAC, b"\xff\x00\x00\x00\x01\x00\x03\x00\x01" + MAC, MAC]
)
def test_a_client_identifier_is_a_key_and_nothing_else(identifier: bytes) -> None:
    """R2131-2-03: not even one that holds the hardware address, or that of another client, is taken apart."""
    table = bound()
    stranger = reboot(ip(100), OTHER_MAC)
    stranger.options[61] = identifier
    assert kind_of(table.say(stranger)) == "NAK"
    assert table.verdict() == ("NAK", "bound-to-other")


def test_one_identifier_on_two_cards_is_one_client() -> None:
    """R2131-4.2-05, R2131-2.1-02, R2131-3.1-18."""
    table = Table()
    first, second = selecting(ip(100)), reboot(ip(100), OTHER_MAC)
    first.options[61] = second.options[61] = b"\x00laptop"
    assert [kind_of(table.say(each)) for each in (first, second)] == ["ACK", "ACK"]
    assert table.verdict() == ("ACK", "confirmed")


def test_the_same_octets_on_hardware_of_another_type_are_another_client() -> None:
    """R2131-2.1-03."""
    table = bound()
    assert kind_of(table.say(replace(reboot(ip(100)), htype=6))) == "NAK"
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"


def test_parameters_of_the_client_and_of_its_subnet_are_those_that_it_gets() -> None:
    """R2131-4.3.1-51, -54, R2131-1.6-11."""
    far = subnet("192.168.2.0/24", (parse_ip("192.168.2.10"), parse_ip("192.168.2.20")), options={3: b"far!"})
    printer = Reservation("mac", OTHER_MAC, PRINTER, parameters=Parameters(options={6: b"mine"}))
    table = Table(OFFICE, subnets=(*OFFICE.subnets, far), reservations=(printer,))
    near, kept = table.say(discover()), table.say(discover(mac=OTHER_MAC))
    away = table.say(discover(mac=b"\2\2\2\2\2\2", giaddr=parse_ip("192.168.2.1")))
    assert near is not None
    assert kept is not None
    assert away is not None
    assert (near.options[3], near.options[6]) == (SERVER.to_bytes(4), SERVER.to_bytes(4))
    assert (kept.yiaddr, kept.options[3], kept.options[6]) == (PRINTER, SERVER.to_bytes(4), b"mine")
    assert away.options[3] == b"far!"


def test_an_inform_does_not_look_at_leases() -> None:
    """R2131-3.4-03, R2131-3.4-08, R2131-4.3.5-04: another client's lease on the address is no matter."""
    table = Table()
    before = table.lease(ip(100), OTHER_MAC)
    reply = table.say(request(MessageType.INFORM, ciaddr=ip(100)))
    assert reply is not None
    assert (kind_of(reply), reply.yiaddr, list(reply.options)) == ("ACK", 0, [53, 54, 1, 3, 6, 15])
    assert list(table.store.all()) == [before]


def test_times_are_seconds_from_now_and_the_record_outlasts_the_promise() -> None:
    """R2131-3.3-01, -03, -04, R2131-4.3.1-11: relative, 32 bits, and by the client's own clock."""
    table = Table(lease_time=0xFFFFFFFE, max_lease_time=0xFFFFFFFE)
    reply = table.say(selecting(ip(100)))
    assert reply is not None
    assert reply.options[51] == b"\xff\xff\xff\xfe"
    held = table.on(ip(100))
    assert held is not None
    assert held.expires - table.now.wall > 0xFFFFFFFE


def test_t1_and_t2_fit_the_time_that_is_left() -> None:
    """R2131-4.4.5-14, R2131-4.4.5-15."""
    table = Table(cache_threshold=0.25)
    table.lease(ip(100), seconds=2000)
    reply = table.say(renewing(ip(100)))
    assert reply is not None
    assert (reply.uint(51), reply.uint(58), reply.uint(59)) == (2000, 1000, 1750)


@pytest.mark.parametrize("state", [LeaseState.BOUND, LeaseState.RELEASED])
def test_a_lease_that_nobody_gave_back_ends_by_itself(state: LeaseState) -> None:
    """R2131-4.4.6-02."""
    table = Table(subnets=(subnet("192.168.1.0/24", (ip(100), ip(100))),))
    table.lease(ip(100), OTHER_MAC, seconds=10, state=state)
    table.restart()
    table.later(11)
    reply = table.say(discover())
    assert reply is not None
    assert reply.yiaddr == ip(100)


def test_a_server_with_several_addresses_is_any_of_them() -> None:
    """R2131-4.1-05, R2131-4.1-06, R2131-4.1-08."""
    table = Table()
    other = ip(2)
    table.engine.own = frozenset({SERVER, other})
    for named, answer in ((SERVER, "ACK"), (other, "ACK"), (ip(3), "SILENT")):
        assert kind_of(table.say(selecting(ip(100), named))) == answer
    offer = table.say(discover(mac=OTHER_MAC), local=other)
    assert offer is not None
    assert offer.ip(54) == other
