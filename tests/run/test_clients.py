"""The client as a process: several interfaces, and interfaces that come, go and change, where no server answers."""

import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from relet.model.effects import Binding, Remembered
from relet.net import netlink
from relet.run.leasefile import FOLDER, save
from relet.run.leaseformat import Content, Identity
from relet.wire.address import parse_ip
from support.clock import set_wall_clock
from support.lab import RELET, Lab, Process, until

pytestmark = pytest.mark.namespaces

USE_IT = ("--use-remembered", "--reboot-timeout", "0.2")


class Host(NamedTuple):
    """A host with interfaces c1 and c2, at whose other ends s1 and s2 nobody serves."""

    lab: Lab
    name: str
    other: str

    def remember(self, interface: str) -> None:
        """Leave a lease of 192.168.N.5/24 behind for interface cN."""
        with self.lab.inside(self.name):
            identity = Identity(netlink.link(interface).mac, None)
        network = f"192.168.{interface[1:]}"
        options = {1: b"\xff\xff\xff\0", 3: parse_ip(f"{network}.1").to_bytes(4)}
        address, server = parse_ip(f"{network}.5"), parse_ip(f"{network}.1")
        binding = Binding(address, server, time.time(), 3600, 1800, 3150, options)
        save(self.file(interface), Content().replacing(identity, (Remembered(binding),)))

    def file(self, interface: str) -> Path:
        return self.lab.folder / "leases" / f"{interface}.lease"

    def start(self, *arguments: str, program: Sequence[str] = RELET) -> Process:
        """In a mount namespace of its own, where the folder of leases is the lab's."""
        (self.lab.folder / "leases").mkdir(exist_ok=True)
        script = f'mount -t tmpfs none /var/lib && mkdir {FOLDER} && mount --bind "$0" {FOLDER} && exec "$@"'
        command = ("unshare", "--mount", "sh", "-c", script, self.lab.folder / "leases")
        return self.lab.start(self.name, *command, *program, "client", "--json", "--conflict", "off", *arguments)

    def addresses(self, interface: str) -> list[str]:
        return self.lab.addresses(self.name, interface)

    def plug(self, interface: str, *more: str) -> None:
        """Make an interface cN whose other end is sN. more: such as its address."""
        other = f"s{interface[1:]}"
        self.lab.ip(
            self.name, "link", "add", interface, *more, "type", "veth", "peer", "name", other, "netns", self.other
        )
        self.lab.ip(self.name, "link", "set", interface, "up")
        self.lab.ip(self.other, "link", "set", other, "up")


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        host = Host(lab, lab.namespace("host"), lab.namespace("other"))
        host.plug("c1")
        host.plug("c2")
        yield host


def event(process: Process, name: str, interface: str = "c1") -> dict[str, object]:
    told: dict[str, object] = json.loads(process.line(f'"event":"{name}"', f'"interface":"{interface}"'))
    return told


def test_each_interface_has_its_own_lease(host: Host) -> None:
    host.remember("c1")
    host.remember("c2")
    client = host.start("c1", "c2", *USE_IT)
    until(lambda: host.addresses("c1") == ["192.168.1.5/24"] and host.addresses("c2") == ["192.168.2.5/24"])
    host.lab.ip(host.other, "link", "set", "s1", "down")
    assert event(client, "unbound")["cause"] == "link-down"
    assert host.addresses("c2") == ["192.168.2.5/24"]
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert (host.addresses("c1"), host.addresses("c2")) == ([], [])


