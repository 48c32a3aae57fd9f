"""`relet.lease`: programs with asyncio that hold a lease, each a process on a host of a real link, with relet's server."""

import json
import signal
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address
from textwrap import indent
from typing import Any

import pytest

from relet.testing.machines import RealHost, RealServer
from relet.testing.real import RealLink
from support.clock import set_wall_clock
from support.lab import Process, lacking, need

pytestmark = pytest.mark.namespaces

PROGRAM = """
import asyncio, json, signal
from pathlib import Path
import relet
from relet.client import Check, ClientSettings

QUICK = ClientSettings(mac=bytes(6), check_new=Check.OFF, check_again=Check.OFF)

def say(**said):
    print(json.dumps(said), flush=True)

async def main():
{body}

asyncio.run(main())
"""


@pytest.fixture
def link() -> Iterator[RealLink]:
    need("ip")
    try:
        link = RealLink()
    except Exception as error:
        lacking(str(error))
        raise
    with link:
        yield link


@pytest.fixture
def server(link: RealLink) -> RealServer:
    return link.server(
        pool="192.168.1.100-192.168.1.109",
        options={"routers": ["192.168.1.1"], "domain-name-servers": ["192.168.1.2", "192.168.1.3"]},
        lease_time="1h",
    )


def begin(host: RealHost, body: str) -> Process:
    """Start a program of which this is the main function."""
    return host.start(sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM.format(body=indent(body, "    ")))


def said(process: Process) -> dict[str, Any]:
    """What it says next."""
    line = process.line("{")
    return dict(json.loads(line))


def states(server: RealServer) -> dict[str, str]:
    return {str(row.address): row.state for row in server.leases}


@pytest.mark.usefixtures("server")
def test_a_lease_says_what_the_server_said_and_touches_nothing(link: RealLink) -> None:
    host = link.host("program")
    process = begin(
        host,
        """
async with relet.lease("eth0", settings=QUICK) as lease:
    say(interface=str(lease.interface), prefix=str(lease.prefix), routers=list(map(str, lease.routers)),
        dns=list(map(str, lease.dns)), server=str(lease.server), left=lease.expires - lease.terms.granted,
        mask=lease.options[1].hex(), address=str(lease.address))
    await asyncio.to_thread(input)
say(bye=True)
""",
    )
    assert said(process) == {
        "interface": "192.168.1.100/24",
        "prefix": "192.168.1.0/24",
        "routers": ["192.168.1.1"],
        "dns": ["192.168.1.2", "192.168.1.3"],
        "server": "192.168.1.1",
        "left": 3600.0,
        "mask": "ffffff00",
        "address": "192.168.1.100",
    }
    assert (host.addresses, host.routes) == ([], [])


def test_it_is_given_back_at_the_end(link: RealLink, server: RealServer) -> None:
    process = begin(link.host(), 'async with relet.lease("eth0", settings=QUICK) as lease: say(got=str(lease.address))')
    assert said(process) == {"got": "192.168.1.100"}
    assert process.wait() == 0, process.latest(20)
    assert states(server) == {"192.168.1.100": "released"}


def test_it_can_be_put_on_the_interface_and_is_taken_away(link: RealLink, server: RealServer) -> None:
    host = link.host()
    process = begin(
        host,
        """
async with relet.lease("eth0", configure=True, settings=QUICK):
    say(addresses=Path("/proc/net/fib_trie").read_text().count("192.168.1.100"),
        routes=Path("/proc/net/route").read_text().count("eth0"))
""",
    )
    inside = said(process)
    assert inside["addresses"] > 0
    assert inside["routes"] == 2
    assert process.wait() == 0, process.latest(20)
    assert (host.addresses, host.routes) == ([], [])
    assert states(server) == {"192.168.1.100": "released"}


@pytest.mark.usefixtures("server")
def test_its_name_servers_are_used_if_that_is_asked_for(link: RealLink) -> None:
    """In a mount namespace of its own, with a resolv.conf of its own and no /run of the machine's."""
    resolv_conf = link.lab.folder / "resolv.conf"
    resolv_conf.write_text("nameserver 10.0.0.1\n")
    mounts = 'mount --bind "$0" /etc/resolv.conf && mount -t tmpfs none /run && exec "$@"'
    body = """
for resolver in (False, True):
    async with relet.lease("eth0", configure=True, resolver=resolver, settings=QUICK) as lease:
        while resolver and "10.0.0.1" in Path("/etc/resolv.conf").read_text():
            await asyncio.sleep(0.01)
        say(resolver=resolver, inside=Path("/etc/resolv.conf").read_text().split())
    say(after=Path("/etc/resolv.conf").read_text().split())
"""
    program = (sys.executable, "-c", PROGRAM.format(body=indent(body, "    ")))
    process = link.host().start(need("unshare"), "--mount", "sh", "-c", mounts, resolv_conf, *program)
    assert said(process) == {"resolver": False, "inside": ["nameserver", "10.0.0.1"]}
    assert said(process) == {"after": ["nameserver", "10.0.0.1"]}
    inside = said(process)["inside"]
    assert [word for word in inside if word.startswith("192.168.1.")] == ["192.168.1.2", "192.168.1.3"]
    assert said(process) == {"after": ["nameserver", "10.0.0.1"]}
    assert process.wait() == 0, process.latest(20)


