"""The operator's hand on leases: what may be done, what becomes of the client, and what is refused."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from relet.errors import StoreError
from relet.model.ident import client_key
from relet.model.lease import FOREVER, Change, Committed, Lease, LeaseState
from relet.server.order import Do, Order
from relet.store.memory import MemoryStore
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE
from support.table import (
    MAC,
    OTHER_MAC,
    Table,
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

KEY, OTHER = client_key(None, 1, MAC), client_key(None, 1, OTHER_MAC)


def order(table: Table, do: Do, last: int = 100, **fields: object) -> Lease:
    made = msgspec.structs.replace(Order(do, ip(last)), **fields)
    return table.engine.order(made, "ada", table.now).after


def whose(mac: bytes = MAC) -> dict[str, Any]:
    return {"client": client_key(None, 1, mac), "hardware": b"\1" + mac}


def offered(table: Table, mac: bytes = MAC) -> int:
    reply = table.say(discover(mac=mac))
    return reply.yiaddr if reply is not None else 0


def test_a_lease_that_is_added_is_one_that_the_client_can_use() -> None:
    table = Table()
    added = order(table, Do.ADD, **whose(), hostname="desk")
    assert (added.state, added.hostname, added.reason) == (LeaseState.BOUND, "desk", "by-hand")
    assert added.expires == table.now.wall + 3601
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    assert table.verdict() == ("ACK", "confirmed")
    assert offered(table, OTHER_MAC) != ip(100)
    assert [entry.who for entry in table.store.history(address=ip(100))] == ["", "ada"]


def test_for_how_long() -> None:
    table = Table()
    assert order(table, Do.ADD, 101, **whose(), seconds=60).expires == table.now.wall + 61
    assert order(table, Do.ADD, 102, **whose(), seconds=INFINITE).expires == FOREVER


@pytest.mark.parametrize("do", [Do.ADD, Do.RESERVE])
@pytest.mark.parametrize(
    ("last", "text"),
    [
        (0, "no host"),
        (255, "no host"),
        (1, "address of this server"),
        (50, "reserved for another client in the configuration"),
        (101, "held by mac 52:54:00:00:00:02"),
        (102, "in quarantine; use lift"),
        (103, "reserved for mac 52:54:00:00:00:02"),
    ],
)
def test_addresses_that_nobody_can_be_given(do: Do, last: int, text: str) -> None:
    table = Table(reservations=(reserved(ip(50), OTHER_MAC),))
    table.lease(ip(101), OTHER_MAC)
    table.lease(ip(102), OTHER_MAC, state=LeaseState.DECLINED)
    order(table, Do.RESERVE, 103, **whose(OTHER_MAC))
    before = list(table.store.all())
    with pytest.raises(ValueError, match=text):
        order(table, do, last, **whose())
    assert list(table.store.all()) == before


@pytest.mark.parametrize(
    ("do", "text"),
    [
        (Do.CHANGE, "nobody holds 192.168.1.105"),
        (Do.END, "nobody holds"),
        (Do.UNRESERVE, "not reserved by hand"),
        (Do.LIFT, "not in quarantine"),
        (Do.ADD, "say which client"),
    ],
)
def test_there_must_be_something_to_do_it_to(do: Do, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        order(Table(), do, 105)


def test_an_address_of_no_network() -> None:
    table = Table()
    with pytest.raises(ValueError, match="lies in none of the networks"):
        table.engine.order(Order(Do.LIFT, parse_ip("10.0.0.1")), "ada", table.now)


def test_the_reservation_of_the_configuration_may_be_added_for_its_client() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    assert order(table, Do.ADD, 50, **whose()).address == ip(50)


def test_a_lease_can_be_made_longer_and_named_but_not_shorter() -> None:
    table = Table()
    table.lease(ip(100), seconds=1000)
    assert order(table, Do.CHANGE, seconds=5000, hostname="desk").expires == table.now.wall + 5001
    with pytest.raises(ValueError, match="only be made longer"):
        order(table, Do.CHANGE, seconds=60)
    with pytest.raises(ValueError, match="say what to change"):
        order(table, Do.CHANGE)
    assert order(table, Do.CHANGE, seconds=INFINITE).expires == FOREVER
    with pytest.raises(ValueError, match="use change"):
        order(table, Do.ADD, **whose())


def test_a_lease_that_is_ended_is_over_for_its_client_and_the_address_kept_until_its_promised_end() -> None:
    table = Table()
    held = table.lease(ip(100), seconds=1000)
    assert order(table, Do.END).expires == held.expires
    assert kind_of(table.say(renewing(ip(100)))) == "NAK"
    assert table.verdict() == ("NAK", "ended")
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "NAK"
    assert offered(table) not in (0, ip(100))
    table.later(1001)
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "ACK"


def test_an_ended_lease_can_be_lifted() -> None:
    table = Table()
    table.lease(ip(100))
    order(table, Do.END)
    order(table, Do.LIFT)
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "ACK"


def test_at_once_gives_the_address_to_others() -> None:
    table = Table()
    table.lease(ip(100), seconds=1000)
    order(table, Do.END, at_once=True)
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "ACK"
    assert kind_of(table.say(renewing(ip(100)))) == "NAK"


def test_a_lease_without_an_end_can_only_be_ended_at_once() -> None:
    table = Table()
    order(table, Do.ADD, **whose(), seconds=INFINITE)
    with pytest.raises(ValueError, match="at once"):
        order(table, Do.END)
    assert order(table, Do.END, at_once=True).state is LeaseState.RELEASED


def test_a_quarantine_is_lifted() -> None:
    table = Table()
    table.lease(ip(100), state=LeaseState.DECLINED)
    order(table, Do.LIFT)
    assert kind_of(table.say(selecting(ip(100), mac=OTHER_MAC))) == "ACK"


@pytest.mark.parametrize("last", [105, 50], ids=["in the pool", "outside of it"])
def test_an_address_reserved_by_hand_is_its_clients_alone(last: int) -> None:
    table = Table()
    order(table, Do.RESERVE, last, **whose())
    assert kind_of(table.say(selecting(ip(last), mac=OTHER_MAC))) == "NAK"
    assert table.verdict()[1] == "reserved-for-other"
    assert offered(table) == ip(last)
    assert table.verdict() == ("OFFER", "offered-reserved")
    assert kind_of(table.say(selecting(ip(last)))) == "ACK"
    table.later(10_000)  # expired, and kept
    assert kind_of(table.say(selecting(ip(last), mac=OTHER_MAC))) == "NAK"
    assert kind_of(table.say(reboot(ip(last)))) == "ACK"
    table.say(release(ip(last)))
    assert kind_of(table.say(selecting(ip(last), mac=OTHER_MAC))) == "NAK"
    assert kind_of(table.say(reboot(ip(last)))) == "ACK"


def test_a_client_that_has_another_address_moves_to_it() -> None:
    table = Table()
    table.lease(ip(100))
    order(table, Do.RESERVE, 105, **whose())
    rebuild = table.engine.prepare((table.network,), table.now)
    rebuild.done()
    assert [(each.lease.address, each.to) for each in rebuild.movers] == [(ip(100), ip(105))]
    assert kind_of(table.say(renewing(ip(100)))) == "ACK"
    assert table.verdict() == ("ACK", "moving")
    assert kind_of(table.say(reboot(ip(100)))) == "NAK"
    assert table.verdict() == ("NAK", "reserved-elsewhere")


def test_it_stays_reserved_through_a_quarantine_and_a_restart() -> None:
    table = Table(decline_time=100)
    order(table, Do.RESERVE, 105, **whose())
    table.say(selecting(ip(105)))
    table.say(decline(ip(105)))
    assert offered(table) not in (0, ip(105))
    table.restart()
    table.later(200)
    assert kind_of(table.say(selecting(ip(105), mac=OTHER_MAC))) == "NAK"
    assert offered(table) == ip(105)


def test_it_is_taken_back_and_found_again_by_everybody() -> None:
    table = Table()
    for last in range(100, 109):
        table.lease(ip(last), bytes((2, 0, 0, 0, 0, last)), seconds=90_000)
    order(table, Do.RESERVE, 109, **whose())
    assert offered(table, OTHER_MAC) == 0
    table.restart()
    assert offered(table, OTHER_MAC) == 0
    table.say(selecting(ip(109)))
    table.later(20_000)
    assert offered(table, OTHER_MAC) == 0  # it came up among the expired, and was passed over
    order(table, Do.UNRESERVE, 109)
    assert offered(table, OTHER_MAC) == ip(109)


def test_a_client_has_one_of_them() -> None:
    table = Table()
    order(table, Do.RESERVE, 105, **whose())
    with pytest.raises(ValueError, match=r"192\.168\.1\.105 is reserved for this client already"):
        order(table, Do.RESERVE, 106, **whose())


def test_of_a_lease_that_it_holds_only_the_mark_is_changed() -> None:
    table = Table()
    held = table.lease(ip(100))
    assert order(table, Do.RESERVE, **whose()) == msgspec.structs.replace(held, kept=True, reason="by-hand")


def test_what_is_ordered_during_a_reload_is_not_lost() -> None:
    table = Table()
    rebuild = table.engine.prepare((table.network,), table.now)
    order(table, Do.RESERVE, 105, **whose())
    table.engine.reconfigure(rebuild)
    assert kind_of(table.say(selecting(ip(105), mac=OTHER_MAC))) == "NAK"
    assert offered(table) == ip(105)


def test_a_failing_store_changes_nothing_and_says_so() -> None:
    class Full(MemoryStore):
        def commit(self, changes: Sequence[Change], wall: float) -> Committed:
            raise StoreError(f"the disk is full ({len(changes)}, {wall})")

    table = Table(store=Full())
    with pytest.raises(StoreError, match="the disk is full"):
        order(table, Do.RESERVE, 105, **whose())
    assert table.on(ip(105)) is None


def test_the_counts_of_the_pool_follow_what_is_ordered() -> None:
    table = Table(decline_time=600)

    def counts() -> tuple[int, int, int, int]:
        table.engine.expire(table.now, 100)
        (row,) = table.engine.usage()
        assert row.size == row.used + row.declined + row.offered + row.reserved + row.free
        return row.used, row.declined, row.reserved, row.free

    order(table, Do.ADD, **whose(), seconds=60)
    assert counts() == (1, 0, 0, 9)
    order(table, Do.RESERVE, **whose())
    table.later(61)
    assert counts() == (0, 0, 1, 9)  # its lease is over, and it is still kept
    table.restart()
    assert counts() == (0, 0, 1, 9)
    table.say(discover())
    table.say(selecting(ip(100)))
    assert counts() == (1, 0, 0, 9)
    table.say(decline(ip(100)))
    assert counts() == (0, 1, 0, 9)
    order(table, Do.LIFT)
    order(table, Do.UNRESERVE)
    assert counts() == (0, 0, 0, 10)
