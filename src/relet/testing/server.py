"""A server on a virtual link, as a test sees it: relet's own engine, its leases, and the reasons for what it answered."""

from collections.abc import Iterable
from ipaddress import IPv4Address
from pathlib import Path

import msgspec

from relet.config.load import parse
from relet.config.values import duration
from relet.lab.ether import Ether
from relet.lab.hosts import ServerHost
from relet.model.ident import key_text
from relet.model.lease import Change, Lease
from relet.server.told import MAX_TOLD, Told, told
from relet.testing.configuration import ServerPlan
from relet.wire.address import hex_text


class Row(msgspec.Struct, frozen=True):
    """A lease on record. client: such as 'mac 52:54:00:12:34:56'. state: 'bound', 'released', 'ended' or 'declined'; `held`:
    bound, and not run out. expires: seconds since 1970."""

    address: IPv4Address
    client: str
    state: str
    held: bool
    expires: int
    hostname: str = ""


class DhcpServer:
    """relet's server on a link. Its leases outlive `stop`, as a database outlives a process."""

    def __init__(self, ether: Ether, host: ServerHost, plan: ServerPlan) -> None:
        self.host, self.plan = host, plan
        self._ether = ether
        leases = plan.standing(host.network, ether.now.wall, duration(plan.lease_time))
        host.store.commit([Change(None, lease) for lease in leases], ether.now.wall)

    @property
    def name(self) -> str:
        """Its name on the link."""
        return self.host.name

    @property
    def address(self) -> IPv4Address:
        """Its own address."""
        return IPv4Address(self.host.address)

    @property
    def running(self) -> bool:
        """Does it serve?"""
        return self.host.engine is not None

    @property
    def leases(self) -> list[Row]:
        """Every lease on record, by address."""
        return rows(self.host.store.all(), self._ether.now.wall)

    @property
    def held(self) -> dict[str, str]:
        """Address -> client of the leases that hold now."""
        return held(self.leases)

    @property
    def answers(self) -> list[tuple[str, str, str]]:
        """(request, answer, reason) of everything that it heard, oldest first: ('INIT-REBOOT', 'ACK', 'confirmed')."""
        return [(str(record.kind), str(record.answer), record.reason) for record in self.host.verdicts()]

    def why(self, mac: bytes) -> list[Told]:
        """What it answered a client, or not, and why, newest first, as `relet why` tells it."""
        return told(self.host.verdicts(), hex_text(mac), MAX_TOLD)

    def start(self, plan: ServerPlan | None = None) -> None:
        """Serve; with another plan, if one is given, and the leases that there are. Raises ConfigError."""
        self.plan = plan or self.plan
        self.host.start(parse(self.plan.toml(self.host.network), f"<{self.name}>", Path("/")).networks)

    def stop(self) -> None:
        """Stop serving."""
        self.host.stop()

    def __repr__(self) -> str:
        return f"<server {self.name} {self.address}{'' if self.running else ' stopped'}>"


def rows(leases: Iterable[Lease], wall: float) -> list[Row]:
    """Leases as they are at this time."""
    return [
        Row(
            IPv4Address(lease.address), key_text(lease.client), lease.state.value, lease.holds(wall), lease.expires,
            lease.hostname,
        )
        for lease in leases
    ]  # fmt: skip


def held(leases: Iterable[Row]) -> dict[str, str]:
    """Address -> client of those that hold."""
    return {str(row.address): row.client for row in leases if row.held}
