"""All ways to name a client in a reservation, several for one address, and those of the whole file."""

import msgspec
import pytest

from relet.model.network import ClientClass, Network, Reservation
from relet.server.reservations import Reservations
from relet.wire.address import parse_ip
from relet.wire.message import Message
from relet.wire.options import MessageType
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    SERVER,
    Table,
    discover,
    ip,
    kind_of,
    reboot,
    renewing,
    request,
    reserved,
    selecting,
)

OPTION_82 = b"\1\4eth7" + b"\2\2\xaa\xbb" + b"\6\3tom"


def office(*rows: Reservation, everywhere: tuple[Reservation, ...] = ()) -> Network:
    """The office with reservations."""
    return msgspec.structs.replace(OFFICE, reservations=rows, everywhere=everywhere)


def yiaddr(reply: Message | None) -> int:
    """The address in a reply, 0 for silence."""
    return reply.yiaddr if reply is not None else 0


WAYS = [
    ("mac", MAC, {}),
    ("client-id", b"\1abc", {61: b"\1abc"}),
    ("circuit-id", b"eth7", {82: OPTION_82}),
    ("remote-id", b"\xaa\xbb", {82: OPTION_82}),
    ("subscriber-id", b"tom", {82: OPTION_82}),
    ("hostname", b"printer", {12: b"PRINTER\0"}),
    ("hostname", b"printer.example.org", {81: b"\0\0\0Printer.Example.org."}),
    ("hostname", b"printer.example.org", {81: b"\4\0\0\7Printer\7example\3org\0"}),
    ("option-97", b"\0" + bytes(16), {97: b"\0" + bytes(16)}),
    ("option-60", b"thing", {60: b"thing"}),
]


@pytest.mark.parametrize(("by", "key", "options"), WAYS)
@pytest.mark.parametrize("whole_file", [False, True])
def test_every_way_to_name_a_client(by: str, key: bytes, options: dict[int, bytes], whole_file: bool) -> None:
    row = Reservation(by, key, ip(20))
    table = Table(office(everywhere=(row,)) if whole_file else office(row))
    giaddr = RELAY if 82 in options else 0
    assert yiaddr(table.say(request(MessageType.DISCOVER, options, giaddr=giaddr))) == ip(20)
    assert table.verdict() == ("OFFER", "offered-reserved")
    other = table.say(discover(mac=OTHER_MAC))
    assert yiaddr(other) in range(ip(100), ip(110))
    assert kind_of(table.say(reboot(ip(20), OTHER_MAC))) == "NAK"
    assert table.verdict() == ("NAK", "reserved-for-other")


def test_the_order_of_ways() -> None:
    said = {61: b"\1abc", 82: OPTION_82, 12: b"printer", 60: b"thing"}
    message = Message(op=1, xid=1, chaddr=MAC, options=said)
    ways = ["mac", "client-id", "circuit-id", "remote-id", "subscriber-id", "hostname", "option-60"]
    keys = {by: key for by, key, _ in reversed(WAYS)} | {"hostname": b"printer"}
    rows = [Reservation(by, keys[by], ip(20 + n)) for n, by in enumerate(ways)]
    for first in range(len(rows)):
        assert Reservations(office(*reversed(rows[first:]))).of(message, OPTION_82) == rows[first]
    near, far = rows[-1], rows[0]
    assert Reservations(office(near, everywhere=(far,))).of(message, OPTION_82) == near
    assert Reservations(office()).of(message, OPTION_82) is None


def test_no_key_is_no_match() -> None:
    rows = [Reservation(by, b"x", ip(20)) for by in ("client-id", "circuit-id", "hostname", "option-60")]
    empty = Message(op=1, xid=1, chaddr=MAC, options={12: b"", 60: b"", 61: b"", 81: b"\4"})
    assert Reservations(office(*rows)).of(empty, b"") is None
    assert Reservations(office(*rows)).of(empty, None) is None


def test_an_address_of_the_whole_file_counts_only_where_it_lies() -> None:
    row = Reservation("mac", MAC, parse_ip("10.0.0.7"), hostname="laptop")
    table = Table(office(everywhere=(row,)))
    offer = table.say(discover())
    assert yiaddr(offer) in range(ip(100), ip(110))
    assert kind_of(table.say(selecting(yiaddr(offer)))) == "ACK"
    held = table.on(yiaddr(offer))
    assert held is not None
    assert held.hostname == "laptop"
    away = msgspec.structs.replace(OFFICE, everywhere=(row,), subnets=(subnet("10.0.0.0/24", (167772165, 167772175)),))
    assert yiaddr(Table(away).say(discover())) == parse_ip("10.0.0.7")


def test_a_reservation_without_an_address_gives_a_name_and_parameters() -> None:
    row = Reservation(
        "mac", MAC, hostname="tv", parameters=msgspec.structs.replace(OFFICE.parameters, options={15: b"tv"})
    )
    table = Table(office(row))
    offer = table.say(discover())
    assert offer is not None
    assert offer.options[15] == b"tv"
    ack = table.say(selecting(offer.yiaddr))
    assert kind_of(ack) == "ACK"
    assert kind_of(table.say(reboot(offer.yiaddr))) == "ACK"
    assert kind_of(table.say(renewing(offer.yiaddr))) == "ACK"
    assert table.verdict() == ("ACK", "rebound")
    held = table.on(offer.yiaddr)
    assert held is not None
    assert held.hostname == "tv"


