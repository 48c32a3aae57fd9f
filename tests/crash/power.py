"""Power failures at any moment of a recording, and what the store makes of what they leave.

    python tests/crash/power.py --states 4000 --seed 1 --sync batch

A program commits batches to a store under strace (story.py). Of every moment between two of its calls, and of many lots of
the writes that were not synced by then (disk.py), the files are made as a power failure would have left them, and opened
with the real store. Every batch of which the program had said that it was committed must be there, whole and in order, and
nothing that was never written; and the store must take the next batch. With `--sync interval` and `--sync os` batches may be
missing, and the program tells how much. Exits 1 if anything else is found.
"""

import argparse
import os
import sys
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from random import Random
from typing import NamedTuple, get_args

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

import relet
from crash import disk, story
from crash.disk import Disk, Luck, Op
from crash.strace import Recording, joined, record
from crash.told import Told
from relet.model.lease import Sync

BATCHES, STATES = 80, 4000
SAID = "said"
"""What the program says about its commits, in a file beside the store's folder."""
KILLED_AT = (("fdatasync", 30), ("fsync", 4), ("pwrite64", 60))
"""A program that is to be killed is killed before one of these calls, the so manieth at most."""
MOST_STARTS = 100
ALLOWED = {"batch": {"whole"}, "interval": {"whole", "lost", "gap"}, "os": {"whole", "lost", "gap"}}
"""What may come of a power failure at each level. How much "interval" may lose is told, and for people to judge."""
GOES_ON = 0.25
"""Share of the states that have to take another batch and be opened again."""
MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one: what is made there to be looked at need not be synced."""
NO_LOGS = (".db", ".lock", "-shm")
"""What a file is called that is no log: the database, the lock, and the index of a log, which is made anew."""
MOST_TORN = 9
"""Sectors of a write that is torn: of a page and the header before it."""


class Failure(NamedTuple):
    """A power failure. before: everything that began before this line of the recording had begun. files: what it left."""

    before: float
    luck: str
    files: dict[str, bytes]


def failures(ops: list[Op], dice: Random, states: int) -> Iterator[Failure]:
    """About so many different states of the files, spread over all moments between two calls."""
    events = sorted(ops, key=_when)
    seen: set[int] = set()
    left = states
    now = Disk()
    for number, op in enumerate(events):
        now.do(op)
        moments = len(events) - number
        before = _when(events[number + 1]) if moments > 1 else inf
        quota = left / moments
        for luck in _lots(dice, int(quota) + (dice.random() < quota % 1)):
            files = now.left(luck)
            known = hash(frozenset(files.items())) ^ hash(before)
            if known not in seen:
                seen.add(known)
                left -= 1
                yield Failure(before, luck.what, files)
            if not now.unsafe():
                break


def _when(op: Op) -> int:
    """A sync counts when it has ended, all else may be seen from its beginning on."""
    return op.ended if isinstance(op, disk.Sync) else op.begun


def _lots(dice: Random, count: int) -> Iterator[Luck]:
    """The telling ones and then anything; in any order if there are to be few."""
    torn = [disk.last_torn(sectors, backwards) for sectors in range(MOST_TORN) for backwards in (False, True)]
    lots = [disk.nothing(), disk.everything(), disk.only_last(), *torn]
    if count < len(lots):
        lots = [disk.chance(dice) if dice.random() < 0.5 else lot for lot in dice.sample(lots, count)]
    yield from lots
    for _ in range(count - len(lots)):
        yield disk.chance(dice)


def damages(ops: list[Op], end: float, dice: Random, count: int) -> Iterator[Failure]:
    """The files as they were at a line of the recording, with a log of them cut off or garbled from some place on."""
    now = Disk()
    for op in sorted(ops, key=_when):
        if _when(op) < end:
            now.do(op)
    files = now.left(disk.everything())
    for name, octets in files.items():
        if name.endswith(NO_LOGS) or not octets:
            continue
        used = len(octets.rstrip(b"\0")) or 1
        for _ in range(count):
            at = dice.choice((dice.randrange(used), dice.randrange(0, used, disk.SECTOR)))
            size = len(octets) - at
            rest = dice.choice((b"", bytes(size), dice.randbytes(size), octets[: size // 2], octets[at + 1 :]))
            yield Failure(end, f"{name} damaged from octet {at} on", files | {name: octets[:at] + rest})


def put(files: dict[str, bytes], folder: Path) -> None:
    """Make the folder hold these files and no others."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, octets in files.items():
        (folder / name).write_bytes(octets)


