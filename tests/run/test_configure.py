"""A plan on a kernel's interface, in namespaces of its own."""

from collections.abc import Iterator

import pytest

from relet.model.effects import Binding
from relet.net import netlink
from relet.net.link import LinkError, Route
from relet.run.configure import Interface
from relet.run.plan import Plan, plan
from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE
from support.lab import Lab

ADDRESS = parse_ip("192.168.1.5")
MASK = {1: b"\xff\xff\xff\0"}
ROUTERS = {3: options.ROUTERS.encode((parse_ip("192.168.1.1"), parse_ip("192.168.1.2")))}


def lease(*parts: dict[int, bytes], address: int = ADDRESS, lease_time: int = 3600) -> Plan:
    carried = {code: octets for part in parts for code, octets in part.items()}
    return plan(Binding(address, parse_ip("192.168.1.1"), 1000.0, lease_time, 1800, 3150, carried))


def classless(*routes: tuple[str, int, str]) -> dict[int, bytes]:
    return {121: options.CLASSLESS_ROUTES.encode(tuple((parse_ip(a), width, parse_ip(b)) for a, width, b in routes))}


class Host:
    """A namespace whose c0 is configured."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.name, other = lab, lab.namespace("host"), lab.namespace("other")
        lab.cable(self.name, "c0", other, "s0")

    def interface(self) -> Interface:
        return Interface(netlink.link("c0"))

    def state(self) -> tuple[list[str], list[str]]:
        routes = [route.split(" dev ")[0] for route in self.lab.routes(self.name) if "proto dhcp" in route]
        return self.lab.addresses(self.name, "c0"), routes


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        host = Host(lab)
        with lab.inside(host.name):
            yield host


@pytest.mark.namespaces
def test_a_lease_is_set_renewed_moved_and_taken_away(host: Host) -> None:
    interface = host.interface()
    first = lease(MASK, classless(("0.0.0.0", 0, "192.168.1.1"), ("10.0.0.0", 8, "192.168.1.2")))
    assert interface.apply(first, 1000.0) == []
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1", "10.0.0.0/8 via 192.168.1.2"])
    assert "valid_lft 3600sec" in host.lab.ip(host.name, "address", "show", "dev", "c0")
    assert interface.apply(lease(MASK, classless(("0.0.0.0", 0, "192.168.1.3"))), 2000.0) == []
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.3"])
    assert interface.apply(lease(MASK, ROUTERS, address=ADDRESS + 1), 2000.0) == []
    assert host.state() == (["192.168.1.6/24"], ["default via 192.168.1.1"])
    assert interface.withdraw(lease(MASK, address=ADDRESS + 1))
    assert host.state() == ([], [])
    assert not interface.withdraw(lease(MASK, address=ADDRESS + 1))


@pytest.mark.namespaces
def test_an_address_left_by_an_earlier_run_is_taken_over_or_away(host: Host) -> None:
    left = lease(MASK, ROUTERS)
    host.interface().apply(left, 1000.0)
    assert host.interface().apply(left, 1500.0) == []
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1"])
    assert host.interface().withdraw(left)
    assert host.state() == ([], [])


@pytest.mark.namespaces
def test_addresses_of_others_stay(host: Host) -> None:
    host.lab.address(host.name, "c0", "10.0.0.1/8")
    interface = host.interface()
    interface.apply(lease(MASK), 1000.0)
    interface.withdraw(lease(MASK))
    assert host.state() == (["10.0.0.1/8"], [])


@pytest.mark.namespaces
def test_an_endless_lease_has_an_endless_address(host: Host) -> None:
    host.interface().apply(lease(MASK, lease_time=INFINITE), 1000.0)
    assert "valid_lft forever" in host.lab.ip(host.name, "address", "show", "dev", "c0")


@pytest.mark.namespaces
def test_a_route_that_cannot_be_set_costs_that_route_alone(host: Host) -> None:
    through_us, default = Route(parse_ip("10.0.0.0"), 8, ADDRESS), Route(0, 0, parse_ip("192.168.1.1"))
    (problem,) = host.interface().apply(Plan(ADDRESS, 24, (through_us, default)), 1000.0)
    assert problem.startswith("cannot set the route to 10.0.0.0/8: ")
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1"])


@pytest.mark.namespaces
def test_an_interface_that_is_gone_is_told_of(host: Host) -> None:
    interface = host.interface()
    host.lab.ip(host.name, "link", "del", "c0")
    with pytest.raises(LinkError, match=r"cannot set address 192\.168\.1\.5/24"):
        interface.apply(lease(MASK), 1000.0)
    assert not interface.withdraw(lease(MASK))
