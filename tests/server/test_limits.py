"""Limits per circuit and rates: a flood from one port leaves the clients on the others their addresses."""

import random
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from relet.model.events import Arrival
from relet.model.network import Network, Reservation
from relet.model.reasons import CIRCUIT_FULL, CIRCUIT_RATE, CLIENT_RATE
from relet.server.limits import LEAST_BURST, MAX_BUCKETS, MAX_OFFERED, Buckets, Circuits
from relet.server.relayed import RelayBook
from relet.server.told import told
from relet.wire.address import hex_text
from relet.wire.message import Message, decode
from support.networks import subnet
from support.table import (
    OFFICE,
    RELAY,
    Table,
    arrive,
    decline,
    discover,
    ip,
    kind_of,
    reboot,
    release,
    renewing,
    reserved,
    selecting,
)

PORT_1, PORT_2 = b"\x01\x02p1", b"\x01\x02p2"


def mac(number: int) -> bytes:
    return b"\x02\x00" + number.to_bytes(4)


def behind(message: Message, circuit: bytes = PORT_1) -> Message:
    """The message as the relay of a circuit passes it on."""
    return replace(message, giaddr=RELAY, options=message.options | {82: circuit})


def lease(table: Table, number: int, circuit: bytes = PORT_1) -> int:
    """Four messages; the address, 0 if there was none."""
    offer = table.say(behind(discover(mac=mac(number)), circuit), broadcast=False)
    if offer is None:
        return 0
    ack = table.say(behind(selecting(offer.yiaddr, mac=mac(number)), circuit), broadcast=False)
    assert kind_of(ack) == "ACK"
    return offer.yiaddr


def test_a_circuit_gets_as_many_leases_as_it_may() -> None:
    """R3046-3.1-02, R3046-4-01"""
    table = Table(limit_per_circuit=2)
    assert [bool(lease(table, number)) for number in range(3)] == [True, True, False]
    assert table.verdict() == ("SILENT", "circuit-full")
    (tale,) = told(table.engine.records, hex_text(mac(2)), 5)
    assert tale.text == CIRCUIT_FULL.text
    assert lease(table, 2, PORT_2)


def test_offers_count_until_they_lapse() -> None:
    table = Table(limit_per_circuit=2)
    for number in range(2):
        assert table.say(behind(discover(mac=mac(number))), broadcast=False) is not None
    assert table.say(behind(discover(mac=mac(2))), broadcast=False) is None
    assert table.say(behind(discover(mac=mac(1))), broadcast=False) is not None  # the same offer again
    table.later(table.network.offer_time + 1)
    assert table.say(behind(discover(mac=mac(2))), broadcast=False) is not None


def test_an_offer_that_the_client_turned_down_counts_no_more() -> None:
    table = Table(limit_per_circuit=1)
    offer = table.say(behind(discover(mac=mac(0))), broadcast=False)
    assert offer is not None
    table.say(behind(selecting(offer.yiaddr, server=ip(77), mac=mac(0))), broadcast=False)
    assert table.verdict() == ("SILENT", "other-server")
    assert lease(table, 1)


def test_who_has_a_lease_is_confirmed_however_full_the_circuit() -> None:
    table = Table(limit_per_circuit=1)
    held = lease(table, 0)
    table.engine = Table(replace(table.network, limit_per_circuit=0), store=table.store).engine  # a smaller limit
    for message in (reboot(held, mac(0)), renewing(held, mac(0)), discover(mac=mac(0)), selecting(held, mac=mac(0))):
        assert kind_of(table.say(behind(message), broadcast=False)) in ("ACK", "OFFER")


def test_counts_are_right_after_a_restart() -> None:
    table = Table(limit_per_circuit=2)
    first, _ = lease(table, 0), lease(table, 1)
    table.restart()
    assert not lease(table, 2)
    table.say(replace(release(first, mac(0)), giaddr=RELAY), broadcast=False)
    assert table.verdict() == ("SILENT", "released")
    assert lease(table, 2)
    assert not lease(table, 3)


