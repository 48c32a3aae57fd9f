"""Power failures at any moment of a recording, and what the store makes of what they leave.

    python tests/crash/power.py --states 20000 --seed 1

A program commits batches to a store under strace (story.py). Of every moment between two of its calls, and of many lots of
the writes that were not synced by then (disk.py), the files are made as a power failure would have left them, and opened
with the real store. Every batch of which the program had said that it was committed must be there, whole and in order, and
nothing that was never written; and the store must take the next batch. Exits 1 if one of them fails.
"""

import argparse
import os
import sys
import tempfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from math import inf
from pathlib import Path
from random import Random
from typing import NamedTuple

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

import relet
from crash import disk, story
from crash.disk import Disk, Luck, Op, Sync
from crash.strace import Recording, record
from relet.errors import StoreError
from relet.model.lease import Entry, Lease, Leases
from relet.store import open_store

BATCHES = 80
SAID = "said"
"""What the program says about its commits, in a file beside the store's folder."""
MOST_ENTRIES = 1_000_000
GOES_ON = 0.25
"""Share of the states that have to take another batch and be opened again."""
MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one: what is made there to be looked at need not be synced."""
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
    return op.ended if isinstance(op, Sync) else op.begun


def _lots(dice: Random, count: int) -> Iterator[Luck]:
    """The telling ones and then anything; in any order if there are to be few."""
    torn = [disk.last_torn(sectors, backwards) for sectors in range(MOST_TORN) for backwards in (False, True)]
    lots = [disk.nothing(), disk.everything(), disk.only_last(), *torn]
    if count < len(lots):
        lots = [disk.chance(dice) if dice.random() < 0.5 else lot for lot in dice.sample(lots, count)]
    yield from lots
    for _ in range(count - len(lots)):
        yield disk.chance(dice)


def put(files: dict[str, bytes], folder: Path) -> None:
    """Make the folder hold these files and no others."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for name, octets in files.items():
        (folder / name).write_bytes(octets)


class Told:
    """What a story's store should contain, by how many batches it has."""

    def __init__(self, seed: int, batches: int) -> None:
        self.batches = [*story.story(seed, batches + 1)]
        self.entries: list[Entry] = []
        self.ends = [0]
        self.leases: list[list[Lease]] = [[]]
        newest: dict[int, Lease] = {}
        for at, batch in enumerate(self.batches):
            for change in batch:
                self.entries.append(Entry(len(self.entries) + 1, float(at), change.after, change.who))
                newest[change.after.address] = change.after
            self.ends.append(len(self.entries))
            self.leases.append([lease for _, lease in sorted(newest.items())])

    def examine(self, folder: Path, goes_on: bool = True) -> tuple[str, int]:
        """Open the store. ('whole', batches found), or ('half', entries found) if it has what never was, ('unreadable', 0),
        ('bug', 0), ('stuck', batches found) if it does not take the next batch. goes_on: try that."""
        url = f"sqlite:{folder / 'leases.db'}"
        try:
            with closing(open_store(url)) as store:
                found = store.history(limit=MOST_ENTRIES)[::-1]
                number = bisect_left(self.ends, len(found))
                if not self._is(number, found, store.all()):
                    return "half", len(found)
                if goes_on and not self._goes_on(store, number):
                    return "stuck", number
            if goes_on:
                with closing(open_store(url)) as store:
                    if not self._is(number + 1, store.history(limit=MOST_ENTRIES)[::-1], store.all()):
                        return "stuck", number
        except StoreError:
            return "unreadable", 0
        except Exception:
            return "bug", 0
        return "whole", number

    def _goes_on(self, store: Leases, number: int) -> bool:
        try:
            refused = store.commit(self.batches[number], float(number)).refused
            store.fold()
        except StoreError:
            return False
        return not refused

    def _is(self, batches: int, entries: Iterable[Entry], leases: Iterable[Lease]) -> bool:
        """Is this what a store with so many batches says?"""
        if batches >= len(self.ends):
            return False
        return [*entries] == self.entries[: self.ends[batches]] and [*leases] == self.leases[batches]


class Summary(NamedTuple):
    """found: states by what came of them; those that are 'whole' and lack what was promised are 'lost'. most_lost: batches.
    losses: (batches promised, batches found, seconds between the newest lost promise and the failure). bad: some of those
    that were not whole, in words."""

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


def recorded(folder: Path, seed: int, batches: int, seconds: float = 0.0) -> Recording:
    """A story, told to a store in a folder."""
    store = folder / "store"
    store.mkdir()
    argv = [sys.executable, story.__file__, str(store), str(folder / SAID), "--seed", str(seed)]
    argv += ["--batches", str(batches), "--seconds", str(seconds)]
    environment = os.environ | {"PYTHONPATH": str(Path(relet.__file__).parents[1])}
    return record(argv, store, folder / "strace", environment)


def examine(recording: Recording, folder: Path, told: Told, dice: Random, states: int) -> Summary:
    """Let the power fail in a story that was recorded in a folder."""
    left = folder / "left"
    lines = [
        line for line in recording.said if line.path == str(folder / SAID) and line.octets.startswith(b"committed")
    ]
    begun = [line.begun for line in lines]
    found: Counter[str] = Counter()
    bad: list[str] = []
    most_lost, oldest_lost_s, tried = 0, 0.0, 0
    for failure in failures(recording.ops, dice, states):
        tried += 1
        put(failure.files, left)
        promised = bisect_left(begun, failure.before)
        outcome, number = told.examine(left, goes_on=dice.random() < GOES_ON)
        if outcome == "whole" and number < promised:
            outcome = "lost"
            at = recording.at[min(int(min(failure.before, 1e9)), len(recording.at) - 1)]
            most_lost = max(most_lost, promised - number)
            oldest_lost_s = max(oldest_lost_s, at - lines[number].at)
        found[outcome] += 1
        if outcome != "whole":
            bad.append(
                f"{outcome}: {number} found, {promised} batches promised, before line {failure.before}: {failure.luck}"
            )
    return Summary(tried, found, most_lost, oldest_lost_s, bad)


def main() -> int:
    """The program."""
    asked = argparse.ArgumentParser(description="let the power fail at any moment and open what is left of a store")
    asked.add_argument("--states", type=int, default=20_000, help="of the files to try (%(default)s)")
    asked.add_argument("--seed", type=int, default=1, help="of the dice (%(default)s)")
    asked.add_argument("--batches", type=int, default=BATCHES, help="that the program commits (%(default)s)")
    asked.add_argument("--seconds", type=float, default=0.0, help="that it takes for it (%(default)s)")
    asked.add_argument("--told", type=int, default=20, help="so many failures are told one by one (%(default)s)")
    told = asked.parse_args()
    with workplace() as folder:
        recording = recorded(folder, told.seed, told.batches, told.seconds)
        summary = examine(recording, folder, Told(told.seed, told.batches), Random(told.seed), told.states)
    sys.stdout.write(f"seed {told.seed}: {summary}\n")
    for line in summary.bad[: told.told]:
        sys.stdout.write(f"{line}\n")
    return 1 if summary.bad else 0


if __name__ == "__main__":
    sys.exit(main())
