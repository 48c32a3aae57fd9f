"""A machine that boots with `relet client`, and goes on existing when the client is killed.

Its network and its mounts are private: /etc is the machine's with a layer above it, so that what a client writes to
resolv.conf is seen here and nowhere else. `Watch` reads the lease file and resolv.conf all the time, as anybody may.
"""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from support.lab import RELET, Lab, Process, need, until

INTERFACE = "h0"
BEFORE = "# of this machine\nnameserver 192.0.2.99\n"
"""Its resolv.conf without a lease."""
RESOLVER_WORDS = ("nameserver", "search", "domain", "options", "sortlist")
"""What a line of resolv.conf begins with (resolv.conf(5))."""
POLL_S = 0.0005
"""Between two looks at the files."""
SPAWNS_S = 0.01
"""So long a child may be what its parent is, before it becomes another program."""
GONE_S = 5.0
"""So long the processes of a killed client may take to end: a hook, the other half of it."""

_MOUNTS = """
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
rm -f /etc/resolv.conf
cp "$1" /etc/resolv.conf
mount -t tmpfs tmpfs /run
echo ready
exec sleep infinity
"""


class Host:
    """The machine. command: that of the client, without its arguments; folder: for its files."""

    def __init__(self, lab: Lab, command: Sequence[str] = RELET) -> None:
        self.namespace = lab.namespace("host")
        self.folder = lab.folder / "host"
        self.folder.mkdir()
        self.lease_file = self.folder / "h0.lease"
        self.hooked = self.folder / "hooked"
        self.client: Process | None = None
        self._lab, self._command = lab, command
        (self.folder / "before").write_text(BEFORE)
        # `ip netns exec` gives whatever it runs mounts of its own.
        self._keeper = lab.start(self.namespace, "sh", "-c", _MOUNTS, "sh", self.folder / "before")
        self._keeper.line("ready")
        self.resolv_conf = Path(f"/proc/{self._keeper.pid}/root") / "etc" / "resolv.conf"
        self._network = _network(self._keeper.pid)
        self._hook = self.folder / "hook"
        self._hook.write_text(f"#!/bin/sh\necho > {self.hooked}\nsleep 0.03\n")
        self._hook.chmod(0o755)

    def boot(self, *options: str, within: Sequence[str] = ()) -> Process:
        """Start the client. within: a program that runs it."""
        self.hooked.unlink(missing_ok=True)
        ours = ("--lease-file", str(self.lease_file), "--hook", str(self._hook), "--json")
        places = (f"--mount=/proc/{self._keeper.pid}/ns/mnt", f"--net=/proc/{self._keeper.pid}/ns/net")
        argv = [need("nsenter"), *places, *within, *self._command, "client", INTERFACE, *ours, *options]
        popen = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.client = Process(popen)
        return self.client

    def first(self) -> int | None:
        """The client's first process, also if strace runs it; None if it has ended."""
        if self.client is None or self.client.popen.poll() is not None:
            return None
        if _stat(self.client.pid)[0] != "strace":
            return self.client.pid
        return next((pid for pid in self.processes() if _stat(pid)[1] == self.client.pid), None)

    def processes(self) -> list[int]:
        """All processes in its network, but for the one that keeps it."""
        return [pid for pid in _all_processes() if pid != self._keeper.pid and _network(pid) == self._network]

    def helpers(self, first: int) -> list[int]:
        """The client's other processes, but for hooks: whichever of them dies, the client is to end."""
        own = [pid for pid in self.processes() if pid != first and _command_line(pid) == _command_line(first)]
        if own:
            time.sleep(SPAWNS_S)
        return [pid for pid in own if _command_line(pid) == _command_line(first)]

    def signal(self, number: int) -> None:
        """Send the client's first process a signal, if it still lives."""
        first = self.first()
        if first is not None:
            with suppress(ProcessLookupError):
                os.kill(first, number)

    def kill(self, victim: int) -> None:
        """kill -9 one process of the client, if it still lives."""
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)

    def await_end(self) -> list[str]:
        """Wait for the end of all that the client left; what is still there after a while, which is then killed."""
        end = time.monotonic() + GONE_S
        while (left := self.processes()) and time.monotonic() < end:
            time.sleep(0.002)
        names = [_command_line(pid) for pid in left]
        for pid in left:
            self.kill(pid)
        if self.client is not None:
            self.client.popen.wait()
            self.client.close()
            self.client = None
        return names

    def addresses(self) -> list[str]:
        """IPv4 addresses on its interface."""
        return self._lab.addresses(self.namespace, INTERFACE)

    def flush(self) -> None:
        """Take all addresses off its interface, as if it had been switched off."""
        self._lab.ip(self.namespace, "address", "flush", "dev", INTERFACE)

    def resolver_files(self) -> dict[str, str]:
        """resolv.conf, and whatever a client has put beside it."""
        return {path.name: path.read_text() for path in self.resolv_conf.parent.glob("*resolv.conf*")}

    def routes(self) -> list[str]:
        """Its routes."""
        return self._lab.routes(self.namespace)

    def close(self) -> None:
        """End the client."""
        for pid in self.processes():
            self.kill(pid)
        until(lambda: not self.processes())
        if self.client is not None:
            self.client.close()


class Watch(threading.Thread):
    """Reads the files over and over. found: what was wrong with them. must_remember: a lease was granted and not lost."""

    def __init__(self, host: Host) -> None:
        super().__init__(daemon=True)
        self.found: list[tuple[str, str]] = []
        self.looks = 0
        self.must_remember = False
        self._host = host
        self._end = threading.Event()

    def run(self) -> None:
        while not self._end.wait(POLL_S):
            self.look()

    def look(self) -> None:
        """Once. What is wrong for a while is told once."""
        had = self.must_remember
        for kind, path, problem in (
            ("lease file", self._host.lease_file, lease_problem),
            ("resolv.conf", self._host.resolv_conf, resolver_problem),
        ):
            try:
                said = problem(path.read_bytes())
            except FileNotFoundError:
                said = "it is gone" if kind != "lease file" or (had and self.must_remember) else ""
            if said and self.found[-1:] != [(kind, said)]:
                self.found.append((kind, said))
        self.looks += 1

    def close(self) -> None:
        """Stop."""
        self._end.set()
        if self.is_alive():
            self.join()


def lease_problem(octets: bytes) -> str:
    """What is wrong with a lease file for whoever reads it, '' for nothing."""
    try:
        stored = json.loads(octets)
    except ValueError as error:
        return f"{error} in {octets!r}"
    return "" if isinstance(stored, dict) and "format" in stored else f"no lease file: {octets!r}"


def resolver_problem(octets: bytes) -> str:
    """What is wrong with a resolv.conf, '' for nothing."""
    lines = octets.decode(errors="replace").splitlines()
    if not lines or not octets.endswith(b"\n"):
        return f"it ends in the middle: {octets!r}"
    strange = [line for line in lines if line[:1] not in "#;" and line.split(" ")[0] not in RESOLVER_WORDS]
    if strange:
        return f"strange lines {strange}"
    return "" if any(line.startswith("nameserver ") for line in lines) else f"no nameserver in {octets!r}"


def _all_processes() -> Iterator[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _stat(pid: int) -> tuple[str, int]:
    """Name and parent of a process; of one that is gone, neither."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")
    except OSError:
        return "", 0
    return name.partition("(")[2], int(rest.split()[1])


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _network(pid: int) -> int:
    """The number of a process's network; 0 if it is gone."""
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino
    except OSError:
        return 0
