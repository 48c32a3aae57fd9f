"""kill -9 a client at any moment and start it again: it ends up BOUND, its lease file is always readable, nothing is left.

    python tests/crash/client.py --times 200 --seed 1

A real `relet client` on a machine of its own (host.py) gets leases from a real server, and is killed: at random moments of
its start, right before a call of the kernel that strace counts (each of those that write its lease file, in turn),
while it asks a server that keeps silent, renews, is bound, runs a hook, gives its lease back or stops; some of the kills
hit a helper process of it. Between a kill and the next start the lease file may be lost, as on a new machine, or the
server's pool may have moved, so that the old address is refused. The next start must end up BOUND to exactly one address,
the one that it tells; whoever reads the lease file or resolv.conf meanwhile must find it whole; a lease that was not given
back must not be forgotten; no process of the killed client may live on. From time to time the lease is given back in peace,
and all must be as before. `--broken` is the counter-proof: clients that do it wrong must be found out. Needs root and
strace. Exits 1 if something was wrong.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

sys.path.append(str(Path(__file__).parent.parent))  # so that this is a program, too

from crash.aftermath import BROKEN, Summary, Violation, broken
from crash.host import BEFORE, INTERFACE, Host, Watch
from crash.points import Point, at, record, traced
from support.lab import RELET, Lab, Process, until
from support.serving import Serve

PATIENCE_S = 20.0
"""A client that is started again is BOUND within this time."""
AFTER_BOUND_S = 0.6
"""Probes and announcements go on for so long."""
SHORT_S, LONG_S = 4, 60
"""Lease times."""
SILENCE_S = 2.0
HOOKS_S = 0.03
SERVERS = ("192.168.1.2", "192.168.1.3")
"""Of names."""
POOLS = ("192.168.1.100-192.168.1.109", "192.168.1.200-192.168.1.209")
QUICK = ("--conflict", "quick")
OFTEN_FRESH, FORGETS, MOVES, PEACE, HELPER = 0.3, 0.1, 0.25, 0.05, 0.4
"""How often: a start under strace is a new machine's; a lease file is lost, the pool moves, the lease is given back between
two kills; a kill hits a helper process, if there is one."""
FRESH, AGAIN = "fresh", "again"
"""A new machine; one that comes back, is told to renew, and to give its lease back."""
MOST_TOLD = 20

CONFIGURATION = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "office"
interfaces = ["s0"]
lease-time = "{lease}s"
min-lease-time = "1s"
options = {{ domain-name = "example.org", domain-name-servers = {servers} }}

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["{pool}"]
options = {{ routers = ["192.168.1.1"] }}
"""


