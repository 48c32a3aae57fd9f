"""What the parts of bench/beside.py share: how much of each is done, servers with folders of their own, comparisons."""

import shutil
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stand import Figures, Running, Stand

PAUSE_S = 1.1
"""A lease renewed within the second of its grant would not have to be written."""

Table = dict[str, object]
"""The figures of a part, as they are kept."""
Round = dict[str, dict[str, Figures]]
"""What each server did under each kind of load."""
Command = Callable[[Path, str], list[str]]
"""Writes a server's configuration for (folder, interface); the command that starts it."""


class Sizes:
    """How much of each; quick: enough to see that everything runs."""

    def __init__(self, quick: bool) -> None:
        self.clients = 2_000 if quick else 30_000
        self.rounds = 1 if quick else 5
        self.costly_rounds = 1 if quick else 3
        self.few, self.many = (1_000, 20_000) if quick else (10_000, 1_000_000)
        self.loads = 2 if quick else 8
        self.at_once = 1_000 if quick else 10_000
        self.starts = 1 if quick else 3
        self.lasting, self.brief, self.brief_s = (2_000, 1_000, 4) if quick else (65_536, 20_000, 20)
        self.paced_loads, self.reload_every_s = (6, 3.0) if quick else (4, 2.0)
        self.history = 0 if quick else 500_000


class Bench:
    """One run: a stand, folders for the servers, where the side-by-side bench is, how much is done."""

    def __init__(self, stand: Stand, folder: Path, compare: Path, sizes: Sizes) -> None:
        self.stand, self.sizes, self.compare = stand, sizes, compare
        self._folder = folder
        self._number = 0

    @contextmanager
    def server(self, name: str, command: Command) -> Iterator[Running]:
        """A server with a folder of its own, ready."""
        folder = self.folder(name)
        running = self.stand.start(name, command(folder, self.stand.interface), folder)
        yield running
        self.stand.stop(running)
        self.forget(folder)

    def folder(self, name: str) -> Path:
        """A new one."""
        self._number += 1
        folder = self._folder / f"{name}{self._number}"
        folder.mkdir()
        return folder

    def forget(self, folder: Path) -> None:
        """Remove it."""
        shutil.rmtree(folder)

    def state(self, name: str) -> Path:
        """A file for the addresses that the clients of dhcpload got."""
        return self._folder / f"{name}.state"


def compared(rounds: list[Round], mode: str, one: str = "kea", other: str = "relet") -> Table:
    """Medians over the rounds, and the ratio taken round by round."""
    ratios = [row[other][mode]["per_second"] / row[one][mode]["per_second"] for row in rounds]
    medians = {
        f"{name} {figure}": statistics.median(row[name][mode].get(figure, 0.0) for row in rounds)
        for name in (one, other)
        for figure in ("per_second", "p50_ms", "p99_ms", "done")
    }
    return {"ratio": statistics.median(ratios), "ratios": ratios} | medians


def whole(name: str, load: Figures, requests: int) -> None:
    """Ends the program if not every request had its right answer: such a figure would be no rate of answers. Kea's may fail
    to come, for it drops what is too much; none may be wrong. The rate is one of right answers then, too."""
    ours = not name.startswith("kea")
    wrong = {what: load[what] for what in ("wrong", "naks", "failed")[: 3 if ours else 1] if load.get(what)}
    if (ours and load["done"] != requests) or wrong:
        sys.exit(f"{name}: {load['done']:.0f} of {requests} requests answered rightly, {wrong}")


def said(what: str, figures: object) -> None:
    """Progress, for whoever watches."""
    sys.stdout.write(f"{what}: {figures}\n")
    sys.stdout.flush()
