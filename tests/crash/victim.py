"""The server that is killed, and the load that it is under."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from crash.fleet import Fleet
from crash.wires import Wires
from relet.store import open_store
from support.lab import RELET, need
from support.leases import grant

ADDRESSES = 200
IN_FLIGHT = 120
MOST_ACTING = 32
"""New requests between two looks for replies."""
STARTS_S = 60.0
"""A server that does not listen by then never will."""
LAST_WORDS = 4000
FILLED_AT_ONCE = 5000
LOCK = "leases.db.lock"
"""Beside the store; the process id of the server is in it."""

CONFIGURATION = """
[server]
store = "sqlite:{store}"
{more}

[[network]]
name = "office"
interfaces = ["s0"]
lease-time = "20s"
min-lease-time = "1s"
max-lease-time = "10m"
decline-time = "3s"
options = {{ domain-name = "{domain}.example.org" }}

[[network.subnet]]
prefix = "192.168.0.0/20"
pools = ["192.168.2.1-192.168.2.{last}"]
"""


class Victim:
    """The server process. folder: its configuration, store and log are there. sync: its durability level, '' for its own
    choice. within: makes the command of one that runs it."""

    def __init__(
        self,
        namespace: str,
        folder: Path,
        sync: str = "",
        within: Callable[[list[str]], list[str]] | None = None,
    ) -> None:
        argv = [need("ip"), "netns", "exec", namespace, *RELET, "serve", "--config", str(folder / "relet.toml")]
        self._argv = argv if within is None else within(argv)
        self._within = within
        self.store = folder / "store"
        self._log = folder / "log"
        self._config = folder / "relet.toml"
        self._control = folder / "relet.sock"
        self._sync = sync
        self._process: subprocess.Popen[bytes] | None = None
        self.store.mkdir()
        self.configure("first")

    def configure(self, domain: str) -> None:
        """Write the configuration with something new in it."""
        more = f'sync = "{self._sync}"' if self._sync else ""
        text = CONFIGURATION.format(store=self.store / "leases.db", more=more, domain=domain, last=ADDRESSES)
        self._config.write_text(text)

    def fill(self, leases: int) -> None:
        """Give its store so many leases of a network that is not served any more: a start has to read them."""
        with closing(open_store(f"sqlite:{self.store / 'leases.db'}")) as store:
            for first in range(0, leases, FILLED_AT_ONCE):
                numbers = range(first, min(first + FILLED_AT_ONCE, leases))
                store.commit([grant(number, who=number) for number in numbers], 1.0)
            while store.fold(leases):
                pass

    def start(self) -> None:
        """Begin to start it."""
        self._control.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ready(self) -> float:
        """Wait until it listens; the seconds that this took."""
        began = time.monotonic()
        while not self._control.exists():
            self.check()
            if time.monotonic() - began > STARTS_S:
                raise AssertionError(f"the server does not start:\n{self._last_words()}")
            time.sleep(0.005)
        return time.monotonic() - began

    def check(self) -> None:
        """Raises AssertionError if it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"the server has ended by itself:\n{self._last_words()}")

    def folded(self) -> tuple[int, ...]:
        """Changes whenever the database is written to, which only the fold does."""
        paths = [self.store / name for name in ("leases.db", "leases.db-wal")]
        return tuple(path.stat().st_mtime_ns for path in paths if path.exists())

    def signal(self, number: int) -> None:
        """Send a signal to the process that was started."""
        if self._process is not None:
            self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9, of the server itself if something else runs it; it is gone when this returns."""
        if self._process is None:
            return
        if self._within is None:
            self._process.kill()
        elif self._process.poll() is None:
            os.kill(int((self.store / LOCK).read_text()), signal.SIGKILL)
        self._process.wait()

    def _last_words(self) -> str:
        return self._log.read_text()[-LAST_WORDS:]


def load(wires: Wires, fleet: Fleet, seconds: float) -> None:
    """Let the fleet talk for a while."""

    def hear(payload: bytes) -> None:
        wires.send(fleet.hear(payload, time.time()))

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        wires.send(fleet.act(time.time(), min(IN_FLIGHT, fleet.waiting + MOST_ACTING)))
        wires.receive(hear, 0.005)
