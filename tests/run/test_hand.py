"""The client's two processes: the one that hears the network has no rights, and the other one does its errands alone."""

import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from msgspec.structs import replace

from relet.model.effects import Binding, Remembered
from relet.net.link import Route
from relet.run.errands import MAX_OCTETS, Attach, Attached, Done, Keep, Prepare, Put, Refused, RunHook, Take
from relet.run.memory import Recall
from relet.run.orders import Orders
from relet.run.plan import Plan
from relet.run.remote import Channel, HandLostError
from relet.run.servant import divide
from relet.wire.address import parse_ip
from support.lab import RELET, Lab, Process, lacking, until
from support.private import PrivateHost
from support.serving import Serve, office

pytestmark = pytest.mark.namespaces

NOBODY = "65534"
PLAN = Plan(parse_ip("192.168.1.5"), 24, (Route(0, 0, parse_ip("192.168.1.1")),))
LEASE = Binding(parse_ip("192.168.1.5"), parse_ip("192.168.1.1"), 1_700_000_000.0, 3600, 1800, 3150)


@pytest.fixture
def lab() -> Iterator[Lab]:
    if os.geteuid():
        lacking("root")
    with Lab() as made:
        yield made


# The process with the rights, asked by whoever has taken over the other one ---------------------------------------------


class Host(NamedTuple):
    """A host with interfaces c0 and c1, and a hand for c0 alone."""

    lab: Lab
    name: str
    channel: Channel
    cleared: Path

    def ask(self, errand: object) -> object:
        self.channel.ask(errand)  # type: ignore[arg-type]
        reply, descriptors = self.channel.answer()
        for each in descriptors:
            os.close(each)
        return reply.answer

    def refused(self, errand: object) -> str:
        answer = self.ask(errand)
        assert isinstance(answer, Refused), answer
        return answer.text


@pytest.fixture
def host(lab: Lab) -> Iterator[Host]:
    name, other = lab.namespace("host"), lab.namespace("other")
    lab.cable(name, "c0", other, "s0")
    lab.cable(name, "c1", other, "s1")
    hook = lab.folder / "hook"
    hook.write_text(f"#!/bin/sh\necho $RELET_REASON $PATH $LD_PRELOAD >> {lab.folder}/ran\n")
    hook.chmod(0o755)
    orders = Orders(Recall(lab.folder / "leases" / "c0.lease", take_over=False), hook=(str(hook),), resolver=False)
    cleared = lab.folder / "cleared"
    with lab.inside(name):
        channel = divide({"c0": orders}, cleared.touch, None)
        made = Host(lab, name, channel, cleared)
        assert isinstance(made.ask(Attach("c0")), Attached)
        yield made
        channel.close()


def test_the_hand_does_what_a_client_asks(host: Host) -> None:
    assert host.ask(Prepare("c0", (PLAN,))) == host.ask(Prepare("c0", ()))
    assert host.ask(Put("c0", PLAN)) == Done()
    assert host.lab.addresses(host.name, "c0") == ["192.168.1.5/24"]
    assert host.ask(Keep("c0", (Remembered(LEASE),))) == Done()
    assert "192.168.1.5" in (host.lab.folder / "leases" / "c0.lease").read_text()
    assert host.ask(Take("c0", PLAN, False)) == Done()
    assert host.lab.addresses(host.name, "c0") == []
    assert host.ask(Keep("c0", ())) == Done()
    assert list((host.lab.folder / "leases").iterdir()) == []


def test_another_interface_is_refused_and_stays_as_it_is(host: Host) -> None:
    host.lab.address(host.name, "c1", "10.0.0.1/8")
    before = host.lab.ip(host.name, "address", "show", "dev", "c1")
    for errand in (Attach("c1"), Prepare("c1", ()), Put("c1", PLAN), Take("c1", PLAN, False), Keep("c1", ())):
        assert host.refused(errand) == "refused: the client has nothing to do with c1"
    assert "nothing to do with ../c0" in host.refused(Keep("../c0", (Remembered(LEASE),)))
    assert host.lab.ip(host.name, "address", "show", "dev", "c1") == before
    assert not (host.lab.folder / "c0").exists()


