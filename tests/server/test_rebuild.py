"""A configuration that takes the place of another while the engine serves."""

from random import Random

import msgspec
import pytest

from relet.server import rebuild as rebuilding
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
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

WIDER = msgspec.structs.replace(OFFICE, subnets=(subnet("192.168.1.0/24", (ip(100), ip(102)), lease_time=7200),))


def test_what_was_committed_meanwhile_is_known_afterwards() -> None:
    table = Table(WIDER)
    table.lease(ip(100))
    rebuild = table.engine.prepare((WIDER,), table.now)
    assert kind_of(table.say(selecting(ip(101), mac=OTHER_MAC))) == "ACK"
    assert kind_of(table.say(selecting(ip(102), mac=b"\2" * 6))) == "ACK"
    table.engine.reconfigure(rebuild)
    assert table.say(discover(mac=b"\3" * 6)) is None
    assert table.verdict() == ("SILENT", "pool-full")
    table.later(8000)
    offer = table.say(discover(mac=b"\3" * 6))
    assert offer is not None
    assert offer.yiaddr == ip(100)  # the longest expired


def test_nothing_of_it_shows_before_it_is_whole() -> None:
    table = Table()
    table.lease(ip(100))
    network = msgspec.structs.replace(OFFICE, reservations=(reserved(ip(50)),))
    rebuild = table.engine.prepare((network,), table.now)
    while rebuild.step():
        pass
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    table.engine.reconfigure(rebuild)
    assert kind_of(table.say(reboot(ip(100)))) == "NAK"
    assert [each.to for each in rebuild.movers] == [ip(50)]
    assert rebuild.moving == 1


def test_replies_are_made_anew() -> None:
    table = Table(WIDER)
    table.lease(ip(100))
    table.say(renewing(ip(100)))
    other = msgspec.structs.replace(
        WIDER, subnets=(subnet("192.168.1.0/24", (ip(100), ip(102)), options={15: b"example.net"}, lease_time=600),)
    )
    table.engine.reconfigure(table.engine.prepare((other,), table.now))
    reply = table.say(renewing(ip(100)))
    assert reply is not None
    assert (reply.uint(51), reply.options[15]) == (600, b"example.net")


def test_an_offer_outlives_it_where_the_address_is_still_offered() -> None:
    table = Table(WIDER)
    offer = table.say(discover(mac=MAC))
    assert offer is not None
    table.engine.reconfigure(table.engine.prepare((WIDER,), table.now))
    other = table.say(discover(offer.yiaddr, mac=OTHER_MAC))
    assert other is not None
    assert other.yiaddr != offer.yiaddr
    assert kind_of(table.say(selecting(offer.yiaddr))) == "ACK"
    assert table.verdict() == ("ACK", "granted")


def test_one_that_is_given_up_changes_nothing() -> None:
    table = Table()
    table.engine.prepare((), table.now)
    table.engine.reconfigure(None)
    assert kind_of(table.say(selecting(ip(100)))) == "ACK"


def test_the_work_is_done_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "LOADED_AT_ONCE", 2)
    table = Table()
    for last in range(100, 110):
        table.lease(ip(last), mac=bytes((2, 0, 0, 0, 0, last)))
    rebuild = table.engine.prepare((table.network,), table.now)
    steps = 1
    while rebuild.step():
        steps += 1
    assert steps == 6
    table.engine.reconfigure(rebuild)
    assert table.say(discover()) is None


@pytest.mark.parametrize("seed", range(20))
def test_whatever_changes_while_it_goes_on_is_known_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "LOADED_AT_ONCE", 3)
    random = Random(seed)
    macs = [bytes((2, 0, 0, 0, 0, number)) for number in range(90)]
    wide = msgspec.structs.replace(OFFICE, subnets=(subnet("192.168.1.0/24", (ip(20), ip(240)), lease_time=300),))
    table = Table(wide)
    for mac in random.sample(macs, 50):
        table.lease(ip(random.randint(20, 240)), mac, random.choice((-10, 20, 200, 5000)))
    table.restart()
    rebuild = table.engine.prepare((wide,), table.now)
    changed = 0
    while rebuild.step():
        for _ in range(3):
            mac, where = random.choice(macs), ip(random.randint(20, 240))
            held = table.on(where)
            if held is not None and random.random() < 0.7:
                mac = held.client[2:]
            table.say(random.choice((selecting, reboot, release, decline))(where, mac=mac))
            changed += table.on(where) is not held
        table.later(1)
    assert changed > 5
    table.engine.reconfigure(rebuild)
    anew = Table(wide, store=table.store)
    for engine in (table.engine, anew.engine):
        while engine.expire(table.now, 10):
            pass
    assert table.engine.usage() == anew.engine.usage()
