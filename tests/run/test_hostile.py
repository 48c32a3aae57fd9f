"""A hostile server and a real machine: nothing that it says is run, shown or written where it could do harm, and no address
but a leased one is ever on the interface.

The server is tests/support/hostile.py; what the machine of states makes of such servers is in tests/client/test_hostile.py.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.texts import Text
from support import hostile
from support.hostile import Answer, Script
from support.lab import RELET, Lab, Process, need, until

pytestmark = pytest.mark.namespaces

MASK = {1: "ffffff00"}
ROUTER = {3: parse_ip("192.168.1.1").to_bytes(4).hex()}
GOOD = Answer("OFFER", options=MASK | ROUTER), Answer("ACK", options=MASK | ROUTER)


class Siege:
    """A host with an interface c0, at whose other end a hostile server serves, and a resolv.conf of its own."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.host, self.other = lab.namespace("host"), lab.namespace("other")
        lab.cable(self.host, "c0", self.other, "s0")
        lab.address(self.other, "s0", "192.168.1.1/24")
        self.lease_file, self.resolv_conf = lab.folder / "c0.lease", lab.folder / "resolv.conf"
        self.resolv_conf.write_text("nameserver 192.0.2.53\n")

    def serve(self, discover: list[tuple[Answer, ...]], request: list[tuple[Answer, ...]]) -> Process:
        file = self.lab.folder / "script.json"
        file.write_bytes(msgspec.json.encode(Script(tuple(discover), tuple(request))))
        server = self.lab.start(self.other, sys.executable, hostile.__file__, "s0", file)
        server.line("serving")
        return server

    def start(self, *more: str | Path) -> Process:
        # What is mounted here is mounted for this process alone, as `ip netns exec` has it.
        own = 'mount -t tmpfs own /run && mount --bind "$0" /etc/resolv.conf && exec "$@"'
        quick = ("--json", "--conflict", "quick", "--sockets", self.lab.folder)
        command = (*RELET, "client", "c0", "--lease-file", self.lease_file, *quick, *more)
        return self.lab.start(self.host, "sh", "-c", own, self.resolv_conf, *command)

    def addresses(self) -> list[str]:
        return self.lab.addresses(self.host, "c0")


@pytest.fixture
def siege() -> Iterator[Siege]:
    with Lab() as lab:
        yield Siege(lab)


def bound(process: Process) -> dict[str, object]:
    told: dict[str, object] = json.loads(process.line('"event":"bound"'))
    return told


WRONG = (
    *(
        Answer("OFFER", yiaddr=address, options=MASK)
        for address in (
            "0.0.0.0",
            "127.0.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "192.168.1.255",
            "192.168.1.1",
        )
    ),
    Answer("OFFER", options=MASK | {54: "00000000"}),
    Answer("OFFER", options=MASK | {54: "ffffffff"}),
    Answer("OFFER", options=MASK | {51: "00000000"}),
    Answer("OFFER", options=MASK | {51: "000e10"}),
    Answer("OFFER", yiaddr="192.168.1.66", xid=1),
    Answer("OFFER", yiaddr="192.168.1.66", chaddr=1),
    Answer("ACK", yiaddr="192.168.1.66", options=MASK),
    Answer("NAK"),
)
WRONG_VERDICTS = (
    Answer("ACK", yiaddr="192.168.1.66", options=MASK),
    Answer("ACK", options=MASK | {51: "00000001"}),
    Answer("ACK", options=MASK | {54: "0a000001"}),
    Answer("ACK", options=MASK, xid=0x80000000),
    Answer("ACK", options=MASK, chaddr=0x80),
    Answer("NAK", options={54: "0a000001"}),
)


def test_no_address_but_the_leased_one_is_ever_on_the_interface(siege: Siege) -> None:
    siege.serve([(*WRONG, GOOD[0])], [(*WRONG_VERDICTS, GOOD[1], Answer("NAK"))])
    monitor = siege.lab.start(siege.host, need("ip"), "-4", "-o", "monitor", "address")
    client = siege.start()
    assert bound(client)["address"] == "192.168.1.5"
    assert siege.addresses() == ["192.168.1.5/24"]
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    monitor.line("Deleted", "192.168.1.5/24")
    assert [line for line in monitor.lines if "192.168.1.5/24" not in line] == []


