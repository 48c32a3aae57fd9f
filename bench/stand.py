"""The stand on which servers are measured: two network namespaces, a server in one, a load generator in C in the other.

    with Stand(folder, compare) as stand:
        server = stand.start("kea", setups.kea(...))
        figures = stand.prepared(requests, window=64)
        stand.stop(server)

The generators are replay (bench/replay.c, sends prepared requests) and, where the side-by-side bench is at hand, its own
dhcpload, written by somebody else. What is made here is removed at the end. Needs root, gcc and iproute2.
"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from relet.wire.address import parse_ip

SERVER, RELAY = "10.64.0.1", "10.64.0.2"
PREFIX = 10
RELET = (sys.executable, "-c", "from relet.cli.main import main; main()")
READY_S = 60.0
"""A server must answer that soon after its start."""
HERE = Path(__file__).parent
_CLONE_NEWNET = 0x40000000

Figures = dict[str, float]


class Running(NamedTuple):
    """A server that answers. folder: its files; log: what it says."""

    name: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    log: Path


class Request(NamedTuple):
    """A prepared datagram, and the address that its answer must have; 0 for any."""

    datagram: bytes
    expected: int = 0


def lacking(*programs: str) -> str:
    """What the machine lacks for a stand with these programs, '' if nothing."""
    missing = [name for name in ("ip", "gcc", *programs) if find(name) is None]
    return ", ".join(["root"] * (os.geteuid() != 0) + missing)


def find(program: str) -> str | None:
    """Path of a program, also of those that only root has in its path."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command: str | Path) -> str:
    """Run to a good end; the output. Ends the program otherwise."""
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if ran.returncode:
        sys.exit(f"{' '.join(map(str, command))}: {ran.stderr.strip()}")
    return ran.stdout


