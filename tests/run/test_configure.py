"""A plan on a kernel's interface, in namespaces of its own."""

from collections.abc import Iterator
from itertools import count

import pytest

from relet.model.effects import Binding
from relet.net import netlink
from relet.net.link import LinkError, Route
from relet.run.configure import Interface
from relet.run.plan import Plan, plan
from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE
from support.lab import Lab, need, until
from support.snapshot import quiet, snapshot

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
        self.lab, self.name, self.other = lab, lab.namespace("host"), lab.namespace("other")
        quiet(lab, self.name)
        lab.cable(self.name, "c0", self.other, "s0")

    def interface(self, metric: int | None = None) -> Interface:
        return Interface(netlink.link("c0"), self.lab.folder / "c0.mtu", metric)

    def everything(self) -> object:
        return snapshot(self.lab, self.name)

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
    assert problem.kind == "bad-route"
    assert problem.text.startswith("cannot set the route to 10.0.0.0/8: ")
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1"])


@pytest.mark.namespaces
def test_an_interface_that_is_gone_is_told_of(host: Host) -> None:
    interface = host.interface()
    host.lab.ip(host.name, "link", "del", "c0")
    with pytest.raises(LinkError, match=r"cannot set address 192\.168\.1\.5/24"):
        interface.apply(lease(MASK), 1000.0)
    assert not interface.withdraw(lease(MASK))


WHOLE = lease(
    MASK,
    classless(("0.0.0.0", 0, "192.168.1.1"), ("10.0.0.0", 8, "172.31.1.1"), ("172.31.0.0", 16, "0.0.0.0")),
    {26: b"\x05\x78"},
)


def furnish(host: Host) -> None:
    """What an operator may have there already, near to what a lease will bring."""
    lab, name = host.lab, host.name
    lab.address(name, "c0", "192.168.1.77/24")
    lab.address(name, "c0", "10.9.9.9/16")
    lab.ip(name, "route", "add", "default", "via", "192.168.1.254", "metric", "50")
    lab.ip(name, "route", "add", "10.0.0.0/8", "via", "192.168.1.254", "metric", "2000")
    lab.ip(name, "route", "add", "172.31.0.0/16", "dev", "c0", "proto", "dhcp", "metric", "3000")
    lab.ip(name, "link", "set", "c0", "mtu", "1450")


@pytest.mark.namespaces
def test_all_is_as_before_when_a_lease_is_taken_away(host: Host) -> None:
    furnish(host)
    before = host.everything()
    interface = host.interface()
    assert interface.apply(WHOLE, 1000.0) == []
    assert netlink.link("c0").mtu == 1400
    assert len(host.state()[1]) == 4
    assert interface.apply(WHOLE, 1500.0) == []  # a renewal
    assert host.everything() != before
    assert interface.withdraw()
    assert host.everything() == before
    assert list(host.lab.folder.glob("*.mtu*")) == []


@pytest.mark.namespaces
def test_so_it_is_if_the_client_was_killed_and_the_next_one_ends(host: Host) -> None:
    furnish(host)
    before = host.everything()
    host.interface().apply(WHOLE, 1000.0)
    later = host.interface()
    assert later.withdraw(WHOLE)
    assert host.everything() == before
    host.interface().apply(WHOLE, 1000.0)
    later = host.interface()
    assert later.apply(lease(MASK, ROUTERS, {26: b"\x05\x14"}), 1500.0) == []
    assert netlink.link("c0").mtu == 1300
    assert later.withdraw()
    assert host.everything() == before


@pytest.mark.namespaces
def test_a_renewal_touches_no_route_that_stays(host: Host) -> None:
    interface = host.interface()
    interface.apply(WHOLE, 1000.0)
    monitor = host.lab.start(host.name, need("ip"), "monitor", "route")
    numbers = count(1)

    def listens() -> bool:
        host.lab.ip(host.name, "route", "add", "blackhole", f"198.51.100.{next(numbers)}")
        return any("blackhole" in line for line in monitor.latest(9))

    until(listens)
    interface.apply(WHOLE, 1500.0)
    host.lab.ip(host.name, "route", "add", "blackhole", "203.0.113.1")
    monitor.line("203.0.113.1")
    assert not [line for line in monitor.lines if "proto dhcp" in line]


