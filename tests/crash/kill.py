"""kill -9 at random moments: every DHCPACK that had left the server is honoured after the restart, and no address is
given to two clients.

    python tests/crash/kill.py --times 200 --seed 1 --sync batch

A real server in a network of its own serves a fleet that has more clients than there are addresses (fleet.py), and is
killed while it serves, starts, folds its history, reads its configuration again, or stops. After each restart most holders
reboot and have to be confirmed; the others keep quiet, and the clients without an address are after theirs. `--forget` is
the counter-proof: the store is put back to what it was a moment earlier, which must be found out. With
`--leases` the store has many more leases, so that a server is killed and asked while it still reads them. Needs root, for
namespaces. Exits 1 if a promise was broken.
"""

import argparse
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

from crash.fleet import ASKED_AGAIN, PATIENCE_S, Fleet
from crash.ledger import Ledger, Violation
from crash.victim import Victim, load
from crash.wires import RELAY, SERVER, SETTLES_S, Wires
from support.lab import Lab

CLIENTS = 260
LOAD_S = 0.5
"""Longest load before a kill."""
LOADS_S = 1e-5
"""So much longer for each lease that a start has to read."""
FOLDS_S = 3.0
"""Within so much silence the server folds: a second of it has to be quiet."""
FOLDING_S = 0.02
"""So long after its first write a fold is killed at most."""
MOST_TOLD = 20
"""Violations told one by one."""


class Summary(NamedTuple):
    """What came of a run. asked: clients that had to be confirmed after a restart; left: promises that held at a restart."""

    kills: Counter[str]
    counts: Counter[str]
    asked: int
    left: int
    violations: list[Violation]
    seconds: float

    def __str__(self) -> str:
        kills = ", ".join(f"{times} {moment}" for moment, times in sorted(self.kills.items()))
        kinds = Counter(violation.kind for violation in self.violations)
        broken = ", ".join(f"{times} {kind}" for kind, times in sorted(kinds.items())) or "none"
        return (
            f"{self.kills.total()} kills ({kills}) in {self.seconds:.0f} s\n"
            f"{self.counts['promised']} DHCPACKs seen that promised something, {self.counts['void']} that had run out;"
            f" {self.counts['handed on']} addresses handed on to another client\n"
            f"{self.left} promises held at a restart, of {self.asked} the clients asked;"
            f" {self.counts['honoured']} were honoured in all\n"
            f"violations: {len(self.violations)} ({broken})"
        )


