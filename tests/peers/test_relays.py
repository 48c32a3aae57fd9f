"""A running server behind relay agents that people have: option 82, link selection, several relays, two hops, a flood."""

import json
import random
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from relet.wire.address import parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import MessageType
from relet.wire.relayinfo import decode_suboptions, encode_suboptions
from support.lab import Lab, Process, need, until
from support.serving import Serve

pytestmark = [pytest.mark.peer, pytest.mark.namespaces]

CAMPUS = """
[server]
store = "sqlite:leases.db"
listen = ["10.9.0.2"]
leasequery = ["10.9.0.1"]

[[network]]
name = "campus"
lease-time = "1h"
limit-per-circuit = 4

[[network.subnet]]
prefix = "192.168.1.0/24"
pools = ["192.168.1.100-192.168.1.119"]

[[network.subnet]]
prefix = "192.168.2.0/24"
pools = ["192.168.2.100-192.168.2.119"]
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


class Campus:
    """A server, and a core network that relays are plugged into."""

    def __init__(self, lab: Lab, configuration: str = CAMPUS) -> None:
        self.lab = lab
        self.server = lab.namespace("server")
        self.core = lab.switch("core", (self.server, "s0"))
        lab.address(self.server, "s0", "10.9.0.2/24")
        self.serve = Serve(lab, self.server, configuration)

    def relay(self, number: int) -> tuple[str, str]:
        """A machine with a leg in the core (r0, 10.9.0.N0) and one to a new host (r1, 192.168.N.1): their namespaces."""
        relay, host = self.lab.namespace(f"relay{number}"), self.lab.namespace(f"host{number}")
        self.lab.plug(self.core, relay, "r0")
        self.lab.cable(relay, "r1", host, "c0")
        self.lab.address(relay, "r0", f"10.9.0.{number}0/24")
        self.lab.address(relay, "r1", f"192.168.{number}.1/24")
        self.lab.run(relay, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.lab.ip(self.server, "route", "add", f"192.168.{number}.0/24", "via", f"10.9.0.{number}0")
        return relay, host

    def agent(self, relay: str, *options: str, to: str = "10.9.0.2", up: str = "-iu") -> Process:
        """dhcrelay between the legs of a relay. up: how it is told of the one to the core."""
        agent = self.lab.start(relay, need("dhcrelay"), "-4", "-d", *options, up, "r0", "-id", "r1", to)
        agent.line("Sending on")
        return agent

    def client(self, host: str) -> str:
        """Start a client; the address that it gets."""
        lease = self.lab.folder / f"{host}.lease"
        self.lab.relet(host, "client", "c0", "--lease-file", lease, "--conflict", "quick")
        until(lambda: len(self.lab.addresses(host, "c0")) == 1)
        return self.lab.addresses(host, "c0")[0].partition("/")[0]

    def leases(self) -> dict[str, bytes]:
        """Address -> option 82 on record."""
        process = self.lab.relet(self.server, "leases", "--config", self.serve.config, "--json")
        assert process.wait() == 0
        text = process.popen.stdout.read() if process.popen.stdout is not None else ""
        return {row["address"]: bytes.fromhex(row["relay"].replace(":", "")) for row in json.loads(text)}


def test_two_relays_with_option_82_serve_one_network(lab: Lab) -> None:
    campus = Campus(lab)
    for number in (1, 2):
        relay, host = campus.relay(number)
        campus.agent(relay, "-a")
        assert campus.client(host).startswith(f"192.168.{number}.1")
    circuits = {decode_suboptions(info)[1] for info in campus.leases().values()}
    assert circuits == {b"r1"}  # dhcrelay names its interface


def test_link_selection_by_dhcrelay(lab: Lab) -> None:
    """R3527-3-01: giaddr is the relay's address in the core, which no network covers; only option 82.5 tells the subnet."""
    campus = Campus(lab)
    relay, host = campus.relay(2)
    agent = campus.agent(relay, "-a", up="-U")
    assert campus.client(host).startswith("192.168.2.1")
    agent.line("BOOTREPLY giaddr: 10.9.0.20")
    (info,) = campus.leases().values()
    assert decode_suboptions(info)[5] == parse_ip("192.168.2.1").to_bytes(4)


