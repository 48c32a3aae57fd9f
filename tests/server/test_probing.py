"""An address is probed before it is offered: who waits, who does not, and what an answer means. No sockets, no clock."""

import pytest
from msgspec.structs import replace

from relet.errors import StoreError
from relet.model.effects import Probe
from relet.model.lease import Change, Committed, LeaseState
from relet.model.network import Network
from relet.server import probing
from relet.server.probing import MAX_IN_FLIGHT, SEEN_WELL_S
from relet.store.memory import MemoryStore
from relet.wire.message import decode
from support.networks import subnet
from support.table import (
    MAC,
    OFFICE,
    OTHER_MAC,
    RELAY,
    Table,
    arrive,
    decline,
    discover,
    ip,
    kind_of,
    pairs,
    reboot,
    release,
    selecting,
)

SQUATTER = bytes.fromhex("0200deadbeef")
WAIT = OFFICE.probe_wait


@pytest.fixture
def table() -> Table:
    return Table(probe="both")


def probes(table: Table) -> list[tuple[int, str, bool, bool]]:
    return [(each.address, each.interface, each.arp, each.ping) for each in table.engine.probes()]


def waited(table: Table) -> list[tuple[str, int]]:
    """Nobody answered in time."""
    table.later(WAIT)
    return pairs(table.engine.wake(table.now))


def test_without_probes_nothing_waits() -> None:
    table = Table()
    assert kind_of(table.say(discover())) == "OFFER"
    assert table.engine.probes() == []
    assert table.engine.deadline() is None


def test_an_offer_waits_for_its_probe_and_others_are_served_meanwhile(table: Table) -> None:
    table.lease(ip(105), OTHER_MAC)
    assert table.say(discover()) is None
    assert table.engine.probes() == [Probe(ip(100), "eth0", True, True)]
    assert table.engine.deadline() == table.now.mono + WAIT
    assert kind_of(table.say(reboot(ip(105), OTHER_MAC))) == "ACK"
    assert table.engine.wake(table.now) == []
    assert waited(table) == [("OFFER", ip(100))]
    assert table.verdict() == ("OFFER", "offered-new")
    assert table.engine.deadline() is None
    assert kind_of(table.say(selecting(ip(100)))) == "ACK"


@pytest.mark.parametrize(
    ("probe", "relayed", "expected"),
    [
        ("arp", False, [(ip(100), "eth0", True, False)]),
        ("ping", False, [(ip(100), "eth0", False, True)]),
        ("both", False, [(ip(100), "eth0", True, True)]),
        ("arp", True, []),  # ARP does not pass a relay
        ("ping", True, [(ip(100), "", False, True)]),
        ("both", True, [(ip(100), "", False, True)]),
    ],
)
def test_ways_to_probe(probe: str, relayed: bool, expected: list[object]) -> None:
    table = Table(probe=probe)
    if relayed:
        sends = table.handle(arrive(discover(giaddr=RELAY), interface="", source=RELAY, broadcast=False))
    else:
        sends = table.handle(arrive(discover()))
    assert probes(table) == expected
    assert pairs(sends) == ([] if expected else [("OFFER", ip(100))])


def test_an_answer_quarantines_the_address_and_the_client_is_offered_another_at_once(table: Table) -> None:
    table.say(discover())
    probes(table)
    assert table.engine.answered(ip(100), SQUATTER, table.now) == []
    held = table.on(ip(100))
    assert held is not None
    assert (held.state, held.reason, held.hardware) == (LeaseState.DECLINED, "found-in-use", b"\1" + SQUATTER)
    assert held.expires == int(table.now.wall) + table.network.decline_time
    assert table.verdict() == ("SILENT", "found-in-use")
    assert probes(table) == [(ip(101), "eth0", True, True)]
    assert waited(table) == [("OFFER", ip(101))]
    assert table.say(discover(ip(100), OTHER_MAC)) is None
    assert waited(table) == [("OFFER", ip(102))]


def test_the_clients_own_host_is_no_squatter(table: Table) -> None:
    table.say(discover())
    assert table.engine.answered(ip(100), MAC, table.now) == []
    assert waited(table) == [("OFFER", ip(100))]


def test_what_was_not_asked_for_changes_nothing(table: Table) -> None:
    table.say(discover())
    assert table.engine.answered(ip(107), SQUATTER, table.now) == []
    assert waited(table) == [("OFFER", ip(100))]
    assert table.engine.answered(ip(100), SQUATTER, table.now) == []
    assert list(table.store.all()) == []


def test_a_retransmission_starts_no_second_probe_and_is_the_one_that_is_answered(table: Table) -> None:
    table.say(discover())
    table.later(WAIT / 2)
    again = discover()
    table.say(again)
    assert len(table.engine.probes()) == 1
    table.later(WAIT / 2)
    (send,) = table.engine.wake(table.now)
    assert decode(send.payload).xid == again.xid


