"""A host with a client on c0 that can be asked, and at the other end of its cable a server, or nobody."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from support import commands
from support.commands import Ended
from support.lab import RELET, Lab, Process, until
from support.serving import Serve, office


class Host(NamedTuple):
    """name: of its namespace. serve: the server, None where nobody serves."""

    lab: Lab
    name: str
    serve: Serve | None

    @property
    def sockets(self) -> Path:
        return self.lab.folder / "sockets"

    @property
    def pid_file(self) -> Path:
        return self.lab.folder / "client.pid"

    def command(self, *arguments: str | Path) -> tuple[str | Path, ...]:
        """`relet client c0`, which keeps its files with the lab."""
        files = ("--lease-file", self.lab.folder / "c0.lease", "--sockets", self.sockets)
        return (*RELET, "client", "c0", "--conflict", "off", *files, *arguments)

    def start(self, *arguments: str | Path) -> Process:
        return self.lab.start(self.name, *self.command(*arguments))

    def asking(self, *arguments: str | Path) -> Process:
        """A client that has no address, and can be asked."""
        client = self.start(*arguments)
        client.line("looking for a server")
        until((self.sockets / "c0.sock").is_socket)
        return client

    def bound(self, *arguments: str | Path) -> Process:
        """A client that has an address."""
        client = self.start(*arguments)
        client.line("bound to 192.168.1.100/24")
        return client

    def relet(self, *arguments: str | Path) -> Ended:
        """Another command, that asks where this client is asked."""
        return commands.relet(*map(str, arguments), "--sockets", str(self.sockets))

    def asked(self, *arguments: str) -> tuple[int, dict[str, object]]:
        """Exit code and answer of such a command, in JSON."""
        ended = self.relet(*arguments, "--json")
        return ended.code, json.loads(ended.out)


@contextmanager
def host(served: bool = True, configuration: str = "") -> Iterator[Host]:
    """The host; what it left in the background ends with it. configuration: of the server, in place of the usual one."""
    with Lab() as lab:
        server, name = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", name, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        serve = None
        if served:
            extra = '[server]\ncontrol = "relet.sock"'
            serve = Serve(lab, server, (configuration or office()).replace("[server]", extra))
        here = Host(lab, name, serve)
        try:
            yield here
        finally:
            if here.pid_file.exists():
                os.kill(int(here.pid_file.read_text()), signal.SIGKILL)