class Killer:
    """A host, its server, and the moments at which its client is killed. command: the client's."""

    def __init__(self, lab: Lab, seed: int, command: Sequence[str] = RELET) -> None:
        self._dice = Random(seed)
        server = lab.namespace("server")
        self._host = Host(lab, command)
        lab.cable(server, "s0", self._host.namespace, INTERFACE)
        lab.address(server, "s0", "192.168.1.1/24")
        self._pool, self._lease_s = POOLS[0], LONG_S
        self._server = Serve(lab, server, self._configuration(), verbose=False)
        self._watch = Watch(self._host)
        self._violations: list[Violation] = []
        self._kills: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._peaceful = self._moved = self._helpers = self._unanswered = 0
        self._bound_after_s = 1.0
        self._moment = "none"
        self._moments: Mapping[str, tuple[int, Callable[[], None]]] = {
            "starting": (20, self._starting),
            "before a call": (30, self._before_a_call),
            "while writing": (25, self._while_writing),
            "asking in vain": (6, self._asking),
            "bound": (8, self._bound),
            "renewing": (8, self._renewing),
            "at T1": (2, self._at_t1),
            "with a hook": (5, self._with_a_hook),
            "releasing": (8, lambda: self._ending(signal.SIGUSR2)),
            "stopping": (8, lambda: self._ending(signal.SIGTERM)),
        }
        self._log = lab.folder / "strace"
        self._points: Mapping[str, list[Point]] = {}
        self._writing: list[tuple[str, Point]] = []

    def run(self, times: int, progress: Callable[[int, int], None] | None = None) -> Summary:
        """So many kills, each followed by a start that must end well."""
        began = time.monotonic()
        self._points = {way: self._calibrate(way) for way in (FRESH, AGAIN)}
        self._watch.start()
        self._start()
        names, weights = list(self._moments), [weight for weight, _ in self._moments.values()]
        for number in range(1, times + 1):
            moment = self._dice.choices(names, weights)[0]
            self._moment = moment
            self._moments[moment][1]()
            self._kills[moment] += 1
            self._settle()
            self._change()
            self._start()
            if self._dice.random() < PEACE:
                self._end_in_peace()
                self._start()
            if progress is not None:
                progress(number, len(self._violations))
        self._end_in_peace()
        seconds = time.monotonic() - began
        return Summary(
            self._kills,
            self._calls,
            self._helpers,
            self._peaceful,
            self._moved,
            self._unanswered,
            self._watch.looks,
            self._violations,
            seconds,
        )

    def close(self) -> None:
        """End the client."""
        self._watch.close()
        self._host.close()

    # The moments: each leaves a client that was hit ---------------------------------------------------------------------

    def _starting(self) -> None:
        self._kill_and_wait()
        self._host.boot(*QUICK)
        time.sleep(self._dice.uniform(0.0, self._bound_after_s + AFTER_BOUND_S))
        self._kill()

    def _before_a_call(self) -> None:
        """Each kind of call as often as the others."""
        self._kill_and_wait()
        way = FRESH if self._dice.random() < OFTEN_FRESH else AGAIN
        call = self._dice.choice(sorted({point.call for point in self._points[way]}))
        self._before(way, self._dice.choice([point for point in self._points[way] if point.call == call]))

    def _while_writing(self) -> None:
        """Before each call that is about the lease file, one after the other."""
        self._kill_and_wait()
        if not self._writing:
            self._writing = [(way, point) for way, points in self._points.items() for point in points if point.writes]
        self._before(*self._writing.pop(0))

    def _before(self, way: str, point: Point) -> None:
        """A start under strace; if it comes so far, it is told to renew and to give its lease back."""
        if way == FRESH:
            self._forget()
        client = self._host.boot(*QUICK, within=at(point))
        if self._comes_to_be_bound():
            self._watch.must_remember = True
            self._dead_within(AFTER_BOUND_S)
            self._host.signal(signal.SIGUSR1)
            self._dead_within(HOOKS_S)
            if client.popen.poll() is None:
                self._watch.must_remember = False
                self._host.signal(signal.SIGUSR2)
        if not self._dead_within(AFTER_BOUND_S):
            self._kill()
        self._moment = f"before {point.call} {point.number}"
        self._calls[point.call] += 1

    def _asking(self) -> None:
        """The server hears, and says nothing."""
        self._kill_and_wait()
        self._server.process.signal(signal.SIGSTOP)
        self._host.boot(*QUICK)
        time.sleep(self._dice.uniform(0.0, self._bound_after_s + SILENCE_S))
        self._kill()
        self._server.process.signal(signal.SIGCONT)

    def _bound(self) -> None:
        time.sleep(self._dice.uniform(0.0, AFTER_BOUND_S))
        self._kill()

    def _renewing(self) -> None:
        self._host.signal(signal.SIGUSR1)
        time.sleep(self._dice.uniform(0.0, 0.01))
        self._kill()

    def _at_t1(self) -> None:
        """A lease so short that it is extended by itself."""
        self._reconfigure(lease_s=SHORT_S)
        self._host.signal(signal.SIGUSR1)
        self._client().line('"renewing"')  # as told
        self._client().line('"renewing"')  # at T1
        time.sleep(self._dice.uniform(0.0, 0.01))
        self._kill()
        self._reconfigure(lease_s=LONG_S)

    def _with_a_hook(self) -> None:
        self._host.hooked.unlink(missing_ok=True)
        self._host.signal(signal.SIGUSR1)
        until(self._host.hooked.exists, PATIENCE_S)
        self._kill()

    def _ending(self, number: int) -> None:
        self._watch.must_remember = self._watch.must_remember and number != signal.SIGUSR2
        self._host.signal(number)
        time.sleep(self._dice.uniform(0.0, 0.03))
        self._kill()

    # What is done around them -------------------------------------------------------------------------------------------

    def _kill(self) -> None:
        """Hit one of the client's processes, mostly the first."""
        first = self._host.first()
        if first is not None:
            helpers = self._host.helpers(first)
            helper = bool(helpers) and self._dice.random() < HELPER
            self._helpers += helper
            self._host.kill(self._dice.choice(helpers) if helper else first)

    def _kill_and_wait(self) -> None:
        self._host.kill(self._client().pid)
        self._settle()

    def _settle(self) -> None:
        """The processes of a client that was hit end by themselves."""
        if left := self._host.await_end():
            self._wrong("stray", f"lived on: {left}")

    def _change(self) -> None:
        """What may happen to a machine that is off."""
        chance = self._dice.random()
        if chance < FORGETS:
            self._forget()
        elif chance < FORGETS + MOVES:
            self._moved += 1
            self._watch.must_remember = False
            self._reconfigure(pool=POOLS[POOLS.index(self._pool) - 1])

    def _forget(self) -> None:
        """It is a new machine now."""
        self._watch.must_remember = False
        self._host.lease_file.unlink(missing_ok=True)
        self._host.flush()

    def _start(self) -> None:
        """Start it; it must end up BOUND."""
        began = time.monotonic()
        client = self._host.boot(*QUICK)
        try:
            told = self._await_bound()
        except AssertionError as error:
            self._wrong("not bound", str(error))
            return
        self._bound_after_s = time.monotonic() - began
        self._watch.must_remember = True
        if any('"bad-lease-file"' in line for line in client.lines):
            self._wrong("lease file", f"the client could not use it: {client.lines}")
        wanted = [f"{told['address']}/{told['prefix']}"]
        if self._host.addresses() != wanted:
            self._wrong("address", f"{self._host.addresses()} instead of {wanted}")
        defaults = [route for route in self._host.routes() if route.startswith("default")]
        if len(defaults) != 1:
            self._wrong("route", f"{defaults}")
        if not self._resolves_within(SILENCE_S):
            self._wrong("resolv.conf", f"not of the lease: {self._host.resolv_conf.read_text()!r}")
        self._collect()

    def _end_in_peace(self) -> None:
        """The lease is given back: all is as before."""
        self._peaceful += 1
        client = self._client()
        self._watch.must_remember = False
        self._host.signal(signal.SIGUSR2)
        code = client.wait(PATIENCE_S)
        self._settle()
        found = (code, self._host.addresses(), self._host.routes(), self._host.resolver_files())
        if found != (0, [], [], {"resolv.conf": BEFORE}):
            self._wrong("not as before", repr(found))
        self._collect()

    def _collect(self) -> None:
        while self._watch.found:
            self._wrong(*self._watch.found.pop(0))

    def _wrong(self, kind: str, text: str) -> None:
        self._violations.append(Violation(kind, self._kills.total(), self._moment, text))

    def _client(self) -> Process:
        assert self._host.client is not None
        return self._host.client

    def _configuration(self) -> str:
        return CONFIGURATION.format(lease=self._lease_s, pool=self._pool, servers=json.dumps(SERVERS))

    def _reconfigure(self, lease_s: int | None = None, pool: str | None = None) -> None:
        self._lease_s, self._pool = lease_s or self._lease_s, pool or self._pool
        self._server.config.write_text(self._configuration())
        self._server.process.signal(signal.SIGHUP)
        self._server.process.line("reloaded", seconds=PATIENCE_S)

    def _calibrate(self, way: str) -> list[Point]:
        """The calls of a client."""
        client = self._host.boot(*QUICK, within=traced(self._log))
        self._await_bound()
        time.sleep(AFTER_BOUND_S)
        if way == AGAIN:
            self._host.signal(signal.SIGUSR1)
            self._await_bound()
        self._host.signal(signal.SIGUSR2 if way == AGAIN else signal.SIGTERM)
        client.wait(PATIENCE_S)
        self._host.await_end()
        return record(self._log, self._host.folder)

    def _comes_to_be_bound(self) -> bool:
        """Has it an address, before it was killed?"""
        try:
            self._await_bound()
        except AssertionError:
            return False
        return True

    def _await_bound(self) -> dict[str, Any]:
        """What it tells of its lease once it is BOUND. Raises AssertionError if that takes too long.

        That the old gateway answers (RFC 4436) is good enough for using the address, but a server may still refuse it, as
        long as it is asked. If none answers, the lease is good for the rest of its time (RFC 2131 s3.2): the server that
        was told DHCPRELEASE right before a client was killed may have no word to say about the address.
        """
        end = time.monotonic() + PATIENCE_S
        attached: dict[str, Any] = {}
        while True:
            line = self._client().line('"event":', seconds=max(0.0, end - time.monotonic()))
            told: dict[str, Any] = json.loads(line)
            if told["event"] == "bound" and told["cause"] != "network":
                return told
            if told["event"] == "bound":
                attached = told
            if told["event"] == "reboot-silence" and attached:
                self._unanswered += 1
                return attached

    def _resolves_within(self, seconds: float) -> bool:
        """Does resolv.conf name the servers of the lease?"""
        end = time.monotonic() + seconds
        while not (named := all(each in self._host.resolv_conf.read_text() for each in SERVERS)):
            if time.monotonic() > end:
                break
            time.sleep(0.005)
        return named

    def _dead_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self._client().popen.poll() is None and time.monotonic() < end:
            time.sleep(0.005)
        return self._client().popen.poll() is not None


def main() -> int:
    """The program."""
    asked = argparse.ArgumentParser(description="kill -9 a client at any moment, and look whether it comes back")
    asked.add_argument("--times", type=int, default=200, help="how often (%(default)s)")
    asked.add_argument("--seed", type=int, default=1, help="of the dice (%(default)s); the kernel throws its own too")
    asked.add_argument("--broken", choices=BROKEN, help="counter-proof: a client that does something wrong")
    told = asked.parse_args()

    def progress(kills: int, violations: int) -> None:
        sys.stderr.write(f"{kills} kills, {violations} violations\r")

    command = broken(told.broken) if told.broken else RELET
    with Lab() as lab, closing(Killer(lab, told.seed, command)) as killer:
        summary = killer.run(told.times, progress)
    sys.stdout.write(f"seed {told.seed}: {summary}\n")
    for violation in summary.violations[:MOST_TOLD]:
        sys.stdout.write(f"{violation}\n")
    return 1 if summary.violations else 0


if __name__ == "__main__":
    sys.exit(main())