def test_what_was_meant_for_us_and_is_wrong_is_told_once(siege: Siege) -> None:
    siege.serve([(*WRONG, *WRONG, GOOD[0])], [(*WRONG_VERDICTS, GOOD[1])])
    client = siege.start("--once")
    assert client.wait() == 0
    rest = client.popen.stdout.read() if client.popen.stdout else ""
    told = [json.loads(line) for line in rest.splitlines() if '"event":"ignored"' in line]
    assert sorted(each["text"].partition(": ")[2] for each in told) == [
        "it does not say for how long",
        "it does not say which server it is from",
        "it is for another address than the one that was asked for",
        "its lease lasts less than 4 s",
        "no host here can have that address",
    ]


@pytest.mark.parametrize(
    ("said", "prefix", "routes"),
    [
        ({}, 24, []),
        ({1: "ff00ff00"} | ROUTER, 24, ["default via 192.168.1.1"]),
        ({1: "00000000"} | ROUTER, 24, ["default via 192.168.1.1"]),
        (MASK | {3: "0a000001"}, 24, ["default via 10.0.0.1"]),  # off the subnet: it must be on this link, if anywhere
        (MASK | {3: "c0a80105"}, 24, []),  # ourselves
        (MASK | {3: "7f000001"}, 24, []),
        (MASK | {121: "2101", 26: "0001"} | ROUTER, 24, ["default via 192.168.1.1"]),
    ],
)
def test_what_is_no_network_costs_its_routes_alone(
    siege: Siege, said: dict[int, str], prefix: int, routes: list[str]
) -> None:
    siege.serve([(Answer("OFFER"),)], [(Answer("ACK", options=said),)])
    assert bound(siege.start())["prefix"] == prefix
    assert siege.addresses() == [f"192.168.1.5/{prefix}"]
    assert [route.partition(" dev ")[0] for route in siege.lab.routes(siege.host) if "via" in route] == routes


def test_a_flood_of_offers_and_refusals_does_not_keep_the_client_from_a_good_server(siege: Siege) -> None:
    flood = (Answer("OFFER", yiaddr="192.168.1.66", copies=300), Answer("NAK", copies=300), Answer("ACK", copies=300))
    server = siege.serve([flood, flood, (GOOD[0],)], [(Answer("NAK", copies=300),), (GOOD[1],)])
    bound(siege.start())
    assert len([line for line in server.lines if line.startswith("DISCOVER")]) <= 4
    assert siege.addresses() == ["192.168.1.5/24"]


EVIL = (
    b"$(touch canary)", b"`touch canary`", b"a;touch canary", b"a|touch canary", b"a\ntouch canary", b"';touch canary;'",
    b'";touch canary;"', b"\x1b[2J\r\x00\nnameserver 6.6.6.6",
)  # fmt: skip
TEXTS = sorted(
    ({option.code for option in options.OPTIONS.values() if isinstance(option.kind, Text)} | {224, 252}) - {56}
)
CARELESS = """#!/bin/sh
# What many scripts do: values as words of the shell, unquoted, and read once more.
cd FOLDER
exec 2>> complaints
for name in $(env | sed -n 's/^\\(new_[a-z0-9_]*\\|old_[a-z0-9_]*\\)=.*/\\1/p') \\
    ip mask router dns domain search hostname ntpsrv boot_file sname tftp bootfile rootpath wpad nisdomain timezone; do
  eval "value=\\$$name"
  (eval "again=$value")
  (eval "echo $value")
done > /dev/null
echo $RELET_REASON >> reasons
"""


