"""A link in memory, under virtual time: relet's server and client on it, yours in their place, and whatever can go wrong.

Everything is decided by the test and by one seed: the same test sees the same octets at the same moments every time.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from random import Random
from typing import TypeVar

from msgspec.structs import replace

from relet.client.settings import ClientSettings
from relet.lab.ether import START, Ether, Hook, Host
from relet.lab.hosts import ClientHost, Neighbour, ServerHost
from relet.lab.ladder import Event, Role, State
from relet.lab.ladder import Host as Column
from relet.lab.story import packets, render, silences
from relet.model.effects import CLIENT_PORT, SERVER_PORT, Binding, Remembered
from relet.server.told import tell
from relet.store.memory import MemoryStore
from relet.testing import faults
from relet.testing.client import PATIENCE, DhcpClient, state_name
from relet.testing.configuration import INTERFACE, ServerPlan, Setting, planned
from relet.testing.server import DhcpServer
from relet.testing.station import Answer, Station
from relet.testing.tape import Tape
from relet.wire.address import hex_text, mask, parse_hex, parse_ip
from relet.wire.message import Message

Anybody = TypeVar("Anybody", bound=Host)

LINK = "link"
"""Name of the network that hosts are plugged into unless a test says otherwise."""


class DhcpLink(Tape):
    """Networks without a kernel. seed: decides all that is left to chance. What passed is told as `Tape` says."""

    def __init__(self, seed: int = 1) -> None:
        super().__init__()
        self.seed = seed
        self.clients: list[DhcpClient] = []
        self.servers: list[DhcpServer] = []
        self._ether = Ether(seed)
        self._ether.watchers.append(self.saw)
        self._numbers: defaultdict[str, Iterator[int]] = defaultdict(partial(count, 1))
        self._others: list[Host] = []

    # Time -------------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds since the link began."""
        return self._ether.now.mono - START.mono

    @property
    def wall(self) -> float:
        """The time on the hosts' clocks, in seconds since 1970."""
        return self._ether.now.wall

    @property
    def random(self) -> Random:
        """The link's dice, for chance that a test needs itself: the seed decides that as well."""
        return self._ether.random

    def run(self, seconds: float) -> None:
        """Let so much time go by."""
        self._ether.run(seconds)

    def wait_until(
        self, true: Callable[[], bool], seconds: float = PATIENCE, what: str = "what the test waits for"
    ) -> None:
        """Let time go by until something is so. AssertionError if it does not come to be in so many seconds."""
        if not self._ether.run(seconds, true):
            raise AssertionError(f"{what} did not come to be within {seconds:g} s")

    # Hosts ------------------------------------------------------------------------------------------------------------

    def server(
        self,
        plan: ServerPlan | None = None,
        /,
        *,
        name: str = "",
        network: str = LINK,
        mac: str = "",
        start: bool = True,
        pool: str = "",
        options: Mapping[str, Setting] | None = None,
        leases: Mapping[str, str] | None = None,
        address: str = "",
        lease_time: str | int = "",
    ) -> DhcpServer:
        """relet's server, running unless `start` is False. What a plan says (`ServerPlan`) may be said here too, for short.

        Raises ConfigError, which says what to write instead.
        """
        plan = planned(plan, pool, options, leases, address, lease_time)
        number = len(self.servers) + 1
        host = ServerHost(
            name or f"server-{number}", self._mac(mac, "52:54:00:5e"), network, parse_ip(plan.address), MemoryStore(),
            self._ether.resolve,
        )  # fmt: skip
        server = DhcpServer(self._ether, host, plan)
        if start:
            server.start()
        self._ether.add(host)
        self.servers.append(server)
        return server

    def client(
        self,
        *,
        name: str = "",
        network: str = LINK,
        mac: str = "",
        start: bool = True,
        hostname: str = "",
        remembered: str = "",
        settings: ClientSettings | None = None,
    ) -> DhcpClient:
        """relet's client, switched on unless `start` is False.

        remembered: an address such as '192.168.1.100/24'; it has had a lease of it for an hour, for a day, from a server at
        the first address of its subnet. settings: all that a client can be told; `mac` and `hostname` go before it.
        """
        number = len(self.clients) + 1
        own = settings.mac if settings is not None and not mac else self._mac(mac, "52:54:00:c1")
        told = settings or ClientSettings(mac=own)
        told = replace(told, mac=own, interface=told.interface or INTERFACE, hostname=hostname or told.hostname)
        dice = self._ether.random.random
        host = ClientHost(name or f"client-{number}", own, network, told, dice, self._ether.resolve)
        host.remembered = (Remembered(_binding(remembered, self.wall)),) if remembered else ()
        client = DhcpClient(self._ether, host)
        self._ether.add(host)
        self.clients.append(client)
        if start:
            client.start()
        return client

    def neighbour(self, *addresses: str, name: str = "", network: str = LINK, mac: str = "") -> Neighbour:
        """A host that has addresses, granted or not, and answers ARP for them: a router, or who is in the way."""
        held = [parse_ip(address) for address in addresses]
        return self.attach(Neighbour(name or self._name("neighbour"), self._mac(mac, "52:54:00:57"), network, held))

    def station(
        self,
        answer: Answer | None = None,
        *,
        port: int = CLIENT_PORT,
        address: str = "",
        name: str = "",
        network: str = LINK,
        mac: str = "",
    ) -> Station:
        """Your own client (port 68) or server (port 67), as payloads in and out."""
        if port not in (CLIENT_PORT, SERVER_PORT):
            raise ValueError(f"DHCP has the ports {SERVER_PORT} and {CLIENT_PORT}, not {port}")
        own = self._mac(mac, "52:54:00:57")
        return self.attach(Station(self._ether, name or self._name("station"), own, network, port, address, answer))

    def attach(self, host: Anybody) -> Anybody:
        """Plug in a host of your own, frames in and frames out (`relet.lab.ether.Host`)."""
        self._ether.add(host)
        self._others.append(host)
        return host

    # Faults -----------------------------------------------------------------------------------------------------------

    def on_frame(self, hook: Hook) -> Hook:
        """Have `hook` say what becomes of each frame from now on; a decorator. See `relet.lab.ether.Hook`."""
        self._ether.hooks.append(hook)
        return hook

    def drop(self, label: str = "", *, source: str = "", times: int | None = None) -> None:
        """Lose frames of this label ('DHCPACK', 'ARP probe', '' for all), from this host, so many of them."""
        self.on_frame(faults.dropping(faults.wanted(label, source, times)))

    def delay(self, label: str, seconds: float, *, source: str = "", times: int | None = None) -> None:
        """Let frames be so much longer under way."""
        self.on_frame(faults.delaying(faults.wanted(label, source, times), seconds))

    def duplicate(self, label: str = "", seconds: float = 0.0, *, source: str = "", times: int | None = None) -> None:
        """Let frames come twice, the second time so many seconds later."""
        self.on_frame(faults.duplicating(faults.wanted(label, source, times), seconds))

    def lose(self, share: float) -> None:
        """Lose this share of all frames, from 0 to 1, by chance."""
        self.on_frame(faults.losing(share, self._ether.random))

    def alter(
        self,
        label: str,
        change: Callable[[Message], Message | Iterable[Message]],
        *,
        source: str = "",
        times: int | None = None,
    ) -> None:
        """Change messages under way: `change` gives what arrives in place of each."""
        self.on_frame(faults.altering(faults.wanted(label, source, times), change))

    def heal(self) -> None:
        """From now on every frame arrives as it was sent."""
        self._ether.hooks.clear()

    def ladder(self, title: str = "What passed on the link") -> str:
        """The exchange as a ladder diagram, '' if nothing passed."""
        verdicts = {each.name: [tell(record) for record in each.host.verdicts()] for each in self.servers}
        columns = [Column(each.name, Role.CLIENT, hex_text(each.mac)) for each in self.clients]
        columns += [Column(each.name, Role.SERVER, str(each.address)) for each in self.servers]
        columns += [Column(each.name, _role(each), hex_text(each.mac)) for each in self._others]
        columns.sort(key=lambda column: (Role.CLIENT, Role.SERVER, Role.HOST).index(column.role))
        names = {host.mac: host.name for host in self._ether.hosts.values()}
        events: Sequence[Event] = [
            *packets(self.entries, names, verdicts, START.wall),
            *silences(verdicts, START.wall),
            *self._states(),
        ]
        return render(title, columns, events)

    def report(self) -> tuple[str, str]:
        """(heading, text) for the report of a test that failed."""
        return f"DHCP exchange (seed {self.seed})", self.ladder() or "nothing was sent"

    def _states(self) -> list[State]:
        return [
            State(at - START.wall, client.name, state_name(state).upper())
            for client in self.clients
            for at, state in client.host.states
        ]

    def _name(self, noun: str) -> str:
        return f"{noun}-{1 + sum(host.name.startswith(noun) for host in self._others)}"

    def _mac(self, given: str, first: str) -> bytes:
        return parse_hex(given) if given else parse_hex(first) + next(self._numbers[first]).to_bytes(2)


def _role(host: Host) -> Role:
    """What a host does on the link, as far as its ports say it."""
    if not isinstance(host, Station):
        return Role.HOST
    return Role.CLIENT if host.port == CLIENT_PORT else Role.SERVER


def _binding(remembered: str, wall: float) -> Binding:
    """A lease as a client would remember it."""
    text, _, width = remembered.partition("/")
    address, netmask = parse_ip(text), mask(int(width or 24))
    server = (address & netmask) + 1
    options = {1: netmask.to_bytes(4), 3: server.to_bytes(4)}
    return Binding(address, server, wall - 3600, 86400, 43200, 75600, options)
