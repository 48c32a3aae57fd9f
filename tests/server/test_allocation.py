"""DISCOVER, SELECTING, DECLINE, RELEASE and INFORM, row by row."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from relet.model.lease import LeaseState
from relet.model.network import Pool
from relet.model.ranges import Ranges
from relet.server.situation import MAX_DECLINED
from relet.server.told import told
from relet.wire.address import parse_ip
from relet.wire.options import MessageType
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    SERVER,
    Table,
    address,
    arrive,
    decline,
    discover,
    ip,
    kind_of,
    pairs,
    reboot,
    release,
    request,
    reserved,
    selecting,
)

ELSEWHERE = parse_ip("192.168.1.2")


def macs(count: int) -> list[bytes]:
    return [bytes.fromhex("02000000") + number.to_bytes(2, "big") for number in range(count)]


def test_discover_without_a_network_is_silence() -> None:
    table = Table()
    assert table.say(discover(), interface="eth9") is None
    assert table.verdict() == ("SILENT", "no-network")


@pytest.mark.parametrize(
    ("prepare", "reason", "last"),
    [
        (lambda table: table.lease(ip(107)), "offered-current", 107),
        (lambda table: table.lease(ip(107), seconds=-5), "offered-last", 107),
        (lambda table: table.lease(ip(107), seconds=-5, state=LeaseState.RELEASED), "offered-last", 107),
        (lambda table: table.say(discover(ip(108))), "offered-again", 108),
        (lambda _: None, "offered-requested", 103),
    ],
)
def test_discover_prefers_what_the_client_had(prepare: object, reason: str, last: int) -> None:
    table = Table()
    assert callable(prepare)
    prepare(table)
    reply = table.say(discover(ip(103)))
    assert reply is not None
    assert (table.verdict(), reply.yiaddr) == (("OFFER", reason), ip(last))


def test_discover_prefers_a_reservation_to_everything() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    table.lease(ip(107))
    reply = table.say(discover(ip(103)))
    assert reply is not None
    assert (table.verdict(), reply.yiaddr) == (("OFFER", "offered-reserved"), ip(50))


@pytest.mark.parametrize("wanted", [200, 1, 105, 106, 104])
def test_discover_does_not_offer_a_wish_that_it_cannot_grant(wanted: int) -> None:
    table = Table(reservations=(reserved(ip(104), OTHER_MAC),))
    table.lease(ip(105), OTHER_MAC)
    table.lease(ip(106), OTHER_MAC, state=LeaseState.DECLINED)
    reply = table.say(discover(ip(wanted)))
    assert reply is not None
    assert (table.verdict(), reply.yiaddr) == (("OFFER", "offered-new"), ip(100))


def test_every_address_of_the_pool_is_offered_once_and_then_none() -> None:
    table = Table()
    replies = [table.say(discover(mac=mac)) for mac in macs(11)]
    assert [reply.yiaddr if reply else 0 for reply in replies] == [ip(100 + n) for n in range(10)] + [0]
    assert table.verdict() == ("SILENT", "pool-full")


def test_offers_that_lapse_come_back() -> None:
    table = Table()
    first, later = macs(20)[:10], macs(20)[10:]
    for mac in first:
        table.say(discover(mac=mac))
    table.later(table.network.offer_time + 1)
    replies = [table.say(discover(mac=mac)) for mac in later]
    assert {reply.yiaddr for reply in replies if reply} == {ip(100 + n) for n in range(10)}


def test_full_pool_gives_the_address_that_expired_first() -> None:
    table = Table()
    for number, mac in enumerate(macs(10)):
        table.lease(ip(100 + number), mac, seconds=1000 - number)
    table.restart()
    assert table.say(discover()) is None
    table.later(995)
    reply = table.say(discover())
    assert reply is not None
    assert reply.yiaddr == ip(109)


def test_expired_lease_that_was_renewed_meanwhile_is_not_given_away() -> None:
    table = Table()
    for number, mac in enumerate(macs(10)):
        table.lease(ip(100 + number), mac, seconds=100)
    table.restart()
    table.later(50)
    for number, mac in enumerate(macs(10)):
        assert kind_of(table.say(reboot(ip(100 + number), mac))) == "ACK"
    table.later(100)
    assert table.say(discover()) is None
    assert table.verdict() == ("SILENT", "pool-full")


def test_release_and_allocate_for_ever_keeps_the_books_small() -> None:
    table = Table()
    for number in range(200):
        mac = macs(200)[number]
        offer = table.say(discover(mac=mac))
        assert offer is not None
        assert kind_of(table.say(selecting(offer.yiaddr, mac=mac))) == "ACK"
        assert table.say(release(offer.yiaddr, mac)) is None
        table.later(1)
    (pool,) = table.engine._directory.sites["office"].free._pools  # the only place where its size can be seen
    assert len(pool._ends) + len(pool._returned) <= 20


def test_network_without_pools_says_so() -> None:
    table = Table(subnets=(OFFICE.subnets[0].__class__(parse_ip("192.168.1.0"), 24),))
    assert table.say(discover()) is None
    assert table.verdict() == ("SILENT", "no-pool")


def test_two_clients_that_discover_in_one_batch_get_two_addresses() -> None:
    table = Table()
    sends = table.handle(arrive(discover()), arrive(discover(mac=OTHER_MAC)), arrive(discover()))
    assert pairs(sends) == [("OFFER", ip(100)), ("OFFER", ip(101)), ("OFFER", ip(100))]


def test_nothing_is_written_before_the_client_accepts() -> None:
    table = Table()
    table.say(discover())
    assert list(table.store.all()) == []


# SELECTING


def test_selecting_grants_what_was_offered() -> None:
    table = Table()
    table.say(discover())
    reply = table.say(selecting(ip(100)))
    assert reply is not None
    assert (table.verdict(), reply.yiaddr) == (("ACK", "granted"), ip(100))
    held = table.on(ip(100))
    assert held is not None
    assert held.client == b"h\x01" + MAC


def test_selecting_another_server_withdraws_our_offer() -> None:
    table = Table()
    table.say(discover())
    assert table.say(selecting(ELSEWHERE, ELSEWHERE)) is None
    assert table.verdict() == ("SILENT", "other-server")
    reply = table.say(discover(ip(100), OTHER_MAC))
    assert reply is not None
    assert reply.yiaddr == ip(100)


def test_selecting_after_a_restart_is_granted_if_still_free() -> None:
    table = Table()
    table.say(discover())
    table.restart()
    assert kind_of(table.say(selecting(ip(100)))) == "ACK"
    assert table.verdict() == ("ACK", "granted-late")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (parse_ip("172.16.0.9"), "wrong-network"),
        (ip(104), "reserved-for-other"),
        (ip(105), "bound-to-other"),
        (ip(106), "declined"),
        (ip(107), "not-available"),
        (ip(200), "not-available"),
    ],
)
def test_selecting_what_we_cannot_give_is_refused(address: int, reason: str) -> None:
    table = Table(reservations=(reserved(ip(104), OTHER_MAC),))
    table.lease(ip(105), OTHER_MAC)
    table.lease(ip(106), OTHER_MAC, state=LeaseState.DECLINED)
    table.say(discover(ip(107), macs(1)[0]))
    assert kind_of(table.say(selecting(address))) == "NAK"
    assert table.verdict() == ("NAK", reason)


def test_repeated_selecting_is_answered_alike_and_writes_nothing() -> None:
    table = Table()
    table.say(discover())
    first, second = selecting(ip(100)), selecting(ip(100))
    assert pairs(table.handle(arrive(first), arrive(second), arrive(first))) == [("ACK", ip(100))] * 3
    assert len(table.store.history()) == 1


def test_race_for_one_address_in_one_batch_has_one_winner() -> None:
    table = Table()
    sends = table.handle(arrive(selecting(ip(100))), arrive(selecting(ip(100), mac=OTHER_MAC)))
    assert pairs(sends) == [("ACK", ip(100)), ("NAK", 0)]


def test_new_grant_breaks_no_promise_on_the_old_address() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    old = table.lease(ip(100))
    table.say(discover())
    assert kind_of(table.say(selecting(ip(50)))) == "ACK"
    assert table.on(ip(100)) == old
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "NAK"


# DECLINE, RELEASE, INFORM


def test_decline_puts_the_address_into_quarantine() -> None:
    table = Table()
    table.lease(ip(100))
    assert table.say(decline(ip(100))) is None
    assert table.verdict() == ("SILENT", "quarantined")
    reply = table.say(discover())
    assert reply is not None
    assert reply.yiaddr == ip(101)
    table.later(table.network.decline_time + 1)
    reply = table.say(discover(ip(100), OTHER_MAC))
    assert reply is not None
    assert reply.yiaddr == ip(100)


def test_the_address_comes_back_when_its_quarantine_ends_before_its_lease_would_have() -> None:
    table = Table(subnets=(subnet("192.168.1.0/24", (ip(100), ip(100)), lease_time=1800),), decline_time=1)
    table.say(discover())
    assert kind_of(table.say(selecting(ip(100)))) == "ACK"
    assert table.say(decline(ip(100))) is None
    assert table.say(discover(mac=OTHER_MAC)) is None
    assert table.verdict() == ("SILENT", "pool-full")
    table.later(2)
    offer = table.say(discover(mac=OTHER_MAC))
    assert offer is not None
    assert (table.verdict(), offer.yiaddr) == (("OFFER", "offered-new"), ip(100))


def test_the_address_comes_back_when_a_short_lease_follows_a_long_one() -> None:
    table = Table(subnets=(subnet("192.168.1.0/24", (ip(100), ip(100)), max_lease_time=86400),))
    for seconds in (86400, 60):
        table.say(discover())
        granted = table.say(
            request(MessageType.REQUEST, {50: address(ip(100)), 54: address(SERVER), 51: address(seconds)})
        )
        assert granted is not None
        assert granted.options[51] == address(seconds)
        table.say(release(ip(100)))
    table.say(discover())
    table.say(request(MessageType.REQUEST, {50: address(ip(100)), 54: address(SERVER), 51: address(60)}))
    table.later(62)
    table.engine.expire(table.now, 100)
    assert [(row.used, row.free) for row in table.engine.usage()] == [(0, 1)]


def test_a_search_that_had_to_end_is_not_called_a_full_pool() -> None:
    first = parse_ip("10.0.0.1")
    table = Table(subnets=(subnet("10.0.0.0/16", (first, first + 2047)),), offer_time=3600)
    for number in range(2047):
        table.say(discover(mac=bytes((2, 0, 0, 0, *number.to_bytes(2)))))
    reasons = set()
    for number in range(2047, 2060):
        table.say(discover(mac=bytes((2, 0, 0, 0, *number.to_bytes(2)))))
        reasons.add(table.verdict())
    assert reasons == {("OFFER", "offered-new"), ("SILENT", "search-ended")}


BLOCK = parse_ip("192.168.64.0")
WIDE = subnet("192.168.64.0/18", (BLOCK + 10, BLOCK + 16_000))


def many(number: int) -> bytes:
    return bytes((2, 0, 0, 0, *number.to_bytes(2)))


def adopted(table: Table, count: int) -> None:
    """So many clients come back with the addresses that a lost database had given them, one beside the other."""
    for number in range(count):
        assert kind_of(table.say(reboot(BLOCK + 10 + number, many(number)))) == "ACK"


def adopted_at_runtime(table: Table) -> None:
    adopted(table, 700)


def adopted_during_a_reload(table: Table) -> None:
    rebuild = table.engine.prepare((table.network,), table.now)
    while rebuild.step():
        pass
    adopted(table, 700)
    table.engine.reconfigure(rebuild)


def offered_before_a_reload(table: Table) -> None:
    for number in range(5000):
        assert kind_of(table.say(discover(mac=many(number)))) == "OFFER"
    table.engine.reconfigure(table.engine.prepare((table.network,), table.now))


@pytest.mark.parametrize(
    ("happens", "first"),
    [(adopted_at_runtime, 710), (adopted_during_a_reload, 710), (offered_before_a_reload, 5010)],
)
def test_addresses_taken_in_a_row_make_no_client_wait(happens: Callable[[Table], None], first: int) -> None:
    table = Table(subnets=(WIDE,), unknown_reboot="adopt", offer_time=3600)
    happens(table)
    replies = [table.say(discover(mac=many(20_000 + number))) for number in range(3)]
    assert [reply.yiaddr if reply else 0 for reply in replies] == [BLOCK + first + n for n in range(3)]


def test_an_offer_from_before_a_reload_comes_back_when_it_lapses() -> None:
    table = Table()
    for mac in macs(10):
        table.say(discover(mac=mac))
    table.engine.reconfigure(table.engine.prepare((OFFICE,), table.now))
    assert table.say(discover(mac=macs(11)[10])) is None
    assert table.verdict() == ("SILENT", "pool-full")
    table.later(table.network.offer_time + 1)
    replies = [table.say(discover(mac=mac)) for mac in macs(30)[20:]]
    assert {reply.yiaddr for reply in replies if reply} == {ip(100 + n) for n in range(10)}


def test_the_usage_of_a_pool_adds_up_while_clients_come_and_go() -> None:
    table = Table(reservations=(reserved(ip(109), OTHER_MAC),), decline_time=60)
    for mac in macs(4):
        offer = table.say(discover(mac=mac))
        assert offer is not None
        table.say(selecting(offer.yiaddr, mac=mac))
    table.say(discover(mac=macs(5)[4]))
    table.say(discover(mac=macs(1)[0]))  # offered what it holds: no address more is taken
    table.say(discover(mac=OTHER_MAC))
    table.say(decline(ip(100), macs(1)[0]))
    table.say(release(ip(101), macs(2)[1]))

    def counts() -> tuple[int, ...]:
        table.engine.expire(table.now, 100)
        (row,) = table.engine.usage()
        assert row.size == row.used + row.declined + row.offered + row.free + row.reserved
        return row.used, row.declined, row.offered, row.free, row.reserved

    assert counts() == (2, 1, 1, 5, 1)
    before = counts()
    table.restart()
    assert counts() == (2, 1, 0, 6, 1) != before
    table.later(61)
    assert counts() == (2, 0, 0, 7, 1)
    table.later(3600)
    assert counts() == (0, 0, 0, 9, 1)


def test_an_offer_that_lapses_is_counted_no_longer() -> None:
    table = Table()
    table.say(discover())
    assert [row.offered for row in table.engine.usage()] == [1]
    table.later(table.network.offer_time)
    assert table.engine.expire(table.now, 100) == 1
    assert [row.offered for row in table.engine.usage()] == [0]


def test_offers_are_counted_by_the_pools_of_a_new_configuration() -> None:
    table = Table()
    table.say(discover())
    table.engine.reconfigure(table.engine.prepare((OFFICE,), table.now))
    assert [row.offered for row in table.engine.usage()] == [1]
    table.say(selecting(ip(100)))
    assert [(row.used, row.offered) for row in table.engine.usage()] == [(1, 0)]


def test_a_client_that_declines_whatever_it_gets_does_not_empty_the_pool() -> None:
    table = Table(decline_time=600)
    reasons = []
    for _ in range(20):
        offer = table.say(discover())
        assert offer is not None
        table.say(selecting(offer.yiaddr))
        table.say(decline(offer.yiaddr))
        reasons.append(table.verdict()[1])
        table.later(1)
    assert reasons == ["quarantined"] * MAX_DECLINED + ["decline-excess"] * (20 - MAX_DECLINED)
    assert [(row.declined, row.free) for row in table.engine.usage()] == [(MAX_DECLINED, 10 - MAX_DECLINED)]
    table.later(600)
    offer = table.say(discover())
    assert offer is not None
    table.say(selecting(offer.yiaddr))
    table.say(decline(offer.yiaddr))
    assert table.verdict() == ("SILENT", "quarantined")


def test_why_explains_a_full_pool_by_what_its_addresses_are_taken_by() -> None:
    own, phones = (
        Pool(Ranges.of([(ip(first), ip(first + 4))]), allow=allow) for first, allow in ((100, ()), (105, ("p",)))
    )
    table = Table(
        subnets=(replace(OFFICE.subnets[0], pools=(own, phones)),), reservations=(reserved(ip(100), OTHER_MAC),)
    )
    table.lease(ip(101), OTHER_MAC)
    table.lease(ip(102), OTHER_MAC, state=LeaseState.DECLINED)
    table.lease(ip(103), OTHER_MAC)
    table.restart()
    assert kind_of(table.say(discover(mac=macs(1)[0]))) == "OFFER"
    assert table.say(discover()) is None
    (newest,) = told(table.engine.records, MAC.hex(":"), 1, table.engine.usage())
    assert newest.reason == "pool-full"
    assert newest.text == (
        "every address of the pools is taken; now 192.168.1.100-192.168.1.104: 2 leased, 1 on offer, 1 in quarantine,"
        " 1 reserved; 192.168.1.105-192.168.1.109 (for p): 5 free"
    )


@pytest.mark.parametrize("held", [100, 101, 200])
def test_decline_of_what_one_does_not_hold_is_ignored(held: int) -> None:
    table = Table()
    before = table.lease(ip(100), OTHER_MAC)
    assert table.say(decline(ip(held))) is None
    assert table.verdict() == ("SILENT", "decline-ignored")
    assert list(table.store.all()) == [before]


def test_decline_to_another_server_is_not_ours() -> None:
    table = Table()
    before = table.lease(ip(100))
    assert table.say(decline(ip(100), server=ELSEWHERE)) is None
    assert table.verdict() == ("SILENT", "other-server")
    assert table.on(ip(100)) == before


def test_release_frees_the_address_and_remembers_the_client() -> None:
    table = Table()
    table.lease(ip(100))
    assert table.say(release(ip(100)), broadcast=False) is None
    assert table.verdict() == ("SILENT", "released")
    assert table.say(release(ip(100)), broadcast=False) is None
    assert table.verdict() == ("SILENT", "release-ignored")
    assert table.say(discover()) is not None
    assert table.verdict() == ("OFFER", "offered-last")


def test_release_of_another_clients_lease_changes_nothing() -> None:
    table = Table()
    before = table.lease(ip(100), OTHER_MAC)
    assert table.say(release(ip(100))) is None
    assert table.on(ip(100)) == before


def test_inform_gets_parameters_and_no_lease() -> None:
    table = Table()
    sends = table.handle(arrive(request(MessageType.INFORM, ciaddr=ip(7)), source=ip(7)))
    assert pairs(sends) == [("ACK", 0)]
    assert (sends[0].destination, sends[0].port, sends[0].mac) == (ip(7), 68, None)
    reply = table.say(request(MessageType.INFORM, ciaddr=ip(7)))
    assert reply is not None
    assert reply.options[15] == b"example.org"
    assert not {51, 58, 59} & set(reply.options)
    assert list(table.store.all()) == []


def test_inform_without_an_address_is_silence() -> None:
    table = Table()
    assert table.say(request(MessageType.INFORM)) is None
    assert table.verdict() == ("SILENT", "no-address")


def test_server_never_gives_away_its_own_address() -> None:
    table = Table()
    table.engine.own = frozenset({SERVER, ip(100)})
    reply = table.say(discover(ip(100)))
    assert reply is not None
    assert reply.yiaddr == ip(101)