class Summary(NamedTuple):
    """found: states by what came of them; 'lost' are those that are whole and lack what was promised. most_lost: batches;
    oldest_lost_s: how long before the failure such a batch had been promised. bad: states that are not whole, in words."""

    states: int
    found: Counter[str]
    most_lost: int
    oldest_lost_s: float
    bad: list[str]

    def __str__(self) -> str:
        found = ", ".join(f"{times} {what}" for what, times in sorted(self.found.items()))
        lost = (
            f"; at most {self.most_lost} batches, promised {self.oldest_lost_s:.2f} s before" if self.most_lost else ""
        )
        return f"{self.states} states of the files: {found}{lost}"


@contextmanager
def workplace() -> Iterator[Path]:
    """A folder for a while."""
    with tempfile.TemporaryDirectory(prefix="relet-power-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        yield Path(folder)


def recorded(
    folder: Path, seed: int, batches: int, sync: str = "batch", seconds: float = 0.0, killed: bool = False
) -> Recording:
    """A story, told to a store in a folder. killed: by one program after the other, each killed before it synced or wrote
    something. What the next one finds it may answer by, so that is promised from then on."""
    store = folder / "store"
    store.mkdir()
    argv = [sys.executable, story.__file__, str(store), str(folder / SAID), "--seed", str(seed)]
    argv += ["--batches", str(batches), "--sync", sync, "--seconds", str(seconds)]
    environment = os.environ | {"PYTHONPATH": str(Path(relet.__file__).parents[1])}
    dice = Random(seed)
    recordings = []
    for _ in range(MOST_STARTS):
        call, most = dice.choice(KILLED_AT)
        kill = f"{call}:{dice.randint(1, most)}" if killed else ""
        recordings.append(record(argv, store, folder / "strace", environment, kill))
        said = recordings[-1].said
        if said and said[-1].octets == story.DONE:
            return joined(recordings)
    raise AssertionError("the story does not come to its end")


class Promise(NamedTuple):
    """Before a line of the recording, at this wall time, so many batches had been promised."""

    line: int
    batches: int
    at: float


def _promises(recording: Recording, said: Path) -> list[Promise]:
    lines = [line for line in recording.said if line.path == str(said) and line.octets.startswith(b"committed")]
    return [Promise(line.begun, int(line.octets.split()[1]) + 1, line.at) for line in lines]


def examine(recording: Recording, folder: Path, told: Told, dice: Random, states: int) -> Summary:
    """Let the power fail in a story that was recorded in a folder."""
    left = folder / "left"
    promises = _promises(recording, folder / SAID)
    begun = [promise.line for promise in promises]
    found: Counter[str] = Counter()
    bad: list[str] = []
    most_lost, oldest_lost_s, tried = 0, 0.0, 0
    for failure in failures(recording.ops, dice, states):
        tried += 1
        put(failure.files, left)
        promised = max((promise.batches for promise in promises[: bisect_left(begun, failure.before)]), default=0)
        outcome, number = told.examine(left, goes_on=dice.random() < GOES_ON)
        if outcome in ("whole", "gap") and number < promised:
            outcome = "lost" if outcome == "whole" else outcome
            failed_at = recording.at[bisect_left(range(len(recording.at) - 1), failure.before)]
            lost = next(promise for promise in promises if promise.batches > number)
            most_lost = max(most_lost, promised - number)
            oldest_lost_s = max(oldest_lost_s, failed_at - lost.at)
        found[outcome] += 1
        if outcome != "whole":
            bad.append(
                f"{outcome}: {number} of {promised} promised batches, before line {failure.before}: {failure.luck}"
            )
    return Summary(tried, found, most_lost, oldest_lost_s, bad)


def main() -> int:
    """The program."""
    asked = argparse.ArgumentParser(description="let the power fail at any moment and open what is left of a store")
    asked.add_argument("--states", type=int, default=STATES, help="of the files to try (%(default)s)")
    asked.add_argument("--seed", type=int, default=1, help="of the dice (%(default)s)")
    asked.add_argument("--batches", type=int, default=BATCHES, help="that the program commits (%(default)s)")
    asked.add_argument("--seconds", type=float, default=0.0, help="that it takes for it (%(default)s)")
    asked.add_argument("--sync", default="batch", choices=get_args(Sync), help="durability level (%(default)s)")
    asked.add_argument("--killed", action="store_true", help="kill the program now and then, and start it again")
    asked.add_argument("--told", type=int, default=20, help="so many failures are told one by one (%(default)s)")
    told = asked.parse_args()
    with workplace() as folder:
        recording = recorded(folder, told.seed, told.batches, told.sync, told.seconds, told.killed)
        summary = examine(recording, folder, Told(told.seed, told.batches, told.sync), Random(told.seed), told.states)
    sys.stdout.write(f"seed {told.seed}, sync {told.sync}: {summary}\n")
    for line in summary.bad[: told.told]:
        sys.stdout.write(f"{line}\n")
    return 1 if set(summary.found) - ALLOWED[told.sync] else 0


if __name__ == "__main__":
    sys.exit(main())
