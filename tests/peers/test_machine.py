"""A whole machine and a real server: what a lease changed is as it was before, whichever way the client's life ends.

The host has its own /etc and /run; what is compared are its addresses, routes, links and resolv.conf.
"""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.lab import Lab, Process, need, until
from support.private import PrivateHost
from support.serving import Serve
from support.snapshot import quiet, snapshot

pytestmark = [pytest.mark.peer, pytest.mark.namespaces]

SHORTEST = "2m"
"""The shortest lease that dnsmasq grants."""


class World:
    """A server on two links, and a host on both of them that the operator has furnished."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.server = lab, lab.namespace("server")
        self.host = PrivateHost(lab, lab.namespace("host"))
        name = self.host.name
        quiet(lab, name)
        for number in (1, 2):
            lab.cable(name, f"c{number}", self.server, f"s{number}")
            lab.address(self.server, f"s{number}", f"192.168.{number}.1/24")
        lab.address(name, "c1", "10.9.9.9/16")
        lab.ip(name, "route", "add", "default", "via", "10.9.0.1", "metric", "50")
        lab.ip(name, "link", "set", "c1", "mtu", "1450")
        self.before = self.everything()

    def serve(self) -> Process:
        ranges = (f"set:{n},192.168.{n}.100,192.168.{n}.150,255.255.255.0,{SHORTEST}" for n in (1, 2))
        options = [
            *(f"tag:{n},option:dns-server,192.168.{n}.1,9.9.9.9" for n in (1, 2)),
            *(f"tag:{n},option:domain-search,net{n}.example" for n in (1, 2)),
            "tag:1,option:mtu,1400",
            "tag:1,option:classless-static-route,10.0.0.0/8,192.168.1.254,0.0.0.0/0,192.168.1.1",
        ]
        process = self.lab.start(
            self.server,
            need("dnsmasq"),
            "--no-daemon",
            "--conf-file=/dev/null",
            "--user=root",
            "--pid-file=",
            "--port=0",
            "--no-ping",
            "--dhcp-authoritative",
            f"--dhcp-leasefile={self.lab.folder}/dnsmasq.leases",
            *(f"--dhcp-range={each}" for each in ranges),
            *(f"--dhcp-option={each}" for each in options),
        )
        process.line("DHCP, IP range 192.168.1.100")
        return process

    def client(self, *arguments: str | Path, interfaces: tuple[str, ...] = ("c1",), before: str = "") -> Process:
        # Each interface's lease file is in a folder of the test, as /var/lib is the machine's.
        leases = self.lab.folder / "leases"
        leases.mkdir(exist_ok=True)
        before = f"{before or 'true'} && mkdir -p /var/lib/relet && mount --bind {leases} /var/lib/relet"
        return self.host.relet("client", *interfaces, "--json", "--conflict", "off", *arguments, before=before)

    def bound(self, client: Process) -> None:
        client.line('"event":"bound"')
        until(lambda: "relet" in self.host.resolv_conf.read_text())

    def lines(self) -> list[str]:
        return self.host.resolv_conf.read_text().splitlines()[1:]

    def everything(self) -> object:
        return snapshot(self.lab, self.host.name)

    def as_before(self) -> bool:
        return self.everything() == self.before and self.host.resolves_as_before()


AT_1 = ["search net1.example", "nameserver 192.168.1.1", "nameserver 9.9.9.9"]


@pytest.fixture
def world() -> Iterator[World]:
    with Lab() as lab:
        yield World(lab)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2], ids=["stopped", "released"])
def test_a_machine_is_as_before_when_its_client_has_ended(world: World, number: int) -> None:
    world.serve()
    client = world.client()
    world.bound(client)
    assert world.lines() == AT_1
    assert world.everything() != world.before
    client.signal(number)
    assert client.wait() == 0
    assert world.as_before()


def test_so_it_is_if_the_link_was_lost_before(world: World) -> None:
    world.serve()
    client = world.client()
    world.bound(client)
    world.lab.ip(world.server, "link", "set", "s1", "down")
    told = json.loads(client.line('"event":"unbound"'))
    assert told["cause"] == "link-down"
    until(world.host.resolves_as_before)
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    world.lab.ip(world.server, "link", "set", "s1", "up")
    until(world.as_before)


def test_so_it_is_if_a_client_was_killed_and_the_next_one_has_released(world: World) -> None:
    world.serve()
    client = world.client()
    world.bound(client)
    client.kill()
    assert world.lines() == AT_1
    later = world.client("--release")
    assert later.wait() == 0
    assert world.as_before()


def test_so_it_is_if_the_next_one_finds_nobody(world: World) -> None:
    server = world.serve()
    client = world.client()
    world.bound(client)
    client.kill()
    server.close()
    world.lab.ip(world.server, "address", "flush", "dev", "s1")  # its address was the gateway's, which would be asked
    later = world.client("--timeout", "0.5", "--reboot-timeout", "0.2")
    assert later.wait() == 1
    assert world.as_before()


def test_two_interfaces_share_resolv_conf_whoever_runs_their_clients(world: World) -> None:
    world.serve()
    one = world.client("--metric", "300")
    world.bound(one)
    other = world.client("--metric", "200", interfaces=("c2",))
    first = ["search net2.example net1.example", "nameserver 192.168.2.1", "nameserver 9.9.9.9"]
    until(lambda: world.lines() == [*first, "nameserver 192.168.1.1"])
    other.signal(signal.SIGTERM)
    assert other.wait() == 0
    assert world.lines() == AT_1
    one.signal(signal.SIGTERM)
    assert one.wait() == 0
    assert world.as_before()
    both = world.client("--metric", "300", interfaces=("c1", "c2"))
    second = ["search net1.example net2.example", "nameserver 192.168.1.1", "nameserver 9.9.9.9"]
    until(lambda: world.lines() == [*second, "nameserver 192.168.2.1"])
    both.signal(signal.SIGTERM)
    assert both.wait() == 0
    assert world.as_before()


SHORT = """
[server]
store = "sqlite:leases.db"

