"""The octets of the reply and where they go: RFC 2131 s4.1 and s4.3.1 table 3, RFC 3046, RFC 6842."""

import msgspec
import pytest

from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.codes import INFINITE
from relet.wire.message import BROADCAST_FLAG, Message, decode
from relet.wire.options import MessageType
from support.table import MAC, OFFICE, RELAY, SERVER, Table, arrive, discover, ip, reboot, renewing, request, selecting

AGENT = b"\x01\x04eth7\x02\x03abc"


def known(**policy: object) -> Table:
    table = Table(OFFICE, store=None, **policy)
    table.lease(ip(100))
    return table


@pytest.mark.parametrize(
    ("message", "where", "expected"),
    [
        (reboot(ip(100), giaddr=RELAY, flags=BROADCAST_FLAG), {}, (RELAY, 67, None)),
        (renewing(ip(100), giaddr=RELAY), {}, (RELAY, 67, None)),
        (renewing(ip(100)), {"broadcast": False}, (ip(100), 68, None)),
        (renewing(ip(100), flags=BROADCAST_FLAG), {}, (ip(100), 68, None)),
        (reboot(ip(100), flags=BROADCAST_FLAG), {}, (BROADCAST, 68, BROADCAST_MAC)),
        (reboot(ip(100)), {}, (ip(100), 68, MAC)),
        (reboot(ip(101)), {}, (BROADCAST, 68, BROADCAST_MAC)),  # a NAK
        (reboot(ip(101), giaddr=RELAY), {}, (RELAY, 67, None)),
    ],
)
def test_destination(message: Message, where: dict[str, object], expected: tuple[int, int, bytes | None]) -> None:
    (send,) = known().handle(arrive(message, **where))
    assert (send.destination, send.port, send.mac) == expected
    assert send.source == SERVER


@pytest.mark.parametrize(
    ("interfaces", "expected"),
    [
        (("eth0",), (BROADCAST, 68, "eth0", BROADCAST_MAC)),
        ((), (ip(101), 68, "", None)),
        (("eth0", "eth1"), (ip(101), 68, "", None)),
    ],
)
def test_refused_renewal_is_broadcast_where_the_link_is_known_and_unicast_elsewhere(
    interfaces: tuple[str, ...], expected: tuple[int, int, str, bytes | None]
) -> None:
    (send,) = known(interfaces=interfaces).handle(arrive(renewing(ip(101)), broadcast=False, interface=""))
    assert decode(send.payload).kind == MessageType.NAK
    assert (send.destination, send.port, send.interface, send.mac) == expected


def test_hardware_without_ethernet_address_is_answered_by_broadcast() -> None:
    infiniband = msgspec.structs.replace(discover(mac=b""), htype=32)
    infiniband.options[61] = b"\xff\x01\x02\x03\x04\x00\x02\x00\x00"
    (send,) = Table().handle(arrive(infiniband))
    assert (send.destination, send.mac) == (BROADCAST, BROADCAST_MAC)


def test_fields_of_an_ack() -> None:
    message = renewing(ip(100), flags=0x8000)
    reply = known().say(message)
    assert reply is not None
    assert (reply.op, reply.xid, reply.flags, reply.chaddr, reply.ciaddr, reply.yiaddr, reply.hops, reply.secs) == (
        2, message.xid, 0x8000, MAC, ip(100), ip(100), 0, 0,
    )  # fmt: skip
    assert reply.ip(54) == SERVER


def test_offer_has_no_ciaddr() -> None:
    reply = known().say(msgspec.structs.replace(discover(), ciaddr=ip(100)))
    assert reply is not None
    assert (reply.ciaddr, reply.yiaddr) == (0, ip(100))


def test_nak_says_who_refuses_and_why_and_nothing_else() -> None:
    message = reboot(ip(101), giaddr=RELAY)
    message.options[61] = b"\x01" + MAC
    message.options[82] = AGENT
    table = Table()
    reply = table.say(msgspec.structs.replace(message, options=message.options | {50: bytes((10, 0, 0, 1))}))
    assert reply is not None
    assert list(reply.options) == [53, 54, 56, 61, 82]
    assert reply.options[82] == AGENT
    assert reply.flags & BROADCAST_FLAG
    assert (reply.yiaddr, reply.siaddr, reply.ciaddr, reply.giaddr) == (0, 0, 0, RELAY)
    assert b"10.0.0.1 does not belong to the network" in reply.options[56]


