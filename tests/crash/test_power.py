"""A store outlives power failures at any moment, and one that does not would be found out."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from crash import power
from crash.disk import Sync, everything, nothing
from crash.power import Told, examine, failures, put
from crash.story import tell
from crash.strace import Recording
from relet.store import open_store
from support.leases import grant

BATCHES, STATES, SEED = 30, 250, 3


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with power.workplace() as made:
        yield made


@pytest.fixture(scope="module")
def recording(folder: Path) -> Recording:
    return power.recorded(folder, SEED, BATCHES)


@pytest.fixture(scope="module")
def told() -> Told:
    return Told(SEED, BATCHES)


def test_what_was_committed_survives_any_power_failure(folder: Path, recording: Recording, told: Told) -> None:
    summary = examine(recording, folder, told, Random(SEED), STATES)
    assert summary.bad == []
    assert summary.found == {"whole": summary.states}
    assert summary.states > STATES / 2


def test_a_store_that_would_not_sync_is_found_out(folder: Path, recording: Recording, told: Told) -> None:
    """The same writes without their syncs, but for that of the folder: without it, nothing would be there at all."""
    careless = [op for op in recording.ops if not isinstance(op, Sync) or not op.name]
    summary = examine(recording._replace(ops=careless), folder, told, Random(SEED), STATES)
    assert summary.found["whole"] < STATES / 2
    assert summary.found["lost"] > STATES / 10
    assert summary.most_lost > BATCHES / 4


def test_a_store_that_would_sync_too_late_is_found_out(folder: Path, recording: Recording, told: Told) -> None:
    """Every sync comes behind the next two calls."""
    late = [op._replace(begun=op.begun + 2, ended=op.ended + 2) if isinstance(op, Sync) else op for op in recording.ops]
    summary = examine(recording._replace(ops=late), folder, told, Random(SEED), STATES)
    assert summary.found["lost"] > 0
    assert 1 <= summary.most_lost <= 2


def test_failures_are_spread_over_all_moments(recording: Recording) -> None:
    found = list(failures(recording.ops, Random(SEED), STATES))
    assert len(found) > STATES / 2
    assert len({failure.before for failure in found}) > STATES / 4
    assert {everything().what, nothing().what, "chance"} <= {failure.luck for failure in found}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of a store that was told the whole story."""
    tell(SEED, BATCHES, f"sqlite:{tmp_path / 'leases.db'}", tmp_path / "said", 0.0)
    return tmp_path


def test_a_good_store_is_whole_and_goes_on(store: Path, told: Told) -> None:
    assert told.examine(store, goes_on=False) == ("whole", BATCHES)
    assert told.examine(store) == ("whole", BATCHES)
    assert told.examine(store, goes_on=False) == ("whole", BATCHES + 1)


def test_a_store_with_one_entry_too_many_is_found_out(store: Path, told: Told) -> None:
    with closing(open_store(f"sqlite:{store / 'leases.db'}")) as opened:
        opened.commit([grant(100_000)], 1.0)
    assert told.examine(store)[0] == "half"


def test_a_store_that_tells_another_story_is_found_out(tmp_path: Path, told: Told) -> None:
    tell(SEED + 1, BATCHES, f"sqlite:{tmp_path / 'leases.db'}", tmp_path / "said", 0.0)
    assert told.examine(tmp_path)[0] == "half"


def test_a_store_with_a_lease_that_its_history_does_not_know_is_found_out(store: Path) -> None:
    told = Told(SEED, BATCHES)
    told.leases[BATCHES] = told.leases[BATCHES - 1]
    assert told.examine(store) == ("half", len(told.entries) - len(told.batches[BATCHES]))


def test_a_store_that_takes_no_more_is_found_out(store: Path) -> None:
    told = Told(SEED, BATCHES)
    told.batches[BATCHES] = told.batches[0]
    assert told.examine(store) == ("stuck", BATCHES)


def test_a_file_that_is_none_is_found_out(store: Path, told: Told) -> None:
    (store / "leases.db").write_bytes(bytes(4096))
    assert told.examine(store)[0] == "unreadable"


def test_files_are_put_in_place_of_others(tmp_path: Path) -> None:
    put({"a": b"1", "b": b"2"}, tmp_path / "left")
    put({"b": b"3"}, tmp_path / "left")
    assert {path.name: path.read_bytes() for path in (tmp_path / "left").iterdir()} == {"b": b"3"}
