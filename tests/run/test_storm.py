"""A storm on the wire: far more requests than a batch, with copies and strangers, before a server that could not read."""

import signal
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from select import select
from time import time

import msgspec
import pytest

from relet.model.effects import SERVER_PORT
from relet.model.ident import client_key
from relet.model.lease import Change, Lease, LeaseState
from relet.run.control import ask
from relet.server.told import Status
from relet.store import open_store
from relet.wire.address import ip_text, parse_ip
from relet.wire.message import Message, decode, encode
from relet.wire.options import REQUESTED_ADDRESS, MessageType
from support.lab import Lab
from support.serving import Serve

pytestmark = pytest.mark.namespaces

SERVER, RELAY, FIRST = (parse_ip(text) for text in ("10.1.0.1", "10.1.0.2", "10.1.16.0"))
KNOWN, COPIES, STRANGERS = 2000, 2, 1000
PATIENCE_S = 20
ROOM = 64 << 20
_SO_RCVBUFFORCE = 33  # asm-generic/socket.h

CAMPUS = """
[server]
store = "sqlite:{folder}/leases.db"
receive-buffer = "12MiB"

[[network]]
name = "campus"
interfaces = ["s0"]

[[network.subnet]]
prefix = "10.1.0.0/16"
pools = ["10.1.16.0-10.1.95.255"]
"""


def mac(number: int) -> bytes:
    return b"\2\0" + number.to_bytes(4)


def asked(number: int, options: dict[int, bytes], kind: int, secs: int = 0) -> bytes:
    """A client's request as its relay passes it on."""
    head = {53: bytes((kind,))}
    return encode(Message(op=1, xid=number, secs=secs, giaddr=RELAY, chaddr=mac(number), options=head | options))


def wave(secs: int) -> Iterator[bytes]:
    """Every host that knows its address asks for it."""
    for number in range(KNOWN):
        wanted = {REQUESTED_ADDRESS.code: (FIRST + number).to_bytes(4)}
        yield asked(number, wanted, MessageType.REQUEST, secs)


def remember(folder: Path) -> None:
    """Put the hosts' leases where the server looks for them."""
    store = open_store(f"sqlite:{folder / 'leases.db'}")
    now = int(time())
    leases = [
        Lease(FIRST + n, client_key(None, 1, mac(n)), "campus", LeaseState.BOUND, now - 60, now + 3600, b"\1" + mac(n))
        for n in range(KNOWN)
    ]
    assert not store.commit([Change(None, lease) for lease in leases], now).refused
    store.close()


def replies(relay: socket.socket, number: int) -> list[Message]:
    """So many, in the order in which they were sent, and no more."""
    heard: list[Message] = []
    while len(heard) < number and select([relay], [], [], PATIENCE_S)[0]:
        heard.append(decode(relay.recv(4096)))
    assert not select([relay], [], [], 0)[0]
    return heard


def test_known_clients_are_confirmed_once_each_and_strangers_come_last() -> None:
    with Lab() as lab:
        host, cellar = lab.namespace("host"), lab.namespace("server")
        lab.cable(cellar, "s0", host, "c0")
        lab.address(cellar, "s0", "10.1.0.1/16")
        lab.address(host, "c0", "10.1.0.2/16")
        remember(lab.folder)
        server = Serve(lab, cellar, CAMPUS.format(folder=lab.folder), verbose=False)
        with lab.inside(host):
            relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with relay:
            relay.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, ROOM)
            relay.bind((ip_text(RELAY), SERVER_PORT))
            server.process.signal(signal.SIGSTOP)
            strangers = [asked(KNOWN + number, {}, MessageType.DISCOVER) for number in range(STRANGERS)]
            for payload in (*strangers, *(each for secs in range(1 + COPIES) for each in wave(4 * secs))):
                relay.sendto(payload, (ip_text(SERVER), SERVER_PORT))
            server.process.signal(signal.SIGCONT)
            heard = replies(relay, KNOWN + STRANGERS)
        kinds = [message.kind for message in heard]
        assert Counter(kinds) == {MessageType.ACK: KNOWN, MessageType.OFFER: STRANGERS}
        confirmed = {message.chaddr: message.yiaddr for message in heard if message.kind == MessageType.ACK}
        assert confirmed == {mac(number): FIRST + number for number in range(KNOWN)}
        last_of_the_known = KNOWN + STRANGERS - 1 - kinds[::-1].index(MessageType.ACK)
        assert kinds[last_of_the_known:].count(MessageType.OFFER) > STRANGERS * 3 // 4
        status = msgspec.convert(ask(server.control, {"do": "status"}), Status)
        assert status.drops == {"superseded": COPIES * KNOWN}
        assert status.waiting == 0
