"""What a lease means for an interface, first as a plan, then on a kernel."""

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from relet.model.effects import Binding
from relet.net import netlink
from relet.net.link import LinkError, Route
from relet.run.configure import MAX_ROUTES, Interface, Plan, plan
from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE
from support.lab import Lab

ADDRESS = parse_ip("192.168.1.5")
MASK = {1: b"\xff\xff\xff\0"}
ROUTERS = {3: options.ROUTERS.encode((parse_ip("192.168.1.1"), parse_ip("192.168.1.2")))}
DEFAULT = Route(0, 0, parse_ip("192.168.1.1"))


def binding(*parts: dict[int, bytes], address: int = ADDRESS, lease_time: int = 3600) -> Binding:
    carried = {code: octets for part in parts for code, octets in part.items()}
    return Binding(address, parse_ip("192.168.1.1"), 1000.0, lease_time, 1800, 3150, carried)


def classless(*routes: tuple[str, int, str]) -> dict[int, bytes]:
    return {121: options.CLASSLESS_ROUTES.encode(tuple((parse_ip(a), width, parse_ip(b)) for a, width, b in routes))}


def test_the_first_router_is_the_default_route() -> None:
    assert plan(binding(MASK, ROUTERS)) == Plan(ADDRESS, 24, (DEFAULT,))


@pytest.mark.parametrize(
    ("address", "octets", "width"),
    [
        ("192.168.1.5", b"\xff\xff\xff\x80", 25),
        ("192.168.1.5", b"\xff\xff\xff\xff", 32),
        ("10.1.2.3", None, 8),  # RFC 791 classes, where the server says nothing or nonsense
        ("172.16.0.1", None, 16),
        ("192.168.1.5", None, 24),
        ("10.1.2.3", b"\0\0\0\0", 8),
        ("10.1.2.3", b"\xff\0\xff\0", 8),
        ("10.1.2.3", b"\xff\xff", 8),
    ],
)
def test_the_width_comes_from_the_mask_or_the_class(address: str, octets: bytes | None, width: int) -> None:
    given = {} if octets is None else {1: octets}
    assert plan(binding(given, address=parse_ip(address))).width == width


def test_classless_routes_take_the_place_of_routers_and_static_routes() -> None:
    static = {33: options.STATIC_ROUTES.encode(((parse_ip("10.0.0.0"), parse_ip("192.168.1.9")),))}
    told = classless(("10.0.0.0", 8, "192.168.1.7"), ("0.0.0.0", 0, "172.16.0.1"), ("172.16.0.1", 32, "0.0.0.0"))
    assert plan(binding(MASK, ROUTERS, static, told)).routes == (
        Route(parse_ip("172.16.0.1"), 32, 0),
        Route(parse_ip("10.0.0.0"), 8, parse_ip("192.168.1.7")),
        Route(0, 0, parse_ip("172.16.0.1")),
    )


def test_static_routes_go_by_class_and_cannot_be_the_default() -> None:
    router = parse_ip("192.168.1.9")
    pairs = [(parse_ip(destination), router) for destination in ("10.0.0.0", "172.16.5.0", "0.0.0.0")]
    static = {33: options.STATIC_ROUTES.encode(tuple(pairs))}
    assert plan(binding(MASK, static)).routes == (
        Route(parse_ip("10.0.0.0"), 8, router),
        Route(parse_ip("172.16.5.0"), 32, router),
    )


def test_malformed_routes_count_as_absent() -> None:
    assert plan(binding(MASK, ROUTERS, {121: b"\x21\x01"})).routes == (DEFAULT,)
    assert plan(binding(MASK, {3: b"\x01"})).routes == ()


def test_routes_have_a_bound() -> None:
    many = [(f"10.{number}.0.0", 16, "192.168.1.1") for number in range(MAX_ROUTES + 1)]
    assert len(plan(binding(MASK, classless(*many))).routes) == MAX_ROUTES


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
    first = binding(MASK, classless(("0.0.0.0", 0, "192.168.1.1"), ("10.0.0.0", 8, "192.168.1.2")))
    assert interface.apply(first, 1000.0) == []
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1", "10.0.0.0/8 via 192.168.1.2"])
    assert "valid_lft 3600sec" in host.lab.ip(host.name, "address", "show", "dev", "c0")
    assert interface.apply(binding(MASK, classless(("0.0.0.0", 0, "192.168.1.3"))), 2000.0) == []
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.3"])
    assert interface.apply(binding(MASK, ROUTERS, address=ADDRESS + 1), 2000.0) == []
    assert host.state() == (["192.168.1.6/24"], ["default via 192.168.1.1"])
    assert interface.withdraw(binding(MASK, address=ADDRESS + 1))
    assert host.state() == ([], [])
    assert not interface.withdraw(binding(MASK, address=ADDRESS + 1))


@pytest.mark.namespaces
def test_an_address_left_by_an_earlier_run_is_taken_over_or_away(host: Host) -> None:
    left = binding(MASK, ROUTERS)
    host.interface().apply(left, 1000.0)
    assert host.interface().apply(left, 1500.0) == []
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1"])
    assert host.interface().withdraw(left)
    assert host.state() == ([], [])


@pytest.mark.namespaces
def test_addresses_of_others_stay(host: Host) -> None:
    host.lab.address(host.name, "c0", "10.0.0.1/8")
    interface = host.interface()
    interface.apply(binding(MASK), 1000.0)
    interface.withdraw(binding(MASK))
    assert host.state() == (["10.0.0.1/8"], [])


@pytest.mark.namespaces
def test_an_endless_lease_has_an_endless_address(host: Host) -> None:
    host.interface().apply(replace(binding(MASK), lease_time=INFINITE), 1000.0)
    assert "valid_lft forever" in host.lab.ip(host.name, "address", "show", "dev", "c0")


@pytest.mark.namespaces
def test_a_route_that_cannot_be_set_costs_that_route_alone(host: Host) -> None:
    told = classless(("10.0.0.0", 8, "192.168.1.5"), ("0.0.0.0", 0, "192.168.1.1"))  # through ourselves
    (problem,) = host.interface().apply(binding(MASK, told), 1000.0)
    assert problem.startswith("cannot set the route to 10.0.0.0/8: ")
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1"])


@pytest.mark.namespaces
def test_an_interface_that_is_gone_is_told_of(host: Host) -> None:
    interface = host.interface()
    host.lab.ip(host.name, "link", "del", "c0")
    with pytest.raises(LinkError, match=r"cannot set address 192\.168\.1\.5/24"):
        interface.apply(binding(MASK), 1000.0)
    assert not interface.withdraw(binding(MASK))
