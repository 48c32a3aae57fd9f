"""Netlink in octets: what the kernel answers is read to its end and no further, and is what `ip -j` says as well."""

import errno
import json
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from relet.net import netlink
from relet.net.link import LinkError, LinkInfo, Route
from relet.net.rtnetlink import DUMPS_MAX, REQUESTS_MAX, Kernel, Request, attribute, attributes, messages
from relet.wire.address import ip_text, parse_ip
from support.lab import Lab

HERE, ROUTER = parse_ip("192.168.1.5"), parse_ip("192.168.1.1")


def message(body: bytes, kind: int = 16, sequence: int = 1, flags: int = 0) -> bytes:
    return struct.pack("@IHHII", 16 + len(body), kind, flags, sequence, 0) + body + bytes(-len(body) % 4)


def error(code: int, sequence: int = 1, text: bytes = b"") -> bytes:
    said = attribute(1, text) if text else b""
    return message(struct.pack("@i", -code) + bytes(16) + said, 2, sequence, 0x300 if text else 0x100)


DONE = message(bytes(4), 3)


class Scripted:
    """A socket that answers with these datagrams, one after the other. Each (octets, sender, flags)."""

    def __init__(self, *datagrams: tuple[bytes, int, int]) -> None:
        self.datagrams = list(datagrams)
        self.sent: list[bytes] = []

    def send(self, octets: bytes) -> int:
        self.sent.append(octets)
        return len(octets)

    def recvmsg(self, _: int) -> tuple[bytes, list[Any], int, tuple[int, int]]:
        octets, sender, flags = self.datagrams.pop(0)
        return octets, [], flags, (sender, 0)

    def close(self) -> None:
        pass


def kernel(*datagrams: bytes, sender: int = 0, flags: int = 0) -> Kernel:
    made = Kernel()
    made.close()
    made._socket = Scripted(*((each, sender, flags) for each in datagrams))  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    ("octets", "bodies"),
    [
        (b"", []),
        (message(b"abcde") + message(b""), [b"abcde", b""]),
        (message(b"abcd")[:-1], []),
        (message(b"abcd") + bytes(15), [b"abcd"]),
        (message(b"abcd") + bytes(16), [b"abcd"]),
        (struct.pack("@IHHII", 15, 16, 0, 1, 0), []),
        (struct.pack("@IHHII", 0xFFFFFFFF, 16, 0, 1, 0), []),
    ],
)
def test_messages_end_where_a_length_lies(octets: bytes, bodies: list[bytes]) -> None:
    assert [body for *_, body in messages(octets)] == bodies


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"", {}),
        (attribute(1, b"abcde") + attribute(2, b""), {1: b"abcde", 2: b""}),
        (attribute(1, b"a") + attribute(1, b"b"), {1: b"b"}),
        (attribute(0x8000 | 7, b"a"), {7: b"a"}),
        (attribute(1, b"abcd")[:-1], {}),
        (attribute(1, b"abcd") + bytes(4), {1: b"abcd"}),
        (struct.pack("@HH", 3, 1), {}),
        (struct.pack("@HH", 0xFFFF, 1) + bytes(8), {}),
        (attribute(1, b"ab") + b"\0\0\0", {1: b"ab"}),
    ],
)
def test_attributes_end_where_a_length_lies(octets: bytes, found: dict[int, bytes]) -> None:
    assert attributes(octets) == found
    assert attributes(b"head" + octets, 4) == found


def test_an_answer_to_something_else_is_passed_over() -> None:
    asked = kernel(message(b"old", sequence=7), message(b"this"))
    assert asked.ask("cannot look", 18, b"") == b"this"


def test_only_the_kernel_is_believed() -> None:
    told: Any = kernel(message(b"forged"))
    told._socket.datagrams = [(message(b"forged"), 4711, 0), (message(b"true"), 0, 0)]
    assert told.ask("cannot look", 18, b"") == b"true"


def test_an_answer_that_was_cut_off_is_none() -> None:
    with pytest.raises(LinkError, match="cannot look: Message too long"):
        kernel(message(b"abcd"), flags=0x20).ask("cannot look", 18, b"")


def test_the_kernels_own_words_stand_beside_the_error() -> None:
    with pytest.raises(LinkError, match=r"^cannot look: Invalid argument \(so it is\)$") as caught:
        kernel(error(errno.EINVAL, text=b"so it is\0")).ask("cannot look", 18, b"")
    assert caught.value.code == errno.EINVAL


def test_a_list_that_changed_meanwhile_is_asked_for_again() -> None:
    changed = message(b"abcd", flags=0x10)
    asked = kernel(changed, DONE, message(b"abcd", sequence=2), message(bytes(4), 3, 2))
    assert asked.all("cannot look", 18, b"") == [b"abcd"]
    torn = [message(b"abcd", flags=0x10, sequence=n) + message(bytes(4), 3, n) for n in range(1, DUMPS_MAX + 1)]
    with pytest.raises(LinkError, match="cannot look: Resource temporarily unavailable"):
        kernel(*torn).all("cannot look", 18, b"")


def test_a_list_that_fails_at_its_end_is_refused() -> None:
    with pytest.raises(LinkError, match="cannot look: No such device"):
        kernel(message(b"abcd"), message(struct.pack("@i", -errno.ENODEV), 3)).all("cannot look", 18, b"")


