"""`relet client` against servers that nobody here wrote: dnsmasq, ISC dhcpd and Kea.

Each of them stands on two networks, 192.168.1.0/24 and 192.168.2.0/24. The client obtains a lease, is killed, and asks
for the same address again; it is carried to the other network and refused there; it gives its lease back.
"""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.lab import Lab, Process, need

pytestmark = [pytest.mark.namespaces, pytest.mark.peer]


def dnsmasq(lab: Lab, server: str) -> Process:
    process = lab.start(
        server,
        need("dnsmasq"),
        "--no-daemon",
        "--conf-file=/dev/null",
        "--user=root",
        "--pid-file=",
        "--port=0",
        "--no-ping",
        "--dhcp-authoritative",
        f"--dhcp-leasefile={lab.folder}/dnsmasq.leases",
        "--dhcp-range=set:one,192.168.1.100,192.168.1.150,255.255.255.0,1h",
        "--dhcp-range=set:two,192.168.2.100,192.168.2.150,255.255.255.0,1h",
        "--dhcp-option=tag:one,option:router,192.168.1.1",
        "--dhcp-option=tag:two,option:router,192.168.2.1",
        "--dhcp-option=option:domain-name,example.org",
    )
    process.line("DHCP, IP range 192.168.1.100")
    return process


DHCPD = """
authoritative;
ping-check false;
default-lease-time 3600;
option domain-name "example.org";
subnet 192.168.1.0 netmask 255.255.255.0 { range 192.168.1.100 192.168.1.150; option routers 192.168.1.1; }
subnet 192.168.2.0 netmask 255.255.255.0 { range 192.168.2.100 192.168.2.150; option routers 192.168.2.1; }
"""


def dhcpd(lab: Lab, server: str) -> Process:
    program = need("dhcpd")
    # Debian confines dhcpd to its own folders where AppArmor is on; elsewhere any folder will do.
    folder = lab.folder / "dhcpd"
    folder.mkdir()
    (folder / "dhcpd.conf").write_text(DHCPD)
    (folder / "dhcpd.leases").touch()
    paths = ("-cf", folder / "dhcpd.conf", "-lf", folder / "dhcpd.leases", "-pf", folder / "dhcpd.pid")
    process = lab.start(server, program, "-f", "-d", *paths, "s1", "s2")
    process.line("Server starting service")
    return process


def kea(lab: Lab, server: str) -> Process:
    folder = lab.folder / "kea"
    folder.mkdir()
    subnets = [
        {
            "id": number,
            "subnet": f"192.168.{number}.0/24",
            "pools": [{"pool": f"192.168.{number}.100 - 192.168.{number}.150"}],
            "option-data": [{"name": "routers", "data": f"192.168.{number}.1"}],
        }
        for number in (1, 2)
    ]
    settings = {
        "interfaces-config": {"interfaces": ["s1", "s2"]},
        "authoritative": True,
        "valid-lifetime": 3600,
        "lease-database": {"type": "memfile", "persist": True, "name": str(folder / "leases.csv"), "lfc-interval": 0},
        "option-data": [{"name": "domain-name", "data": "example.org"}],
        "subnet4": subnets,
        "loggers": [{"name": "kea-dhcp4", "severity": "INFO", "output_options": [{"output": "stdout"}]}],
    }
    (folder / "kea.conf").write_text(json.dumps({"Dhcp4": settings}))
    process = lab.start(
        server,
        "env",
        f"KEA_PIDFILE_DIR={folder}",
        f"KEA_LOCKFILE_DIR={folder}",
        need("kea-dhcp4"),
        "-c",
        folder / "kea.conf",
    )
    process.line("DHCP4_STARTED")
    return process


PEERS = {"dnsmasq": dnsmasq, "dhcpd": dhcpd, "kea": kea}


class Place(NamedTuple):
    """A server on two networks, and a client in front of the first; `other_network` plugs it into the second."""

    lab: Lab
    server: Process
    client: str
    switches: tuple[str, str]
    lease_file: Path

    def start(self, *more: str) -> Process:
        common = ("--lease-file", str(self.lease_file), "--json", "--conflict", "quick")
        sockets = ("--sockets", str(self.lab.folder))
        return self.lab.relet(self.client, "client", "c0", *common, *sockets, *more)

    def move(self) -> None:
        """Carry the client's host to the other network: the same interface, another switch."""
        one, two = self.switches
        self.lab.ip(one, "link", "set", "plug", "down")
        self.lab.ip(one, "link", "set", "plug", "netns", two)
        self.lab.ip(two, "link", "set", "plug", "master", "switch")
        self.lab.ip(two, "link", "set", "plug", "up")

    def addresses(self) -> list[str]:
        return self.lab.addresses(self.client, "c0")


