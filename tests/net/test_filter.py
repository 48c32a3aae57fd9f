"""The filters, on a pair of Unix sockets: the kernel runs them there as it does on a packet socket."""

import socket
from collections.abc import Iterator

import pytest

from relet.model.effects import CLIENT_PORT, SERVER_PORT
from relet.net import filter as bpf
from relet.wire.address import BROADCAST, BROADCAST_MAC
from relet.wire.arp import encode_arp, probe
from relet.wire.frame import Datagram, encode_datagram

MAC = bytes.fromhex("525400000001")
OTHER_MAC = bytes.fromhex("525400000002")
MULTICAST_MAC = bytes.fromhex("01005e000001")
HOST = 0xC0A80105


class Sieve:
    """Frames go in on one side, those that a filter keeps come out on the other."""

    def __init__(self) -> None:
        self.inside, self.outside = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.inside.setblocking(False)

    def keeps(self, frame: bytes) -> bool:
        # What is kept stands in the queue when `send` returns; what is dropped never comes.
        self.outside.send(frame)
        try:
            return self.inside.recv(65536) == frame
        except BlockingIOError:
            return False


@pytest.fixture
def sieve() -> Iterator[Sieve]:
    sieve = Sieve()
    yield sieve
    sieve.inside.close()
    sieve.outside.close()


def datagram(mac: bytes, destination: int, port: int, payload: bytes = b"payload") -> bytes:
    return encode_datagram(Datagram(MAC, mac, 0, destination, 68, port, payload))


def changed(frame: bytes, offset: int, octets: bytes) -> bytes:
    return frame[:offset] + octets + frame[offset + len(octets) :]


def with_ip_options(frame: bytes) -> bytes:
    """The frame with four octets of IP options; checksums are no concern of a filter."""
    return changed(frame[:34] + bytes(4) + frame[34:], 14, b"\x46")


@pytest.mark.parametrize(
    ("mac", "destination", "kept"),
    [
        (BROADCAST_MAC, BROADCAST, True),
        (BROADCAST_MAC, HOST, True),
        (MULTICAST_MAC, HOST, True),
        (OTHER_MAC, BROADCAST, True),
        (OTHER_MAC, HOST, False),
    ],
)
def test_a_server_hears_what_is_for_everybody(sieve: Sieve, mac: bytes, destination: int, kept: bool) -> None:
    bpf.attach(sieve.inside, bpf.dhcp(SERVER_PORT, only_broadcast=True))
    assert sieve.keeps(datagram(mac, destination, SERVER_PORT)) is kept
    assert sieve.keeps(with_ip_options(datagram(mac, destination, SERVER_PORT))) is kept
    assert not sieve.keeps(datagram(mac, destination, CLIENT_PORT))


@pytest.mark.parametrize("mac", [BROADCAST_MAC, OTHER_MAC])
def test_a_client_hears_unicast_too(sieve: Sieve, mac: bytes) -> None:
    bpf.attach(sieve.inside, bpf.dhcp(CLIENT_PORT, only_broadcast=False))
    assert sieve.keeps(datagram(mac, HOST, CLIENT_PORT))
    assert not sieve.keeps(datagram(mac, HOST, SERVER_PORT))


def test_only_whole_udp_over_ipv4_passes(sieve: Sieve) -> None:
    bpf.attach(sieve.inside, bpf.dhcp(SERVER_PORT, only_broadcast=True))
    good = datagram(BROADCAST_MAC, BROADCAST, SERVER_PORT)
    assert sieve.keeps(changed(good, 20, b"\x40\x00"))  # don't fragment
    assert not sieve.keeps(changed(good, 20, b"\x20\x00"))  # more fragments
    assert not sieve.keeps(changed(good, 20, b"\x00\x01"))  # a later fragment
    assert not sieve.keeps(changed(good, 23, b"\x06"))  # TCP
    assert not sieve.keeps(changed(good, 12, b"\x86\xdd"))  # IPv6
    assert not sieve.keeps(encode_arp(probe(MAC, HOST)))
    for length in range(1, 38):
        assert not sieve.keeps(good[:length]), length


def test_arp_passes_its_own_filter_alone(sieve: Sieve) -> None:
    bpf.attach(sieve.inside, bpf.arp())
    assert sieve.keeps(encode_arp(probe(MAC, HOST)))
    assert not sieve.keeps(datagram(BROADCAST_MAC, BROADCAST, SERVER_PORT))


def test_nothing_keeps_nothing(sieve: Sieve) -> None:
    bpf.attach(sieve.inside, bpf.NOTHING)
    assert not sieve.keeps(datagram(BROADCAST_MAC, BROADCAST, CLIENT_PORT))
    assert not sieve.keeps(bytes(60))
    assert not sieve.keeps(b"\xff")