def test_each_request_has_its_own_outcome() -> None:
    wish = Request("cannot", 20, b"", harmless=(errno.ENODEV,))
    asked = kernel(error(0), error(errno.ENODEV, 2), error(errno.EPERM, 3) + error(0, 4))
    done, absent, refused, last = asked.carry_out([wish] * 4)
    assert (done, absent, last) == (True, False, True)
    assert isinstance(refused, LinkError)
    assert refused.code == errno.EPERM


# With a kernel ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab() -> Iterator[tuple[Lab, str]]:
    with Lab() as made:
        name = made.namespace("host")
        made.ip(name, "link", "add", "c0", "type", "veth", "peer", "name", "c1")
        made.ip(name, "link", "set", "c0", "up")
        made.ip(name, "link", "set", "c1", "up")
        with made.inside(name):
            yield made, name


def shown(lab: Lab, name: str, *arguments: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(lab.ip(name, "-j", "-4", *arguments))
    return rows


@pytest.mark.namespaces
def test_all_interfaces_are_as_ip_has_them(lab: tuple[Lab, str]) -> None:
    here, name = lab
    for number in range(20):
        here.ip(
            name, "link", "add", f"d{number}", "mtu", str(1000 + number), "type", "veth", "peer", "name", f"e{number}"
        )
        here.address(name, f"d{number}", f"10.{number}.0.1/24")
        here.address(name, f"d{number}", f"10.{number}.1.1/25")
    with Kernel() as kernel:
        links = netlink.links(kernel)
    rows: list[dict[str, Any]] = json.loads(here.ip(name, "-j", "address"))
    expected = {
        row["ifname"]: LinkInfo(
            name=row["ifname"],
            index=row["ifindex"],
            mac=bytes.fromhex(row["address"].replace(":", "")),
            mtu=row["mtu"],
            up={"UP", "LOWER_UP"} <= set(row["flags"]),
            addresses=tuple(
                (parse_ip(each["local"]), each["prefixlen"]) for each in row["addr_info"] if each["family"] == "inet"
            ),
        )
        for row in rows
    }
    assert len(links) == 43
    assert links == expected
    assert {each: netlink.link(each) for each in links} == links


@pytest.mark.namespaces
def test_a_lease_is_put_with_all_its_routes_at_once(lab: tuple[Lab, str]) -> None:
    here, name = lab
    index = netlink.link("c0").index
    through_us = Route(parse_ip("10.99.0.0"), 16, HERE)
    many = [Route(parse_ip(f"10.{number}.0.0"), 16, ROUTER) for number in range(2 * REQUESTS_MAX)]
    wanted = [(route, 1000) for route in [Route(0, 0, ROUTER), Route(parse_ip("172.16.0.0"), 12), through_us, *many]]
    (problem,) = netlink.put_lease(index, HERE, 24, 600, wanted)
    assert str(problem) == "cannot set the route to 10.99.0.0/16: Invalid argument (Nexthop has invalid gateway)"
    (row,) = shown(here, name, "address", "show", "dev", "c0")
    (address,) = row["addr_info"]
    assert (address["local"], address["prefixlen"], address["broadcast"]) == ("192.168.1.5", 24, "192.168.1.255")
    assert (address["scope"], address["dynamic"], address["label"]) == ("global", True, "c0")
    assert 590 <= address["valid_life_time"] == address["preferred_life_time"] <= 600
    routes = shown(here, name, "route", "show", "proto", "dhcp")
    assert len(routes) == len(wanted) - 1
    assert routes[0] == {
        "dst": "default",
        "gateway": "192.168.1.1",
        "dev": "c0",
        "prefsrc": "192.168.1.5",
        "metric": 1000,
        "flags": ["onlink"],
    }
    assert {route["dst"] for route in routes[1:]} == {
        f"{ip_text(route.prefix)}/{route.width}" for route, _ in wanted[1:] if route != through_us
    }


@pytest.mark.namespaces
def test_a_lease_whose_address_cannot_be_put_is_refused(lab: tuple[Lab, str]) -> None:
    with pytest.raises(LinkError, match=r"cannot set address 192\.168\.1\.5/24: No such device"):
        netlink.put_lease(9999, HERE, 24, 600, [(Route(0, 0, ROUTER), 1)])
    assert shown(*lab, "route", "show") == []


@pytest.mark.namespaces
def test_an_mtu_is_set_or_refused(lab: tuple[Lab, str]) -> None:
    index = netlink.link("c0").index
    netlink.set_mtu(index, 1280)
    assert netlink.link("c0").mtu == 1280
    with pytest.raises(LinkError, match="cannot set an MTU of 1000000: "):
        netlink.set_mtu(index, 1_000_000)
    assert shown(*lab, "link", "show", "dev", "c0")[0]["mtu"] == 1280


@pytest.mark.namespaces
@pytest.mark.parametrize("name", ["", "nowhere", "a-name-of-sixteen", "c0\udcff", "c0:1"])
def test_a_name_that_no_interface_has_is_told(lab: tuple[Lab, str], name: str) -> None:
    assert shown(*lab, "link", "show", "dev", "c0")
    with pytest.raises(LinkError, match="No such device") as caught:
        netlink.link(name)
    assert caught.value.code == errno.ENODEV
