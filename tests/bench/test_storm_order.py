"""The storm in virtual time ends, nobody loses an address by it, and the backlog's order ends it sooner."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from relet.server.backlog import SUPERSEDED, Backlog

BENCH = Path(__file__).parent.parent.parent / "bench"
KNOWN, STRANGERS, RATE = 3000, 500, 300.0


@pytest.fixture
def storm_order(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCH)
    return import_module("storm_order")


def test_the_order_ends_a_storm_sooner(storm_order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm_order, "SOCKET", 300)
    ends = []
    for backlog in (None, Backlog(10_000)):
        storm = storm_order.Storm(KNOWN, STRANGERS, RATE, seed=7)
        storm.run(backlog)
        assert storm.over()
        assert [client.address for client in storm.known] == [storm_order.FIRST + number for number in range(KNOWN)]
        addresses = [client.address for client in storm.clients.values()]
        assert len(set(addresses)) == len(addresses)
        dropped = 0 if backlog is None else backlog.dropped.total()
        assert storm.counts["served"] + storm.counts["lost"] + dropped == storm.counts["sent"]
        ends.append(max(client.bound_at for client in storm.known))
    assert backlog is not None
    assert backlog.dropped[SUPERSEDED] > 0
    assert ends[1] < 0.8 * ends[0]
