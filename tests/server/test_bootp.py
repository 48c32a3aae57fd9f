"""BOOTP clients (RFC 951, RFC 1534, RFC 1542): who is served, for how long, and what the reply holds."""

from collections.abc import Sequence

import msgspec
import pytest
from scapy.layers.dhcp import BOOTP

from relet.errors import StoreError
from relet.model.lease import FOREVER, Change, Committed
from relet.model.network import Parameters
from relet.server.contents import bootp_contents
from relet.server.parameters import filled
from relet.store.memory import MemoryStore
from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.message import BROADCAST_FLAG, LEAST_SIZE, Message, decode, encode
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    SERVER,
    Table,
    arrive,
    discover,
    ip,
    reserved,
    selecting,
)

COOKIE = b"\x63\x82\x53\x63"
ELSEWHERE = 0x0A000001
BOOT = {"next_server": SERVER, "boot_file": b"pxe.0"}


class Broken(MemoryStore):
    """A store that fails while it is told to."""

    broken = False

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        if self.broken:
            raise StoreError("no room")
        return super().commit(changes, wall)


def ask(mac: bytes = MAC, **fields: int) -> Message:
    """A BOOTP request; no options, but the cookie."""
    return msgspec.structs.replace(Message(op=1, xid=77, chaddr=mac), **fields)


def office(**policy: object) -> Table:
    return Table(OFFICE, store=None, **policy)


@pytest.mark.parametrize(
    ("bootp", "mine", "ciaddr", "verdict", "yiaddr"),
    [
        ("refuse", True, 0, ("SILENT", "bootp-refused"), None),
        ("refuse", False, ip(7), ("SILENT", "bootp-refused"), None),
        ("reserved", True, 0, ("ACK", "reserved"), ip(20)),
        ("reserved", True, ip(20), ("ACK", "reserved"), ip(20)),
        ("reserved", False, 0, ("SILENT", "bootp-unreserved"), None),
        ("reserved", False, ip(7), ("ACK", "bootp-informed"), 0),
        ("reserved", False, ip(255), ("SILENT", "bootp-unreserved"), None),
        ("reserved", False, ELSEWHERE, ("SILENT", "bootp-unreserved"), None),
        ("dynamic", True, 0, ("ACK", "reserved"), ip(20)),
        ("dynamic", False, 0, ("ACK", "bootp-granted"), ip(100)),
    ],
)
def test_who_is_served(bootp: str, mine: bool, ciaddr: int, verdict: tuple[str, str], yiaddr: int | None) -> None:
    """R1534-2-01, R1534-2-07, R2131-1.6-06."""
    table = office(bootp=bootp, reservations=(reserved(ip(20), MAC if mine else OTHER_MAC),))
    reply = table.say(ask(ciaddr=ciaddr))
    assert table.verdict() == verdict
    assert (reply.yiaddr if reply is not None else None) == yiaddr
    assert table.engine.records[-1].kind == "BOOTP"


def test_addresses_of_the_pools_are_not_for_bootp_unless_the_operator_says_so() -> None:
    """R1534-2-08."""
    assert OFFICE.bootp == "reserved"


def test_the_lease_is_for_ever_and_on_disk_before_the_reply() -> None:
    """R1534-2-05."""
    table = office(bootp="dynamic")
    reply = table.say(ask())
    assert reply is not None
    lease = table.on(reply.yiaddr)
    assert lease is not None
    assert (lease.expires, lease.hardware, lease.reason) == (FOREVER, b"\1" + MAC, "bootp-granted")
    table.later(10**8)
    again = table.say(ask())
    assert again is not None
    assert (again.yiaddr, table.verdict(), table.on(ip(100))) == (ip(100), ("ACK", "confirmed"), lease)
    other = table.say(ask(OTHER_MAC))
    assert other is not None
    assert other.yiaddr == ip(101)


def test_an_ended_lease_comes_back_and_a_full_pool_is_silence() -> None:
    table = office(bootp="dynamic")
    table.lease(ip(105), seconds=-10)
    for number in range(100, 110):
        if number != 105:
            table.lease(ip(number), bytes((2, 0, 0, 0, 0, number)))
    table.restart()
    assert table.say(ask(OTHER_MAC[:5] + b"\x77")) is not None  # takes the only one that is free
    assert table.say(ask(OTHER_MAC)) is None
    assert table.verdict() == ("SILENT", "pool-full")
    back = office(bootp="dynamic")
    back.lease(ip(105), seconds=-10)
    back.restart()
    reply = back.say(ask())
    assert reply is not None
    assert (reply.yiaddr, back.verdict()) == (ip(105), ("ACK", "regranted"))


def test_a_lease_of_dhcp_becomes_one_for_ever() -> None:
    table = office(bootp="dynamic", cache_threshold=0.1)
    table.lease(ip(105), seconds=3000)
    reply = table.say(ask())
    assert reply is not None
    lease = table.on(ip(105))
    assert lease is not None
    assert (reply.yiaddr, lease.expires) == (ip(105), FOREVER)