def test_nothing_that_a_server_says_is_run(siege: Siege) -> None:
    """Each option of text says each of these things in turn, and so do the boot fields and the message."""
    folder = siege.lab.folder
    hook = folder / "hook"
    hook.write_text(CARELESS.replace("FOLDER", str(folder)))
    hook.chmod(0o755)
    assert {12, 15, 17, 66, 67} <= set(TEXTS)
    acks = [
        {code: EVIL[(turn + number) % len(EVIL)].hex() for number, code in enumerate((*TEXTS, 56))}
        for turn in range(len(EVIL))
    ]
    good = MASK | ROUTER | {6: "c0a80135"}
    siege.serve(
        [(Answer("OFFER"),)],
        [(Answer("ACK", options=good | evil, sname=evil[66], file=evil[67]),) for evil in acks],
    )
    reasons = folder / "reasons"
    # Each start asks anew and hears the next of the acknowledgements.
    for cause in ("bound", *["reboot"] * (len(acks) - 1)):
        client = siege.start("--hook", hook)
        client.line('"event":"bound"', f'"cause":"{cause}"')
        until(lambda: reasons.exists() and reasons.read_text().split()[-1] != "stop")
        assert siege.resolv_conf.read_text().splitlines()[-1] == "nameserver 192.168.1.53"
        assert "6.6.6.6" not in siege.resolv_conf.read_text()
        status = siege.lab.run(siege.host, *RELET, "status", "c0", "--sockets", folder)
        assert "192.168.1.5" in status
        assert all(line.isprintable() for line in status.splitlines())
        client.signal(signal.SIGTERM)
        assert client.wait() == 0
        assert [line for line in client.lines if not line.isprintable() or line[:9] != '{"event":'] == []
    assert reasons.read_text().split().count("stop") == len(acks)
    assert not (folder / "canary").exists()
    assert siege.resolv_conf.read_text() == "nameserver 192.0.2.53\n"
    assert json.loads(siege.lease_file.read_text())


@pytest.mark.parametrize("more", [(), ("--no-configure",)])
def test_an_mtu_that_the_interface_cannot_have_is_given_to_nobody(siege: Siege, more: tuple[str, ...]) -> None:
    said = MASK | ROUTER | {26: "0044"}
    siege.serve([(Answer("OFFER", options=said),)], [(Answer("ACK", options=said),)])
    hook, written = siege.lab.folder / "hook", siege.lab.folder / "written"
    hook.write_text(f"#!/bin/sh\nenv >> {written}\necho end of $RELET_REASON >> {written}\n")
    hook.chmod(0o755)
    client = siege.start("--hook", hook, *more)
    bound(client)
    assert "cannot set an MTU of 68: IPv6 on c0 needs 1280" in client.line('"event":"bad-mtu"')
    status = siege.lab.start(siege.host, *RELET, "status", "c0", "--json", "--sockets", siege.lab.folder)
    assert '"mtu":null' in status.line('"mtu"').replace(" ", "")
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    variables = written.read_text()
    assert "end of bound" in variables
    assert "end of stop" in variables
    told = [line.partition("=")[0] for line in variables.splitlines()]
    assert [name for name in told if "mtu" in name.lower()] == []


NO_IPV4: list[tuple[Answer, ...]] = [(Answer("OFFER", options=MASK | {108: "0000012c"}),)]


def test_once_ends_where_the_network_needs_no_ipv4(siege: Siege) -> None:
    siege.serve(NO_IPV4, [()])
    client = siege.start("--ipv6-only", "--once")
    result = json.loads(client.line('"outcome"'))
    assert (result["outcome"], result["text"], result["lease"]) == ("ipv6-only", "doing without IPv4", None)
    assert client.wait() == 0
    assert siege.addresses() == []


def test_who_called_it_into_the_background_does_not_wait_where_the_network_needs_no_ipv4(siege: Siege) -> None:
    siege.serve(NO_IPV4, [()])
    pid_file = siege.lab.folder / "pid"
    client = siege.start("--ipv6-only", "--background", "--wait", "60", "--pid-file", pid_file)
    assert client.wait() == 0
    assert pid_file.exists()
    os.kill(int(pid_file.read_text()), signal.SIGTERM)
    until(lambda: not pid_file.exists())


def test_a_client_that_was_told_to_do_without_ipv4_goes_on_when_the_time_for_an_address_is_up(siege: Siege) -> None:
    siege.serve(NO_IPV4, [()])
    client = siege.start("--ipv6-only", "--timeout", "0.5")
    client.line('"event":"v6only"')
    over = monotonic() + 1
    until(lambda: monotonic() > over)
    client.signal(signal.SIGTERM)
    assert client.wait() == 0
    assert [line for line in client.lines if '"event":"timeout"' in line] == []
