"""Hosts of a real link as a test sees them: a namespace each, its program, and what the kernel says of its interface."""

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import msgspec

from relet.config.values import duration
from relet.errors import MachineError
from relet.lab.spaces import PATIENCE_S, Lab, Process, until
from relet.model.lease import Change
from relet.run.control import ask
from relet.server.told import MAX_TOLD, Told
from relet.store import open_reader, open_store
from relet.testing.configuration import INTERFACE, ServerPlan
from relet.testing.server import Row, held, rows


class RealHost:
    """A namespace with one interface on the link. `lab` runs commands in it: `host.lab.run(host.space, 'ping', ...)`."""

    def __init__(self, lab: Lab, space: str, name: str, mac: str) -> None:
        self.lab, self.space, self.name, self.mac = lab, space, name, mac
        self.process: Process | None = None
        self.command: Sequence[str | Path] = ()

    @property
    def addresses(self) -> list[IPv4Interface]:
        """The IPv4 addresses on its interface."""
        return [IPv4Interface(each) for each in self.lab.addresses(self.space, INTERFACE)]

    @property
    def routes(self) -> list[str]:
        """Its routing table, as `ip route` has it."""
        return self.lab.routes(self.space)

    def inside(self) -> AbstractContextManager[None]:
        """Sockets that this thread makes meanwhile are on this host, and stay there."""
        return self.lab.inside(self.space)

    def run(self, *argv: str | Path) -> str:
        """Run a command on it to its good end; what it printed."""
        return self.lab.run(self.space, *argv)

    def start(self, *argv: str | Path) -> Process:
        """Start its program: this command, or the one that it had."""
        self.command = argv or self.command
        self.process = self.lab.start(self.space, *self.command)
        return self.process

    def stop(self) -> None:
        """End its program, gently first."""
        if self.process is not None:
            self.process.close()
            self.process = None

    def kill(self) -> None:
        """kill -9 of its program."""
        if self.process is not None:
            self.process.kill()
            self.process = None


class RealServer(RealHost):
    """`relet serve`, or a server of yours, on a host with an address."""

    def __init__(self, lab: Lab, space: str, name: str, mac: str, plan: ServerPlan, folder: Path) -> None:
        super().__init__(lab, space, name, mac)
        self.plan, self.folder = plan, folder
        self._store = f"sqlite:{folder / 'leases.db'}"

    def prepare(self) -> Path:
        """Write down relet's configuration, and the leases that are there from the start. The file."""
        file = self.folder / "relet.toml"
        file.write_text(self.plan.toml("link"), encoding="utf-8")
        now = time.time()
        store = open_store(self._store)
        leases = self.plan.standing("link", now, duration(self.plan.lease_time))
        store.commit([Change(None, lease) for lease in leases], now)
        store.close()
        return file

    @property
    def address(self) -> IPv4Address:
        """Its own address."""
        return IPv4Address(self.plan.address)

    @property
    def leases(self) -> list[Row]:
        """Every lease that relet has on record, by address."""
        reader = open_reader(self._store)
        try:
            return rows(reader.all(), time.time())
        finally:
            reader.close()

    @property
    def held(self) -> dict[str, str]:
        """Address -> client of the leases that hold now."""
        return held(self.leases)

    def why(self, mac: str) -> list[Told]:
        """What relet answered a client, or not, and why, newest first; nothing while it does not run."""
        try:
            said = ask(self.folder / "relet.sock", {"do": "why", "client": mac, "limit": MAX_TOLD})
        except MachineError:
            return []
        return msgspec.convert(said, list[Told])


class RealClient(RealHost):
    """`relet client`, or a client of yours."""

    def wait_for_address(self, seconds: float = PATIENCE_S) -> IPv4Interface:
        """Wait until there is an IPv4 address on its interface. AssertionError if there is none in so many seconds."""
        until(lambda: bool(self.addresses), seconds)
        return self.addresses[0]

    def wait_for(self, event: str, seconds: float = PATIENCE_S) -> dict[str, object]:
        """Wait until relet's client tells an event: 'bound', 'unbound', or a state such as 'selecting'. What it told."""
        return msgspec.json.decode(self.wait_for_line(f'"event":"{event}"', seconds=seconds), type=dict[str, object])

    def wait_for_line(self, *texts: str, seconds: float = PATIENCE_S) -> str:
        """Wait until its program prints a line with all of these texts; the line."""
        if self.process is None:
            raise AssertionError(f"{self.name} does not run")
        return self.process.line(*texts, seconds=seconds)