def test_leases_that_ran_out_make_room() -> None:
    table = Table(limit_per_circuit=2, lease_time=600, max_lease_time=600)
    held = [lease(table, number) for number in range(2)]
    assert not lease(table, 2)
    table.later(700)
    assert lease(table, 2)
    # the others come back: there is room for one of them
    answers = [kind_of(table.say(behind(reboot(held[n], mac(n))), broadcast=False)) for n in range(2)]
    assert sorted(answers) == ["ACK", "SILENT"]


def test_late_requests_of_one_batch_are_counted() -> None:
    """Neither was offered anything by this process; the second must see what the first was granted."""
    table = Table(limit_per_circuit=1)
    batch = [arrive(behind(selecting(ip(100 + n), mac=mac(n))), broadcast=False) for n in range(2)]
    assert [kind_of(decode(send.payload)) for send in table.handle(*batch)] == ["ACK"]
    assert table.verdict() == ("SILENT", "circuit-full")


def test_declining_one_address_after_the_other_does_not_empty_the_pool() -> None:
    table = Table(limit_per_circuit=2)
    for number in range(4):
        if held := lease(table, number):
            table.say(behind(decline(held, mac(number))), broadcast=False)
    assert sum(row.state.value == "declined" for row in table.store.all()) == 3  # one of them does not count
    assert table.verdict() == ("SILENT", "circuit-full")


def test_one_declined_address_does_not_silence_its_circuit() -> None:
    table = Table(limit_per_circuit=1, decline_time=600)
    first = lease(table, 0)
    table.say(behind(decline(first, mac(0))), broadcast=False)
    assert table.verdict() == ("SILENT", "quarantined")
    table.restart()
    second = lease(table, 0)
    assert second not in (0, first)
    assert not lease(table, 1)
    table.say(behind(decline(second, mac(0))), broadcast=False)
    assert not lease(table, 0)  # one is in nobody's way, two are
    assert table.verdict() == ("SILENT", "circuit-full")
    table.later(601)
    assert lease(table, 0)


OTHER_POOL = subnet("192.168.1.0/24", (ip(150), ip(159)), lease_time=3600)


@pytest.mark.parametrize(
    "change",
    [
        {"subnets": (OTHER_POOL,)},
        {"reservations": (reserved(ip(100), mac(9)),)},
    ],
    ids=["the pool moved", "reserved for another"],
)
def test_who_has_to_move_is_not_locked_out_by_its_own_old_lease(change: dict[str, object]) -> None:
    table = Table(limit_per_circuit=1)
    old = lease(table, 0)
    assert old == ip(100)
    changed = replace(table.network, **change)
    table.engine.reconfigure(table.engine.prepare((changed,), table.now))
    assert not lease(table, 1)  # for others it counts
    assert table.verdict() == ("SILENT", "circuit-full")
    new = lease(table, 0)
    assert new not in (0, old)
    assert not lease(table, 1)
    # and it is one address more, once
    assert kind_of(table.say(behind(selecting(new + 1, mac=mac(0))), broadcast=False)) == "SILENT"
    assert table.verdict() == ("SILENT", "circuit-full")


def test_who_may_stay_gets_no_second_address_on_a_full_circuit() -> None:
    table = Table(limit_per_circuit=1)
    held = lease(table, 0)
    for message in (selecting(held + 1, mac=mac(0)), reboot(held + 1, mac(0))):
        assert kind_of(table.say(behind(message), broadcast=False)) == "SILENT"
        assert table.verdict() == ("SILENT", "circuit-full")


def test_a_reservation_is_not_limited() -> None:
    table = Table(limit_per_circuit=0, reservations=(reserved(ip(50), mac(7)),))
    assert lease(table, 7) == ip(50)
    table.say(behind(release(ip(50), mac(7))), broadcast=False)
    assert kind_of(table.say(behind(reboot(ip(50), mac(7))), broadcast=False)) == "ACK"