def test_two_clients_share_an_address_one_after_the_other() -> None:
    table = Table(office(reserved(ip(20)), reserved(ip(20), OTHER_MAC)))
    assert yiaddr(table.say(discover())) == ip(20)
    assert yiaddr(table.say(discover(mac=OTHER_MAC))) in range(ip(100), ip(110))  # it is on offer
    assert kind_of(table.say(selecting(ip(20)))) == "ACK"
    other = yiaddr(table.say(discover(mac=OTHER_MAC)))
    assert other in range(ip(100), ip(110))
    assert kind_of(table.say(selecting(other, mac=OTHER_MAC))) == "ACK"
    # the holder has it, the other one is refused it
    assert kind_of(table.say(reboot(ip(20)))) == "ACK"
    assert kind_of(table.say(reboot(ip(20), OTHER_MAC))) == "NAK"
    assert table.verdict() == ("NAK", "bound-to-other")
    assert kind_of(table.say(reboot(other, OTHER_MAC))) == "ACK"
    # once it is free, whoever comes has it, and strangers do not
    table.later(4000)
    assert yiaddr(table.say(discover(mac=OTHER_MAC))) == ip(20)
    assert table.verdict() == ("OFFER", "offered-reserved")
    assert kind_of(table.say(reboot(ip(20), b"\0\0\0\0\0\7"))) == "NAK"
    assert table.verdict() == ("NAK", "reserved-for-other")


def granted_through_relay(table: Table, options: dict[int, bytes]) -> int:
    """The address that a client gets through the relay."""
    offer = table.say(request(MessageType.DISCOVER, options, giaddr=RELAY))
    chosen = {50: yiaddr(offer).to_bytes(4), 54: SERVER.to_bytes(4)}
    assert kind_of(table.say(request(MessageType.REQUEST, options | chosen, giaddr=RELAY))) == "ACK"
    return yiaddr(offer)


@pytest.mark.parametrize(
    ("by", "key"), [("circuit-id", b"eth7"), ("remote-id", b"\xaa\xbb"), ("subscriber-id", b"tom")]
)
def test_what_the_relay_said_lasts_through_renewals_by_unicast(by: str, key: bytes) -> None:
    # the host's name has a reservation of its own, which comes after that of the circuit
    table = Table(office(Reservation(by, key, ip(20)), Reservation("hostname", b"pc", ip(21))))
    address = granted_through_relay(table, {82: OPTION_82, 12: b"pc"})
    assert address == ip(20)
    table.later(1000)
    renewal = request(MessageType.REQUEST, {12: b"pc"}, ciaddr=ip(20))
    assert kind_of(table.say(renewal, broadcast=False)) == "ACK"
    assert table.verdict() == ("ACK", "renewed")


def test_without_client_identifiers_reservations_and_classes_still_see_them() -> None:
    """`match client-id: false`: two systems on one machine are one client, and option 61 may still name a reservation."""
    rows = (reserved(ip(20)), Reservation("client-id", b"\xffkey", ip(21)))
    table = Table(office(*rows), match_client_id=False, classes=(ClientClass("a"),), deny=("nobody",))
    first = table.say(request(MessageType.DISCOVER, {61: b"\xff1"}))
    assert (
        kind_of(table.say(request(MessageType.REQUEST, {61: b"\xff1", 50: ip(20).to_bytes(4), 54: SERVER.to_bytes(4)})))
        == "ACK"
    )
    assert yiaddr(first) == ip(20)
    assert kind_of(table.say(request(MessageType.REQUEST, {61: b"\xff2", 50: ip(20).to_bytes(4)}))) == "ACK"
    assert table.verdict() == ("ACK", "confirmed")
    assert yiaddr(table.say(request(MessageType.DISCOVER, {61: b"\xffkey"}, OTHER_MAC))) == ip(21)


def test_who_shares_an_address_keeps_it_from_one_identifier_to_the_next() -> None:
    table = Table(office(reserved(ip(20)), reserved(ip(20), OTHER_MAC)))
    as_loader, as_system = {61: b"\xff1"}, {61: b"\xff2"}
    chosen = {50: ip(20).to_bytes(4), 54: SERVER.to_bytes(4)}
    assert yiaddr(table.say(request(MessageType.DISCOVER, as_loader))) == ip(20)
    assert kind_of(table.say(request(MessageType.REQUEST, as_loader | chosen))) == "ACK"
    assert yiaddr(table.say(request(MessageType.DISCOVER, as_system))) == ip(20)
    assert kind_of(table.say(request(MessageType.REQUEST, as_system | chosen))) == "ACK"
    assert yiaddr(table.say(discover(mac=OTHER_MAC))) in range(ip(100), ip(110))
