"""No DHCPACK leaves a real server before a power failure cannot undo it, and one that left too early would be found out."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from crash import promises
from crash.disk import Sync
from crash.power import workplace
from crash.promises import examine
from crash.strace import Recording

pytestmark = pytest.mark.namespaces

SECONDS, STATES, SEED = 0.7, 60, 2


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with workplace() as made:
        yield made


@pytest.fixture(scope="module")
def recording(folder: Path) -> Recording:
    return promises.recorded(folder, SEED, SECONDS)


def test_every_acknowledged_lease_survives_any_power_failure(folder: Path, recording: Recording) -> None:
    summary = examine(recording, folder, Random(SEED), STATES)
    assert summary.bad == []
    assert summary.found == {"whole": summary.states}
    assert summary.states > STATES / 2
    assert summary.acknowledged > 50


def test_a_server_that_would_not_sync_is_found_out(folder: Path, recording: Recording) -> None:
    careless = [op for op in recording.ops if not isinstance(op, Sync) or not op.name]
    # A careful one has them all whole. How many of these are depends on how much was written when.
    found = examine(recording._replace(ops=careless), folder, Random(SEED), STATES).found
    assert found["whole"] < 0.8 * found.total()


def test_a_server_that_would_answer_before_it_syncs_is_found_out(folder: Path, recording: Recording) -> None:
    """Every datagram leaves right before the sync that it really came behind."""
    begun = sorted(op.begun for op in recording.ops if isinstance(op, Sync))
    said = [
        each._replace(begun=max(at for at in begun if at < each.begun) - 1) for each in recording.said if not each.path
    ]
    summary = examine(recording._replace(said=said), folder, Random(SEED), STATES)
    assert summary.found["lost"] > 0
    assert summary.found["half"] == summary.found["unreadable"] == 0
