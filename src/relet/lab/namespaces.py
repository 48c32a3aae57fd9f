"""The play's stage on a real network: `relet serve` and `relet client` as processes of their own, in network namespaces
that are joined by two bridges, an office's and a workshop's.

It must run in namespaces of its own (`relet demo` sees to that): everything it makes is made there, and its processes die
with it, so it all goes when the process ends, however it ends. Frames are taken where they enter a bridge, which tells who
sent them.
"""

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from pyroute2 import IPRoute, netns

from relet.errors import MachineError
from relet.lab.stage import CLIENT, CLIENT_MAC, OFFICE, SERVERS, STRANGER, STRANGER_MAC, WORKSHOP, Cast, Seen
from relet.server.told import Told
from relet.wire.address import hex_text, ip_text

TICK = 0.05
"""Seconds between looks when nothing passes."""
START_TIME = 10.0
"""Seconds that a server may take to start."""
_ETH_P_ALL = 3
_FRAME_MAX = 2048
_INTERFACE = "eth0"

WITH_ITS_PARENT = ("setpriv", "--pdeathsig", "KILL", "--")
"""Runs a program that the kernel ends when its parent ends, by kill -9 too (prctl(2), PR_SET_PDEATHSIG)."""

Ask = Callable[[Path, int], Sequence[Told]]
"""Asks the server with this control socket for its newest verdicts about the play's client."""


class StageError(MachineError):
    """The stage could not be built or a process of the play failed; the text says which and why."""


class NamespaceStage:
    """See `lab.stage.Stage`. folder: for configuration, databases, the lease file and logs."""

    def __init__(self, folder: Path, ask: Ask) -> None:
        self._folder = folder
        self._ask = ask
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._hosts: list[str] = []
        self._ports: dict[str, str] = {}
        self._logs: list[IO[bytes]] = []
        self._tap: socket.socket | None = None
        self._kernel = IPRoute()
        try:
            self._build()
        except OSError as error:
            self.close()
            raise StageError(f"the networks of the demonstration cannot be made: {error}") from error

    def start(self, server: str) -> None:
        cast = SERVERS[server]
        folder = self._folder / server
        folder.mkdir(exist_ok=True)
        (folder / "relet.toml").write_text(cast.configuration(_INTERFACE))
        self._run(server, "serve", "--config", str(folder / "relet.toml"), "--verbose", "--log-format", "human")

    def stop(self, server: str) -> None:
        self._end(server, kill=False)

    def boot(self, reboot_timeout: float) -> None:
        for server in self._processes:
            self._await(server)
        self._run(
            CLIENT, "client", _INTERFACE, "--lease-file", str(self._folder / "client.lease"), "--hostname", CLIENT,
            "--reboot-timeout", f"{reboot_timeout:g}", "--conflict", "quick",
        )  # fmt: skip

    def crash(self) -> None:
        self._end(CLIENT, kill=True)
        with IPRoute(netns=CLIENT) as kernel:  # a host without power has no address
            index = kernel.link_lookup(ifname=_INTERFACE)[0]
            kernel.flush_addr(index=index)

    def plug(self, network: str) -> None:
        port, bridge = self._index(self._ports[CLIENT]), self._index(network)
        self._kernel.link("set", index=port, master=bridge)

    def squat(self, address: int) -> None:
        with IPRoute(netns=STRANGER) as kernel:
            index = kernel.link_lookup(ifname=_INTERFACE)[0]
            kernel.addr("add", index=index, address=ip_text(address), prefixlen=24)

    def watch(self, seconds: float) -> Iterator[Seen | None]:
        tap = self._tap
        if tap is None:
            raise StageError("the stage is closed")
        hosts = {port: host for host, port in self._ports.items()}
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(tap, selectors.EVENT_READ)
            while (left := end - time.monotonic()) > 0:
                if not selector.select(min(left, TICK)):
                    for name in self._processes:
                        self._alive(name)
                    yield None
                    continue
                frame, (interface, _, kind, *_) = tap.recvfrom(_FRAME_MAX)
                if interface in hosts and kind != socket.PACKET_OUTGOING:
                    yield Seen(time.time(), hosts[interface], frame)

    def verdicts(self, server: str, limit: int) -> Sequence[Told]:
        return self._ask(self._control(server), limit) if server in self._processes else []

    def wall(self) -> float:
        return time.time()

    def close(self) -> None:
        for name in tuple(self._processes):
            self._end(name, kill=False)
        for log in self._logs:
            log.close()
        if self._tap is not None:
            self._tap.close()
            self._tap = None
        for host in self._hosts:
            netns.remove(host)
        self._hosts.clear()
        self._kernel.close()

    def _build(self) -> None:
        for bridge in (OFFICE, WORKSHOP):
            self._kernel.link("add", ifname=bridge, kind="bridge")
            self._kernel.link("set", index=self._index(bridge), state="up")
        self._host(CLIENT, CLIENT_MAC, OFFICE)
        self._host(STRANGER, STRANGER_MAC, WORKSHOP)
        for cast in SERVERS.values():
            self._host(cast.name, cast.mac, cast.network, cast)
        self._tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))

    def _host(self, name: str, mac: bytes, network: str, cast: Cast | None = None) -> None:
        """A namespace with one interface, whose other end is a port of the network's bridge."""
        port = f"port{len(self._hosts)}"
        netns.create(name)
        self._hosts.append(name)
        self._ports[name] = port
        self._kernel.link(
            "add", ifname=port, kind="veth",
            peer={"ifname": _INTERFACE, "address": hex_text(mac), "net_ns_fd": name},
        )  # fmt: skip
        self._kernel.link("set", index=self._index(port), master=self._index(network), state="up")
        with IPRoute(netns=name) as kernel:
            for interface in ("lo", _INTERFACE):
                kernel.link("set", index=kernel.link_lookup(ifname=interface)[0], state="up")
            if cast is not None:
                index = kernel.link_lookup(ifname=_INTERFACE)[0]
                kernel.addr("add", index=index, address=ip_text(cast.address), prefixlen=24)

    def _index(self, interface: str) -> int:
        return int(self._kernel.link_lookup(ifname=interface)[0])

    def _control(self, server: str) -> Path:
        return self._folder / server / "relet.sock"

    def _await(self, server: str) -> None:
        """Until a server that was started answers questions."""
        deadline = time.monotonic() + START_TIME
        while not self._control(server).exists():
            self._alive(server)
            if time.monotonic() > deadline:
                raise StageError(f"{server} did not start within {START_TIME:g} s")
            time.sleep(TICK)

    def _run(self, host: str, *arguments: str) -> None:
        log = (self._folder / f"{host}.log").open("ab")
        self._logs.append(log)
        self._processes[host] = subprocess.Popen(
            [*WITH_ITS_PARENT, "nsenter", f"--net=/run/netns/{host}", "--", sys.executable, "-m", "relet", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

    def _alive(self, name: str) -> None:
        process = self._processes[name]
        if process.poll() is not None:
            log = (self._folder / f"{name}.log").read_text(errors="replace")
            raise StageError(f"{name} ended with exit code {process.returncode}:\n{log[-2000:]}")

    def _end(self, name: str, kill: bool) -> None:
        process = self._processes.pop(name, None)
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