def test_through_two_relays(lab: Lab) -> None:
    """The near one adds option 82, the far one passes it on as it is."""
    campus = Campus(lab)
    far, near, host = (lab.namespace(name) for name in ("far", "near", "host"))
    lab.plug(campus.core, far, "r0")
    lab.cable(far, "r1", near, "r0")
    lab.cable(near, "r1", host, "c0")
    for namespace, interface, prefix in (
        (far, "r0", "10.9.0.10/24"),
        (far, "r1", "10.8.0.1/24"),
        (near, "r0", "10.8.0.2/24"),
        (near, "r1", "192.168.1.1/24"),
    ):
        lab.address(namespace, interface, prefix)
    for namespace in (far, near):
        lab.run(namespace, "sysctl", "-qw", "net.ipv4.ip_forward=1")
    lab.ip(campus.server, "route", "add", "192.168.1.0/24", "via", "10.9.0.10")
    lab.ip(far, "route", "add", "192.168.1.0/24", "via", "10.8.0.2")
    lab.ip(near, "route", "add", "default", "via", "10.8.0.1")
    campus.agent(far, "-a", "-m", "forward")
    campus.agent(near, "-a", to="10.8.0.1")
    assert campus.client(host).startswith("192.168.1.1")
    (info,) = campus.leases().values()
    assert decode_suboptions(info)[1] == b"r1"


class Access:
    """An access concentrator of this test: it speaks for the circuits behind it, at 10.9.0.1."""

    def __init__(self, lab: Lab, campus: Campus) -> None:
        namespace = lab.namespace("access")
        lab.plug(campus.core, namespace, "a0")
        lab.address(namespace, "a0", "10.9.0.1/24")
        with lab.inside(namespace):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("10.9.0.1", 67))
        self.socket.settimeout(10)
        self._xid = 0

    def say(self, circuit: bytes, mac: bytes, kind: int, **options: bytes) -> int:
        """Send for a client of a circuit; the transaction."""
        self._xid += 1
        info = encode_suboptions({1: circuit, 5: parse_ip("192.168.1.0").to_bytes(4)})
        head = {53: bytes((kind,))} | {int(code[1:]): value for code, value in options.items()}
        message = Message(op=1, xid=self._xid, giaddr=parse_ip("10.9.0.1"), chaddr=mac, options=head | {82: info})
        self.socket.sendto(encode(message), ("10.9.0.2", 67))
        return self._xid

    def answer(self, xid: int) -> Message:
        """The reply to a transaction; others are passed over."""
        while (reply := decode(self.socket.recv(2048))).xid != xid:
            pass
        return reply

    def lease(self, circuit: bytes, mac: bytes) -> int:
        """Four messages."""
        address = self.answer(self.say(circuit, mac, MessageType.DISCOVER)).yiaddr.to_bytes(4)
        ack = self.answer(
            self.say(circuit, mac, MessageType.REQUEST, o50=address, o54=parse_ip("10.9.0.2").to_bytes(4))
        )
        assert ack.kind == MessageType.ACK
        return ack.yiaddr


FLOOD = 3000


def test_a_flood_from_one_circuit_leaves_the_others_their_addresses(lab: Lab) -> None:
    """Random hardware addresses that ask for every address of the pool, on one of the ports of an access concentrator."""
    campus = Campus(lab, CAMPUS.replace("limit-per-circuit = 4", "limit-per-circuit = 4\ncircuit-rate = 1000"))
    access = Access(lab, campus)
    dice = random.Random(5)
    with closing(access.socket):
        own = access.lease(b"quiet", b"\2\0\0\0\0\1")
        for number in range(FLOOD):
            wanted = parse_ip("192.168.1.100") + number % 20
            address, server = wanted.to_bytes(4), parse_ip("10.9.0.2").to_bytes(4)
            mac = b"\6" + dice.randbytes(5)
            access.say(b"loud", mac, MessageType.DISCOVER)
            access.say(b"loud", mac, MessageType.REQUEST, o50=address, o54=server)
            if number == FLOOD // 2:
                assert access.lease(b"in the midst", b"\2\0\0\0\0\2")
        assert access.lease(b"afterwards", b"\2\0\0\0\0\3")
        xid = access.say(b"quiet", b"\2\0\0\0\0\1", MessageType.REQUEST, o50=own.to_bytes(4))
        assert access.answer(xid).kind == MessageType.ACK
        # and the concentrator asks who has the address
        query = Message(op=1, xid=9_999_999, htype=0, ciaddr=own, giaddr=parse_ip("10.9.0.1"), options={53: b"\x0a"})
        access.socket.sendto(encode(query), ("10.9.0.2", 67))
        told = access.answer(9_999_999)
        assert (told.kind, told.chaddr) == (MessageType.LEASEACTIVE, b"\2\0\0\0\0\1")
    held = [decode_suboptions(info)[1] for info in campus.leases().values()]
    assert held.count(b"loud") <= 4
    assert {b"quiet", b"in the midst", b"afterwards"} <= set(held)
