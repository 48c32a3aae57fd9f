"""A short run of the real server under kill -9, and that a server that forgets is found out."""

from contextlib import closing

import pytest

from crash.kill import Killer, Summary
from crash.wires import Wires
from support.lab import Lab

pytestmark = pytest.mark.namespaces

KILLS = 8


def run(times: int, seed: int, sync: str = "", forget: bool = False) -> Summary:
    with Lab() as lab, closing(Wires(lab)) as wires, closing(Killer(lab, wires, seed, sync, forget)) as killer:
        return killer.run(times)


def test_every_ack_on_the_wire_survives_kill_9() -> None:
    summary = run(KILLS, seed=4)
    assert summary.violations == [], str(summary)
    assert summary.kills.total() >= KILLS
    assert len(summary.kills) > 2, "killed at too few kinds of moments"
    assert summary.counts["promised"] > 20 * KILLS
    assert summary.counts["handed on"] > KILLS
    assert summary.asked > 5 * KILLS


@pytest.mark.parametrize("level", ["interval", "os"])
def test_kill_9_costs_no_lease_at_the_other_levels_either(level: str) -> None:
    summary = run(3, seed=5, sync=level)
    assert summary.violations == [], str(summary)
    assert summary.counts["promised"] > 50


def test_a_server_that_forgets_is_found_out() -> None:
    summary = run(2, seed=1, forget=True)
    assert {violation.kind for violation in summary.violations} >= {"twice"}
    assert "violations: 0" not in str(summary)