@pytest.mark.parametrize("ended", ["expired", "released"])
def test_the_last_holder_finds_its_address_unprobed(table: Table, ended: str) -> None:
    state = LeaseState.RELEASED if ended == "released" else LeaseState.BOUND
    table.lease(ip(107), seconds=-5, state=state)
    assert kind_of(table.say(discover())) == "OFFER"
    assert probes(table) == []
    table.later(table.network.offer_time + 1)
    table.say(discover(ip(107), OTHER_MAC))
    assert probes(table) == [(ip(107), "eth0", True, True)]


def test_addresses_lately_seen_well_are_not_probed(table: Table) -> None:
    table.say(discover())
    assert waited(table) == [("OFFER", ip(100))]
    table.later(table.network.offer_time + 1)
    assert kind_of(table.say(discover(ip(100), OTHER_MAC))) == "OFFER"
    table.say(selecting(ip(100), mac=OTHER_MAC))
    table.say(release(ip(100), OTHER_MAC))
    table.later(SEEN_WELL_S - 1)
    assert kind_of(table.say(discover(ip(100)))) == "OFFER"
    table.later(table.network.offer_time + 1)
    table.engine.probes()
    assert table.say(discover(ip(100))) is None
    assert probes(table) == [(ip(100), "eth0", True, True)]


def test_a_declined_address_was_not_seen_well() -> None:
    table = Table(probe="arp", decline_time=10)
    table.say(discover())
    waited(table)
    table.say(selecting(ip(100)))
    table.say(decline(ip(100)))
    table.later(11)
    table.engine.probes()
    assert table.say(discover(ip(100))) is None
    assert probes(table) == [(ip(100), "eth0", True, False)]


def test_a_client_that_went_to_another_server_is_not_offered_anything_more(table: Table) -> None:
    table.say(discover())
    table.say(selecting(ip(100), server=ip(2)))
    assert waited(table) == []


def test_beyond_the_bound_addresses_are_offered_unprobed_and_counted() -> None:
    network: Network = replace(OFFICE, subnets=(subnet("192.168.0.0/16", (ip(2), ip(2) + MAX_IN_FLIGHT + 10)),))
    table = Table(network, probe="arp")
    macs = [bytes((2, 0, 0, 0, *number.to_bytes(2))) for number in range(MAX_IN_FLIGHT + 3)]
    sends = table.handle(*(arrive(discover(mac=mac)) for mac in macs))
    assert len(sends) == table.engine.probes_skipped == 3
    assert len(table.engine.probes()) == MAX_IN_FLIGHT
    assert len(waited(table)) == MAX_IN_FLIGHT


def test_no_more_addresses_are_remembered_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MAX_SEEN", 3)
    seen = probing.Probing()
    for address in range(10):
        seen.saw(address, 1.0)
    assert [address for address in range(10) if seen._seen_well(address, 2.0)] == [7, 8, 9]


def test_when_every_address_answers_the_pool_is_full_and_the_server_says_so() -> None:
    table = Table(subnets=(subnet("192.168.1.0/24", (ip(100), ip(102))),), probe="arp")
    table.say(discover())
    for last in (100, 101, 102):
        assert probes(table) == [(ip(last), "eth0", True, False)]
        assert table.engine.answered(ip(last), SQUATTER, table.now) == []
    assert table.verdict() == ("SILENT", "pool-full")
    assert [row.declined for row in table.engine.usage()] == [3]


def test_a_store_that_fails_at_the_answer_costs_no_more_than_a_retransmission() -> None:
    class Failing(MemoryStore):
        fails = False

        def commit(self, changes: object, wall: float) -> Committed:
            if self.fails:
                raise StoreError("disk full")
            assert isinstance(changes, (list, tuple))
            return super().commit([change for change in changes if isinstance(change, Change)], wall)

    store = Failing()
    table = Table(store=store, probe="arp")
    table.say(discover())
    store.fails = True
    assert table.engine.answered(ip(100), SQUATTER, table.now) == []
    assert table.engine.store_error == "disk full"
    store.fails = False
    table.later(10)
    table.engine.probes()
    assert table.say(discover()) is None
    assert len(probes(table)) == 1


def test_a_new_configuration_lets_nothing_wait(table: Table) -> None:
    table.say(discover())
    table.engine.reconfigure(table.engine.prepare((replace(OFFICE, probe="off"),), table.now))
    assert table.engine.deadline() is None
    assert kind_of(table.say(discover())) == "OFFER"


def test_message_types_that_get_no_new_address_never_wait(table: Table) -> None:
    table.lease(ip(100), seconds=-5)
    assert kind_of(table.say(reboot(ip(100)))) == "ACK"
    assert table.engine.probes() == []


def test_a_rate_counts_a_request_once_though_it_is_decided_twice() -> None:
    table = Table(probe="arp", client_rate=0.001)
    asked = 0
    while True:  # until the client has only one request left
        probe = Table(probe="arp", client_rate=0.001)
        for _ in range(asked + 1):
            probe.say(discover())
        if probe.engine.counts["DISCOVER", "SILENT", "client-rate"]:
            break
        asked += 1
    for _ in range(asked):
        table.say(discover())
    assert waited(table) == [("OFFER", ip(100))]
    assert not table.engine.counts["DISCOVER", "SILENT", "client-rate"]
    table.say(discover())
    assert table.verdict() == ("SILENT", "client-rate")
