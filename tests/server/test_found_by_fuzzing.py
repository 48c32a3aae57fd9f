"""What tests/fuzz/datagrams.py has found in the engine, each on its own."""

from collections.abc import Sequence

from msgspec.structs import replace

from relet.errors import StoreError
from relet.model.events import Arrival
from relet.model.lease import Change, Committed
from relet.model.network import Reservation
from relet.store.memory import MemoryStore
from relet.wire.message import decode, encode
from relet.wire.options import MessageType
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
    request,
    selecting,
)


class FullDisk(MemoryStore):
    def commit(self, changes: Sequence[Change], wall: float) -> Committed:  # noqa: ARG002
        raise StoreError("the disk is full")


def test_a_lapsed_offer_that_somebody_else_took_up_is_forgotten() -> None:
    table = Table(offer_time=60)
    assert kind_of(table.say(discover(ip(100)))) == "OFFER"
    table.later(61)
    assert kind_of(table.say(discover(ip(100), OTHER_MAC))) == "OFFER"
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "ACK"
    reply = table.say(discover())
    assert reply is not None
    assert reply.yiaddr != ip(100)


def test_a_client_identifier_that_no_reply_could_return_is_a_drop() -> None:
    table = Table()
    assert kind_of(table.say(request(MessageType.DISCOVER, {61: b"x" * 255}))) == "OFFER"
    assert table.say(request(MessageType.DISCOVER, {61: b"x" * 256})) is None
    assert table.engine.drops == {"bad-length": 1}


def test_where_the_relays_information_has_no_room_the_reply_goes_without() -> None:
    """RFC 3046 s2.2."""
    table = Table()
    info = b"\1\xfd" + b"z" * 253
    replies = []
    for size in ({}, {57: (1500).to_bytes(2)}):
        message = request(MessageType.DISCOVER, {61: b"x" * 255, 82: info} | size, giaddr=RELAY)
        replies += [decode(send.payload) for send in table.handle(Arrival(encode(message, 1472), "", SERVER))]
    assert [reply.options.get(82) for reply in replies] == [None, info]
    assert [reply.options[61] for reply in replies] == [b"x" * 255] * 2


def test_a_client_without_hardware_address_is_known_by_its_identifier_even_where_those_do_not_count() -> None:
    table = Table(match_client_id=False)
    offers = [table.say(request(MessageType.DISCOVER, {61: name}, mac=b"")) for name in (b"one", b"two")]
    assert [offer.yiaddr for offer in offers if offer] == [ip(100), ip(101)]


def test_broken_relay_information_on_record_does_no_harm_later() -> None:
    relayed = selecting(ip(100), giaddr=RELAY)
    relayed.options[82] = b"\1\x09broken"
    table = Table()
    assert kind_of(table.say(relayed, broadcast=False)) == "ACK"
    by_circuit = Table(replace(OFFICE, reservations=(Reservation("circuit-id", b"port", ip(50)),)), store=table.store)
    assert kind_of(by_circuit.say(selecting(ip(100)))) == "ACK"


def test_a_drop_is_counted_once_although_the_store_fails() -> None:
    row = Reservation("circuit-id", b"port", ip(100))
    table = Table(replace(OFFICE, reservations=(row,)), store=FullDisk())
    broken = {50: address(ip(101)), 54: address(ip(1)), 82: b"\1\x09broken"}
    table.handle(arrive(request(MessageType.REQUEST, broken, giaddr=RELAY)), arrive(selecting(ip(101), mac=MAC)))
    assert table.engine.drops == {"truncated-option": 1}
    assert table.verdict() == ("SILENT", "store-unavailable")
    assert table.engine.counts.total() == 1