def test_it_is_kept_and_asked_for_the_next_time(link: RealLink, server: RealServer) -> None:
    host = link.host()
    file = link.lab.folder / "kept.lease"
    body = f"""
async with relet.lease("eth0", release=False, lease_file=Path({str(file)!r}), settings=QUICK) as lease:
    say(got=str(lease.address))
"""
    for _ in range(2):
        process = begin(host, body)
        assert said(process) == {"got": "192.168.1.100"}
        assert process.wait() == 0, process.latest(20)
        assert file.exists()
    assert states(server) == {"192.168.1.100": "bound"}
    newest = server.why(host.mac)[0]
    assert (newest.request, newest.answer) == ("INIT-REBOOT", "ACK")


def test_nobody_answers(link: RealLink) -> None:
    process = begin(
        link.host(),
        """
try:
    async with relet.lease("eth0", timeout=0.5, settings=QUICK):
        say(wrong=True)
except TimeoutError as error:
    say(kind=type(error).__name__, text=str(error))
""",
    )
    assert said(process) == {"kind": "LeaseTimeoutError", "text": "no address after 0.5 s"}
    assert process.wait() == 0, process.latest(20)


def test_it_is_renewed_though_the_kernel_does_not_know_the_address(link: RealLink, server: RealServer) -> None:
    """The server has to find it by ARP, and the unicast answer is heard."""
    process = begin(
        link.host(),
        """
go = asyncio.Event()
asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, go.set)
async with relet.lease("eth0", settings=QUICK) as lease:
    before = lease.expires
    say(got=str(lease.address))
    await go.wait()
    lease.renew()
    terms = await lease.changed()
    say(later=terms.expires > before, same=terms is not None and terms == lease.terms)
""",
    )
    assert said(process) == {"got": "192.168.1.100"}
    server.run(need("ip"), "neighbour", "flush", "dev", "eth0")
    process.signal(signal.SIGUSR1)
    assert said(process) == {"later": True, "same": True}
    assert process.wait() == 0, process.latest(20)
    labels = link.look().sent
    asked = labels.index(("server-1", "ARP request"))
    assert labels.index(("host-1", "ARP reply"), asked) < labels.index(("server-1", "DHCPACK"), asked)
    assert [message.ciaddr for message in link.messages("DHCPREQUEST")] == [0, int(IPv4Address("192.168.1.100"))]


@pytest.mark.usefixtures("server")
def test_what_happens_can_be_iterated(link: RealLink) -> None:
    process = begin(
        link.host(),
        """
async with relet.lease("eth0", settings=QUICK) as lease:
    async def watch():
        return [told.event async for told in lease]
    watching = asyncio.ensure_future(watch())
    await asyncio.sleep(0)
say(events=await watching)
""",
    )
    events = said(process)["events"]
    assert [event for event in events if event in ("selecting", "requesting", "bound", "unbound")] == [
        "selecting",
        "requesting",
        "bound",
        "unbound",
    ]
    assert process.wait() == 0, process.latest(20)


@pytest.mark.usefixtures("server")
def test_the_lease_is_lost_with_the_link_and_comes_again(link: RealLink) -> None:
    host = link.host()
    process = begin(
        host,
        """
async with relet.lease("eth0", settings=QUICK) as lease:
    say(got=str(lease.address))
    gone = await lease.changed()
    try:
        lease.address
    except relet.LeaseError as error:
        say(gone=gone, text=str(error))
    say(again=str((await lease.changed()).address))
""",
    )
    assert said(process) == {"got": "192.168.1.100"}
    host.run(need("ip"), "link", "set", "eth0", "down")
    assert said(process) == {"gone": None, "text": "eth0 has no address now"}
    host.run(need("ip"), "link", "set", "eth0", "up")
    assert said(process) == {"again": "192.168.1.100"}
    assert process.wait() == 0, process.latest(20)


@pytest.mark.parametrize("moment", ["0.3", "None"], ids=["while it waits for an address", "while it has one"])
def test_it_is_cancelled_cleanly(link: RealLink, moment: str) -> None:
    """Nothing stays behind: the same program takes another one on the same interface."""
    process = begin(
        link.host(),
        f"""
inside = asyncio.Event()
async def hold():
    async with relet.lease("eth0", settings=QUICK):
        inside.set()
        await asyncio.sleep(1000)
holding = asyncio.ensure_future(hold())
say(begun=True)
await (asyncio.sleep({moment}) if {moment} else inside.wait())
holding.cancel()
try:
    await holding
except asyncio.CancelledError:
    say(cancelled=True)
say(tasks=len(asyncio.all_tasks()))
async with relet.lease("eth0", settings=QUICK) as lease:
    say(got=str(lease.address))
""",
    )
    said(process)
    server = link.server() if moment == "None" else None
    assert said(process) == {"cancelled": True}
    assert said(process) == {"tasks": 1}
    server = server or link.server()
    assert said(process) == {"got": "192.168.1.100"}
    assert process.wait() == 0, process.latest(20)
    assert states(server) == {"192.168.1.100": "released"}


