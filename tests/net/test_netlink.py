"""Addresses, routes and links, asked of a real kernel in namespaces of its own."""

import errno
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from relet.net import netlink
from relet.net.link import LinkError, LinkInfo, Route, carries
from relet.wire.address import parse_ip
from support.lab import Lab, until

HERE = parse_ip("192.168.1.5")
ROUTER = parse_ip("192.168.1.1")
METRIC = 1000


class Host(NamedTuple):
    """A namespace with an interface c0, whose other end is s0 in another; the test's thread is inside."""

    lab: Lab
    name: str
    other: str
    link: LinkInfo

    def addresses(self) -> list[str]:
        return self.lab.addresses(self.name, "c0")

    def routes(self) -> list[str]:
        return [route for route in self.lab.routes(self.name) if "proto dhcp" in route]


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        name, other = lab.namespace("host"), lab.namespace("other")
        lab.cable(name, "c0", other, "s0")
        with lab.inside(name):
            yield Host(lab, name, other, netlink.link("c0"))


@pytest.mark.namespaces
def test_an_interface_tells_what_it_is(host: Host) -> None:
    host.lab.address(host.name, "c0", "192.168.1.5/24")
    host.lab.address(host.name, "c0", "10.0.0.1/8")
    link = netlink.link("c0")
    assert (link.name, link.mtu, link.up) == ("c0", 1500, True)
    assert link.addresses == ((HERE, 24), (parse_ip("10.0.0.1"), 8))
    assert link.mac.hex(":") in host.lab.ip(host.name, "link", "show", "c0")
    host.lab.ip(host.other, "link", "set", "s0", "down")
    assert not netlink.link("c0").up


@pytest.mark.namespaces
def test_an_interface_is_switched_on(host: Host) -> None:
    host.lab.ip(host.name, "link", "set", "c0", "down")
    assert not netlink.link("c0").up
    netlink.switch_on(host.link.index)
    assert netlink.link("c0").up


@pytest.mark.namespaces
def test_an_interface_has_ipv6_or_not(host: Host) -> None:
    until(lambda: netlink.has_ipv6(host.link.index))
    host.lab.run(host.name, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/c0/disable_ipv6")
    assert not netlink.has_ipv6(host.link.index)
    host.lab.address(host.name, "c0", "192.168.1.5/24")
    assert not netlink.has_ipv6(host.link.index)


@pytest.mark.namespaces
def test_an_address_is_put_renewed_and_taken(host: Host) -> None:
    netlink.put_lease(host.link.index, HERE, 24, 1000, ())
    netlink.put_lease(host.link.index, HERE, 24, 3000, ())
    listing = host.lab.ip(host.name, "address", "show", "dev", "c0")
    assert "inet 192.168.1.5/24 brd 192.168.1.255 scope global dynamic c0" in listing
    assert "valid_lft 3000sec preferred_lft 3000sec" in listing or "valid_lft 2999sec" in listing
    assert netlink.take_address(host.link.index, HERE, 24)
    assert host.addresses() == []
    assert not netlink.take_address(host.link.index, HERE, 24)


@pytest.mark.namespaces
def test_an_endless_address_has_no_lifetime(host: Host) -> None:
    netlink.put_lease(host.link.index, HERE, 32, netlink.FOREVER, ())
    assert host.addresses() == ["192.168.1.5/32"]
    assert "valid_lft forever" in host.lab.ip(host.name, "address", "show", "dev", "c0")


@pytest.mark.namespaces
def test_routes_are_put_replaced_and_taken(host: Host) -> None:
    index = host.link.index
    wrong, default = Route(0, 0, ROUTER + 1), Route(0, 0, ROUTER)
    far, near = Route(parse_ip("10.0.0.0"), 8, parse_ip("172.16.0.1")), Route(parse_ip("10.9.0.0"), 16)
    assert netlink.put_lease(index, HERE, 24, netlink.FOREVER, [(wrong, METRIC)]) == []
    assert netlink.put_lease(index, HERE, 24, netlink.FOREVER, [(each, METRIC) for each in (default, far, near)]) == []
    assert host.routes() == [
        "default via 192.168.1.1 dev c0 proto dhcp src 192.168.1.5 metric 1000 onlink",
        "10.0.0.0/8 via 172.16.0.1 dev c0 proto dhcp src 192.168.1.5 metric 1000 onlink",
        "10.9.0.0/16 dev c0 proto dhcp scope link src 192.168.1.5 metric 1000",
    ]
    assert netlink.take_route(index, Route(parse_ip("10.9.0.0"), 16), METRIC)
    assert not netlink.take_route(index, Route(parse_ip("10.9.0.0"), 16), METRIC)
    assert len(host.routes()) == 2
    netlink.take_address(index, HERE, 24)
    assert host.routes() == []


@pytest.mark.namespaces
def test_refusals_say_what_was_tried_and_why(host: Host) -> None:
    with pytest.raises(LinkError, match="cannot look at interface nowhere: No such device") as caught:
        netlink.link("nowhere")
    assert caught.value.code == errno.ENODEV
    with pytest.raises(LinkError, match=r"cannot set address 192\.168\.1\.5/24: No such device"):
        netlink.put_lease(9999, HERE, 24, netlink.FOREVER, ())
    (refused,) = netlink.put_lease(host.link.index, HERE, 24, 1000, [(Route(0, 0, 0x7F000001), METRIC)])
    assert "cannot set the route to 0.0.0.0/0" in str(refused)


def test_a_link_carries_if_it_is_switched_on_and_running() -> None:
    assert [carries(flags) for flags in (0, 0x1, 0x40, 0x41, 0x1041)] == [False, False, False, True, True]
