"""The monitor hears of interfaces what a real kernel says, and understands no more than it should."""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from relet.net import netlink
from relet.net.link import LinkInfo
from relet.net.monitor import LinkMonitor, Notice, Taken, heard, lost
from support.lab import Lab, gather, need, until


class Host(NamedTuple):
    """A namespace with an interface c0, whose other end is s0 in another; the test's thread is inside."""

    lab: Lab
    name: str
    other: str
    link: LinkInfo


@pytest.fixture
def host() -> Iterator[Host]:
    with Lab() as lab:
        name, other = lab.namespace("host"), lab.namespace("other")
        lab.cable(name, "c0", other, "s0")
        with lab.inside(name):
            yield Host(lab, name, other, netlink.link("c0"))


@pytest.fixture
def monitor(host: Host) -> Iterator[LinkMonitor]:
    assert host.link.up
    monitor = LinkMonitor(("c0", "late0"))
    yield monitor
    monitor.close()


def told(notices: Sequence[Notice | Taken]) -> list[tuple[str, bool | None]]:
    """Names, and whether the link is up; None for gone."""
    return [(each.name, each.link.up if each.link else None) for each in notices if isinstance(each, Notice)]


@pytest.mark.namespaces
def test_the_monitor_hears_the_link_go_and_come(host: Host, monitor: LinkMonitor) -> None:
    link = monitor.links["c0"]
    assert link is not None
    assert (link.up, link.mac, monitor.links["late0"]) == (True, host.link.mac, None)
    assert monitor.receive() == []
    host.lab.ip(host.other, "link", "set", "s0", "down")
    assert told(gather(monitor.receive, 1)) == [("c0", False)]
    host.lab.ip(host.other, "link", "set", "s0", "up")
    assert told(gather(monitor.receive, 1)) == [("c0", True)]
    host.lab.ip(host.name, "link", "add", "other0", "type", "veth", "peer", "name", "other1")
    host.lab.ip(host.name, "link", "del", "c0")
    assert told(gather(monitor.receive, 2)) == [("c0", False), ("c0", None)]


@pytest.mark.namespaces
def test_a_link_that_went_and_came_in_one_moment_gives_both(host: Host, monitor: LinkMonitor) -> None:
    host.lab.ip(host.name, "link", "set", "c0", "down")
    host.lab.ip(host.name, "link", "set", "c0", "up")
    assert told(gather(monitor.receive, 2)) == [("c0", False), ("c0", True)]


@pytest.mark.namespaces
def test_a_monitor_begins_with_the_link_as_it_is(host: Host) -> None:
    host.lab.ip(host.name, "link", "set", "c0", "down")
    monitor = LinkMonitor(["c0"])
    assert told([Notice("c0", monitor.links["c0"])]) == [("c0", False)]
    assert monitor.receive() == []
    monitor.close()


@pytest.mark.namespaces
def test_an_interface_that_comes_is_told_of_as_the_kernel_knows_it(host: Host, monitor: LinkMonitor) -> None:
    host.lab.cable(host.name, "late0", host.other, "s1")
    seen: list[Notice | Taken] = []

    def up() -> bool:
        seen.extend(monitor.receive())
        return any(isinstance(notice, Notice) and notice.link and notice.link.up for notice in seen)

    until(up)
    known = netlink.link("late0")
    assert {
        (each.name, each.link.index, each.link.mac, each.link.mtu)
        for each in seen
        if isinstance(each, Notice) and each.link
    } == {("late0", known.index, known.mac, known.mtu)}


@pytest.mark.namespaces
def test_a_namesake_is_another_interface(host: Host, monitor: LinkMonitor) -> None:
    host.lab.ip(host.name, "link", "del", "c0")
    host.lab.cable(host.name, "c0", host.other, "s0")
    gather(monitor.receive, 3)
    link = monitor.links["c0"]
    assert link is not None
    assert link.index != host.link.index


@pytest.mark.namespaces
def test_an_interface_that_is_renamed_is_gone_under_its_old_name(host: Host, monitor: LinkMonitor) -> None:
    host.lab.ip(host.name, "link", "set", "c0", "down")
    host.lab.ip(host.name, "link", "set", "c0", "name", "late0")
    assert told(gather(monitor.receive, 3)) == [("c0", False), ("c0", None), ("late0", False)]


@pytest.mark.namespaces
def test_another_hardware_address_is_noticed(host: Host, monitor: LinkMonitor) -> None:
    host.lab.ip(host.name, "link", "set", "c0", "address", "02:00:00:00:00:99")
    (notice,) = gather(monitor.receive, 1)
    assert isinstance(notice, Notice)
    assert notice.link is not None
    assert notice.link.mac == bytes.fromhex("020000000099")