[[network]]
name = "short"
interfaces = ["s1"]
lease-time = "5s"

[network.options]
routers = ["192.168.1.1"]
domain-name-servers = ["192.168.1.1"]
interface-mtu = 1400

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.119"]
"""


def test_a_lost_lease_goes_in_time_with_all_that_came_with_it(world: World) -> None:
    server = Serve(world.lab, world.server, SHORT)
    client = world.client()
    bound = json.loads(client.line('"event":"bound"'))
    server.process.kill()
    told = json.loads(client.line('"event":"unbound"'))
    assert (told["cause"], told["address"]) == ("expire", bound["address"])
    assert abs(told["at"] - told["expires"]) < 0.5
    until(world.as_before)
    client.line('"event":"selecting"')


def test_the_kernel_takes_address_and_routes_of_a_client_that_was_killed(world: World) -> None:
    Serve(world.lab, world.server, SHORT)
    client = world.client()
    bound = json.loads(client.line('"event":"bound"'))
    client.kill()
    address = f"{bound['address']}/24"
    assert address in world.lab.addresses(world.host.name, "c1")
    until(lambda: address not in world.lab.addresses(world.host.name, "c1"))
    assert time.time() < bound["expires"] + 2
    assert not [route for route in world.lab.routes(world.host.name) if "proto dhcp" in route]


def test_resolv_conf_that_is_mounted_is_written_in_place(world: World) -> None:
    """As in a container, or with /etc/netns/NAME/resolv.conf."""
    world.serve()
    mounted = world.lab.folder / "mounted"
    mounted.write_bytes(world.host.resolv_conf.read_bytes())
    client = world.client(before=f"mount --bind {mounted} /etc/resolv.conf")
    client.line('"event":"bound"')
    until(lambda: "nameserver 9.9.9.9" in mounted.read_text())
    assert mounted.read_text().splitlines()[1:] == AT_1
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert mounted.read_bytes() == world.host.resolv_conf.read_bytes()
    assert world.as_before()


def test_resolv_conf_is_left_alone_if_so_wished(world: World) -> None:
    world.serve()
    client = world.client("--no-resolver", "--once")
    assert client.wait() == 0
    assert world.host.resolves_as_before()
