"""Kill the process at any moment: what `commit` returned from is in the file, whole and in order."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

import relet
from relet.model.lease import Lease
from relet.store.sqlite import SqliteStore

ROUNDS = 10
BATCH = 8
ADDRESSES = 64

CHILD = """
import sys
from pathlib import Path
from relet.model.lease import Change
from relet.store.sqlite import SqliteStore
from support.leases import NET, lease

store = SqliteStore(Path(sys.argv[1]))
batch, size, addresses = (int(word) for word in sys.argv[2:])
while True:
    numbers = range(batch * size, (batch + 1) * size)
    afters = [lease(number % addresses, who=number, starts=batch) for number in numbers]
    view = store.view([], [])
    assert not store.commit([Change(view.lease(after.address), after) for after in afters], float(batch)).refused
    print(batch, flush=True)
    store.fold(5)
    batch += 1
"""


def run_and_kill(path: Path, batch: int, lines: int) -> int:
    """Start at a batch, kill after so many answers; the last batch whose commit returned."""
    arguments = [sys.executable, "-c", CHILD, str(path), str(batch), str(BATCH), str(ADDRESSES)]
    environment = {"PYTHONPATH": f"{Path(__file__).parents[1]}:{Path(relet.__file__).parents[1]}"}
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, env=environment, text=True) as child:
        assert child.stdout is not None
        for _ in range(lines):
            assert child.stdout.readline()
        child.kill()
        rest = [line for line in child.stdout.read().split("\n") if line]
    return batch + lines + len(rest) - 1


@pytest.mark.parametrize("seed", [20])
def test_everything_that_was_said_to_be_committed_is_there(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    path = tmp_path / "leases.db"
    batch = 0
    for _ in range(ROUNDS):
        said = run_and_kill(path, batch, dice.randint(1, 40))
        store = SqliteStore(path)
        entries = store.history(limit=1_000_000)[::-1]
        assert len(entries) >= (said + 1) * BATCH
        assert len(entries) % BATCH == 0, "half a batch was kept"
        assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
        assert [entry.lease.client[-6:] for entry in entries] == [n.to_bytes(6, "big") for n in range(len(entries))]
        newest: dict[int, Lease] = {entry.lease.address: entry.lease for entry in entries}
        assert list(store.all()) == [lease for _, lease in sorted(newest.items())]
        store.close()
        batch = len(entries) // BATCH
