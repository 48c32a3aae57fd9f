"""The reallocation table, row by row: what a rebooting, renewing or rebinding client hears, and why."""

import pytest

from relet.model.lease import LeaseState
from relet.wire.address import parse_ip
from relet.wire.message import Message
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    SERVER,
    Table,
    arrive,
    discover,
    ip,
    kind_of,
    pairs,
    reboot,
    renewing,
    reserved,
    selecting,
)

FOREIGN = parse_ip("172.16.0.9")


def init_reboot(address: int) -> tuple[Message, dict[str, object]]:
    return reboot(address), {}


def rebinding(address: int) -> tuple[Message, dict[str, object]]:
    return renewing(address), {"source": address}


def renewal(address: int) -> tuple[Message, dict[str, object]]:
    return renewing(address), {"broadcast": False, "source": address, "interface": ""}


WAYS = pytest.mark.parametrize("way", [init_reboot, rebinding, renewal], ids=lambda way: way.__name__)
GOOD = {init_reboot: "confirmed", rebinding: "rebound", renewal: "renewed"}


def test_row_1_no_network_for_this_link_is_silence() -> None:
    table = Table()
    assert table.say(reboot(ip(100)), interface="eth9") is None
    assert table.verdict() == ("SILENT", "no-network")


def test_row_1_relay_that_nobody_configured_is_silence() -> None:
    table = Table()
    assert table.say(reboot(ip(100), giaddr=parse_ip("172.16.0.1"))) is None
    assert table.verdict() == ("SILENT", "no-network")


@pytest.mark.parametrize("way", [init_reboot, rebinding], ids=lambda way: way.__name__)
def test_row_2_foreign_address_is_refused(way: type) -> None:
    table = Table()
    message, where = way(FOREIGN)
    assert kind_of(table.say(message, **where)) == "NAK"
    assert table.verdict() == ("NAK", "wrong-network")


def test_row_2_foreign_address_is_left_to_others_where_the_operator_says_so() -> None:
    table = Table(foreign_address="silent")
    assert table.say(reboot(FOREIGN)) is None
    assert table.verdict() == ("SILENT", "foreign-ignored")


@WAYS
def test_row_3_client_with_another_address_reserved_is_sent_there(way: type) -> None:
    table = Table(reservations=(reserved(ip(50)),), moving_time=0)
    table.lease(ip(100))
    message, where = way(ip(100))
    assert kind_of(table.say(message, **where)) == "NAK"
    assert table.verdict() == ("NAK", "reserved-elsewhere")


def test_row_3_does_not_apply_while_another_host_has_the_reserved_address() -> None:
    table = Table(reservations=(reserved(ip(105)),))
    table.lease(ip(100))
    table.lease(ip(105), OTHER_MAC)
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"


@WAYS
def test_row_4_reserved_for_another_client(way: type) -> None:
    table = Table(reservations=(reserved(ip(100), OTHER_MAC),), moving_time=0)
    table.lease(ip(100))
    message, where = way(ip(100))
    assert kind_of(table.say(message, **where)) == "NAK"
    assert table.verdict() == ("NAK", "reserved-for-other")


@WAYS
def test_row_4_bound_to_another_client(way: type) -> None:
    table = Table()
    table.lease(ip(100), OTHER_MAC)
    message, where = way(ip(100))
    assert kind_of(table.say(message, **where)) == "NAK"
    assert table.verdict() == ("NAK", "bound-to-other")


@WAYS
def test_row_4_declined(way: type) -> None:
    table = Table()
    table.lease(ip(100), OTHER_MAC, state=LeaseState.DECLINED)
    message, where = way(ip(100))
    assert kind_of(table.say(message, **where)) == "NAK"
    assert table.verdict() == ("NAK", "declined")


@WAYS
def test_row_5_an_unexpired_lease_is_confirmed_for_a_full_lease_time(way: type) -> None:
    table = Table()
    table.lease(ip(100), seconds=10)
    message, where = way(ip(100))
    reply = table.say(message, **where)
    assert reply is not None
    assert kind_of(reply) == "ACK"
    assert reply.yiaddr == ip(100)
    assert reply.uint(51) == 3600
    assert table.verdict() == ("ACK", GOOD[way])
    kept = table.on(ip(100))
    assert kept is not None
    assert kept.expires >= table.now.wall + 3600


def test_row_5_with_cache_threshold_nothing_is_written_and_the_time_left_is_promised() -> None:
    table = Table(cache_threshold=0.25)
    before = table.lease(ip(100), seconds=3000)
    reply = table.say(reboot(ip(100)))
    assert reply is not None
    assert reply.uint(51) == 3000
    assert table.on(ip(100)) == before


@WAYS
def test_row_6_address_no_longer_in_a_pool(way: type) -> None:
    table = Table(moving_time=0)
    table.lease(ip(200))
    message, where = way(ip(200))
    assert kind_of(table.say(message, **where)) == "NAK"
    assert table.verdict() == ("NAK", "no-longer-offered")


