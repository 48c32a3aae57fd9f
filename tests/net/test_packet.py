"""Packet sockets on a real cable: what they hear, what they leave out and count, and what they send.

Frames that must not be heard are sent before one that must: when that one has come, the others never will.
"""

import errno
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send, SendArp
from relet.net.arp import arp_frames
from relet.net.link import LinkError
from relet.net.packet import DhcpFrames, dhcp_frames
from relet.net.sockets import BATCH
from relet.wire.address import BROADCAST, BROADCAST_MAC, parse_ip
from relet.wire.arp import REQUEST, Arp, encode_arp, probe
from relet.wire.frame import Datagram, encode_datagram
from support.lab import Lab, gather, lacking, until

pytestmark = pytest.mark.namespaces

HERE = parse_ip("192.168.1.1")
THERE = parse_ip("192.168.1.5")
OTHER_MAC = bytes.fromhex("525400000099")


class Cable(NamedTuple):
    """Two namespaces and a cable; `raw` puts any octets on it at the client's end."""

    lab: Lab
    server: str
    client: str
    raw: socket.socket

    def hear(self, namespace: str, interface: str, port: int) -> DhcpFrames:
        with self.lab.inside(namespace):
            return dhcp_frames(interface, port, local=HERE)

    def datagram(
        self, payload: bytes, mac: bytes = BROADCAST_MAC, to: int = BROADCAST, port: int = SERVER_PORT
    ) -> bytes:
        return encode_datagram(Datagram(self.raw.getsockname()[4], mac, 0, to, CLIENT_PORT, port, payload))