class Killer:
    """A fleet, a server, and the moments at which it is killed. forget, leases: see the head of this file."""

    def __init__(
        self, lab: Lab, wires: Wires, seed: int, sync: str = "", forget: bool = False, leases: int = 0
    ) -> None:
        self._dice = Random(seed)
        self._wires = wires
        self._victim = Victim(wires.server, lab.folder, sync)
        self._victim.fill(leases)
        self._load_s = LOAD_S + leases * LOADS_S
        self._copy = lab.folder / "copy" if forget else None
        self.ledger = Ledger()
        self._fleet = Fleet(Random(seed), self.ledger, CLIENTS, RELAY, SERVER)
        self._starts_s = 1.0  # how long the last start took
        self._kills: Counter[str] = Counter()
        self._asked = self._left = self._reloads = 0
        self._moments: dict[str, Callable[[], None]] = {
            "serving": self._serve,
            "starting": self._start,
            "folding": self._fold,
            "reloading": self._reload,
            "stopping": self._stop,
        }

    def run(self, times: int, progress: Callable[[int, "Killer"], None] | None = None) -> Summary:
        """So many kills, each followed by a restart and the questions of the holders."""
        began = time.monotonic()
        self._restart()
        for number in range(1, times + 1):
            moment = self._dice.choices(list(self._moments), (60, 10, 12, 10, 8))[0]
            self._serve()
            if self._copy is not None:
                shutil.rmtree(self._copy, ignore_errors=True)
                shutil.copytree(self._victim.store, self._copy)
                self._serve()
            self._moments[moment]()
            self._kill(moment)
            if self._copy is not None:
                shutil.rmtree(self._victim.store)
                shutil.copytree(self._copy, self._victim.store)
            self._restart()
            if progress is not None:
                progress(number, self)
        self._serve()
        seconds = time.monotonic() - began
        return Summary(self._kills, self.ledger.counts, self._asked, self._left, self.ledger.violations, seconds)

    def close(self) -> None:
        """End the server."""
        self._victim.kill()

    def _serve(self, most_s: float | None = None) -> None:
        """Load for a while."""
        load(self._wires, self._fleet, self._dice.uniform(0.0, most_s or self._load_s))

    def _start(self) -> None:
        """Another kill before this one, after which it is on its way up."""
        self._kill("serving")
        self._victim.start()
        time.sleep(self._dice.uniform(0.0, self._starts_s))

    def _fold(self) -> None:
        """Silence, until the database is written to, and a little more."""
        self._wires.receive(self._hear, SETTLES_S)
        before = self._victim.folded()
        until = time.monotonic() + FOLDS_S
        while time.monotonic() < until and self._victim.folded() == before:
            self._wires.receive(self._hear, 0.001)
        time.sleep(self._dice.uniform(0.0, FOLDING_S))

    def _reload(self) -> None:
        self._reloads += 1
        self._victim.configure(f"reload-{self._reloads}")
        self._victim.signal(signal.SIGHUP)
        self._serve(0.1)

    def _stop(self) -> None:
        self._victim.signal(signal.SIGTERM)
        self._serve(0.1)

    def _kill(self, moment: str) -> None:
        if moment != "stopping":
            self._victim.check()
        self._victim.kill()
        self._kills[moment] += 1
        while self._wires.receive(self._hear, SETTLES_S):  # what had left it counts
            pass
        self._fleet.stop_waiting()

    def _restart(self) -> None:
        """Start it. Most holders ask, as often as clients do, and have to be confirmed."""
        self._victim.start()
        self._starts_s = self._victim.ready()
        self._left += len(self.ledger.due(time.time()))
        self._wires.send(self._fleet.ask(time.time()))
        self._asked += self._fleet.waiting
        for _ in range(ASKED_AGAIN if self._copy is None else 1):
            until = time.monotonic() + PATIENCE_S
            while self._fleet.waiting and time.monotonic() < until:
                self._wires.receive(self._hear, PATIENCE_S / 10)
            if not self._fleet.waiting:
                return
            self._wires.send(self._fleet.ask_again(time.time()))
        self._fleet.give_up_asking(time.time())

    def _hear(self, payload: bytes) -> None:
        self._wires.send(self._fleet.hear(payload, time.time()))


def main() -> int:
    """The program."""
    asked = argparse.ArgumentParser(description="kill -9 a server at random moments and look for broken promises")
    asked.add_argument("--times", type=int, default=200, help="how often (%(default)s)")
    asked.add_argument("--seed", type=int, default=1, help="of the dice (%(default)s); the kernel throws its own too")
    asked.add_argument("--sync", default="", choices=("batch", "interval", "os"), help="durability level of the server")
    asked.add_argument("--leases", type=int, default=0, help="that each start has to read besides (%(default)s)")
    asked.add_argument("--forget", action="store_true", help="counter-proof: put an older store back after each kill")
    told = asked.parse_args()

    def progress(number: int, killer: Killer) -> None:
        broken = len(killer.ledger.violations)
        sys.stderr.write(f"{number} kills, {killer.ledger.counts['promised']} promises, {broken} broken\r")

    with (
        Lab() as lab,
        closing(Wires(lab)) as wires,
        closing(Killer(lab, wires, told.seed, told.sync, told.forget, told.leases)) as killer,
    ):
        summary = killer.run(told.times, progress)
    sys.stdout.write(f"seed {told.seed}, sync {told.sync or 'as the server has it'}: {summary}\n")
    for violation in summary.violations[:MOST_TOLD]:
        sys.stdout.write(f"{violation}\n")
    return 1 if summary.violations else 0


if __name__ == "__main__":
    sys.exit(main())
