"""The stand of the side-by-side bench: what its generator counts is what happened, and its configurations are good."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from relet.config.load import parse
from relet.wire.message import decode
from support.lab import lacking, need

BENCH = Path(__file__).parent.parent.parent / "bench"


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCH)
    return import_module


def test_the_network_with_everything_is_one_that_relet_takes(part: Any, tmp_path: Path) -> None:
    setups, fleet = part("setups"), part("fleet")
    setups.relet(tmp_path, "lo", classes=setups.featured(), reservations=fleet.reserved(100))
    settings = parse((tmp_path / "relet.toml").read_text(), "relet.toml", tmp_path)
    (network,) = settings.networks
    assert len(network.reservations) == 30
    assert [each.name for each in settings.networks[0].classes] == [name for name, *_ in setups.CLASSES]


def test_clients_are_as_real_ones_are(part: Any) -> None:
    fleet = part("fleet")
    messages = [decode(fleet.real(number, {53: b"\3"})) for number in range(60)]
    assert len({message.chaddr for message in messages}) == 60
    assert len({message.options[55] for message in messages}) == len(fleet.SYSTEMS)
    assert all({12, 53, 55, 57, 82} <= set(message.options) for message in messages)


def test_kea_may_drop_what_is_too_much_but_not_answer_wrongly(part: Any) -> None:
    whole = part("rounds").whole
    whole("kea", {"done": 9.0, "failed": 1.0}, 10)
    with pytest.raises(SystemExit, match="9 of 10"):
        whole("relet", {"done": 9.0, "failed": 1.0}, 10)
    with pytest.raises(SystemExit, match=r"'wrong': 1\.0"):
        whole("kea", {"done": 9.0, "wrong": 1.0}, 10)


@pytest.mark.parametrize(
    ("load", "told"),
    [
        ({"done": 9.0, "wrong": 0.0}, "9 of 10"),
        ({"done": 10.0, "wrong": 2.0}, "'wrong': 2.0"),
        ({"done": 10.0, "naks": 1.0}, "'naks': 1.0"),
    ],
)
def test_a_rate_of_anything_but_right_answers_is_no_rate(part: Any, load: dict[str, float], told: str) -> None:
    rounds = part("rounds")
    rounds.whole("relet", {"done": 10.0, "wrong": 0.0, "naks": 0.0}, 10)
    with pytest.raises(SystemExit, match=told):
        rounds.whole("relet", load, 10)


def test_the_ratio_is_taken_round_by_round(part: Any) -> None:
    rates = [(100.0, 300.0), (50.0, 200.0), (200.0, 400.0)]
    rounds = [{"kea": {"dora": {"per_second": a}}, "relet": {"dora": {"per_second": b}}} for a, b in rates]
    found = part("rounds").compared(rounds, "dora")
    assert (found["ratio"], found["ratios"]) == (3.0, [3.0, 4.0, 2.0])
    assert (found["kea per_second"], found["relet per_second"]) == (100.0, 300.0)


@pytest.mark.namespaces
def test_prepared_requests_are_answered_and_counted(part: Any, tmp_path: Path) -> None:
    """Ten clients with a lease each ask for it; then for one another's; then somebody asks for a foreign address."""
    need("gcc")
    if os.geteuid():
        lacking("root")
    stand_of, setups, stored, lasting = part("stand"), part("setups"), part("stored"), part("lasting")
    addresses = stored.addresses(10)
    stored.relet(tmp_path, addresses)
    with stand_of.Stand(tmp_path, None) as stand:
        server = stand.start("relet", setups.relet(tmp_path, stand.interface), tmp_path)
        own = stand.prepare(lasting.reboots(list(range(10)), addresses))
        load = stand.prepared(own)
        assert (load["done"], load["wrong"], load["naks"], load["resent"]) == (10, 0, 0, 0)
        assert stand_of.given(own) == addresses
        wrong = stand.prepare(
            stand_of.Request(each.datagram, each.expected ^ 1) for each in lasting.reboots([0], addresses)
        )
        assert stand.prepared(wrong)["wrong"] == 1
        others = stand.prepare(lasting.reboots(list(range(10)), addresses[::-1]))
        assert stand.prepared(others)["naks"] == 10
        assert 1e6 < stand_of.resident(server) < 1e9
        stand.stop(server)
