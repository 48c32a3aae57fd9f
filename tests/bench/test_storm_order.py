"""The storm in virtual time ends, nobody loses an address by it, and the backlog's order ends it sooner."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from relet.run import intake
from relet.server.backlog import SUPERSEDED

BENCH = Path(__file__).parent.parent.parent / "bench"
KNOWN, STRANGERS, RATE = 3000, 500, 300.0


@pytest.fixture
def storm_order(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCH)
    return import_module("storm_order")


def test_the_order_ends_a_storm_sooner(storm_order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm_order, "SOCKET", 600)
    for name in storm_order.BATCHES:
        monkeypatch.setattr(intake, name, getattr(intake, name))  # put back afterwards
    storm_order.shrink()
    assert intake.TAKEN_AT_ONCE == 409
    ends = []
    for ordered in (False, True):
        storm = storm_order.Storm(KNOWN, STRANGERS, RATE, seed=7)
        dropped = storm.run(ordered).backlog.dropped
        assert storm.over()
        assert [client.address for client in storm.known] == [storm_order.FIRST + number for number in range(KNOWN)]
        addresses = [client.address for client in storm.clients.values()]
        assert len(set(addresses)) == len(addresses)
        assert storm.counts["served"] + storm.counts["lost"] + dropped.total() == storm.counts["sent"]
        assert (dropped[SUPERSEDED] > 0) == ordered
        ends.append(max(client.bound_at for client in storm.known))
    assert ends[1] < 0.8 * ends[0]
