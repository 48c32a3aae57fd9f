"""A real link: relet's processes and others' on it, what passed, and what is left when it ends."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from relet.lab.spaces import LabError
from relet.testing import RealLink
from relet.testing.configuration import ServerPlan
from support.lab import lacking, need

pytestmark = pytest.mark.namespaces
QUICK = ("--conflict", "off")


@pytest.fixture
def link() -> Iterator[RealLink]:
    try:
        link = RealLink()
    except LabError as error:
        lacking(str(error))
        raise
    with link:
        yield link


def namespaces() -> set[str]:
    return set(subprocess.run([need("ip"), "netns", "list"], capture_output=True, text=True, check=True).stdout.split())


def test_relet_on_both_ends(link: RealLink) -> None:
    server = link.server(
        ServerPlan(address="10.9.0.1", pools=["10.9.0.100-10.9.0.109"], options={"routers": ["10.9.0.1"]}),
        leases={"10.9.0.100": "52:54:00:12:34:56"},
    )
    client = link.client(mac="52:54:00:00:00:07", arguments=QUICK)
    told = client.wait_for("bound")
    assert (told["address"], told["server"]) == ("10.9.0.101", "10.9.0.1")
    assert str(client.wait_for_address()) == "10.9.0.101/24"
    assert client.routes[0].startswith("default via 10.9.0.1 dev eth0")
    assert server.held == {"10.9.0.100": "mac 52:54:00:12:34:56", "10.9.0.101": "mac 52:54:00:00:00:07"}
    assert [(told.request, told.answer) for told in server.why(client.mac)] == [
        ("SELECTING", "ACK"),
        ("DISCOVER", "OFFER"),
    ]
    assert link.look().sent[:4] == [
        ("client-1", "DHCPDISCOVER"),
        ("server-1", "DHCPOFFER"),
        ("client-1", "DHCPREQUEST"),
        ("server-1", "DHCPACK"),
    ]
    times = [frame.at for frame in link.frames]
    assert times == sorted(times)
    client.stop()
    assert client.addresses == []
    client.start()
    client.wait_for("bound")
    assert server.why(client.mac)[0].reason == "confirmed"


def test_a_server_that_is_stopped_starts_again_with_its_leases(link: RealLink) -> None:
    server = link.server()
    link.client(arguments=QUICK).wait_for("bound")
    server.stop()
    assert server.why("52:54:00:00:00:07") == []
    assert list(server.held) == ["192.168.1.100"]
    server.start()
    link.wait_until((server.folder / "relet.sock").exists)
    assert list(server.held) == ["192.168.1.100"]


def test_somebody_elses_server_and_client(link: RealLink) -> None:
    command = [
        need("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--user=root", "--pid-file=", "--port=0", "--no-ping",
        "--dhcp-authoritative", "--dhcp-leasefile=/dev/null", "--dhcp-range=192.168.1.50,192.168.1.59,1h",
    ]  # fmt: skip
    link.server(command=command).process.line("DHCP, IP range")  # type: ignore[union-attr]
    client = link.client(command=[need("udhcpc"), "-f", "-q", "-i", "eth0", "-s", "/bin/true"])
    client.wait_for_line("lease of 192.168.1.5")
    assert {label for _, label in link.look().sent} >= {"DHCPDISCOVER", "DHCPOFFER", "DHCPREQUEST", "DHCPACK"}


def test_code_of_ones_own_has_sockets_on_a_host(link: RealLink) -> None:
    host = link.host("probe", address="192.168.1.9/24")
    assert [str(address) for address in host.addresses] == ["192.168.1.9/24"]
    code = "import socket; print([name for _, name in socket.if_nameindex()])"
    assert host.run(sys.executable, "-c", code).strip() == "['lo', 'eth0']"
    before = Path("/proc/thread-self/ns/net").readlink()
    with host.inside():
        assert Path("/proc/thread-self/ns/net").readlink() != before
    assert Path("/proc/thread-self/ns/net").readlink() == before


def test_the_report_has_the_exchange_and_the_last_words(link: RealLink) -> None:
    link.server()
    client = link.client(arguments=QUICK)
    client.wait_for("bound")
    heading, text = link.report()
    assert heading == "DHCP exchange"
    for word in ("client-1", "server-1", "DHCPACK", "because", 'client-1: {"event":"bound"'):
        assert word in text


def test_time_goes_by(link: RealLink) -> None:
    before = link.now
    link.run(0.1)
    assert link.now - before >= 0.1
    with pytest.raises(AssertionError, match="waited in vain"):
        link.wait_until(lambda: False, seconds=0.05)


def test_a_client_that_says_nothing_and_one_that_does_not_run(link: RealLink) -> None:
    client = link.client(command=["true"])
    with pytest.raises(AssertionError, match="no line with"):
        client.wait_for_line("anything", seconds=1)
    client.kill()
    with pytest.raises(AssertionError, match="client-1 does not run"):
        client.wait_for_line("anything")


def test_nothing_is_left_behind() -> None:
    before = namespaces()
    try:
        link = RealLink()
    except LabError as error:
        lacking(str(error))
        raise
    with link:
        process = link.server().process
        client = link.client().process
        assert {space.space for space in link.hosts} <= namespaces()
    assert process is not None
    assert client is not None
    assert (process.popen.poll() is not None, client.popen.poll() is not None) == (True, True)
    assert not {space.space for space in link.hosts} & namespaces()
    assert not link.lab.folder.exists()
    assert before is not None