def test_a_renewal_by_unicast_keeps_its_circuit() -> None:
    """R3046-2.2-07"""
    table = Table(limit_per_circuit=1)
    held = lease(table, 0)
    table.later(10)
    assert kind_of(table.say(renewing(held, mac(0)), broadcast=False)) == "ACK"
    on_record = table.on(held)
    assert on_record is not None
    assert on_record.relay == PORT_1
    assert not lease(table, 1)


def test_a_host_cannot_move_itself_to_another_circuit() -> None:
    table = Table(limit_per_circuit=1)
    held = lease(table, 0)
    table.later(10)
    forged = renewing(held, mac(0))
    forged.options[82] = PORT_2
    assert kind_of(table.say(forged, broadcast=False)) == "ACK"
    assert lease(table, 1, PORT_2)
    assert not lease(table, 2, PORT_1)


def test_clients_without_a_circuit_have_a_limit_of_their_own() -> None:
    table = Table(limit_without_circuit=2)
    got = [table.say(discover(mac=mac(number))) is not None for number in range(4)]
    assert got == [True, True, False, False]
    assert lease(table, 9)


def test_a_client_that_asks_without_pause_is_answered_now_and_then() -> None:
    table = Table(client_rate=1.0)
    burst = [kind_of(table.say(behind(discover(mac=mac(0))), broadcast=False)) for _ in range(8)]
    assert burst == ["OFFER"] * 5 + ["SILENT"] * 3
    assert table.verdict() == ("SILENT", CLIENT_RATE.id)
    assert table.say(behind(discover(mac=mac(1))), broadcast=False) is not None
    # the same hardware address on another circuit is somebody else
    assert table.say(behind(discover(mac=mac(0)), PORT_2), broadcast=False) is not None
    table.later(1)
    assert kind_of(table.say(behind(discover(mac=mac(0))), broadcast=False)) == "OFFER"


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda: renewing(ip(100), mac(0)), ("ACK", "rebound")),
        (lambda: reboot(ip(100), mac(0)), ("ACK", "confirmed")),
        (lambda: selecting(ip(100), mac=mac(0)), ("ACK", "confirmed")),
        (lambda: release(ip(100), mac(0)), ("SILENT", "released")),
        (lambda: decline(ip(100), mac(0)), ("SILENT", "quarantined")),
        (lambda: renewing(ip(101), mac(0)), ("SILENT", CLIENT_RATE.id)),
        (lambda: discover(ip(100), mac(0)), ("SILENT", CLIENT_RATE.id)),
    ],
    ids=["rebinding", "rebooting", "selecting", "release", "decline", "another address", "discover"],
)
def test_whoever_borrows_its_hardware_address_a_client_keeps_its_lease(
    ask: Callable[[], Message], answer: tuple[str, str]
) -> None:
    table = Table(client_rate=1.0)
    table.lease(ip(100), mac(0))
    for _ in range(8):
        table.say(behind(discover(mac=mac(0))), broadcast=False)
    assert table.verdict() == ("SILENT", CLIENT_RATE.id)
    table.say(behind(ask()), broadcast=False)
    assert table.verdict() == answer


def test_a_client_with_a_lease_is_confirmed_however_often_it_asks() -> None:
    table = Table(client_rate=1.0)
    table.lease(ip(100), mac(0))
    burst = [kind_of(table.say(behind(renewing(ip(100), mac(0))), broadcast=False)) for _ in range(20)]
    assert burst == ["ACK"] * 20


