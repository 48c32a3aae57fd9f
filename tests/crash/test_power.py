"""A store outlives power failures at any moment, and one that does not would be found out."""

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from crash import disk, power
from crash.disk import everything, nothing
from crash.power import Summary, damages, examine, failures, put
from crash.story import tell
from crash.strace import Recording
from crash.told import Told
from relet.model.lease import Sync
from relet.store import open_store
from relet.store.sqlite import SqliteStore
from support.leases import grant

BATCHES, STATES, SEED = 30, 150, 3


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


@pytest.mark.parametrize("seed", [1, 3])
def test_what_a_killed_program_left_is_safe_once_another_has_opened_it(seed: int) -> None:
    """It had written and not synced it; the next one answers by what it finds."""
    with power.workplace() as folder:
        made = power.recorded(folder, seed, BATCHES, killed=True)
        summary = examine(made, folder, Told(seed, BATCHES), Random(seed), STATES)
    assert summary.bad == []
    assert summary.states > STATES / 2


def careless(level: Sync) -> Summary:
    """A story with a store that does not sync each batch."""
    with power.workplace() as folder:
        made = power.recorded(folder, SEED, BATCHES, level, seconds=BATCHES * 0.05)
        return examine(made, folder, Told(SEED, BATCHES, level), Random(SEED), STATES)


@pytest.mark.parametrize("level", ["interval", "os"])
def test_what_the_other_levels_leave_lacks_some_and_can_be_opened(level: Sync) -> None:
    """So this check can fail. What is there is right, and the store goes on."""
    summary = careless(level)
    assert set(summary.found) <= power.ALLOWED[level]
    assert summary.found["lost"] > STATES / 20
    assert summary.found["whole"] > STATES / 20


def test_a_store_that_would_not_sync_is_found_out(folder: Path, recording: Recording, told: Told) -> None:
    """The same writes without their syncs, but for that of the folder: without it, nothing would be there at all."""
    careless = [op for op in recording.ops if not isinstance(op, disk.Sync) or not op.name]
    summary = examine(recording._replace(ops=careless), folder, told, Random(SEED), STATES)
    assert summary.found["whole"] < STATES / 2
    assert summary.found["lost"] > STATES / 10
    assert summary.most_lost > BATCHES / 4


def test_a_store_that_would_sync_too_late_is_found_out(folder: Path, recording: Recording, told: Told) -> None:
    """Every sync comes behind the next two calls."""
    late = [
        op._replace(begun=op.begun + 2, ended=op.ended + 2) if isinstance(op, disk.Sync) else op for op in recording.ops
    ]
    summary = examine(recording._replace(ops=late), folder, told, Random(SEED), STATES)
    assert summary.found["lost"] > 0
    assert 1 <= summary.most_lost <= 2


def test_a_log_that_is_damaged_is_read_up_to_there(folder: Path, recording: Recording) -> None:
    """No power failure does this to what was synced. Nothing that is not whole may be taken for a lease even so."""
    told, lost = Told(SEED, BATCHES, "os"), set()
    for batches in range(5, BATCHES, 5):
        end = max(line.begun for line in recording.said if line.octets == b"committed %d\n" % (batches - 1))
        for failure in damages(recording.ops, end, Random(SEED), STATES // 20):
            put(failure.files, folder / "left")
            outcome, number = told.examine(folder / "left", goes_on=False)
            assert outcome in ("whole", "gap"), failure.luck
            assert number <= batches, failure.luck
            lost.add(batches - number)
    assert len(lost) > 3, "the damage took nothing away"


def test_failures_are_spread_over_all_moments(recording: Recording) -> None:
    found = list(failures(recording.ops, Random(SEED), STATES))
    assert len(found) > STATES / 2
    assert len({failure.before for failure in found}) > STATES / 4
    assert {everything().what, nothing().what, "chance"} <= {failure.luck for failure in found}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of a store that was told the whole story."""
    tell(SEED, BATCHES, f"sqlite:{tmp_path / 'leases.db'}", tmp_path / "said")
    return tmp_path


def test_a_good_store_is_whole_and_goes_on(store: Path, told: Told) -> None:
    assert told.examine(store, goes_on=False) == ("whole", BATCHES)
    assert told.examine(store) == ("whole", BATCHES)
    assert told.examine(store, goes_on=False) == ("whole", BATCHES + 1)


def test_a_store_with_one_entry_too_many_is_found_out(store: Path, told: Told) -> None:
    with closing(open_store(f"sqlite:{store / 'leases.db'}")) as opened:
        opened.commit([grant(100_000)], 1.0)
    assert told.examine(store).outcome == "half"


def test_a_store_that_tells_another_story_is_found_out(tmp_path: Path, told: Told) -> None:
    tell(SEED + 1, BATCHES, f"sqlite:{tmp_path / 'leases.db'}", tmp_path / "said")
    assert told.examine(tmp_path).outcome == "half"


def test_a_store_whose_leases_are_not_those_of_its_history_is_found_out(
    store: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = SqliteStore.all
    monkeypatch.setattr(SqliteStore, "all", lambda self: iter([*honest(self)][1:]))
    assert told.examine(store).outcome == "half"


@pytest.mark.parametrize("missing", [5, -1])
def test_a_store_that_lacks_a_change_is_found_out(store: Path, missing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told(SEED, BATCHES)
    lacking = [*told.entries[: told.ends[BATCHES - 1]]]
    del lacking[missing]
    newest = {entry.lease.address: entry.lease for entry in lacking}
    monkeypatch.setattr(SqliteStore, "history", lambda _, limit: lacking[::-1][:limit])
    monkeypatch.setattr(SqliteStore, "all", lambda _: iter([lease for _, lease in sorted(newest.items())]))
    assert told.examine(store) == ("gap", bisect_right(told.ends, missing % told.ends[BATCHES - 1]))


def test_a_store_that_takes_no_more_is_found_out(store: Path) -> None:
    told = Told(SEED, BATCHES)
    told.batches[BATCHES] = told.batches[0]
    assert told.examine(store) == ("stuck", BATCHES)


def test_a_file_that_is_none_is_found_out(store: Path, told: Told) -> None:
    (store / "leases.db").write_bytes(bytes(4096))
    assert told.examine(store).outcome == "unreadable"


def test_files_are_put_in_place_of_others(tmp_path: Path) -> None:
    put({"a": b"1", "b": b"2"}, tmp_path / "left")
    put({"b": b"3"}, tmp_path / "left")
    assert {path.name: path.read_bytes() for path in (tmp_path / "left").iterdir()} == {"b": b"3"}
