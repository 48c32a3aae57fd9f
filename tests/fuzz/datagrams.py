"""Mutated datagrams through the whole server engine and the client machine: what they promise must hold whatever comes.

    python tests/fuzz/datagrams.py --of client --runs 1000000 --seed 1

A run is a datagram. They come in stories (served.py, asked.py), for a lease needs a past; each story has its own dice, made
of seed and number, so that a finding comes back by itself: `--from N --runs 1`, of the same side. Exits 1 with the octets of
the first batch that does harm.
"""

import argparse
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple, Protocol

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

from fuzz.asked import ClientStory
from fuzz.served import ServerStory

EVERY = 10_000
"""Runs between two lines of progress."""


class Story(Protocol):
    """A core, and what happens to it. batch: the datagrams that it is busy with."""

    batch: list[bytes]
    outcomes: Counter[str]

    def play(self) -> int:
        """Play it to its end; how many datagrams there were. Raises whatever the core raises, and AssertionError."""


SIDES: dict[str, tuple[Callable[[Random], Story], ...]] = {
    "both": (ServerStory, ClientStory),
    "server": (ServerStory,),
    "client": (ClientStory,),
}
"""Played in turn; a server's has some twenty times as many datagrams."""


class Finding(NamedTuple):
    """What went wrong, in which story, and with which datagrams."""

    story: int
    batch: list[bytes]
    trace: str


def fuzz(
    runs: int, seed: int, first: int = 0, progress: Callable[[int], None] | None = None, of: str = "both"
) -> Finding | Counter[str]:
    """The first finding; without one, how often what became of a datagram. runs: datagrams at least, whole stories."""
    outcomes: Counter[str] = Counter()
    stories = SIDES[of]
    done, number = 0, first
    while done < runs:
        story = stories[number % len(stories)](Random(seed << 40 | number))
        try:
            played = story.play()
        except Exception:
            return Finding(number, story.batch, traceback.format_exc())
        outcomes.update(story.outcomes)
        number += 1
        if progress is not None and (done + played) // EVERY > done // EVERY:
            progress(done + played)
        done += played
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutate datagrams for the server's engine and the client's machine.")
    parser.add_argument("--of", choices=SIDES, default="both", help="whose datagrams")
    parser.add_argument("--runs", type=int, default=100_000, help="datagrams")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", dest="first", type=int, default=0, help="number of the first story")
    given = parser.parse_args()

    def progress(done: int) -> None:
        sys.stderr.write(f"\r{done:,} of {given.runs:,} datagrams")
        sys.stderr.flush()

    found = fuzz(given.runs, given.seed, given.first, progress, given.of)
    sys.stderr.write("\n")
    if isinstance(found, Finding):
        again = f"--of {given.of} --seed {given.seed} --from {found.story} --runs 1"
        batch = "\n".join(payload.hex() for payload in found.batch)
        sys.stdout.write(f"{found.trace}\nstory {found.story} ({again}):\n{batch}\n")
        return 1
    for outcome, times in found.most_common():
        sys.stdout.write(f"{times:>10,}  {outcome}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