@pytest.fixture
def cable() -> Iterator[Cable]:
    with Lab() as lab:
        server, client = lab.namespace("server"), lab.namespace("client")
        lab.cable(server, "s0", client, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        with lab.inside(client), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw:
            raw.bind(("c0", 0))
            yield Cable(lab, server, client, raw)


@pytest.fixture
def frames(cable: Cable) -> Iterator[DhcpFrames]:
    """A server's ears."""
    frames = cable.hear(cable.server, "s0", SERVER_PORT)
    yield frames
    frames.close()


def payloads(frames: DhcpFrames, number: int = 1) -> list[bytes]:
    return [arrival.payload for arrival in gather(frames.receive, number)]


def tagged(frame: bytes, vlan: int) -> bytes:
    return frame[:12] + struct.pack("!HH", 0x8100, vlan) + frame[12:]


def test_a_broadcast_arrives_with_all_that_is_known_of_it(cable: Cable, frames: DhcpFrames) -> None:
    cable.raw.send(cable.datagram(b"discover"))
    (arrival,) = gather(frames.receive, 1)
    assert arrival.payload == b"discover"
    assert (arrival.interface, arrival.local) == ("s0", HERE)
    assert (arrival.source, arrival.port, arrival.broadcast) == (0, CLIENT_PORT, True)
    assert not frames.drops


def test_a_server_leaves_unicast_and_other_ports_to_others(cable: Cable, frames: DhcpFrames) -> None:
    mac = frames.frames.mac
    cable.raw.send(cable.datagram(b"unicast", mac, HERE))
    cable.raw.send(cable.datagram(b"a reply", port=CLIENT_PORT))
    cable.raw.send(cable.datagram(b"limited broadcast", mac, BROADCAST))
    assert payloads(frames) == [b"limited broadcast"]


def test_a_client_hears_unicast_to_an_address_it_does_not_have(cable: Cable) -> None:
    sender, receiver = (
        cable.hear(cable.server, "s0", SERVER_PORT),
        cable.hear(cable.client, "c0", CLIENT_PORT),
    )
    assert sender.send([Send(b"offer", THERE, CLIENT_PORT, HERE, "s0", receiver.frames.mac)]) == 1
    (arrival,) = gather(receiver.receive, 1)
    assert (arrival.payload, arrival.source, arrival.port) == (b"offer", HERE, SERVER_PORT)
    assert (arrival.local, arrival.broadcast) == (THERE, False)
    sender.close()
    receiver.close()


def test_own_frames_are_not_heard(cable: Cable, frames: DhcpFrames) -> None:
    assert frames.send([Send(b"own", BROADCAST, SERVER_PORT, HERE, "s0", BROADCAST_MAC)]) == 1
    cable.raw.send(cable.datagram(b"other"))
    assert payloads(frames) == [b"other"]


def test_frames_for_another_host_are_counted(cable: Cable, frames: DhcpFrames) -> None:
    cable.lab.ip(cable.server, "link", "set", "s0", "promisc", "on")
    cable.raw.send(cable.datagram(b"stray", OTHER_MAC, BROADCAST))
    cable.raw.send(cable.datagram(b"good"))
    assert payloads(frames) == [b"good"]
    assert frames.drops == {"other-host": 1}


def test_a_vlans_frames_are_counted_and_a_priority_tag_is_nothing(cable: Cable, frames: DhcpFrames) -> None:
    cable.raw.send(tagged(cable.datagram(b"vlan 5"), 5))
    cable.raw.send(tagged(cable.datagram(b"priority"), 0xE000))
    assert payloads(frames) == [b"priority"]
    assert frames.drops == {"vlan": 1}


def test_a_checksum_that_the_kernel_left_to_the_hardware_is_not_checked(cable: Cable, frames: DhcpFrames) -> None:
    # A datagram of the kernel's own stack crosses a veth without its checksum filled in.
    with cable.lab.inside(cable.client), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        cable.lab.address(cable.client, "c0", "192.168.1.5/24")
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        udp.sendto(b"unsummed", ("192.168.1.255", SERVER_PORT))
    assert payloads(frames) == [b"unsummed"]
    assert not frames.drops


def test_malformed_frames_are_counted_by_reason(cable: Cable, frames: DhcpFrames) -> None:
    good = cable.datagram(b"good")
    cable.raw.send(good[:-1] + b"x")
    cable.raw.send(good[:24] + b"\0\0" + good[26:])
    cable.raw.send(good)
    assert payloads(frames) == [b"good"]
    assert frames.drops == {"udp-checksum": 1, "ip-checksum": 1}


def test_a_batch_has_a_bound_and_nothing_is_lost(cable: Cable, frames: DhcpFrames) -> None:
    for number in range(BATCH + 1):
        cable.raw.send(cable.datagram(b"%d" % number))
    first = frames.receive()
    assert len(first) == BATCH
    rest = gather(frames.receive, 1)
    assert [arrival.payload for arrival in [*first, *rest]] == [b"%d" % number for number in range(BATCH + 1)]
    assert frames.overruns() == 0


def test_nothing_is_heard_from_before_the_filter(cable: Cable) -> None:
    cable.raw.send(cable.datagram(b"early"))
    frames = cable.hear(cable.server, "s0", SERVER_PORT)
    assert frames.receive() == []
    frames.close()


def test_what_cannot_be_sent_is_counted(cable: Cable, frames: DhcpFrames) -> None:
    assert frames.send([Send(bytes(2000), BROADCAST, CLIENT_PORT, HERE, "s0", BROADCAST_MAC)]) == 0
    cable.lab.ip(cable.server, "link", "set", "s0", "down")
    assert frames.send([Send(b"down", BROADCAST, CLIENT_PORT, HERE, "s0", BROADCAST_MAC)]) == 0
    assert frames.drops == {"too-long": 1, "link-down": 1}


def test_a_link_that_goes_and_comes_costs_no_socket(cable: Cable, frames: DhcpFrames) -> None:
    cable.lab.ip(cable.server, "link", "set", "s0", "down")
    until(lambda: frames.receive() == [] and frames.drops == {"link-down": 1})
    cable.lab.ip(cable.server, "link", "set", "s0", "up")
    cable.raw.send(cable.datagram(b"again"))
    assert payloads(frames) == [b"again"]


def test_ears_open_on_a_link_that_is_down(cable: Cable) -> None:
    cable.lab.ip(cable.server, "link", "set", "s0", "down")
    frames = cable.hear(cable.server, "s0", SERVER_PORT)
    cable.lab.ip(cable.server, "link", "set", "s0", "up")
    until(lambda: frames.receive() == [] and frames.drops == {"link-down": 1})
    cable.raw.send(cable.datagram(b"up"))
    assert payloads(frames) == [b"up"]
    frames.close()


def test_a_vanished_interface_is_counted_too(cable: Cable, frames: DhcpFrames) -> None:
    cable.lab.ip(cable.server, "link", "del", "s0")
    frames.receive()
    assert frames.send([Send(b"gone", BROADCAST, CLIENT_PORT, HERE, "s0", BROADCAST_MAC)]) == 0
    assert frames.receive() == []


def test_an_interface_that_cannot_be_used_is_named(cable: Cable) -> None:
    with cable.lab.inside(cable.server):
        with pytest.raises(LinkError, match="cannot listen on nowhere: No such device"):
            dhcp_frames("nowhere", SERVER_PORT)
        try:
            cable.lab.ip(cable.server, "tuntap", "add", "tun7", "mode", "tun")
        except AssertionError:
            lacking("tun devices")
        cable.lab.ip(cable.server, "link", "set", "tun7", "up")
        with pytest.raises(LinkError, match="tun7 is not an Ethernet interface"):
            dhcp_frames("tun7", SERVER_PORT)


def test_arp_is_heard_and_sent_and_ones_own_is_not_heard(cable: Cable) -> None:
    with cable.lab.inside(cable.server):
        server = arp_frames("s0")
    with cable.lab.inside(cable.client):
        client = arp_frames("c0")
    mac = client.frames.mac
    cable.lab.run(cable.server, "sysctl", "-q", "net.ipv4.conf.s0.arp_ignore=8")
    assert client.send(SendArp(probe(mac, THERE)))
    assert [seen.arp for seen in gather(server.receive, 1)] == [Arp(REQUEST, mac, 0, bytes(6), THERE)]
    # A switch that echoes our own probe must not make us decline our address.
    with cable.lab.inside(cable.server), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as echo:
        echo.bind(("s0", 0))
        echo.send(encode_arp(probe(mac, THERE)))
        echo.send(encode_arp(probe(OTHER_MAC, THERE)))
        echo.send(encode_arp(probe(OTHER_MAC, THERE))[:40])
    assert [seen.arp.sha for seen in gather(client.receive, 1)] == [OTHER_MAC]
    assert client.drops["own"] == 1
    until(lambda: client.receive() == [] and client.drops["truncated-frame"] == 1)
    server.close()
    client.close()


def test_who_lacks_the_rights_is_told_which() -> None:
    assert "run it as root" in str(LinkError("cannot open", errno.EPERM))
    assert "NET_RAW" in str(LinkError("cannot bind", errno.EACCES))
    assert str(LinkError("cannot set", errno.ENODEV)) == "cannot set"
