"""A short run of mutated datagrams through engine and client, and that harm would be noticed and could be repeated."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from fuzz import datagrams, served
from fuzz.datagrams import Finding, fuzz
from relet.client.machine import Client
from relet.model.clock import Now
from relet.model.effects import Effect, Send
from relet.model.events import Arrival, Event
from relet.model.lease import Committed
from relet.server.engine import Engine

RUNS = 20_000


def harm(found: Finding | Counter[str]) -> Finding:
    assert isinstance(found, Finding)
    assert found.batch
    assert fuzz(1, seed=1, first=found.story) == found
    return found


def test_nothing_that_comes_does_harm() -> None:
    found = fuzz(RUNS, seed=2)
    assert not isinstance(found, Finding), found.trace + "\n".join(payload.hex() for payload in found.batch)
    assert found.total() >= RUNS
    for answer in ("ACK", "NAK", "OFFER", "SILENT"):
        assert sum(times for outcome, times in found.items() if outcome.startswith(answer)) > RUNS // 100
    assert found["ACK confirmed"] > RUNS // 100
    assert found["SILENT store-unavailable"]
    assert found["SILENT store-contended"]


def test_a_run_can_be_repeated() -> None:
    assert fuzz(500, seed=3) == fuzz(500, seed=3)


def test_an_exception_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Client.handle

    def failing(client: Client, event: Event, now: Now) -> list[Effect]:
        if isinstance(event, Arrival) and len(event.payload) == 301:
            raise IndexError
        return real(client, event, now)

    monkeypatch.setattr(Client, "handle", failing)
    found = harm(fuzz(RUNS, seed=1))
    assert "IndexError" in found.trace
    assert [len(payload) for payload in found.batch] == [301]


def test_a_bug_of_the_engine_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> object:
        raise KeyError("oops")

    monkeypatch.setattr("relet.server.engine.decide", failing)
    assert "KeyError: 'oops'" in harm(fuzz(RUNS, seed=1)).trace


def test_a_datagram_that_nobody_counts_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Engine.handle

    def careless(engine: Engine, arrivals: Sequence[Arrival], now: Now) -> list[Send]:
        return real(engine, arrivals[:20], now)

    monkeypatch.setattr(Engine, "handle", careless)
    assert "verdicts and" in harm(fuzz(RUNS, seed=1)).trace


def test_two_promises_of_one_address_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_everything(monkeypatch)
    monkeypatch.setattr(served.ServerStory, "_look_up", lambda _: None)
    assert "is promised to" in harm(fuzz(RUNS, seed=1)).trace


def test_a_promise_that_is_not_on_record_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_everything(monkeypatch)
    assert "on record" in harm(fuzz(RUNS, seed=1)).trace


def forget_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that agrees to every change and keeps none."""
    monkeypatch.setattr(served.MoodyStore, "commit", lambda *_: Committed(frozenset()))


def test_the_program_ends_with_1_and_the_octets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken:
        def __init__(self, dice: Random) -> None:
            self.batch = [dice.randbytes(2), b"\xca\xfe"]
            self.outcomes: Counter[str] = Counter()

        def play(self) -> int:
            raise ValueError("no good")

    monkeypatch.setattr("sys.argv", ["datagrams.py", "--runs", "5", "--from", "7"])
    assert datagrams.main() == 0
    monkeypatch.setattr(datagrams, "SIDES", {"both": (Broken,)})
    assert datagrams.main() == 1
    said = capsys.readouterr().out
    assert "ValueError: no good" in said
    assert "--of both --seed 1 --from 7 --runs 1" in said
    assert said.endswith("\ncafe\n")
