"""UDP sockets: the server's on loopback, the client's in a namespace."""

import ctypes
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from relet.model.effects import CLIENT_PORT, Send
from relet.model.events import Arrival
from relet.net.link import LinkError
from relet.net.sockets import BATCH, DATAGRAM_MAX, RECEIVE_BUFFER
from relet.net.udp import Datagrams, Mouth, mouth_socket
from relet.wire.address import parse_ip
from relet.wire.frame import ETHERTYPE_IP
from support.lab import PATIENCE_S, Lab, gather, until

IP_RECVERR = 11  # linux/in.h: ICMP errors are queued with the datagram they are about
LOOPBACK = parse_ip("127.0.0.1")


@pytest.fixture(params=[False, True], ids=["singly", "merged"])
def server(request: pytest.FixtureRequest) -> Iterator[Datagrams]:
    server = Datagrams(LOOPBACK, 0, merge=request.param)
    yield server
    server.close()


@pytest.fixture
def relay() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as relay:
        relay.bind(("127.0.0.1", 0))
        relay.settimeout(5)
        yield relay


def handle(server: Datagrams) -> socket.socket:
    """The server's own socket, for what only a test wants of it."""
    return socket.socket(fileno=os.dup(server.fileno()))


def at(server: Datagrams) -> tuple[str, int]:
    with handle(server) as same:
        host, port = same.getsockname()
        return host, port


def test_a_datagram_arrives_with_its_sender(server: Datagrams, relay: socket.socket) -> None:
    relay.sendto(b"relayed", at(server))
    port = relay.getsockname()[1]
    assert gather(server.receive, 1) == [Arrival(b"relayed", "", LOOPBACK, LOOPBACK, port, broadcast=False)]
    assert server.send([Send(b"reply", LOOPBACK, port, LOOPBACK)]) == 1
    assert relay.recvfrom(100) == (b"reply", at(server))
    assert not server.drops


def test_how_much_waits_is_known(server: Datagrams, relay: socket.socket) -> None:
    with handle(server) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64_000)  # of which the kernel makes twice as much
    assert server.held() == (0, 0)
    for _ in range(80):
        relay.sendto(bytes(300), at(server))
    number, share = server.held()
    assert number == pytest.approx(80, abs=8)
    assert share == pytest.approx(0.8, abs=0.08)
    assert len(gather(server.receive, 80)) == 80
    assert server.held() == (0, 0)


def test_there_is_the_room_that_was_asked_for_or_all_that_the_system_allows(server: Datagrams) -> None:
    allowed = 2 * int(Path("/proc/sys/net/core/rmem_max").read_text())
    assert server.room in (RECEIVE_BUFFER, min(allowed, RECEIVE_BUFFER))
    with handle(server) as same:
        assert server.room == same.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def test_a_batch_has_a_bound_and_nothing_is_lost(server: Datagrams, relay: socket.socket) -> None:
    for number in range(BATCH + 1):
        relay.sendto(b"%d" % number, at(server))
    first = server.receive()
    assert len(first) == BATCH
    assert [arrival.payload for arrival in [*first, *server.receive()]] == [b"%d" % n for n in range(BATCH + 1)]
    assert server.receive() == []
    assert server.overruns() == 0


def test_what_is_too_long_is_counted(server: Datagrams, relay: socket.socket) -> None:
    relay.sendto(bytes(DATAGRAM_MAX + 1), at(server))
    relay.sendto(bytes(DATAGRAM_MAX), at(server))
    assert [len(arrival.payload) for arrival in server.receive()] == [DATAGRAM_MAX]
    assert server.drops == {"too-long": 1}


def test_an_empty_datagram_is_one(server: Datagrams, relay: socket.socket) -> None:
    relay.sendto(b"", at(server))
    assert [arrival.payload for arrival in server.receive()] == [b""]


def test_what_cannot_be_sent_is_counted(server: Datagrams) -> None:
    assert server.send([Send(bytes(70000), LOOPBACK, 68, LOOPBACK)]) == 0
    assert server.drops == {"too-long": 1}