def test_a_circuit_that_asks_without_pause_keeps_nobody_else_waiting() -> None:
    table = Table(circuit_rate=1.0)
    table.lease(ip(109), mac(99))
    for number in range(50):
        table.say(behind(discover(mac=mac(number))), broadcast=False)
    assert table.verdict() == ("SILENT", CIRCUIT_RATE.id)
    assert table.engine.counts["DISCOVER", "OFFER", "offered-new"] == 5
    assert table.say(behind(discover(mac=mac(50)), PORT_2), broadcast=False) is not None
    assert kind_of(table.say(behind(renewing(ip(109), mac(99))), broadcast=False)) == "ACK"


def test_buckets_are_bounded_and_forgetting_one_is_in_nobodys_way() -> None:
    buckets = Buckets(0.001)
    assert [buckets.take(b"victim", 0) for _ in range(LEAST_BURST + 1)] == [True] * LEAST_BURST + [False]
    for number in range(MAX_BUCKETS + 10):
        assert buckets.take(number.to_bytes(4), 0)
    assert len(buckets) == MAX_BUCKETS
    assert buckets.take(b"victim", 0)


def test_counted_offers_are_bounded() -> None:
    circuits = Circuits(Network("n", (), limit_per_circuit=1), RelayBook())
    for number in range(MAX_OFFERED + 3):
        circuits.offer(number + 1, number.to_bytes(4), 60, 0)
    full = [circuits.full(number.to_bytes(4), 0) for number in range(6)]
    assert full == [False] * 3 + [True] * 3


FLOOD = 50_000
"""Pairs of DHCPDISCOVER and DHCPREQUEST."""


@pytest.mark.parametrize("circuit", [PORT_2, None], ids=["one circuit", "our own link"])
def test_starvation(circuit: bytes | None) -> None:
    """100,000 requests with random hardware addresses from one port. Clients on the others get theirs before, during and
    after it, and who has a lease is confirmed at any time, on the flooded port too."""
    policy: dict[str, object] = {"limit_per_circuit": 2, "limit_without_circuit": 2, "circuit_rate": 5.0}
    table = Table(replace(OFFICE, **policy))
    dice = random.Random(4)
    own = lease(table, 500)
    assert own
    victim = mac(501)
    held = ip(109)
    table.lease(held, victim)

    def flooded(message: Message) -> Message:
        return message if circuit is None else behind(message, circuit)

    batch: list[Arrival] = []
    for number in range(FLOOD):
        random_mac = dice.randbytes(6)
        wanted = ip(100 + number % 10)
        pair = discover(mac=random_mac), selecting(wanted, mac=random_mac)
        batch.extend(arrive(flooded(message), broadcast=circuit is None) for message in pair)
        if len(batch) == 500:
            table.handle(*batch)
            batch.clear()
            table.later(0.05)
            renewals = flooded(reboot(held, victim)), behind(reboot(own, mac(500)))
            for renewal in renewals:
                assert kind_of(table.say(renewal, broadcast=circuit is None and not renewal.giaddr)) == "ACK"
        if number == FLOOD // 2:
            assert lease(table, 502, b"\x01\x02p3")
    assert lease(table, 503, b"\x01\x02p4")
    granted = [row.client for row in table.store.all()]
    assert len(granted) <= 2 + 1 + 3  # two of the flood, the victim beside it, three of the others
    reasons = {reason for (_, _, reason) in table.engine.counts}
    assert {"circuit-full", "circuit-rate"} <= reasons
    assert not table.engine.bugs


def test_what_a_host_says_of_its_circuit_by_unicast_decides_nothing() -> None:
    """The relay's word of the time of the grant goes on to count: the reservation by circuit stays."""
    table = Table(reservations=(Reservation("circuit-id", b"p1", ip(50)),))
    assert lease(table, 0) == ip(50)
    table.later(10)
    forged = renewing(ip(50), mac(0))
    forged.options[82] = PORT_2
    assert kind_of(table.say(forged, broadcast=False)) == "ACK"
    stolen = reboot(ip(50), mac(1))
    stolen.options[82] = PORT_1
    assert kind_of(table.say(stolen, broadcast=False, source=ip(50))) == "NAK"