def test_without_a_store_only_leases_for_ever_are_confirmed() -> None:
    store = Broken()
    table = Table(OFFICE, store=store, bootp="dynamic")
    table.lease(ip(105), seconds=3000)
    store.broken = True
    assert table.say(ask()) is None
    assert table.verdict() == ("SILENT", "store-unavailable")
    store.broken = False
    assert table.say(ask()) is not None
    store.broken = True
    assert table.say(ask()) is not None


def test_a_dhcp_client_of_the_same_hardware_follows_on_the_same_address() -> None:
    table = office(bootp="dynamic")
    assert table.say(ask()) is not None
    offer = table.say(discover())
    assert offer is not None
    assert offer.yiaddr == ip(100)
    assert table.say(selecting(ip(100))) is not None
    assert table.verdict() == ("ACK", "confirmed")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (ip(20), 68, MAC)),
        ({"flags": BROADCAST_FLAG}, (BROADCAST, 68, BROADCAST_MAC)),
        ({"giaddr": RELAY}, (RELAY, 67, None)),
        ({"ciaddr": ip(20)}, (ip(20), 68, None)),
    ],
)
def test_destination(fields: dict[str, int], expected: tuple[int, int, bytes | None]) -> None:
    """R1542-5.4-01."""
    (send,) = office(reservations=(reserved(ip(20)),)).handle(arrive(ask(MAC, **fields)))
    assert (send.destination, send.port, send.mac) == expected
    assert decode(send.payload).flags == fields.get("flags", 0)


def test_the_reply_is_a_bootreply_with_nothing_of_dhcp_in_it() -> None:
    """R1534-2-02, R1534-2-03."""
    options = {1: bytes(4), 3: bytes(4), 12: b"me", 51: bytes(4), 60: b"x", 66: b"s", 67: b"f", 119: b"\0"}
    table = office(reservations=(reserved(ip(20)),), options=options, **BOOT)
    (send,) = table.handle(arrive(ask(secs=9, hops=1, flags=BROADCAST_FLAG)))
    reply = decode(send.payload)
    assert list(reply.options) == [1, 3, 6, 12, 15, 119]
    assert (reply.op, reply.xid, reply.chaddr, reply.yiaddr, reply.siaddr, reply.file) == (
        2, 77, MAC, ip(20), SERVER, b"pxe.0",
    )  # fmt: skip
    read = BOOTP(send.payload)
    assert (read.op, read.yiaddr, read.siaddr, read.file.rstrip(b"\0")) == (2, "192.168.1.20", "192.168.1.1", b"pxe.0")
    assert "message-type" not in str(read.payload)


@pytest.mark.parametrize(("length", "limit"), [(300, 300), (548, 548), (1400, 1400), (9000, 1472)])
def test_the_reply_is_no_longer_than_the_request(length: int, limit: int) -> None:
    """R1534-2-04, R1542-2.1-02."""
    many = {code: bytes(40) for code in range(128, 200)}
    table = office(reservations=(reserved(ip(20)),), options=many)
    arrival = arrive(ask())
    (send,) = table.handle(msgspec.structs.replace(arrival, payload=arrival.payload.ljust(length, b"\0")))
    assert LEAST_SIZE <= len(send.payload) <= limit
    assert len(send.payload) > limit - 42
    assert {1, 3, 6} <= set(decode(send.payload).options)


def test_the_vendor_area_of_64_octets_takes_whole_options_only() -> None:
    terms = filled(Parameters(options={3: bytes(8), 1: bytes(4), 6: bytes(48), 12: bytes(8), 15: bytes(7)}))
    told = bootp_contents(terms, None, 60)
    assert (list(told.options), len(told.body)) == ([1, 3, 12, 15], 6 + 10 + 10 + 9)
    told = bootp_contents(filled(Parameters(options={6: bytes(56), 42: bytes(57)})), None, 60)
    assert (list(told.options), len(told.body) + 1) == ([6], 59)


def test_without_the_cookie_there_is_no_vendor_area() -> None:
    arrival = arrive(ask())
    payload = arrival.payload[:236].ljust(300, b"\0")
    (send,) = office(reservations=(reserved(ip(20)),), **BOOT).handle(msgspec.structs.replace(arrival, payload=payload))
    assert send.payload[236:] == bytes(64)
    assert (decode(send.payload).yiaddr, decode(send.payload).file) == (ip(20), b"pxe.0")
    (send,) = office(reservations=(reserved(ip(20)),)).handle(arrival)
    assert send.payload[236:240] == COOKIE


def test_relay_information_is_echoed_last() -> None:
    message = ask(giaddr=RELAY)
    message = msgspec.structs.replace(message, options={82: b"\x01\x01a"})
    table = office(reservations=(reserved(ip(20)),))
    arrival = msgspec.structs.replace(arrive(ask()), payload=encode(message), broadcast=False)
    (send,) = table.handle(arrival)
    assert list(decode(send.payload).options.items())[-1] == (82, b"\x01\x01a")
