"""kill -9 while the server grants leases as fast as it can: whoever saw an ACK on the wire has that lease afterwards."""

import socket
from collections.abc import Iterator
from random import Random

import pytest

from relet.wire.address import parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import REQUESTED_ADDRESS, SERVER_IDENTIFIER, MessageType
from support.lab import Lab
from support.serving import Serve, office

pytestmark = pytest.mark.namespaces

RELAY = parse_ip("192.168.1.2")
SERVER = ("192.168.1.1", 67)
CLIENTS = 400
ROUNDS = 5
IN_FLIGHT = 32
SILENCE_S = 1.0


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


class Fleet:
    """Many clients behind one relay's socket."""

    def __init__(self, relay: socket.socket) -> None:
        self._socket = relay
        self.acknowledged: dict[int, int] = {}
        self.naks = 0

    def _send(self, client: int, kind: int, options: dict[int, bytes]) -> None:
        mac = bytes((2, 0)) + client.to_bytes(4)
        message = Message(1, client + 1, chaddr=mac, giaddr=RELAY, options={53: bytes((kind,))} | options)
        self._socket.sendto(encode(message), SERVER)

    def discover(self, client: int) -> None:
        self._send(client, MessageType.DISCOVER, {})

    def reboot(self, client: int) -> None:
        self._send(client, MessageType.REQUEST, {REQUESTED_ADDRESS.code: self.acknowledged[client].to_bytes(4)})

    def hear(self) -> tuple[int, Message] | None:
        """The next reply, None after a second of silence. An OFFER is accepted, an ACK remembered."""
        try:
            reply = decode(self._socket.recv(2048))
        except (TimeoutError, ConnectionRefusedError):
            return None
        client = reply.xid - 1
        if reply.kind == MessageType.OFFER:
            chosen = {REQUESTED_ADDRESS.code: reply.yiaddr.to_bytes(4), SERVER_IDENTIFIER.code: reply.options[54]}
            self._send(client, MessageType.REQUEST, chosen)
        elif reply.kind == MessageType.ACK:
            self.acknowledged[client] = reply.yiaddr
        elif reply.kind == MessageType.NAK:
            self.naks += 1
        return client, reply


def test_every_ack_on_the_wire_survives_kill_9(lab: Lab) -> None:
    server, relay = lab.namespace("server"), lab.namespace("relay")
    lab.cable(server, "s0", relay, "r0")
    lab.address(server, "s0", "192.168.1.1/20")
    lab.address(relay, "r0", "192.168.1.2/20")
    configuration = office(pool="192.168.2.0-192.168.9.255").replace("192.168.1.0/24", "192.168.0.0/20")
    serve = Serve(lab, server, configuration, verbose=False)  # nobody reads what it would say
    with lab.inside(relay), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.bind(("192.168.1.2", 67))
        wire.settimeout(SILENCE_S)
        fleet = Fleet(wire)
        chance = Random(5)
        for round_number in range(ROUNDS):
            clients = iter(range(round_number * CLIENTS, (round_number + 1) * CLIENTS))
            kill_at = len(fleet.acknowledged) + chance.randrange(20, CLIENTS - 2 * IN_FLIGHT)
            for _, client in zip(range(IN_FLIGHT), clients, strict=False):
                fleet.discover(client)
            while len(fleet.acknowledged) < kill_at:
                heard = fleet.hear()
                assert heard is not None
                if heard[1].kind == MessageType.ACK and (client := next(clients, -1)) >= 0:
                    fleet.discover(client)
            serve.kill()
            while fleet.hear() is not None:  # what had left the server before it died counts too
                pass
            serve.start()
            assert_all_confirmed(fleet)
        assert fleet.naks == 0
    addresses = list(fleet.acknowledged.values())
    assert len(set(addresses)) == len(addresses) >= ROUNDS * 20


def assert_all_confirmed(fleet: Fleet) -> None:
    """Each client that ever saw an ACK reboots, and is confirmed with the same address."""
    waiting = dict(fleet.acknowledged)
    for client in tuple(waiting):
        fleet.reboot(client)
        heard = fleet.hear()
        assert heard is not None, f"client {client} had an ACK and was met with silence"
        assert (heard[1].kind, heard[1].yiaddr) == (MessageType.ACK, waiting.pop(heard[0]))
    assert not waiting
