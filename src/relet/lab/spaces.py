"""Networks of one's own for tests: namespaces, cables, switches, and processes that live in them.

    with Lab() as lab:
        server, client = lab.namespace("server"), lab.namespace("client")
        lab.cable(server, "s0", client, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        with lab.inside(client):
            socket = dhcp_frames("c0", 68)          # stays in the namespace
        process = lab.start(server, "dnsmasq", "--keep-in-foreground")

Whatever a lab made is gone when it ends: its processes are ended by their ids, its namespaces deleted. What the machine
lacks is a LabError; what does not come to pass within PATIENCE_S an AssertionError, as this is for tests.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from select import select
from time import monotonic
from typing import IO, Self, TypeVar

from relet.errors import MachineError

PATIENCE_S = 30.0
"""How long `Lab.wait` and `Process.line` wait before they call it a failure; nothing is slower unless it is broken."""

RELET = (sys.executable, "-c", "from relet.cli.main import main; main()")
"""The relet command, whether or not it is in the path."""

_CLONE_NEWNET = 0x40000000
_number = count()

Item = TypeVar("Item")


class LabError(MachineError):
    """The machine lacks what a lab needs; the text says what."""


def need(program: str) -> str:
    """Path of a program, also of those that only root has in its path. Raises LabError."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")
    if path is None:
        raise LabError(f"needs the program {program}")
    return path