def test_a_machine_that_slept_asks_on_each_interface(host: Host) -> None:
    """Slept, as far as the clocks tell: an hour between any two looks."""
    host.remember("c1")
    host.remember("c2")
    slept = (
        "from itertools import count; from relet.net import clock; clock.asleep = map(float, count(0, 3600)).__next__"
    )
    client = host.start("c1", "c2", *USE_IT, program=(sys.executable, "-c", f"{slept}; {RELET[-1]}"))
    until(lambda: host.addresses("c1") == ["192.168.1.5/24"] and host.addresses("c2") == ["192.168.2.5/24"])
    set_wall_clock()
    for interface, address in (("c1", "192.168.1.5"), ("c2", "192.168.2.5")):
        event(client, "woken", interface)
        assert event(client, "attached", interface)["text"] == f"asking whether {address} may be used on"
        assert host.addresses(interface) == [f"{address}/24"]


def test_an_interface_that_fails_ends_its_own_client_and_no_other(host: Host) -> None:
    host.remember("c1")
    client = host.start("lo", "c1", *USE_IT)
    assert event(client, "failed", "lo")["text"] == "lo is not an Ethernet interface"
    event(client, "bound")
    client.signal(signal.SIGTERM)
    assert client.wait() == 3
    assert host.addresses("c1") == []


def test_the_gravest_outcome_counts(host: Host) -> None:
    host.remember("c1")
    client = host.start("c1", "c2", *USE_IT, "--once", "--timeout", "1")
    event(client, "timeout", "c2")
    assert client.wait() == 1
    assert host.addresses("c1") == ["192.168.1.5/24"]


def test_an_interface_that_is_not_there_yet_is_waited_for(host: Host) -> None:
    client = host.start("c3")
    assert "waiting for interface c3, which is not there" in str(event(client, "no-interface", "c3")["text"])
    host.plug("c3")
    event(client, "selecting", "c3")
    client.signal(signal.SIGTERM)
    assert client.wait() == 0


def test_an_interface_that_never_comes_is_waited_for_until_the_time_is_up(host: Host) -> None:
    client = host.start("c3", "--once", "--timeout", "0.3")
    assert event(client, "timeout", "c3")["text"] == "there is no interface c3, and so no address after 0.3 s"
    assert client.wait() == 1


def test_an_interface_that_is_made_anew_gets_its_lease_again(host: Host) -> None:
    with host.lab.inside(host.name):
        mac = netlink.link("c1").mac
    host.remember("c1")
    client = host.start("c1", *USE_IT)
    event(client, "bound")
    host.lab.ip(host.name, "link", "del", "c1")
    assert event(client, "unbound")["cause"] == "link-down"
    assert event(client, "interface-lost")["text"] == "interface c1 is gone"
    host.plug("c1", "address", mac.hex(":"))
    assert event(client, "bound")["cause"] == "remembered"
    assert host.addresses("c1") == ["192.168.1.5/24"]


def test_with_another_hardware_address_it_is_another_client(host: Host) -> None:
    host.remember("c1")
    client = host.start("c1", *USE_IT)
    event(client, "bound")
    host.lab.ip(host.name, "link", "set", "c1", "address", "02:00:00:00:00:99")
    assert event(client, "interface-lost")["text"] == "the hardware address of c1 has changed to 02:00:00:00:00:99"
    event(client, "unbound")
    event(client, "selecting")
    assert host.addresses("c1") == []


def test_an_interface_that_is_gone_has_nothing_to_release(host: Host) -> None:
    host.remember("c1")
    client = host.start("c1", *USE_IT)
    event(client, "bound")
    host.lab.ip(host.name, "link", "del", "c1")
    event(client, "interface-lost")
    client.signal(signal.SIGUSR2)
    event(client, "not-released")
    assert client.wait() == 1


def test_what_is_switched_off_is_not_switched_on_again(host: Host) -> None:
    host.remember("c1")
    client = host.start("c1", *USE_IT)
    event(client, "bound")
    host.lab.ip(host.name, "link", "set", "c1", "down")
    assert event(client, "unbound")["cause"] == "link-down"
    event(client, "linkdown")
    host.lab.ip(host.name, "link", "set", "c1", "up")
    event(client, "bound")
    assert host.addresses("c1") == ["192.168.1.5/24"]
