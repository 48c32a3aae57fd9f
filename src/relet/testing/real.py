"""A link of the kernel's: a bridge, and a network namespace for each host on it, with real processes and in real time.

It needs root, or namespaces of one's own (`unshare --user --map-root-user --net --mount pytest`). Each host's interface is
called eth0. Whatever was made is gone when the test ends.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from struct import Struct
from typing import TypeVar

from relet.lab.ether import Frame
from relet.lab.ladder import Host as Column
from relet.lab.ladder import Role
from relet.lab.spaces import PATIENCE_S, RELET, Lab, LabError, until
from relet.lab.story import packets, render, silences
from relet.testing.configuration import INTERFACE, ServerPlan, Setting, planned
from relet.testing.machines import RealClient, RealHost, RealServer
from relet.testing.tape import Tape
from relet.wire.address import hex_text, parse_hex

__all__ = ["LabError", "RealClient", "RealHost", "RealLink", "RealServer"]

MAX_LINES = 20
"""Lines of each program in the report of a test that failed."""

_ETH_P_ALL = 3
_FRAME_MAX = 2048
_TAP_BUFFER = 4 << 20
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h
_TIME = Struct("@ll")  # struct timespec

AnyHost = TypeVar("AnyHost", bound=RealHost)


class RealLink(Tape):
    """A bridge with hosts. Raises LabError where the machine does not allow it."""

    def __init__(self) -> None:
        super().__init__()
        self.clients: list[RealClient] = []
        self.servers: list[RealServer] = []
        self.hosts: list[RealHost] = []
        self.lab = Lab()
        self._began = time.time()
        self._ports: dict[str, str] = {}
        try:
            self._switch = self.lab.switch("link")
            with self.lab.inside(self._switch):
                kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK
                self._tap = socket.socket(socket.AF_PACKET, kind, socket.htons(_ETH_P_ALL))
        except BaseException:
            self.lab.__exit__()
            raise
        self._tap.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TAP_BUFFER)
        self._tap.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    def __enter__(self) -> "RealLink":
        return self

    def __exit__(self, *_: object) -> None:
        self._tap.close()
        self.lab.__exit__()

    @property
    def now(self) -> float:
        """Seconds since the link began."""
        return time.time() - self._began

    def run(self, seconds: float) -> None:
        """Let so much time go by."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.05))
            self.look()

    def wait_until(self, true: Callable[[], bool], seconds: float = PATIENCE_S) -> None:
        """Wait until something is so. AssertionError if it does not come to be in so many seconds."""
        until(true, seconds)

    def host(self, name: str = "", *, mac: str = "", address: str = "") -> RealHost:
        """A host without a program. address: such as '192.168.1.9/24', '' for none."""
        return self._plugged(
            RealHost(
                *self._space(name or f"host-{1 + sum(type(each) is RealHost for each in self.hosts)}", mac, address)
            )
        )

    def server(
        self,
        plan: ServerPlan | None = None,
        /,
        *,
        name: str = "",
        mac: str = "",
        start: bool = True,
        command: Sequence[str | Path] = (),
        pool: str = "",
        options: Mapping[str, Setting] | None = None,
        leases: Mapping[str, str] | None = None,
        address: str = "",
        lease_time: str | int = "",
    ) -> RealServer:
        """relet's server on a host with the plan's address, ready to answer; or a server of yours, started by `command`."""
        plan = planned(plan, pool, options, leases, address, lease_time)
        name = name or f"server-{len(self.servers) + 1}"
        folder = self.lab.folder / name
        folder.mkdir()
        at = f"{plan.address}/{plan.subnet().prefixlen}"
        server = self._plugged(RealServer(*self._space(name, mac, at), plan, folder))
        self.servers.append(server)
        server.command = command or (*RELET, "serve", "--config", server.prepare())
        if start:
            server.start()
            if not command:
                until((folder / "relet.sock").exists)
        return server

    def client(
        self,
        *,
        name: str = "",
        mac: str = "",
        start: bool = True,
        command: Sequence[str | Path] = (),
        arguments: Sequence[str] = (),
    ) -> RealClient:
        """`relet client eth0` with more arguments, or a client of yours, started by `command`."""
        name = name or f"client-{len(self.clients) + 1}"
        client = self._plugged(RealClient(*self._space(name, mac, "")))
        self.clients.append(client)
        file = self.lab.folder / f"{name}.lease"
        client.command = command or (*RELET, "client", INTERFACE, "--lease-file", file, "--json", *arguments)
        if start:
            client.start()
        return client

    def look(self) -> "RealLink":
        """Take in the frames that passed since the last look; the link."""
        for frame in self._waiting():
            self.saw(frame, False)
        return self

    def ladder(self, title: str = "What passed on the link") -> str:
        """The exchange as a ladder diagram, '' if nothing passed."""
        self.look()
        verdicts = {
            server.name: [told for client in self.clients for told in server.why(client.mac)] for server in self.servers
        }
        columns = [Column(each.name, Role.CLIENT, each.mac) for each in self.clients]
        columns += [Column(each.name, Role.SERVER, each.plan.address) for each in self.servers]
        others = [each for each in self.hosts if type(each) is RealHost]
        columns += [Column(each.name, Role.HOST, each.mac) for each in others]
        names = {parse_hex(host.mac): host.name for host in self.hosts}
        events = [*packets(self.entries, names, verdicts, self._began), *silences(verdicts, self._began)]
        return render(title, columns, events)

    def report(self) -> tuple[str, str]:
        """(heading, text) for the report of a test that failed: the ladder, and what the programs printed last."""
        said = [
            f"{host.name}: {line}" for host in self.hosts if host.process for line in host.process.latest(MAX_LINES)
        ]
        return "DHCP exchange", "\n".join([self.ladder() or "nothing was sent", "", *said])

    def _space(self, name: str, mac: str, address: str) -> tuple[Lab, str, str, str]:
        space = self.lab.namespace(name)
        port = self.lab.plug(self._switch, space, INTERFACE)
        if mac:
            self.lab.ip(space, "link", "set", INTERFACE, "address", mac)
        if address:
            self.lab.address(space, INTERFACE, address)
        self._ports[port] = name
        with self.lab.inside(space), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as packets_of:
            packets_of.bind((INTERFACE, 0))
            own = hex_text(packets_of.getsockname()[4])
        return self.lab, space, name, own

    def _plugged(self, host: AnyHost) -> AnyHost:
        self.hosts.append(host)
        return host

    def _waiting(self) -> Iterator[Frame]:
        while True:
            try:
                octets, notes, _, (interface, _, kind, *_) = self._tap.recvmsg(
                    _FRAME_MAX, socket.CMSG_SPACE(_TIME.size)
                )
            except BlockingIOError:
                return
            # A bridge shows each frame where it comes in and where it goes out.
            if kind != socket.PACKET_OUTGOING and interface in self._ports:
                seconds, nanoseconds = _TIME.unpack(notes[0][2])
                yield Frame(seconds + nanoseconds / 1e9, self._ports[interface], "link", octets)