class Process:
    """A process of a lab: its output as lines, and how it ended."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen
        self.pid = popen.pid
        self.lines: list[str] = []
        self._rest = ""

    def line(self, *wanted: str, seconds: float = PATIENCE_S) -> str:
        """The next line of output in which all of these texts stand. Fails if it ends, or takes too long."""
        until = monotonic() + seconds
        while True:
            line = self._next(until)
            if line is None:
                listing = "\n".join(self.lines[-40:])
                raise AssertionError(f"no line with {wanted} from {self.popen.args!r}; its last words:\n{listing}")
            if all(text in line for text in wanted):
                return line

    def latest(self, number: int) -> list[str]:
        """The last lines that it has printed up to now."""
        while self._next(monotonic()) is not None:
            pass
        return self.lines[-number:]

    def wait(self, seconds: float = PATIENCE_S) -> int:
        """Its exit code, once it has ended by itself."""
        return self.popen.wait(seconds)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        self.popen.send_signal(number)

    def kill(self) -> None:
        """kill -9, and wait for the end."""
        self.popen.kill()
        self.popen.wait()

    def close(self) -> None:
        """End it, gently first."""
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
        self._output.close()

    @property
    def _output(self) -> IO[str]:
        assert self.popen.stdout is not None
        return self.popen.stdout

    def _next(self, until: float) -> str | None:
        while "\n" not in self._rest:
            ready, _, _ = select([self._output], [], [], max(0.0, until - monotonic()))
            octets = os.read(self._output.fileno(), 65536) if ready else b""
            if not octets:
                return None
            self._rest += octets.decode(errors="replace")
        line, _, self._rest = self._rest.partition("\n")
        self.lines.append(line)
        return line


class Lab:
    """Namespaces and processes that end with the lab. Namespaces are called by what `namespace` returns."""

    def __init__(self) -> None:
        self._namespaces: list[str] = []
        self._processes: list[Process] = []
        self._folder = tempfile.TemporaryDirectory(prefix="relet-lab-")
        self.folder = Path(self._folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self._processes):
            process.close()
        for name in self._namespaces:
            self._end_leftovers(name)
            subprocess.run([need("ip"), "netns", "del", name], check=False, capture_output=True)
        self._folder.cleanup()

    def _end_leftovers(self, name: str) -> None:
        """What a killed program had started lives on; nobody else can be in there."""
        found = subprocess.run([need("ip"), "netns", "pids", name], check=False, capture_output=True, text=True)
        for pid in map(int, found.stdout.split()):
            if pid != os.getpid():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def namespace(self, label: str) -> str:
        """A new namespace with its loopback up. Raises LabError."""
        name = f"relet-{os.getpid()}-{next(_number)}-{label}"
        made = subprocess.run([need("ip"), "netns", "add", name], check=False, capture_output=True, text=True)
        if made.returncode:
            raise LabError(f"needs network namespaces ({made.stderr.strip()})")
        self._namespaces.append(name)
        self.ip(name, "link", "set", "lo", "up")
        return name

    def cable(self, one: str, interface: str, other: str, other_interface: str) -> None:
        """A veth pair between two namespaces, both ends up."""
        self.ip(one, "link", "add", interface, "type", "veth", "peer", "name", other_interface, "netns", other)
        self.ip(one, "link", "set", interface, "up")
        self.ip(other, "link", "set", other_interface, "up")

    def switch(self, label: str, *plugs: tuple[str, str]) -> str:
        """A namespace with a bridge, and a cable from it to each (namespace, interface)."""
        name = self.namespace(label)
        self.ip(name, "link", "add", "switch", "type", "bridge", "forward_delay", "0")
        self.ip(name, "link", "set", "switch", "up")
        for namespace, interface in plugs:
            self.plug(name, namespace, interface)
        return name

    def plug(self, switch: str, namespace: str, interface: str) -> str:
        """A cable from a switch to a new interface; the switch's end of it."""
        port = f"p{next(_number)}"
        self.cable(switch, port, namespace, interface)
        self.ip(switch, "link", "set", port, "master", "switch")
        return port

    def address(self, namespace: str, interface: str, prefix: str) -> None:
        """Give an interface an address such as 192.168.1.1/24."""
        self.ip(namespace, "address", "add", prefix, "brd", "+", "dev", interface)

    def ip(self, namespace: str, *arguments: str) -> str:
        """Run the ip command in a namespace; its output."""
        return self.run(namespace, need("ip"), *arguments)

    def run(self, namespace: str, *argv: str | Path) -> str:
        """Run a command to its end, which must be a good one; its output."""
        done = subprocess.run(_within(namespace, argv), check=False, capture_output=True, text=True, timeout=PATIENCE_S)
        assert done.returncode == 0, f"{argv}: {done.stderr}"
        return done.stdout

    def start(self, namespace: str, *argv: str | Path) -> Process:
        """Start a command; output and errors are one stream of lines."""
        # `ip netns exec` becomes the command, so the process id is the command's own.
        popen = subprocess.Popen(
            _within(namespace, argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        process = Process(popen)
        self._processes.append(process)
        return process

    def relet(self, namespace: str, *arguments: str | Path) -> Process:
        """Start a relet command."""
        return self.start(namespace, *RELET, *arguments)

    @contextmanager
    def inside(self, namespace: str) -> Iterator[None]:
        """This thread's new sockets are made in the namespace; they stay there."""
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        try:
            _enter(there)
            yield
        finally:
            _enter(before)
            os.close(there)
            os.close(before)

    def addresses(self, namespace: str, interface: str) -> list[str]:
        """IPv4 addresses of an interface, such as 192.168.1.5/24."""
        rows = self.ip(namespace, "-4", "-oneline", "address", "show", "dev", interface).splitlines()
        return [row.split()[3] for row in rows]

    def routes(self, namespace: str) -> list[str]:
        """The routing table, a text for each route."""
        return [" ".join(row.split()) for row in self.ip(namespace, "-4", "route", "show").splitlines()]


def until(true: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
    """Wait for something that another process will do. Fails if it does not."""
    end = monotonic() + seconds
    while not true():
        assert monotonic() < end, "waited in vain"
        select([], [], [], 0.02)


def gather(receive: Callable[[], Iterable[Item]], number: int) -> list[Item]:
    """What `receive` gives, call after call, until that many have come; more if one call gave more."""
    items: list[Item] = []

    def enough() -> bool:
        items.extend(receive())
        return len(items) >= number

    until(enough)
    return items


def _within(namespace: str, argv: tuple[str | Path, ...]) -> list[str]:
    return [need("ip"), "netns", "exec", namespace, *map(str, argv)]


def _enter(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
