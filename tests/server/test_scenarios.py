"""Every scenario against the engine, under virtual time; and every row of every table has one."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from relet.config.load import parse
from relet.model.clock import Now
from relet.model.events import Arrival
from relet.model.lease import FOREVER, Change
from relet.server.classify import Kind
from relet.server.decide import first_rows, table
from relet.server.engine import Engine
from relet.store.memory import MemoryStore
from relet.wire.address import parse_ip
from relet.wire.message import decode, encode
from relet.wire.options import LEASE_TIME, SERVER_IDENTIFIER
from support.scenarios import INTERFACE, SERVER, UNICAST, Scenario, Step, scenarios

ALL = list(scenarios())
OWN = parse_ip(SERVER)
START = Now(1_000_000.0, 500.0)


def play(scenario: Scenario) -> list[tuple[str, str]]:
    """Play it, and hold every answer to what is written. (kind, reason) of each."""
    settings = parse(scenario.toml(), scenario.name, Path())
    store = MemoryStore()
    wall = int(START.wall)
    for lease in scenario.leases:
        expires = FOREVER if lease.expires == FOREVER else wall + lease.expires
        before = store.view([], [lease.address]).lease(lease.address)
        store.commit([Change(before, replace(lease, starts=wall + lease.starts, expires=expires))], wall)
    engine = Engine(settings.networks, store, frozenset({OWN}), settings.leasequery)
    now = START
    seen = []
    for step in scenario.steps:
        if step.message is None:
            now = Now(now.wall + step.later, now.mono + step.later)
            continue
        sends = engine.handle([_arrival(step)], now)
        place = f"{scenario.name}, line {step.line}"
        assert not engine.bugs, f"{place}: {engine.bugs[-1].error}"
        assert step.answer is not None, f"{place}: no answer is written"
        record = engine.records[-1]
        assert (record.answer, record.reason, record.kind) == (step.answer.answer, step.answer.reason, step.kind), place
        if step.answer.address is not None:
            assert record.address == step.answer.address, place
        assert bool(sends) == (record.answer != "SILENT"), place
        for send in sends:
            reply = decode(send.payload)
            assert reply.xid == step.message.xid, place
            assert reply.yiaddr in (0, record.address), place
            if step.kind not in ("BOOTP", "LEASEQUERY"):
                assert SERVER_IDENTIFIER.code in reply.options, place
            if step.answer.seconds is not None:
                assert reply.uint(LEASE_TIME.code) == step.answer.seconds, place
        seen.append((record.kind, record.reason))
    return seen


def _arrival(step: Step) -> Arrival:
    assert step.message is not None
    payload = encode(step.message)
    if step.relay:
        return Arrival(payload, "", OWN, step.relay, 67, False)
    if step.kind in UNICAST:
        return Arrival(payload, "", OWN, step.message.ciaddr, 68, False)
    return Arrival(payload, INTERFACE, OWN)


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario) -> None:
    assert play(scenario)


def test_every_row_of_every_table_has_a_scenario() -> None:
    rows = {(kind.value, row.reason.id) for kind in Kind for row in (*first_rows(kind)[:1], *table(kind))}
    told = {pair for scenario in ALL for pair in play(scenario)}
    assert rows - told == set()


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_reasons_tell_rows_apart(kind: Kind) -> None:
    """So that a reason says which row decided, and the test above counts rows."""
    reasons = [row.reason.id for row in table(kind)]
    assert len(set(reasons)) == len(reasons)