@pytest.mark.parametrize("bad", [{0}, {2}, {5}, {1, 2}, {0, 3, 5}, set(range(6))])
def test_what_cannot_be_sent_costs_itself_alone(server: Datagrams, relay: socket.socket, bad: set[int]) -> None:
    port = relay.getsockname()[1]
    sends = [Send(bytes(70000) if n in bad else b"%d" % n, LOOPBACK, port, LOOPBACK) for n in range(6)]
    assert server.send(sends) == 6 - len(bad)
    assert server.drops == {"too-long": len(bad)}
    assert server.send([Send(b"end", LOOPBACK, port, LOOPBACK)]) == 1
    assert [relay.recv(100) for _ in range(7 - len(bad))] == [*(b"%d" % n for n in range(6) if n not in bad), b"end"]


def test_each_datagram_goes_where_it_is_sent(server: Datagrams) -> None:
    hosts = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for last, host in enumerate(hosts, 2):
        host.bind((f"127.0.0.{last}", 0))
        host.settimeout(5)
    where = [(parse_ip(address), port) for address, port in (host.getsockname() for host in hosts)]
    sends = [Send(b"%d %d" % (n, port), to, port, LOOPBACK) for n in range(2) for to, port in where]
    assert server.send(sends) == 6
    for host, (_, port) in zip(hosts, where, strict=True):
        with host:
            assert [host.recvfrom(100) for _ in range(2)] == [(b"%d %d" % (n, port), at(server)) for n in range(2)]


def test_more_than_a_batch_is_sent_in_order(server: Datagrams, relay: socket.socket) -> None:
    relay.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    port, number = relay.getsockname()[1], 2 * BATCH + 1
    assert server.send([]) == 0
    assert server.send([Send(b"%03d" % n, LOOPBACK, port, LOOPBACK) for n in range(number)]) == number
    assert [relay.recv(100) for _ in range(number)] == [b"%03d" % n for n in range(number)]


class Cable(NamedTuple):
    """A server that merges, a relay at the other end of a cable, and what comes there as frames."""

    lab: Lab
    host: str
    server: Datagrams
    relay: socket.socket
    frames: socket.socket

    def sends(self, *payloads: bytes) -> list[Send]:
        return [Send(payload, parse_ip("192.168.1.2"), 67, self.server.address) for payload in payloads]


@pytest.fixture
def cable() -> Iterator[Cable]:
    with Lab() as lab:
        here, there = lab.namespace("server"), lab.namespace("relay")
        lab.cable(here, "s0", there, "r0")
        lab.address(here, "s0", "192.168.1.1/24")
        lab.address(there, "r0", "192.168.1.2/24")
        with lab.inside(there):
            relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_IP))
        with lab.inside(here):
            server = Datagrams(parse_ip("192.168.1.1"), 67, merge=True)
        with relay, frames:
            relay.bind(("192.168.1.2", 67))
            frames.bind(("r0", ETHERTYPE_IP))
            relay.settimeout(PATIENCE_S)
            frames.settimeout(PATIENCE_S)
            yield Cable(lab, here, server, relay, frames)
        server.close()


@pytest.mark.namespaces
def test_what_has_one_length_goes_as_one(cable: Cable) -> None:
    texts = [(b"%03d" if n % 3 else b"%05d") % n for n in range(90)]
    assert cable.server.send(cable.sends(*texts, b"end")) == 91
    together = [text for size in (5, 3) for text in texts if len(text) == size]
    assert [cable.relay.recv(100) for _ in range(91)] == [*together, b"end"]
    headers = 14 + 20 + 8
    assert [len(cable.frames.recv(65535)) - headers for _ in range(2)] == [30 * 5, 61 * 3]
    assert not cable.server.drops


@pytest.mark.namespaces
def test_no_more_goes_as_one_than_the_kernel_takes(cable: Cable) -> None:
    texts = [b"%01400d" % n for n in range(100)]
    cable.relay.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    assert cable.server.send(cable.sends(*texts)) == 100
    assert [cable.relay.recv(2000) for _ in range(100)] == texts
    assert [len(cable.frames.recv(65535)) for _ in range(3)] == [14 + 20 + 8 + 1400 * n for n in (46, 46, 8)]