def test_what_no_client_asks_is_refused(host: Host) -> None:
    assert "no host" in host.refused(Put("c0", replace(PLAN, address=parse_ip("127.0.0.1"))))
    assert "no hook runs" in host.refused(RunHook("c0", "--help", {}))
    for variable in ("PATH", "LD_PRELOAD", "BASH_ENV"):
        assert "no variable" in host.refused(RunHook("c0", "bound", {variable: "/tmp/evil"}))
    assert "Expected `array` of length <= 16" in host.refused(Keep("c0", (Remembered(LEASE),) * 17))
    assert host.lab.addresses(host.name, "c0") == []
    assert not (host.lab.folder / "ran").exists()


def test_the_hook_is_the_operators_and_no_other(host: Host) -> None:
    assert host.ask(RunHook("c0", "bound", {"RELET_REASON": "bound"})) == Done()
    ran = host.lab.folder / "ran"
    until(lambda: ran.exists() and ran.read_text() != "")
    assert ran.read_text() == f"bound {os.environ['PATH']}\n"


class Shell(msgspec.Struct, tag=True):
    """An errand that there is not."""

    interface: str
    command: str


@pytest.mark.parametrize(
    "octets", [b"\0", b"\x81", b"\xc1" * 100, b"\x80", msgspec.msgpack.encode(Shell("c0", "reboot"))]
)
def test_what_is_no_errand_is_refused(host: Host, octets: bytes) -> None:
    raw = socket.socket(fileno=os.dup(host.channel.fileno()))
    raw.send(octets)
    reply, _ = host.channel.answer()
    assert isinstance(reply.answer, Refused)
    assert reply.answer.text.startswith("refused: ")
    raw.send(bytes(MAX_OCTETS + 1))
    reply, _ = host.channel.answer()
    assert reply.answer == Refused("machine", "refused: too long")
    raw.close()
    assert host.ask(Put("c0", PLAN)) == Done()


def test_it_ends_with_the_channel_and_clears_up_if_told_to(host: Host) -> None:
    host.channel.close()
    assert host.cleared.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(host.channel.pid, 0)


def test_without_a_farewell_nothing_is_cleared_up(host: Host) -> None:
    channel = host.channel
    dead = socket.socket(fileno=os.dup(channel.fileno()))
    dead.shutdown(socket.SHUT_RDWR)
    os.waitid(os.P_PID, channel.pid, os.WEXITED | os.WNOWAIT)
    assert not host.cleared.exists()
    with pytest.raises(HandLostError, match=r"is gone|cannot be asked"):
        host.ask(Put("c0", PLAN))
    dead.close()


def test_what_a_client_asked_for_before_it_was_killed_is_not_done(host: Host) -> None:
    os.kill(host.channel.pid, signal.SIGSTOP)
    host.channel.ask(Put("c0", PLAN))
    dead = socket.socket(fileno=os.dup(host.channel.fileno()))
    dead.shutdown(socket.SHUT_RDWR)
    os.kill(host.channel.pid, signal.SIGCONT)
    os.waitid(os.P_PID, host.channel.pid, os.WEXITED | os.WNOWAIT)
    assert host.lab.addresses(host.name, "c0") == []
    dead.close()


# A whole client -----------------------------------------------------------------------------------------------------------


class Office(NamedTuple):
    """A server on s0, and a client's host in front of it."""

    lab: Lab
    name: str
    server: Process

    @property
    def lease_file(self) -> Path:
        return self.lab.folder / "leases" / "c0.lease"

    def start(self, *more: str | Path) -> Process:
        return self.lab.relet(
            self.name, "client", "c0", "--lease-file", self.lease_file, "--json", "--conflict", "off", *more
        )

    def hook(self) -> Path:
        hook = self.lab.folder / "hook"
        hook.write_text(f"#!/bin/sh\necho $RELET_REASON $(id -u) >> {self.lab.folder}/ran\n")
        hook.chmod(0o755)
        return hook

    def addresses(self) -> list[str]:
        return self.lab.addresses(self.name, "c0")