@pytest.mark.namespaces
def test_a_route_that_was_lost_is_set_again_by_a_renewal(host: Host) -> None:
    interface = host.interface()
    interface.apply(WHOLE, 1000.0)
    before = host.state()
    host.lab.ip(host.name, "route", "del", "10.0.0.0/8", "proto", "dhcp")
    interface.apply(WHOLE, 1500.0)
    assert host.state() == before


@pytest.mark.namespaces
def test_a_route_of_somebody_else_with_our_metric_stays(host: Host) -> None:
    host.lab.address(host.name, "c0", "192.168.1.77/24")
    host.lab.ip(host.name, "route", "add", "default", "via", "192.168.1.254", "metric", "50")
    before = host.everything()
    interface = host.interface(metric=50)
    (note,) = interface.apply(lease(MASK, ROUTERS), 1000.0)
    assert note.text == (
        "cannot set the route to 0.0.0.0/0: File exists; somebody's route with metric 50 is there: choose another with "
        "--metric"
    )
    interface.withdraw()
    assert host.everything() == before


@pytest.mark.namespaces
def test_the_metric_is_the_operators_if_one_is_given(host: Host) -> None:
    host.interface(metric=7).apply(lease(MASK, ROUTERS), 1000.0)
    assert any("default via 192.168.1.1" in route and "metric 7" in route for route in host.lab.routes(host.name))


@pytest.mark.namespaces
def test_the_mtu_stays_while_the_link_is_down_and_goes_with_the_lease(host: Host) -> None:
    interface = host.interface()
    interface.apply(WHOLE, 1000.0)
    interface.withdraw(link_lost=True)
    assert netlink.link("c0").mtu == 1400
    interface.apply(lease(MASK), 1000.0)  # a server that has no MTU to tell
    assert netlink.link("c0").mtu == 1500


@pytest.mark.namespaces
def test_an_mtu_that_somebody_else_has_set_since_stays(host: Host) -> None:
    interface = host.interface()
    interface.apply(WHOLE, 1000.0)
    host.lab.ip(host.name, "link", "set", "c0", "mtu", "1350")
    interface.withdraw()
    assert netlink.link("c0").mtu == 1350


@pytest.mark.namespaces
def test_what_an_interface_of_the_same_name_had_is_not_put_back(host: Host) -> None:
    host.interface().apply(WHOLE, 1000.0)
    host.lab.ip(host.name, "link", "del", "c0")
    host.lab.ip(host.name, "link", "add", "b0", "type", "bridge")  # so that the index is another one
    host.lab.cable(host.name, "c0", host.other, "s0")
    host.lab.ip(host.name, "link", "set", "c0", "mtu", "1400")
    host.interface().withdraw()
    assert netlink.link("c0").mtu == 1400


@pytest.mark.namespaces
@pytest.mark.parametrize(
    ("octets", "file", "why"),
    [
        (b"\x02\x40", "c0.mtu", "IPv6 on c0 needs 1280"),
        (b"\x05\x78", "nowhere/in/the/way", "what it was cannot be remembered"),
    ],
)
def test_an_mtu_that_cannot_be_is_told_of_and_nothing_else_is_lost(
    host: Host, octets: bytes, file: str, why: str
) -> None:
    (host.lab.folder / "nowhere").touch()
    before = host.everything()
    interface = Interface(netlink.link("c0"), host.lab.folder / file)
    (note,) = interface.apply(lease(MASK, ROUTERS, {26: octets}), 1000.0)
    assert note.kind == "bad-mtu"
    assert why in note.text
    assert netlink.link("c0").mtu == 1500
    assert host.state() == (["192.168.1.5/24"], ["default via 192.168.1.1"])
    interface.withdraw()
    assert host.everything() == before