@pytest.mark.namespaces
def test_what_cannot_go_as_one_goes_one_by_one(cable: Cable) -> None:
    cable.lab.ip(cable.host, "link", "set", "s0", "mtu", "1000")
    texts = [b"%01400d" % n for n in range(3)]
    assert cable.server.send(cable.sends(*texts, b"short", b"other")) == 5
    received = [cable.relay.recv(2000) for _ in range(5)]
    assert received == [b"short", b"other", *texts]
    assert not cable.server.drops


@pytest.mark.namespaces
def test_what_finds_the_queue_full_is_counted() -> None:
    with Lab() as lab:
        host = lab.namespace("host")
        lab.cable(host, "s0", lab.namespace("nobody"), "c0")
        lab.address(host, "s0", "192.168.1.1/24")
        here, nobody = parse_ip("192.168.1.1"), parse_ip("192.168.1.9")
        with lab.inside(host):
            server = Datagrams(here, 67)
        with handle(server) as same:
            same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)  # the kernel leaves it a little
        # They wait in the kernel for a hardware address that nobody tells it.
        sent = server.send([Send(bytes(300), nobody, 68, here)] * 20)
        assert 0 < sent < 20
        assert server.drops == {"queue-full": 20 - sent}
        server.close()


def test_a_closed_socket_hears_and_says_nothing(server: Datagrams) -> None:
    server.close()
    assert server.receive() == []
    assert server.send([Send(b"x", LOOPBACK, 68, LOOPBACK)]) == 0
    assert server.drops == {"os-error": 2}


class Refused:
    """A function of the C library that the system does not have."""

    argtypes: object = None
    restype: object = None

    def __call__(self, *_: object) -> int:
        ctypes.set_errno(errno.ENOSYS)
        return -1


@pytest.mark.parametrize(
    ("library", "what"),
    [
        (SimpleNamespace(), r"the C library has no recvmmsg\(2\)"),
        (SimpleNamespace(recvmmsg=Refused()), r"the system has no recvmmsg\(2\)"),
    ],
)
def test_a_system_without_the_calls_is_named(
    library: SimpleNamespace, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("relet.net.mmsg.ctypes.PyDLL", lambda *_, **__: library)
    with pytest.raises(LinkError, match=what):
        Datagrams(LOOPBACK, 0)


def test_datagrams_that_the_kernel_threw_away_are_known(server: Datagrams, relay: socket.socket) -> None:
    with handle(server) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(100):
        relay.sendto(bytes(1000), at(server))
    arrived = len(server.receive())
    assert 0 < arrived < 100
    assert server.overruns() == 100 - arrived


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(LinkError, match=r"cannot bind 192\.0\.2\.1:6767: Cannot assign requested address"):
        Datagrams(parse_ip("192.0.2.1"), 6767)


@pytest.mark.namespaces
def test_a_client_sends_from_its_address_hears_nothing_and_sends_no_icmp() -> None:
    with Lab() as lab:
        server, client = lab.namespace("server"), lab.namespace("client")
        lab.cable(server, "s0", client, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        lab.address(client, "c0", "192.168.1.4/24")
        lab.address(client, "c0", "192.168.1.5/24")
        with lab.inside(client):
            mouth = Mouth(mouth_socket("c0"))
        with lab.inside(server), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("192.168.1.1", 67))
            ear.settimeout(5)
            ear.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
            assert mouth.send(Send(b"renew", parse_ip("192.168.1.1"), 67, parse_ip("192.168.1.5")))
            assert ear.recvfrom(100) == (b"renew", ("192.168.1.5", CLIENT_PORT))
            ear.sendto(b"ack", ("192.168.1.5", CLIENT_PORT))
            ear.sendto(b"to a closed port", ("192.168.1.5", CLIENT_PORT + 1))
            with pytest.raises(ConnectionRefusedError):
                ear.recv(100)
            ear.setblocking(False)
            refused, *_ = ear.recvmsg(100, 200, socket.MSG_ERRQUEUE)
            assert refused == b"to a closed port"
            with pytest.raises(BlockingIOError):
                ear.recvmsg(100, 200, socket.MSG_ERRQUEUE)
        until(lambda: mouth.unsent() == 0)
        assert not mouth.send(Send(b"x", parse_ip("192.168.1.1"), 67, parse_ip("192.168.1.9")))
        assert mouth.drops == {"unreachable": 1}
        mouth.close()
