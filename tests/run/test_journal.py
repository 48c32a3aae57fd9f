"""What a server's log says without being asked to be verbose."""

from collections import Counter

import pytest
from structlog.testing import capture_logs

from relet import __version__
from relet.model.network import Network, Settings
from relet.run.journal import DROPS_EVERY_S, POOL_FULL_EVERY_S, Journal
from support.networks import subnet
from support.table import OTHER_MAC, Table, arrive, decline, discover, ip, reboot, release, selecting


@pytest.fixture
def table() -> Table:
    return Table(subnets=(subnet("192.168.1.0/24", (ip(100), ip(100))),))


def test_a_declined_address_is_told_with_who_found_it(table: Table) -> None:
    journal = Journal(table.engine, verbose=False)
    table.lease(ip(100))
    with capture_logs() as logs:
        journal.follow(0)
        table.say(reboot(ip(100)))
        journal.follow(1)
        table.say(decline(ip(100)))
        journal.follow(2)
        journal.follow(3)
    assert [(line["log_level"], line["event"], line["address"]) for line in logs] == [
        ("warning", "address in use by an unknown host", "192.168.1.100")
    ]


def test_a_full_pool_is_told_now_and_then(table: Table) -> None:
    journal = Journal(table.engine, verbose=False)
    table.lease(ip(100), OTHER_MAC)
    with capture_logs() as logs:
        for second in range(int(POOL_FULL_EVERY_S) + 1):
            table.say(discover())
            journal.follow(second)
    assert [(line["event"], line["unserved"], line["networks"]) for line in logs] == [
        ("clients without an address: every pool is full", 1, "office"),
        ("clients without an address: every pool is full", int(POOL_FULL_EVERY_S), "office"),
    ]


def test_a_pool_that_fills_up_is_told_once_and_when_it_is_over() -> None:
    table = Table(nearly_full=0.8)
    journal = Journal(table.engine, verbose=False)
    told: list[tuple[str, str, int, int]] = []

    def taken(number: int, mono: float) -> None:
        for last in range(100, 110):
            held = table.on(ip(last))
            mac = bytes((2, 0, 0, 0, 0, last))
            if last < 100 + number and (held is None or held.state != "bound"):
                table.say(selecting(ip(last), mac=mac))
            elif last >= 100 + number and held is not None and held.state == "bound":
                table.say(release(ip(last), mac))
        with capture_logs() as logs:
            journal.pools(mono)
        told.extend((line["log_level"], line["event"], line["leased"], line["free"]) for line in logs)

    for number, mono in (
        (7, 0),
        (8, 1),
        (9, 2),
        (8, 3),
        (10, 4),
        (10, 5),
        (9, 6),
        (10, 7),
        (9, 70),
        (8, 150),
        (7, 220),
    ):
        taken(number, mono)
    assert told == [
        ("warning", "pool nearly full", 8, 2),
        ("warning", "pool full", 10, 0),
        ("info", "pool no longer full", 9, 1),
        ("info", "pool no longer nearly full", 7, 3),
    ]


def test_an_address_that_a_probe_found_in_use_is_told() -> None:
    table = Table(probe="arp")
    journal = Journal(table.engine, verbose=False)
    with capture_logs() as logs:
        table.say(discover())
        journal.follow(0)
        table.engine.answered(ip(100), OTHER_MAC, table.now)
        journal.follow(1)
    assert [(line["event"], line["reason"], line["address"]) for line in logs] == [
        ("address in use by an unknown host", "found-in-use", "192.168.1.100")
    ]


def test_verbose_tells_every_verdict_once(table: Table) -> None:
    journal = Journal(table.engine, verbose=True)
    with capture_logs() as logs:
        table.handle(arrive(discover()), arrive(reboot(ip(100), OTHER_MAC)))
        journal.follow(0)
        journal.follow(1)
    assert [(line["event"], line["reason"]) for line in logs] == [("OFFER", "offered-new"), ("SILENT", "no-record")]


def test_a_lost_interface_is_told(table: Table) -> None:
    journal = Journal(table.engine, verbose=False)
    with capture_logs() as logs:
        journal.links(Counter())
        journal.links(Counter({"link-down": 1}))
        journal.links(Counter({"link-down": 1}))
    assert [line["log_level"] for line in logs] == ["error"]


def test_the_start_is_told_without_the_secrets_of_a_store(table: Table) -> None:
    network = Network("office", (subnet("192.168.1.0/24", (ip(100), ip(100))),), interfaces=("s0",))
    with capture_logs() as logs:
        Journal(table.engine, verbose=False).started(Settings((network,), store="postgresql://relet:secret@db/leases"))
    assert logs == [
        {
            "log_level": "info",
            "event": "relet serves",
            "version": __version__,
            "networks": 1,
            "subnets": 1,
            "reservations": 0,
            "interfaces": "s0",
            "store": "postgresql",
        }
    ]


def test_drops_are_told_by_name_once_a_minute(table: Table) -> None:
    journal = Journal(table.engine, verbose=False)
    with capture_logs() as logs:
        journal.dropped(Counter(), 0)
        journal.dropped(Counter({"truncated-message": 1}), 1)
        for second in range(2, int(DROPS_EVERY_S) + 2):
            journal.dropped(Counter({"truncated-message": second, "bad-checksum": 1}), second)
        journal.dropped(Counter({"truncated-message": 61, "bad-checksum": 1}), 300)
    assert [(line["log_level"], line["count"], line["names"]) for line in logs] == [
        ("warning", 1, "truncated-message 1"),
        ("warning", 61, "truncated-message 60, bad-checksum 1"),
    ]
