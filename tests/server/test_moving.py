"""A client whose address is no longer for it: refused when it reboots, led away in a moment when it renews."""

from collections.abc import Sequence

import msgspec
import pytest

from relet.errors import StoreError
from relet.model.lease import Change, Committed, LeaseState
from relet.model.network import Reservation
from relet.server.engine import Engine
from relet.store.memory import MemoryStore
from relet.wire.message import Message
from support.table import (
    OTHER_MAC,
    SERVER,
    Table,
    arrive,
    discover,
    ip,
    kind_of,
    reboot,
    renewing,
    reserved,
    selecting,
)

UNICAST = {"broadcast": False, "source": ip(100), "interface": ""}
WHY = pytest.mark.parametrize(
    "change", [reserved(ip(50)), reserved(ip(100), OTHER_MAC)], ids=["reserved elsewhere", "reserved for another"]
)
WAYS = pytest.mark.parametrize("where", [UNICAST, {"source": ip(100)}], ids=["renewing", "rebinding"])


class Brittle(MemoryStore):
    """A store that fails on demand."""

    broken = False

    def commit(self, changes: Sequence[Change], wall: float) -> Committed:
        if self.broken:
            raise StoreError("disk full")
        return super().commit(changes, wall)


def seconds(reply: Message | None) -> int | None:
    """The lease time of an ACK."""
    assert kind_of(reply) == "ACK"
    return reply.uint(51) if reply is not None else None


@WHY
def test_a_reboot_is_refused_at_once(change: Reservation) -> None:
    table = Table(reservations=(change,))
    table.lease(ip(100))
    assert kind_of(table.say(reboot(ip(100)))) == "NAK"


@WHY
@WAYS
def test_renewals_are_granted_for_moving_time_in_all_and_then_refused(
    change: Reservation, where: dict[str, object]
) -> None:
    table = Table(moving_time=60, reservations=(change,))
    before = table.lease(ip(100), seconds=3000)
    assert seconds(table.say(renewing(ip(100)), **where)) == 60
    assert table.verdict() == ("ACK", "moving")
    table.later(30)
    assert seconds(table.say(renewing(ip(100)), **where)) == 30
    table.later(29.5)
    assert table.say(renewing(ip(100)), **where) is not None
    assert table.verdict()[0] == "NAK"
    kept = table.on(ip(100))
    assert kept is not None
    assert (kept.expires, kept.state, kept.reason) == (before.expires, LeaseState.BOUND, "moving")


def test_a_lease_that_would_end_sooner_is_kept_until_the_end_that_is_now_promised() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    table.lease(ip(100), seconds=5)
    assert seconds(table.say(renewing(ip(100)))) == 60
    kept = table.on(ip(100))
    assert kept is not None
    assert kept.expires >= table.now.wall + 60


def test_an_address_in_no_pool_is_left_by_degrees_too() -> None:
    table = Table()
    table.lease(ip(200))
    assert seconds(table.say(renewing(ip(200)))) == 60
    table.later(60)
    assert kind_of(table.say(renewing(ip(200)))) == "NAK"
    assert table.verdict() == ("NAK", "no-longer-offered")


def test_row_3_waits_until_the_reserved_address_is_free() -> None:
    table = Table(reservations=(reserved(ip(105)),))
    table.lease(ip(100))
    table.lease(ip(105), OTHER_MAC)
    assert seconds(table.say(renewing(ip(100)))) == 3600
    assert table.verdict() == ("ACK", "rebound")


def test_the_client_finds_its_reserved_address_when_it_starts_anew() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    table.lease(ip(100))
    table.say(renewing(ip(100)))
    offer = table.say(discover())
    assert offer is not None
    assert offer.yiaddr == ip(50)
    assert kind_of(table.say(selecting(ip(50)))) == "ACK"


@pytest.mark.parametrize("cache_threshold", [None, 0.01])
def test_a_reservation_that_is_taken_back_makes_the_renewal_an_ordinary_one(cache_threshold: float | None) -> None:
    table = Table(reservations=(reserved(ip(50)),), cache_threshold=cache_threshold)
    table.lease(ip(100), seconds=3601)
    table.say(renewing(ip(100)))
    network = msgspec.structs.replace(table.network, reservations=())
    table.engine = Engine((network,), table.store, frozenset({SERVER}))
    assert seconds(table.say(renewing(ip(100)))) == 3600
    kept = table.on(ip(100))
    assert kept is not None
    assert kept.reason == "rebound"


def test_two_copies_in_one_batch_write_once() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    table.lease(ip(100))
    sends = table.handle(arrive(renewing(ip(100))), arrive(renewing(ip(100))))
    assert len(sends) == 2
    assert [entry.lease.reason for entry in table.store.history(address=ip(100))] == ["moving", ""]


def test_while_the_store_fails_nobody_is_kept_longer_and_nobody_is_refused() -> None:
    store = Brittle()
    table = Table(reservations=(reserved(ip(50)),), store=store)
    table.lease(ip(100))
    store.broken = True
    assert seconds(table.say(renewing(ip(100)))) == 60
    assert table.verdict() == ("ACK", "store-confirmed")
    store.broken = False
    assert seconds(table.say(renewing(ip(100)))) == 60
    store.broken = True
    table.later(20)
    assert seconds(table.say(renewing(ip(100)))) == 40


def test_no_longer_than_the_whole_when_the_clock_was_set_back() -> None:
    table = Table(reservations=(reserved(ip(50)),))
    table.lease(ip(100), seconds=9000)
    table.say(renewing(ip(100)))
    table.later(-500)
    assert seconds(table.say(renewing(ip(100)))) == 60