@pytest.mark.parametrize("state", [LeaseState.BOUND, LeaseState.RELEASED])
@WAYS
def test_row_7_own_ended_lease_on_a_free_address_is_granted_again(way: type, state: LeaseState) -> None:
    table = Table()
    table.lease(ip(100), seconds=-5, state=state)
    message, where = way(ip(100))
    assert kind_of(table.say(message, **where)) == "ACK"
    assert table.verdict() == ("ACK", "regranted")


def test_row_7_not_while_the_address_is_on_offer_to_another_client() -> None:
    table = Table()
    table.lease(ip(100), seconds=-5)
    offered = table.say(discover(ip(100), OTHER_MAC))
    assert offered is not None
    assert offered.yiaddr == ip(100)
    assert table.say(reboot(ip(100))) is None


def test_row_7_reserved_address_needs_no_record() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    assert kind_of(table.say(reboot(ip(50)))) == "ACK"
    assert table.verdict() == ("ACK", "reserved")


@WAYS
def test_row_8_client_has_a_lease_on_another_address(way: type) -> None:
    table = Table()
    table.lease(ip(101))
    message, where = way(ip(100))
    assert kind_of(table.say(message, **where)) == "NAK"
    assert table.verdict() == ("NAK", "other-address")


@WAYS
def test_row_9_no_record_is_silence(way: type) -> None:
    table = Table()
    message, where = way(ip(100))
    assert table.say(message, **where) is None
    assert table.verdict() == ("SILENT", "no-record")


@WAYS
def test_row_9_address_of_the_subnet_that_is_not_ours_is_silence(way: type) -> None:
    table = Table()
    message, where = way(ip(200))
    assert table.say(message, **where) is None
    assert table.verdict() == ("SILENT", "not-ours")


def test_row_9_ended_lease_of_another_client_is_no_knowledge() -> None:
    table = Table()
    table.lease(ip(100), OTHER_MAC, seconds=-5)
    assert table.say(reboot(ip(100))) is None
    assert table.verdict() == ("SILENT", "no-record")


def test_row_9_unknown_reboot_nak() -> None:
    table = Table(unknown_reboot="nak")
    assert kind_of(table.say(reboot(ip(100)))) == "NAK"
    assert table.verdict() == ("NAK", "unknown-refused")


@pytest.mark.parametrize(("secs", "answer"), [(9, "SILENT"), (10, "NAK"), (11, "NAK")])
def test_row_9_unknown_reboot_after(secs: int, answer: str) -> None:
    table = Table(unknown_reboot_after=10)
    assert kind_of(table.say(reboot(ip(100), secs=secs))) == answer


def test_row_9_adopt_takes_a_free_address_of_ours() -> None:
    table = Table(unknown_reboot="adopt")
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    assert table.verdict() == ("ACK", "adopted")
    held = table.on(ip(100))
    assert held is not None
    assert held.holds(table.now.wall)


def test_row_9_adopt_leaves_alone_what_is_not_ours() -> None:
    table = Table(unknown_reboot="adopt")
    assert table.say(reboot(ip(200))) is None
    assert table.say(reboot(SERVER)) is None


def test_renewal_by_unicast_is_judged_by_its_address_not_by_where_it_was_heard() -> None:
    table = Table()
    table.lease(ip(100))
    assert kind_of(table.say(renewing(ip(100)), broadcast=False, interface="", local=parse_ip("10.0.0.5"))) == "ACK"


def test_copies_in_one_batch_get_the_same_answer_and_one_lease() -> None:
    table = Table()
    table.lease(ip(100), seconds=10)
    message = reboot(ip(100))
    sends = table.handle(arrive(message), arrive(message), arrive(message))
    assert pairs(sends) == [("ACK", ip(100))] * 3
    assert len(table.store.history(address=ip(100))) == 2  # the lease itself, and its one extension


def test_restart_forgets_offers_and_keeps_grants() -> None:
    table = Table()
    offered = table.say(discover())
    assert offered is not None
    assert kind_of(table.say(selecting(offered.yiaddr))) == "ACK"
    table.restart()
    assert kind_of(table.say(reboot(offered.yiaddr))) == "ACK"
    assert table.verdict() == ("ACK", "confirmed")


def test_client_known_by_its_identifier_is_not_known_by_its_hardware_address() -> None:
    table = Table()
    table.lease(ip(100), MAC)
    stranger = reboot(ip(100))
    stranger.options[61] = b"\x00somebody"
    assert kind_of(table.say(stranger)) == "NAK"
    assert table.verdict() == ("NAK", "bound-to-other")


def test_match_client_id_false_knows_clients_by_hardware_address_alone() -> None:
    table = Table(OFFICE, match_client_id=False)
    table.lease(ip(100), MAC)
    same = reboot(ip(100))
    same.options[61] = b"\x00somebody"
    assert kind_of(table.say(same)) == "ACK"
