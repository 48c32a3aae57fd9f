"""Stations and hosts of one's own on a link in memory: octets in, octets out, and timers."""

from collections.abc import Iterable

import pytest

from relet.model.clock import Now
from relet.testing import DhcpLink, Frame
from relet.wire.address import parse_ip
from relet.wire.message import BOOTREQUEST, Message, decode
from relet.wire.options import MessageType


def ask(kind: MessageType, mac: bytes, ciaddr: int = 0, **options: bytes) -> Message:
    """A client's message."""
    carried = {53: bytes([kind])} | {int(code.removeprefix("o")): octets for code, octets in options.items()}
    return Message(op=BOOTREQUEST, xid=7, chaddr=mac, ciaddr=ciaddr, options=carried)


def test_a_station_talks_by_hand() -> None:
    link = DhcpLink()
    link.server()
    station = link.station()
    station.send(ask(MessageType.DISCOVER, station.mac))
    link.run(1)
    (offer,) = station.messages
    assert (offer.kind, offer.xid) == (MessageType.OFFER, 7)
    assert station.heard[0][:4] == b"\2\1\6\0"
    station.send(b"no message")
    link.run(1)
    assert len(station.heard) == 1


def test_a_station_with_an_address_is_found_by_arp() -> None:
    link = DhcpLink()
    server = link.server()
    station = link.station()
    station.send(ask(MessageType.DISCOVER, station.mac))
    link.run(1)
    address = station.messages[0].yiaddr
    station.send(
        ask(MessageType.REQUEST, station.mac, o50=address.to_bytes(4), o54=parse_ip("192.168.1.1").to_bytes(4))
    )
    link.run(1)
    station.address = "192.168.1.100"
    station.send(ask(MessageType.REQUEST, station.mac, ciaddr=address), to="192.168.1.1")
    link.run(1)
    assert server.answers[-1] == ("RENEWING", "ACK", "renewed")
    assert [message.kind for message in station.messages] == [MessageType.OFFER, MessageType.ACK, MessageType.ACK]


def test_a_station_without_its_address_is_not() -> None:
    link = DhcpLink()
    link.server()
    station = link.station()
    station.send(ask(MessageType.REQUEST, station.mac, ciaddr=parse_ip("192.168.1.100")), to="192.168.1.1")
    link.run(1)
    assert station.heard == []
    assert link.frames[-1].source == "station-1"


def test_a_server_station_hears_what_is_for_it_alone() -> None:
    link = DhcpLink()
    heard: list[bytes] = []

    def hear(payload: bytes) -> list[bytes]:
        heard.append(payload)
        return []

    link.station(hear, port=67, address="192.168.1.1")
    client = link.station()
    message = ask(MessageType.DISCOVER, client.mac)
    client.send(message)
    client.send(message, to="192.168.1.1")
    client.send(message, to="192.168.1.2")
    link.run(1)
    assert [decode(payload) for payload in heard] == [message, message]


def test_a_station_has_timers() -> None:
    link = DhcpLink()
    link.server()
    station = link.station()
    sent: list[float] = []

    def again() -> Iterable[bytes]:
        sent.append(link.now)
        station.wake_at = link.now + 4.0 if len(sent) < 3 else None
        return [b"again"]

    station.on_wake = again
    station.wake_at = 2.0
    link.run(60)
    assert sent == [2.0, 6.0, 10.0]
    assert [frame.source for frame in link.frames] == ["station-1"] * 3


def test_ports_are_those_of_dhcp() -> None:
    with pytest.raises(ValueError, match="DHCP has the ports 67 and 68, not 53"):
        DhcpLink().station(port=53)


def test_a_host_of_ones_own_is_frames_in_and_frames_out() -> None:
    class Ear:
        """Hears all that is sent to everybody."""

        name, mac, network = "ear", b"\2\0\0\0\0\x55", "link"

        def __init__(self) -> None:
            self.heard: list[tuple[float, bytes]] = []

        def addresses(self) -> Iterable[int]:
            return ()

        def hear(self, frame: bytes, now: Now) -> list[bytes]:
            self.heard.append((now.mono, frame))
            return []

        def deadline(self) -> float | None:
            return None

        def wake(self, now: Now) -> list[bytes]:
            raise AssertionError(f"woken at {now}")

    link = DhcpLink()
    link.server()
    ear = link.attach(Ear())
    link.client().wait_for("bound")
    link.run(10)
    from_client: list[Frame] = [frame for frame in link.frames if frame.source == "client-1"]
    assert [frame.octets for frame in from_client if frame.octets[:6] == b"\xff" * 6] == [
        octets for _, octets in ear.heard if octets[6:12] == link.clients[0].mac
    ]
    assert "ear" in link.ladder()
