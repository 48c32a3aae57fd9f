"""What operators and attackers could do to the engine, found by trying; each on its own."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from relet.errors import StoreError
from relet.model.lease import Change, Committed, LeaseState
from relet.model.network import Reservation
from relet.server.allocate import MAX_GOES, MAX_TRIES
from relet.server.told import told
from relet.store.memory import MemoryStore
from relet.wire.address import hex_text, parse_ip
from relet.wire.message import Message, fit
from relet.wire.options import MessageType
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    Table,
    address,
    discover,
    ip,
    kind_of,
    reboot,
    renewing,
    request,
    reserved,
    selecting,
)

PORT_7 = b"\x01\x06port-7"


def test_a_client_reserved_by_its_circuit_may_renew_past_the_relay() -> None:
    """RFC 3046 s2.2: a renewal by unicast has no option 82."""
    table = Table(reservations=(Reservation("circuit-id", b"port-7", ip(50)),))
    for message in (discover(giaddr=RELAY), selecting(ip(50), giaddr=RELAY)):
        message.options[82] = PORT_7
        reply = table.say(message, broadcast=False)
        assert reply is not None
        assert reply.yiaddr == ip(50)
    for _ in range(2):
        assert kind_of(table.say(renewing(ip(50)), broadcast=False, interface="")) == "ACK"
        held = table.on(ip(50))
        assert held is not None
        assert held.relay == PORT_7
        table.later(5)
    assert kind_of(table.say(renewing(ip(50), OTHER_MAC), broadcast=False, interface="")) == "NAK"


def test_a_renamed_network_keeps_its_addresses_and_clients() -> None:
    table = Table()
    table.lease(ip(100), seconds=100)
    for number in range(1, 10):
        table.lease(ip(100 + number), bytes((2, 0, 0, 0, 0, number)), seconds=10)
    renamed = Table(replace(OFFICE, name="hq"), store=table.store)
    reply = renamed.say(discover())
    assert reply is not None
    assert (renamed.verdict(), reply.yiaddr) == (("OFFER", "offered-current"), ip(100))
    renamed.later(50)
    reply = renamed.say(discover(mac=OTHER_MAC))
    assert reply is not None
    assert renamed.verdict() == ("OFFER", "offered-new")


def test_a_flood_does_not_make_each_request_dearer() -> None:
    """Work is counted, not time: how many addresses are looked at for a request when all are on offer."""
    large = subnet("192.168.0.0/16", (parse_ip("192.168.8.0"), parse_ip("192.168.15.255")))
    table = Table(replace(OFFICE, subnets=(large,)))
    for number in range(2048):
        table.say(discover(mac=bytes((2, 0, 0, 0, *number.to_bytes(2)))))
    free = table.engine._directory.sites["office"].free
    looked: set[int] = set()

    def on_offer(each: int) -> bool:
        looked.add(each)
        return False

    assert free.choose(lambda _: None, on_offer, 0) == 0
    assert 0 < len(looked) <= MAX_TRIES * MAX_GOES


class Moody(MemoryStore):
    """Cannot write while `sick`."""

    sick = False

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        if self.sick and changes:
            raise StoreError("the disk is full")
        return super().commit(changes, wall)


def test_while_the_store_fails_nothing_is_offered_and_nobody_refused() -> None:
    store = Moody()
    table = Table(store=store)
    table.lease(ip(100))
    table.lease(ip(101), OTHER_MAC)
    store.sick = True
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    assert table.say(discover(mac=b"stranger"[:6])) is None
    assert table.say(reboot(ip(101))) is None
    assert table.engine.store_error == "the disk is full"
    table.later(6)
    store.sick = False
    offer = table.say(discover(mac=b"stranger"[:6]))
    assert offer is not None
    assert kind_of(table.say(selecting(offer.yiaddr, mac=b"stranger"[:6]))) == "ACK"
    assert table.engine.store_error == ""
    assert kind_of(table.say(reboot(ip(101)))) == "NAK"


@pytest.mark.parametrize("last", [100, 200])
def test_patience_ends_for_rebooting_clients_only(last: int) -> None:
    """The lease of a client that rebinds is from a server that may only be away."""
    table = Table(unknown_reboot_after=10)
    assert table.say(renewing(ip(last), secs=60)) is None
    assert kind_of(table.say(reboot(ip(last), secs=60))) == "NAK"


def test_as_many_parameters_as_there_is_room_for() -> None:
    long = Message(
        2, 1, options={53: b"\x05", 119: bytes(100), 43: bytes(250), 67: bytes(120), 66: bytes(90), 6: bytes(4)}
    )
    assert list(fit(replace(long, sname=b"x", file=b"x"), 548).options) == [53, 119, 67, 6]


def test_a_reservation_by_hardware_holds_whatever_the_client_identifier() -> None:
    """The loader that boots from the network has one identifier, the system that it loads another one."""
    table = Table(reservations=(reserved(ip(50)),))
    loader, system = selecting(ip(50)), reboot(ip(50))
    loader.options[61], system.options[61] = b"\x00loader", b"\x00system"
    assert kind_of(table.say(loader)) == "ACK"
    assert kind_of(table.say(system)) == "ACK"
    thief = reboot(ip(50), OTHER_MAC)
    thief.options[61] = b"\x00loader?"
    assert kind_of(table.say(thief)) == "NAK"


@pytest.mark.parametrize("kind", [MessageType.REQUEST, MessageType.DECLINE, MessageType.RELEASE])
def test_a_server_identifier_that_is_none_is_a_drop(kind: int) -> None:
    table = Table()
    before = table.lease(ip(100))
    assert table.say(request(kind, {50: address(ip(100)), 54: b"\1\2\3"}, ciaddr=ip(100))) is None
    assert table.engine.drops == {"bad-length": 1}
    assert table.on(ip(100)) == before


def test_why_knows_of_messages_that_were_no_requests() -> None:
    table = Table()
    assert table.say(request(MessageType.REQUEST)) is None
    (tale,) = told(table.engine.records, hex_text(MAC), 5)
    assert (tale.answer, tale.reason) == ("DROPPED", "request-without-address")
    assert tale.manual


@pytest.mark.parametrize("ciaddr", [parse_ip("8.8.8.8"), parse_ip("224.0.0.1"), ip(255), ip(0)])
def test_parameters_go_to_hosts_of_the_network_only(ciaddr: int) -> None:
    table = Table()
    assert table.say(request(MessageType.INFORM, ciaddr=ciaddr)) is None
    assert table.verdict() == ("SILENT", "inform-elsewhere")


def test_a_refusal_does_without_the_file_field() -> None:
    """RFC 2131 s4.3.1 table 3."""
    table = Table()
    message = reboot(parse_ip("10.0.0.1"), giaddr=RELAY)
    message.options[61] = bytes(200)
    message.options[82] = b"\x01\x32" + bytes(50)
    reply = table.say(message)
    assert reply is not None
    assert (reply.overload, list(reply.options)) == (0, [53, 54, 61, 82])


def test_rebooting_by_unicast_is_about_the_link_of_the_address_spoken_to() -> None:
    """RFC 2131 s4.4.4."""
    table = Table()
    table.lease(ip(100))
    assert kind_of(table.say(reboot(ip(100)), broadcast=False, interface="", source=ip(100))) == "ACK"


def test_a_client_that_declines_keeps_no_more_than_was_declined() -> None:
    table = Table()
    for _ in range(5):
        offer = table.say(discover())
        assert offer is not None
        table.say(selecting(offer.yiaddr))
        table.say(request(MessageType.DECLINE, {50: address(offer.yiaddr)}))
    states = [lease.state for lease in table.store.all()]
    assert states == [LeaseState.DECLINED] * 5


def test_two_hosts_on_one_circuit_without_hardware_addresses_do_not_share_a_reservation() -> None:
    """RFC 4390: over InfiniBand chaddr is empty, and only the client identifier tells hosts apart."""
    table = Table(reservations=(Reservation("circuit-id", b"port-7", ip(50)),))
    answers = []
    for identifier in (b"\xffAAAA", b"\xffBBBB"):
        message = replace(selecting(ip(50), mac=b"", giaddr=RELAY), htype=32)
        message.options.update({61: identifier, 82: PORT_7})
        answers.append(kind_of(table.say(message, broadcast=False)))
    assert answers == ["ACK", "NAK"]


def test_an_offer_to_the_boot_loader_does_not_keep_the_system_from_its_reservation() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    loader, system = discover(), reboot(ip(50))
    loader.options[61], system.options[61] = b"\x00loader", b"\x00system"
    assert table.say(loader) is not None
    assert kind_of(table.say(system)) == "ACK"


@pytest.mark.parametrize("state", [LeaseState.BOUND, LeaseState.RELEASED])
def test_leases_outside_of_the_pools_do_not_hide_free_addresses(state: LeaseState) -> None:
    table = Table()
    for number in range(110, 250):
        table.lease(ip(number), bytes((2, 0, 0, 0, 1, number)), seconds=-5, state=state)
    for number in range(100, 110):
        table.lease(ip(number), bytes((2, 0, 0, 0, 0, number)))
    table.restart()
    assert table.say(discover()) is None
    gone = bytes((2, 0, 0, 0, 0, 105))
    table.say(request(MessageType.RELEASE, {}, gone, ciaddr=ip(105)), broadcast=False)
    reply = table.say(discover())
    assert reply is not None
    assert reply.yiaddr == ip(105)


def test_no_promise_of_no_time_while_the_store_fails() -> None:
    store = Moody()
    table = Table(store=store)
    table.lease(ip(100), seconds=10)
    store.sick = True
    table.later(9.5)
    assert table.say(reboot(ip(100))) is None
    assert table.verdict() == ("SILENT", "store-unavailable")