def test_parameters_in_the_order_of_the_request_with_the_mask_first() -> None:
    message = reboot(ip(100))
    message.options[55] = bytes((15, 6, 3, 42, 1))
    reply = known().say(message)
    assert reply is not None
    assert list(reply.options) == [53, 54, 51, 58, 59, 1, 15, 6, 3]


def test_without_a_parameter_list_everything_configured_is_sent() -> None:
    message = reboot(ip(100))
    del message.options[55]
    reply = known().say(message)
    assert reply is not None
    assert set(reply.options) == {53, 54, 51, 58, 59, 1, 3, 15, 6}


def test_client_identifier_and_relay_information_are_echoed_last() -> None:
    table = Table()
    message = request(MessageType.DISCOVER, {61: b"\x00me", 82: AGENT}, giaddr=RELAY)
    reply = table.say(message)
    assert reply is not None
    assert list(reply.options)[-2:] == [61, 82]
    assert (reply.options[61], reply.options[82]) == (b"\x00me", AGENT)


@pytest.mark.parametrize(
    ("asked", "given"), [(None, 3600), (1800, 1800), (1, 60), (99_999, 3600), (INFINITE, 3600), (0, 3600)]
)
def test_lease_time_is_held_between_minimum_and_maximum(asked: int | None, given: int) -> None:
    message = reboot(ip(100))
    if asked is not None:
        message.options[51] = asked.to_bytes(4, "big")
    reply = known().say(message)
    assert reply is not None
    assert (reply.uint(51), reply.uint(58), reply.uint(59)) == (given, given // 2, int(given * 0.875))


def test_infinite_lease() -> None:
    table = known(lease_time=INFINITE)
    reply = table.say(reboot(ip(100)))
    assert reply is not None
    assert (reply.uint(51), reply.uint(58), reply.uint(59)) == (INFINITE,) * 3
    table.later(10**9)
    assert table.say(reboot(ip(100))) is not None
    assert table.verdict() == ("ACK", "confirmed")


@pytest.mark.parametrize(("asked", "limit"), [(None, 548), (300, 548), (576, 548), (1000, 972), (65535, 1472)])
def test_replies_fit_what_the_client_takes(asked: int | None, limit: int) -> None:
    many = {code: bytes(100) for code in (15, 17, 40, 47, 64, 66, 67, 100, 101, 114, 209, 210, 252)}
    table = known(options=many)
    message = reboot(ip(100), giaddr=RELAY)
    message.options[55] = bytes((1, 3, 6, *many))
    message.options[82] = AGENT
    if asked is not None:
        message.options[57] = asked.to_bytes(2, "big")
    (send,) = table.handle(arrive(message))
    assert not table.engine.bugs
    assert len(send.payload) <= limit
    reply = decode(send.payload)
    assert {53, 54, 51, 58, 59, 1, 3, 6, 82} <= set(reply.options)
    assert bytes((82, len(AGENT))) + AGENT + b"\xff" in send.payload
    assert len(set(many) & set(reply.options)) >= min(limit, 1472) // 100 - 3


def test_short_replies_are_padded_to_the_bootp_minimum() -> None:
    message = discover()
    message.options[55] = b"\x01"
    (send,) = Table().handle(arrive(message))
    assert len(send.payload) == 300


def test_prepared_replies_are_told_apart() -> None:
    table = known()
    short, full = reboot(ip(100)), reboot(ip(100))
    short.options[55] = bytes((1,))
    first, second = table.say(short), table.say(full)
    assert first is not None
    assert second is not None
    assert 3 not in first.options
    assert 3 in second.options


def test_server_answers_under_the_name_that_the_client_chose() -> None:
    table = Table()
    other = ip(2)
    table.engine.own = frozenset({SERVER, other})
    reply = table.say(selecting(ip(100), other))
    assert reply is not None
    assert reply.ip(54) == other