@pytest.fixture
def place(lab: Lab) -> Office:
    server, name = lab.namespace("server"), lab.namespace("host")
    lab.cable(server, "s0", name, "c0")
    lab.address(server, "s0", "192.168.1.1/24")
    return Office(lab, name, Serve(lab, server, office()).process)


def event(process: Process, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(process.line(f'"event":"{name}"'))
    return told


def status(pid: int) -> dict[str, str]:
    """What the kernel says of a process: proc_pid_status(5)."""
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (row.partition(":") for row in rows)}


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_client_has_no_rights_and_does_all_that_it_should(place: Office) -> None:
    client = place.start("--hook", place.hook())
    assert event(client, "bound")["cause"] == "bound"
    found = status(client.pid)
    assert found["Uid"].split() == found["Gid"].split() == [NOBODY] * 4
    assert {found[name].strip("0") for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {""}
    assert (found["NoNewPrivs"], found["Groups"]) == ("1", NOBODY)
    (hand,) = children(client.pid)
    assert (status(hand)["Uid"].split()[0], status(hand)["Name"]) == ("0", "relet-hand")
    file = place.lease_file
    written = file.stat()
    assert written.st_uid == 0
    client.signal(signal.SIGUSR1)
    assert event(client, "bound")["cause"] == "renew"
    assert file.stat().st_mtime_ns > written.st_mtime_ns
    place.lab.ip(place.name, "link", "set", "c0", "down")
    event(client, "unbound")
    place.lab.ip(place.name, "link", "set", "c0", "up")
    # The server is the network's gateway too, and may answer as such first (RFC 4436).
    until(lambda: event(client, "bound")["cause"] == "reboot")
    client.line("hook for reboot ended with exit code 0")  # a client that ends leaves out those that wait
    client.signal(signal.SIGUSR2)
    assert event(client, "unbound")["cause"] == "release"
    assert client.wait() == 0
    assert place.addresses() == []
    assert not file.exists()
    ran = [line for line in (place.lab.folder / "ran").read_text().splitlines() if line != "network 0"]
    assert ran == [f"{reason} 0" for reason in ("bound", "renew", "link-down", "reboot", "release")]
    assert not Path(f"/proc/{hand}").exists()


def test_an_interface_that_comes_again_needs_no_rights(place: Office) -> None:
    client = place.start()
    event(client, "bound")
    place.lab.ip(place.name, "link", "set", "c0", "address", "02:00:00:00:00:99")
    event(client, "interface-lost")
    event(client, "bound")
    assert len(place.addresses()) == 1
    assert status(client.pid)["CapEff"].strip("0") == ""


def test_without_its_hand_the_client_ends(place: Office) -> None:
    client = place.start()
    event(client, "bound")
    (hand,) = children(client.pid)
    os.kill(hand, signal.SIGKILL)
    assert "the process with the rights is gone" in str(event(client, "failed")["text"])
    assert client.wait() == 3
    assert len(place.addresses()) == 1


def test_a_client_that_is_killed_takes_its_hand_along_and_leaves_its_address(place: Office) -> None:
    client = place.start()
    event(client, "bound")
    (hand,) = children(client.pid)
    client.kill()
    until(lambda: not Path(f"/proc/{hand}").exists() or status(hand)["State"].startswith("Z"))
    assert len(place.addresses()) == 1
    again = place.start()
    assert event(again, "bound")["cause"] in ("network", "reboot")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_for_all_processes_is_the_clients_to_obey(place: Office, number: signal.Signals) -> None:
    client = place.start()
    event(client, "bound")
    for pid in (*children(client.pid), client.pid):
        os.kill(pid, number)
    assert event(client, "unbound")["cause"] == "stop"
    assert client.wait() == 0
    assert place.addresses() == []


def test_who_is_to_stay_root_needs_no_other_process(place: Office) -> None:
    client = place.start("--user", "root")
    event(client, "bound")
    assert children(client.pid) == []
    assert status(client.pid)["Uid"].split()[0] == "0"


def test_a_user_that_there_is_not_is_named(place: Office) -> None:
    client = place.start("--user", "no-such-user")
    client.line("there is no user 'no-such-user'; make it, or name another")
    assert client.wait() == 3


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_the_end_waits_for_a_program_of_which_nothing_is_told(lab: Lab, user: str) -> None:
    server, name = lab.namespace("server"), lab.namespace("host")
    lab.cable(server, "s0", name, "c0")
    lab.address(server, "s0", "192.168.1.1/24")
    with_servers = 'domain-name = "example.org", domain-name-servers = ["192.168.1.1"]'
    Serve(lab, server, office().replace('domain-name = "example.org"', with_servers))
    ran, fake = lab.folder / "ran", lab.folder / "resolvconf"
    fake.write_text(f"#!/bin/sh\nsleep 0.1\necho $1 $2 >> {ran}\n")
    fake.chmod(0o755)
    before = f"mount -t tmpfs none /usr/local/sbin && cp {fake} /usr/local/sbin"
    common = ("c0", "--lease-file", lab.folder / "lease", "--json", "--conflict", "off", "--user", user)
    client = PrivateHost(lab, name).relet("client", *common, before=before)
    event(client, "bound")
    client.signal(signal.SIGTERM)
    event(client, "unbound")
    assert client.wait() == 0
    assert ran.read_text() == "-a c0.relet\n-d c0.relet\n"
    assert client.popen.stdout is not None
    assert client.popen.stdout.read() == ""


def test_the_root_of_a_user_namespace_is_nobody_elsewhere_and_stays_what_it_is(lab: Lab) -> None:
    script = 'ip link add c0 type veth peer name s0 && ip link set s0 up && exec "$@"'
    within = ("unshare", "--user", "--map-root-user", "--net", "sh", "-c", script, "sh")
    command = (*RELET, "client", "c0", "--json", "--lease-file", lab.folder / "lease", "--sockets", lab.folder)
    lab.folder.chmod(0o777)
    client = lab.start(lab.namespace("host"), *within, *command, "--no-resolver")
    event(client, "selecting")
    assert children(client.pid) == []


TURNED = """
import sys, time
from pathlib import Path
turned, wall = Path(sys.argv.pop(1)), time.time
time.time = lambda: wall() + (float(turned.read_text()) if turned.exists() else 0.0)
from relet.cli.main import main
main()
"""
"""A client on a machine whose wall clock has been set by as many seconds as stand in a file."""


def test_a_wall_clock_that_was_set_is_set_in_the_lease_file_too(place: Office) -> None:
    turned = place.lab.folder / "turned"
    command = (sys.executable, "-c", TURNED, turned, "client", "c0", "--lease-file", place.lease_file, "--json")
    # As another user it could not read that file.
    client = place.lab.start(place.name, *command, "--conflict", "off", "--user", "root")
    event(client, "bound")
    before = place.lease_file.read_text()
    place.server.signal(signal.SIGSTOP)  # or the lease would be another one at once
    turned.with_suffix(".new").write_text("-1e9")
    turned.with_suffix(".new").rename(turned)
    client.signal(signal.SIGUSR1)
    assert "was set back by" in str(event(client, "clock-set")["text"])
    event(client, "renewing")
    asked = [float(found) for found in re.findall(r'"requested_at": *([0-9.]+)', before + place.lease_file.read_text())]
    assert asked[1] - asked[0] == pytest.approx(-1e9, abs=0.001)
    place.server.signal(signal.SIGCONT)
    told = event(client, "bound")
    assert told["cause"] == "renew"
    assert float(str(told["expires"])) == pytest.approx(time.time() - 1e9 + 3600, abs=60)
