"""The stage of the demonstration: who plays, on which networks, and what a stage must be able to do.

Two stages play the same scenes: real processes in network namespaces (lab/namespaces.py), and the same cores under
virtual time (lab/virtual.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from relet.server.told import Told
from relet.wire.address import parse_hex, parse_ip

CLIENT = "client"
CLIENT_MAC = parse_hex("52:54:00:c1:1e:01")
STRANGER = "stranger"
STRANGER_MAC = parse_hex("52:54:00:57:a6:01")


class Cast(msgspec.Struct, frozen=True):
    """A server of the play. network: where it stands; pool: what it hands out there, as FIRST-LAST."""

    name: str
    mac: bytes
    network: str
    address: int
    prefix: str
    pool: str

    def configuration(self, interface: str) -> str:
        """Its configuration file. The lease time is short, so that the demonstration's leases do not outlive it long."""
        router = self.prefix.rpartition(".")[0] + ".254"
        return f"""
[server]
store = "sqlite:leases.db"

[[network]]
name = "{self.network}"
interfaces = ["{interface}"]
lease-time = "1h"
options = {{ domain-name = "example.org" }}

[[network.subnet]]
prefix = "{self.prefix}"
pools = ["{self.pool}"]
options = {{ routers = ["{router}"] }}
"""


OFFICE, WORKSHOP = "office", "workshop"
SERVERS = {
    cast.name: cast
    for cast in (
        Cast(
            "server-1", parse_hex("52:54:00:5e:00:01"), OFFICE, parse_ip("192.168.1.1"), "192.168.1.0/24",
            "192.168.1.100-192.168.1.149",
        ),
        Cast(
            "server-2", parse_hex("52:54:00:5e:00:02"), OFFICE, parse_ip("192.168.1.2"), "192.168.1.0/24",
            "192.168.1.150-192.168.1.199",
        ),
        Cast(
            "server-3", parse_hex("52:54:00:5e:00:03"), WORKSHOP, parse_ip("10.20.0.1"), "10.20.0.0/24",
            "10.20.0.50-10.20.0.99",
        ),
    )
}  # fmt: skip
HOSTS: Mapping[bytes, str] = {CLIENT_MAC: CLIENT, STRANGER_MAC: STRANGER} | {
    cast.mac: name for name, cast in SERVERS.items()
}
"""Every host by its hardware address."""


class Seen(msgspec.Struct, frozen=True):
    """A frame that a host sent. at: wall time."""

    at: float
    source: str
    frame: bytes


class Stage(Protocol):
    """What the play needs. Hosts are named as above; addresses are integers."""

    def start(self, server: str) -> None:
        """Start a server, with the database that it had before. It listens by the time that the client boots."""

    def stop(self, server: str) -> None:
        """Stop a server."""

    def boot(self, reboot_timeout: float) -> None:
        """Switch the client on; it remembers what it wrote down before. Seconds."""

    def crash(self) -> None:
        """Cut the client's power: no release, nothing tidied up, no address on its interface afterwards."""

    def plug(self, network: str) -> None:
        """Carry the client to a network."""

    def squat(self, address: int) -> None:
        """Let the stranger use an address of the workshop that nobody granted it."""

    def watch(self, seconds: float) -> Iterator[Seen | None]:
        """What passes on the networks, for so long at most; None now and then, when nothing does."""

    def verdicts(self, server: str, limit: int) -> Sequence[Told]:
        """What a running server answered the client, newest first."""

    def wall(self) -> float:
        """The stage's wall time."""

    def close(self) -> None:
        """End every process of the play and take the networks down."""