@pytest.fixture(params=PEERS)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with Lab() as lab:
        server, client = lab.namespace("server"), lab.namespace("client")
        switches = lab.switch("one", (server, "s1")), lab.switch("two", (server, "s2"))
        lab.address(server, "s1", "192.168.1.1/24")
        lab.address(server, "s2", "192.168.2.1/24")
        lab.cable(switches[0], "plug", client, "c0")
        lab.ip(switches[0], "link", "set", "plug", "master", "switch")
        start: Callable[[Lab, str], Process] = PEERS[request.param]
        yield Place(lab, start(lab, server), client, switches, lab.folder / "lease")


def bound(process: Process, cause: str) -> str:
    """The address that the client says it is bound to, for that cause."""
    told = json.loads(process.line('"event":"bound"'))
    assert told["cause"] == cause, process.lines
    # dhcpd confirms a young lease with what is left of it.
    assert 3500 < told["lease-time"] <= 3600
    return str(told["address"])


def events(process: Process) -> list[str]:
    return [json.loads(line)["event"] for line in process.lines]


def test_a_killed_client_is_confirmed_with_the_same_address(place: Place) -> None:
    first = place.start()
    address = bound(first, "bound")
    assert address.startswith("192.168.1.")
    assert place.addresses() == [f"{address}/24"]
    assert any(
        route.startswith("default via 192.168.1.1 dev c0 proto dhcp") for route in place.lab.routes(place.client)
    )
    first.kill()
    again = place.start()
    assert bound(again, "reboot") == address
    assert events(again) == ["left-over", "rebooting", "bound"]
    assert place.addresses() == [f"{address}/24"]


def test_a_stopped_client_leaves_no_address_and_keeps_its_lease(place: Place) -> None:
    first = place.start()
    address = bound(first, "bound")
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    assert place.addresses() == []
    assert place.lab.routes(place.client) == []
    again = place.start("--once")
    assert bound(again, "reboot") == address
    assert again.wait() == 0
    assert place.addresses() == [f"{address}/24"]


def test_a_client_on_another_network_is_refused_and_begins_anew(place: Place) -> None:
    first = place.start()
    old = bound(first, "bound")
    first.signal(signal.SIGTERM)
    assert first.wait() == 0
    place.move()
    second = place.start()
    new = bound(second, "bound")
    assert old.startswith("192.168.1.")
    assert new.startswith("192.168.2.")
    assert "nak" in events(second)
    assert place.addresses() == [f"{new}/24"]


def test_a_running_client_that_is_replugged_notices(place: Place) -> None:
    client = place.start()
    old = bound(client, "bound")
    place.move()
    told = json.loads(client.line('"event":"unbound"'))
    assert (told["address"], told["cause"]) == (old, "link-down")
    assert bound(client, "bound").startswith("192.168.2.")
    (address,) = place.addresses()
    assert address.startswith("192.168.2.")


def test_a_lease_is_renewed_at_once_if_asked_and_then_given_back(place: Place) -> None:
    client = place.start()
    address = bound(client, "bound")
    client.signal(signal.SIGUSR1)
    assert bound(client, "renew") == address
    client.signal(signal.SIGUSR2)
    place.server.line("RELEASE", address)
    assert client.wait() == 0
    assert place.addresses() == []
    assert not place.lease_file.exists()


def test_a_remembered_lease_is_given_back_by_a_later_run(place: Place) -> None:
    first = place.start("--once")
    address = bound(first, "bound")
    assert first.wait() == 0
    second = place.start("--release")
    told = json.loads(second.line('"event":"unbound"'))
    assert told["cause"] == "release"
    place.server.line("RELEASE", address)
    assert second.wait() == 0
    assert place.addresses() == []
    third = place.start("--release")
    third.line("nothing-to-release")
    assert third.wait() == 1
