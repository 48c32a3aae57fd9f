"""Batches of changes that follow from a seed, and a program that commits them to a store and says so.

    python tests/crash/story.py FOLDER SAID --seed 1 --batches 60 --sync batch

The folder gets the store; the file SAID gets a line before and after each commit. `story` makes the same batches again, so
that a store that was found can be held to what it should contain.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

from relet.model.lease import Change, Lease, LeaseState, Sync, beside
from relet.store import open_store, tail
from relet.store.memory import MemoryStore
from support.leases import NET, client

ADDRESSES = 48
MOST_CHANGES = 12
BIG = 150
"""Changes of a batch that fills several pages."""
MOST_ENTRIES = 1_000_000
DONE = b"done\n"
"""What the program says at the end."""
WALL = 1_700_000_000
SEGMENT_OCTETS = 1 << 14
"""Length of a file of the tail here, so that a story fills many."""


def story(seed: int, batches: int) -> Iterator[list[Change]]:
    """So many batches: grants, renewals, releases, declines, of leases with names and relay information of all lengths."""
    dice = Random(seed)
    store = MemoryStore()
    for number in range(batches):
        size = BIG if dice.random() < 0.03 else dice.randint(1, MOST_CHANGES)
        batch = [_change(dice, store, number) for _ in range(min(size, ADDRESSES))]
        if size == BIG:
            batch += [Change(None, _lease(dice, ADDRESSES + number * BIG + more, number)) for more in range(BIG)]
        batch = [*{each.after.address: each for each in batch}.values()]
        if store.commit(batch, float(number)).refused:
            raise AssertionError("a change of the story does not hold")
        yield batch


def _change(dice: Random, store: MemoryStore, number: int) -> Change:
    address = dice.randrange(ADDRESSES)
    before = store.view([], []).lease(NET + address)
    return Change(before, _lease(dice, address, number), who=dice.choice(("", "", "ann")))


def _lease(dice: Random, address: int, number: int) -> Lease:
    state = dice.choice((LeaseState.BOUND, LeaseState.BOUND, LeaseState.RELEASED, LeaseState.DECLINED))
    who = dice.randrange(200)
    return Lease(
        NET + address,
        client(who),
        dice.choice(("office", "lab")),
        state,
        WALL + number,
        WALL + number + dice.randint(1, 100_000),
        beside(client(who), b"\x01" + dice.choice((who, who, who + 1)).to_bytes(6)),
        "höst-" * dice.randint(0, 12),
        dice.randbytes(dice.choice((0, 0, 8, 200))),
        dice.choice(("granted", "renewed")),
        dice.random() < 0.1,
    )


def tell(seed: int, batches: int, url: str, said: Path, sync: Sync = "batch", seconds: float = 0.0) -> None:
    """Commit those of them to a store that it has not yet, with some folding in between, by itself and as a server has it
    done, and now and then a new start, in about so many seconds. What it has already is said to be committed."""
    dice = Random(seed + 1)
    store = open_store(url, sync=sync)
    found, told = len(store.history(limit=MOST_ENTRIES)), 0
    with said.open("ab", buffering=0) as lines:
        for number, batch in enumerate(story(seed, batches)):
            told += len(batch)
            if told <= found:
                if told == found:
                    lines.write(b"committed %d\n" % number)
                continue
            lines.write(b"begun %d\n" % number)
            if store.commit(batch, float(number)).refused:
                raise AssertionError("the store refuses what it should hold")
            lines.write(b"committed %d\n" % number)
            time.sleep(seconds / batches)
            for _ in range(dice.choice((0, 0, 1, 3))):
                store.fold(dice.choice((3, 20, 100)))
            if dice.random() < 0.2:
                store.tend()
            if dice.random() < 0.05:
                store.close()
                store = open_store(url, sync=sync)
        store.close()
        lines.write(DONE)


def main(words: Sequence[str]) -> None:
    """The program."""
    asked = argparse.ArgumentParser()
    asked.add_argument("folder", type=Path)
    asked.add_argument("said", type=Path)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--batches", type=int, default=60)
    asked.add_argument("--sync", default="batch")
    asked.add_argument("--seconds", type=float, default=0.0)
    told = asked.parse_args(words)
    tail.SEGMENT_OCTETS = SEGMENT_OCTETS
    tell(told.seed, told.batches, f"sqlite:{told.folder / 'leases.db'}", told.said, told.sync, told.seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