@pytest.mark.namespaces
@pytest.mark.parametrize("rubbish", [b"", b"{}", b"\xff", b'{"index":%d,"before":-1,"ours":1500}', b" " * 2000])
def test_a_broken_memory_of_the_mtu_counts_as_none(host: Host, rubbish: bytes) -> None:
    index = netlink.link("c0").index
    (host.lab.folder / "c0.mtu").write_bytes(rubbish.replace(b"%d", str(index).encode()))
    interface = host.interface()
    interface.apply(lease(MASK), 1000.0)
    interface.withdraw()
    assert netlink.link("c0").mtu == 1500


@pytest.mark.namespaces
def test_a_small_mtu_is_set_where_there_is_no_ipv6(host: Host) -> None:
    host.lab.run(host.name, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/c0/disable_ipv6")
    interface = host.interface()
    assert interface.apply(lease(MASK, {26: b"\x02\x40"}), 1000.0) == []
    assert netlink.link("c0").mtu == 576
    interface.withdraw()
    assert netlink.link("c0").mtu == 1500


@pytest.mark.namespaces
@pytest.mark.parametrize(
    ("netmask", "own", "router"),
    [
        (b"\xff\xff\xff\xff", "192.168.1.5", "172.31.1.1"),  # as cloud providers do
        (b"\xff\xff\xff\xfe", "192.168.1.5", "192.168.1.4"),
        (b"\xff\xff\xff\xfe", "192.168.1.4", "192.168.1.5"),
        (b"\xff\xff\xff\0", "192.168.1.5", "172.31.1.1"),
    ],
)
def test_a_router_off_the_subnet_is_reached(host: Host, netmask: bytes, own: str, router: str) -> None:
    lab = host.lab
    lab.address(host.other, "s0", f"{router}/32")
    lab.ip(host.other, "route", "add", f"{own}/32", "dev", "s0")
    lab.address(host.other, "lo", "203.0.113.1/32")
    given = lease({1: netmask}, {3: parse_ip(router).to_bytes(4)}, address=parse_ip(own))
    assert host.interface().apply(given, 1000.0) == []
    for beyond in (router, "203.0.113.1"):
        lab.run(host.name, need("busybox"), "ping", "-c", "1", "-W", "2", beyond)


@pytest.mark.namespaces
def test_an_address_that_an_operator_has_set_for_good_stays_as_it_is(host: Host) -> None:
    host.lab.address(host.name, "c0", "192.168.1.5/24")
    before = host.everything()
    assert not host.interface().withdraw(WHOLE)  # a lease that is remembered says the same
    assert host.everything() == before
    interface = host.interface()
    assert interface.apply(WHOLE, 1000.0) == []
    assert interface.apply(WHOLE, 1500.0) == []
    assert "valid_lft forever" in host.lab.ip(host.name, "address", "show", "dev", "c0")
    assert len(host.state()[1]) == 3
    interface.withdraw()
    assert host.everything() == before
    host.interface().apply(WHOLE, 1000.0)
    assert not host.interface().withdraw(WHOLE)  # after a kill
    host.interface().withdraw()
    host.lab.ip(host.name, "link", "set", "c0", "mtu", "1500")
    assert host.everything() == before


@pytest.mark.namespaces
def test_an_endless_address_of_an_earlier_run_is_known_for_what_it_is(host: Host) -> None:
    endless = lease(MASK, lease_time=INFINITE)
    host.interface().apply(endless, 1000.0)
    assert host.interface().withdraw(endless)
    assert host.state() == ([], [])
    interface = host.interface()
    interface.apply(endless, 1000.0)
    interface.apply(endless, 1500.0)
    assert interface.withdraw()
    assert host.state() == ([], [])