@pytest.mark.namespaces
def test_a_port_that_leaves_its_bridge_is_still_there(host: Host) -> None:
    host.lab.ip(host.name, "link", "add", "b0", "type", "bridge")
    host.lab.ip(host.name, "link", "set", "c0", "master", "b0")
    monitor = LinkMonitor(["c0"])
    host.lab.ip(host.name, "link", "set", "c0", "nomaster")
    assert monitor.receive() == []
    monitor.close()


@pytest.mark.namespaces
def test_what_is_taken_off_an_interface_is_heard_and_nothing_of_others(host: Host, monitor: LinkMonitor) -> None:
    lab, name = host.lab, host.name
    lab.address(name, "c0", "192.168.1.5/24")
    lab.address(name, "lo", "10.0.0.1/8")
    lab.ip(name, "route", "add", "default", "via", "192.168.1.1", "metric", "1007", "proto", "dhcp")
    lab.ip(name, "route", "add", "172.16.0.0/12", "via", "192.168.1.1")
    assert monitor.receive() == []
    lab.ip(name, "route", "del", "172.16.0.0/12")
    lab.ip(name, "route", "del", "default")
    assert gather(monitor.receive, 1) == [Taken("c0", (0, 0, 1007))]
    lab.ip(name, "address", "del", "10.0.0.1/8", "dev", "lo")
    lab.ip(name, "address", "del", "192.168.1.5/24", "dev", "c0")
    assert gather(monitor.receive, 1) == [Taken("c0")]


@pytest.mark.namespaces
def test_notices_that_were_lost_are_asked_for(host: Host, monitor: LinkMonitor) -> None:
    host.lab.ip(host.other, "link", "set", "s0", "down")
    many = host.lab.folder / "many"
    many.write_text("".join(f"link set lo mtu {mtu}\n" for mtu in range(10000, 10600)))
    host.lab.run(host.name, need("ip"), "-batch", many)
    host.lab.ip(host.name, "link", "del", "c0")
    until(lambda: monitor.receive() == [] and monitor.links["c0"] is None)


def notice(kind: int, index: int, flags: int, family: int = 0, name: str = "c0") -> bytes:
    parts = [(1, b"\2\0\0\0\0\7"), (4, struct.pack("@I", 1500)), (3, name.encode() + b"\0")]
    if not name:
        del parts[1:]
    attributes = b"".join(
        struct.pack("@HH", 4 + len(octets), what) + octets + bytes(-len(octets) % 4) for what, octets in parts
    )
    body = struct.pack("@BxHiII", family, 1, index, flags, 0) + attributes
    return struct.pack("@IHHII", 16 + len(body), kind, 0, 0, 0) + body


UP = 0x1 | 0x40
LINK = LinkInfo("c0", 7, bytes.fromhex("020000000007"), 1500, True)


def test_notices_are_read_one_after_the_other() -> None:
    octets = notice(16, 7, UP) + notice(16, 8, 0, name="c1") + notice(20, 7, UP) + notice(17, 7, UP)
    other = LinkInfo("c1", 8, LINK.mac, 1500, False)
    assert list(heard(octets)) == [(LINK, True), (other, True), (LINK, False)]


def test_what_a_bridge_says_of_its_port_says_nothing_of_the_link() -> None:
    assert list(heard(notice(17, 7, UP, family=7) + notice(16, 7, UP))) == [(LINK, True)]


def test_what_has_no_name_says_nothing() -> None:
    assert list(heard(notice(16, 7, UP, name=""))) == []


@pytest.mark.parametrize("octets", [b"", b"\0" * 16, notice(16, 7, UP)[:-1], struct.pack("@IHHII", 16, 16, 0, 0, 0)])
def test_broken_notices_say_nothing(octets: bytes) -> None:
    assert list(heard(octets)) == []


@pytest.mark.parametrize("kind", [21, 25])
@pytest.mark.parametrize(
    "body", [b"", b"\2", b"\2" + bytes(10), b"\2\0\0\0\xfe\x10" + bytes(6) + b"\6\0\1\0\1\1", b"\xff" * 40]
)
def test_broken_notices_of_what_is_gone_say_no_more_than_they_have(kind: int, body: bytes) -> None:
    told = list(lost(struct.pack("@IHHII", 16 + len(body), kind, 0, 0, 0) + body))
    assert told == [] or len(body) >= 8