@pytest.mark.usefixtures("server")
def test_two_leases_of_one_interface_are_refused(link: RealLink) -> None:
    process = begin(
        link.host(),
        """
async with relet.lease("eth0", settings=QUICK):
    try:
        async with relet.lease("eth0", settings=QUICK):
            say(wrong=True)
    except relet.LeaseError as error:
        say(text=str(error))
""",
    )
    assert "another client runs on this interface, end it first" in said(process)["text"]
    assert process.wait() == 0, process.latest(20)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('relet.lease("eth9", timeout=0.2)', "there is no interface eth9, and so no address after 0.2 s"),
        ('relet.lease("lo", timeout=0.2)', "lo is not an Ethernet interface"),
        ('relet.lease("eth0", timeout=0)', "timeout 0 is no time to wait; give seconds, or None to wait for ever"),
    ],
)
def test_what_cannot_be_is_said(link: RealLink, call: str, text: str) -> None:
    process = begin(
        link.host(),
        f"""
try:
    async with {call}:
        say(wrong=True)
except (relet.LeaseError, ValueError) as error:
    say(text=str(error))
""",
    )
    assert said(process) == {"text": text}
    assert process.wait() == 0, process.latest(20)


def test_an_interface_that_cannot_be_configured_ends_it(link: RealLink) -> None:
    body = """
try:
    async with relet.lease("eth0", configure=True, settings=QUICK):
        say(wrong=True)
except relet.LeaseError as error:
    say(text=str(error), late=isinstance(error, TimeoutError))
"""
    program = (sys.executable, "-c", PROGRAM.format(body=indent(body, "    ")))
    process = link.host().start(need("setpriv"), "--bounding-set=-net_admin", "--inh-caps=-net_admin", *program)
    told = said(process)
    assert "a client with NET_ADMIN too" in told["text"]
    assert told["late"] is False
    assert process.wait() == 0, process.latest(20)


def test_a_machine_that_slept_asks_whether_the_address_is_still_its_own(link: RealLink, server: RealServer) -> None:
    """Slept, as far as the clocks tell; what the kernel says of it when a machine wakes is that the clock was set."""
    process = begin(
        link.host(),
        """
from relet.net import clock
naps = []
clock.asleep = lambda: 3600.0 * len(naps)
async with relet.lease("eth0", settings=QUICK) as lease:
    naps.append(1)
    before = lease.expires
    say(got=str(lease.address))
    terms = await lease.changed()
    say(confirmed=str(terms.address), later=terms.expires > before)
""",
    )
    assert said(process) == {"got": "192.168.1.100"}
    set_wall_clock()
    assert said(process) == {"confirmed": "192.168.1.100", "later": True}
    assert process.wait() == 0, process.latest(20)
    assert [told.reason for told in server.why(link.hosts[-1].mac)][:2] == ["released", "confirmed"]


@pytest.mark.usefixtures("server")
def test_a_bug_of_ours_costs_the_lease_and_is_told(link: RealLink) -> None:
    """The program goes on, and who waits for the lease hears of it; so does the loop, in case that nobody waits."""
    process = begin(
        link.host(),
        """
from relet.run.acquire import Acquire
heard = []
asyncio.get_running_loop().set_exception_handler(lambda loop, context: heard.append(repr(context["exception"])))
async with relet.lease("eth0", settings=QUICK) as lease:
    def broken(self, events):
        raise ZeroDivisionError("a bug")
    right, Acquire.on = Acquire.on, broken
    lease.renew()
    try:
        await lease.changed()
    except relet.LeaseError as error:
        say(text=str(error), heard=heard)
Acquire.on = right
async with relet.lease("eth0", settings=QUICK) as lease:
    say(again=str(lease.address))
""",
    )
    assert said(process) == {
        "text": "relet has a bug: ZeroDivisionError('a bug')",
        "heard": ["ZeroDivisionError('a bug')"],
    }
    assert said(process) == {"again": "192.168.1.100"}
    assert process.wait() == 0, process.latest(20)


def test_without_rights_it_says_which_are_needed(link: RealLink) -> None:
    host = link.host()
    body = indent(
        """
try:
    async with relet.lease("eth0", settings=QUICK):
        say(wrong=True)
except relet.LeaseError as error:
    say(text=str(error))
""",
        "    ",
    )
    process = host.start(need("setpriv"), "--bounding-set=-all", "--inh-caps=-all", "--reuid=nobody", "--clear-groups",
                         sys.executable, "-c", PROGRAM.format(body=body))  # fmt: skip
    assert "run it as root, or with the capabilities NET_RAW and NET_BIND_SERVICE" in said(process)["text"]
    assert process.wait() == 0, process.latest(20)