class Stand:
    """See the head of the file. folder: for programs and requests; compare: compare.py of the side-by-side bench."""

    def __init__(self, folder: Path, compare: Path | None) -> None:
        self._folder = folder
        self._compare = compare
        tag = os.getpid() % 100_000
        self.inside, self._outside = f"bs{tag}", f"bc{tag}"
        self.interface = f"bs{tag}x"
        self._running: list[Running] = []
        self._number = 0

    def __enter__(self) -> "Stand":
        run("gcc", "-O2", "-o", self._folder / "replay", HERE / "replay.c")
        if self._compare is not None:
            for name in ("dhcpload", "echo"):
                run("gcc", "-O2", "-o", self._folder / name, self._compare.with_name(f"{name}.c"))
        far = self.interface[:-1] + "y"
        for name in (self.inside, self._outside):
            run("ip", "netns", "add", name)
        run("ip", "link", "add", self.interface, "netns", self.inside, "type", "veth",
            "peer", "name", far, "netns", self._outside)  # fmt: skip
        ends = ((self.inside, self.interface, SERVER), (self._outside, far, RELAY))
        for name, interface, address in ends:
            run("ip", "-n", name, "address", "add", f"{address}/{PREFIX}", "dev", interface)
            run("ip", "-n", name, "link", "set", "lo", "up")
            run("ip", "-n", name, "link", "set", interface, "up")
        return self

    def __exit__(self, *_: object) -> None:
        for server in tuple(self._running):
            self.stop(server)
        for name in (self.inside, self._outside):
            subprocess.run(["ip", "netns", "delete", name], check=False)

    def start(self, name: str, command: Iterable[str | Path], folder: Path, ready: bool = True) -> Running:
        """Start a server; ready: wait until it answers one client."""
        log = folder / "log"
        with log.open("wb") as file:
            words = ["ip", "netns", "exec", self.inside, *map(str, command)]
            files = {"KEA_PIDFILE_DIR": str(folder), "KEA_LOCKFILE_DIR": str(folder)}
            process = subprocess.Popen(
                words, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file, env=os.environ | files
            )
        server = Running(name, process, folder, log)
        self._running.append(server)
        if ready:
            self._await(server)
        return server

    def stop(self, server: Running) -> None:
        """End it: as it wishes, or by force after 20 seconds."""
        self._running.remove(server)
        server.process.send_signal(signal.SIGTERM)
        try:
            server.process.wait(20)
        except subprocess.TimeoutExpired:
            server.process.kill()
            server.process.wait()

    def dhcpload(
        self, mode: str, clients: int, state: Path, window: int = 64, rate: float = 0, limit: float = 60
    ) -> Figures:
        """A load of the side-by-side bench's own generator: dora, reboot or renew. Figures are those that it prints."""
        paced = ("-r", f"{rate:.0f}") if rate else ()
        words = ("-l", RELAY, "-s", SERVER, "-n", clients, "-w", window, "-t", limit, "-f", state, *paced)
        return self._generate(self._folder / "dhcpload", mode, *words)

    def prepared(
        self, requests: Path, window: int = 64, rate: float = 0, limit: float = 60, patience: float = 1, kind: int = 5
    ) -> Figures:
        """Send what `prepare` has written. kind: message type of the wanted answer."""
        paced = ("-r", f"{rate:.0f}") if rate else ()
        words = ("-w", window, "-t", limit, "-e", patience, "-k", kind, "-o", requests.with_suffix(".given"), *paced)
        return self._generate(self._folder / "replay", requests, "-l", RELAY, "-s", SERVER, *words)

    def prepare(self, requests: Iterable[Request]) -> Path:
        """Write requests for `prepared`."""
        self._number += 1
        path = self._folder / f"requests{self._number}"
        with path.open("wb") as file:
            for each in requests:
                file.write(len(each.datagram).to_bytes(2) + each.expected.to_bytes(4) + each.datagram)
        return path

    def relet(self, *words: str | Path) -> str:
        """What a relet command says on standard output, run where the load comes from. Ends the program if it could not
        do its work; that it is not content with what it saw (exit code 1) is no such reason."""
        command = ["ip", "netns", "exec", self._outside, *RELET, *map(str, words)]
        ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if ran.returncode not in (0, 1):
            sys.exit(f"{' '.join(command)}: exit code {ran.returncode}")
        return ran.stdout

    def echo(self) -> list[str | Path]:
        """The command of the echo in C, a ceiling for every server."""
        return [self._folder / "echo"]

    def _generate(self, *words: object) -> Figures:
        command = ["ip", "netns", "exec", self._outside, *map(str, words)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        found = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)(?:\s|$)", ran.stdout)}
        if not found:
            sys.exit(f"{' '.join(command)}: {ran.stderr.strip()}")
        return found

    def _await(self, server: Running) -> None:
        """Until it answers an address that it must refuse: nothing is granted by asking."""
        foreign = self.prepare([Request(refusable(), 0)])
        until = time.monotonic() + READY_S
        while self.prepared(foreign, limit=0.3, patience=0.1, kind=6)["naks"] == 0:
            if server.process.poll() is not None or time.monotonic() > until:
                sys.exit(f"{server.name} does not answer:\n{server.log.read_text(errors='replace')[-800:]}")


def refusable() -> bytes:
    """An INIT-REBOOT request for an address of another network, to which every server that is up answers DHCPNAK."""
    head = bytes((1, 1, 6, 1)) + bytes(20) + parse_ip(RELAY).to_bytes(4) + b"\2\xff\0\0\0\1" + bytes(202)
    return head + b"\x63\x82\x53\x63" + bytes((53, 1, 3, 50, 4, 192, 0, 2, 1, 255)) + bytes(50)


def given(requests: Path) -> list[int]:
    """The address in the answer to each of the requests sent last; 0 where there was none."""
    octets = requests.with_suffix(".given").read_bytes()
    return [int.from_bytes(octets[at : at + 4]) for at in range(0, len(octets), 4)]


def resident(server: Running) -> int:
    """Its resident memory in octets."""
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    (kib,) = re.findall(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kib) * 1024


def processor_s(server: Running) -> float:
    """Processor time that it has used so far, seconds."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meanwhile:
    """Do something every so many seconds in a thread while a load runs. done: how often.

    namespace: where the thread's sockets are made.
    """

    def __init__(self, every_s: float, act: Callable[[], object], namespace: str = "") -> None:
        self.done = 0
        self._every_s, self._act, self._namespace = every_s, act, namespace
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Meanwhile":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _work(self) -> None:
        if self._namespace:
            _enter(self._namespace)
        while not self._end.wait(self._every_s):
            self._act()
            self.done += 1


def _enter(namespace: str) -> None:
    """This thread only."""
    with Path(f"/run/netns/{namespace}").open("rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def scrape(port: int) -> str:
    """What a server on this namespace's loopback tells Prometheus."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
