"""Every scenario against a running server: real frames on real links, a link and addresses of its own for each.

One `relet serve` serves them all at once. What it decided and why, it tells through its control socket; what it sent is
what arrives.
"""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from select import select
from time import monotonic, time
from typing import Any

import msgspec
import pytest
import tomlkit
from msgspec.structs import replace

from relet.errors import WireError
from relet.model.lease import FOREVER, Change
from relet.run.control import ask
from relet.server.told import MAX_TOLD, Told
from relet.store.sqlite import SqliteStore
from relet.wire.address import BROADCAST, BROADCAST_MAC, hex_text, ip_text, parse_hex, parse_ip
from relet.wire.frame import Datagram, decode_datagram, encode_datagram
from relet.wire.message import Message, decode, encode
from relet.wire.options import LEASE_TIME
from support.lab import Lab, need, until
from support.scenarios import UNICAST, Scenario, Step, scenarios
from support.serving import Serve

pytestmark = pytest.mark.namespaces

ALL = list(scenarios(number=1, interface="v"))
AT_ONCE = 8
PATIENCE_S = 20.0
_ETH_P_ALL = 3


class Town:
    """A server and a host with a link for each scenario."""

    def __init__(self, lab: Lab) -> None:
        server, host = lab.namespace("server"), lab.namespace("host")
        links = [(f"v{number}", number, scenario) for number, scenario in enumerate(ALL, 1)]
        self._batch(lab, server, chain.from_iterable(_server_end(name, number, host) for name, number, _ in links))
        self._batch(lab, host, chain.from_iterable(_host_end(*link) for link in links))
        macs = {row["ifname"]: parse_hex(row["address"]) for row in json.loads(lab.ip(server, "-j", "link"))}
        configuration: dict[str, Any] = {"server": {"store": "sqlite:../leases.db", "leasequery": []}}
        for _, _, scenario in links:
            for name, tables in scenario.configuration.items():
                if name != "server":
                    configuration.setdefault(name, []).extend(tables)
            configuration["server"]["leasequery"] += scenario.configuration["server"]["leasequery"]
        _remember(lab.folder / "leases.db")
        self.serve = Serve(lab, server, tomlkit.dumps(configuration), verbose=False)
        self.links = {}
        with lab.inside(host), ExitStack() as stack:
            for name, number, scenario in links:
                raw = stack.enter_context(socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK))
                raw.bind((name, _ETH_P_ALL))
                self.links[scenario.name] = Link(raw, macs[name], parse_ip(f"10.{number}.1.1"), self.serve.control)
            self.close = stack.pop_all().close

    @staticmethod
    def _batch(lab: Lab, namespace: str, commands: Iterator[str]) -> None:
        file = lab.folder / f"{namespace}.ip"
        file.write_text("".join(f"{command}\n" for command in commands))
        lab.run(namespace, need("ip"), "-batch", file)


def _server_end(name: str, number: int, host: str) -> Iterator[str]:
    yield f"link add {name} type veth peer name {name} netns {host}"
    yield f"address add 10.{number}.1.1/24 brd + dev {name}"
    yield f"link set {name} up"
    yield f"route add 10.{number}.0.0/16 dev {name}"


def _host_end(name: str, number: int, scenario: Scenario) -> Iterator[str]:
    """The host has every address that a reply may be sent to through the server's kernel."""
    yield f"link set {name} up"
    spoken = {
        (step.message.ciaddr if step.kind != "LEASEQUERY" else 0) or step.relay
        for step in scenario.steps
        if step.message is not None
    } - {0}
    for address in spoken:
        if address >> 16 == (10 << 8 | number):
            yield f"address add {ip_text(address)}/16 dev {name}"


def _remember(file: Path) -> None:
    """Put all leases on record, as if granted earlier."""
    wall = int(time())
    leases = [
        replace(lease, starts=wall + lease.starts, expires=min(lease.expires + wall, FOREVER))
        for scenario in ALL
        for lease in scenario.leases
    ]
    store = SqliteStore(file)
    assert not store.commit([Change(None, lease) for lease in leases], wall).refused
    store.close()


class Link:
    """The host's end of a link: sends what clients and relays send, hears everything."""

    def __init__(self, raw: socket.socket, server_mac: bytes, server: int, control: Path) -> None:
        self._raw, self._server_mac, self._server, self._control = raw, server_mac, server, control

    def play(self, scenario: Scenario) -> None:
        """Hold what the server says to what is written."""
        for step in scenario.steps:
            if step.message is None:
                select([], [], [], step.later)
            else:
                self._ask(step, step.message, f"{scenario.name}, line {step.line}")

    def _ask(self, step: Step, message: Message, place: str) -> None:
        assert step.answer is not None
        before = len(self._told(message))
        self._raw.send(self._frame(step, message))
        until(lambda: len(self._told(message)) > before)
        told = self._told(message)[0]
        expected = (step.answer.answer, step.answer.reason, step.kind)
        assert (told.answer, told.reason, told.request) == expected, place
        if step.answer.address is not None:
            assert told.address == ip_text(step.answer.address), place
        reply = self._reply(message.xid, PATIENCE_S if told.answer != "SILENT" else 0.0)
        assert (reply is not None) == (told.answer != "SILENT"), place
        if reply is not None and step.answer.seconds is not None:
            assert reply.uint(LEASE_TIME.code) == step.answer.seconds, place

    def _told(self, message: Message) -> list[Told]:
        question = {"do": "why", "client": hex_text(message.chaddr) or ip_text(message.ciaddr), "limit": MAX_TOLD}
        return msgspec.convert(ask(self._control, question), list[Told])

    def _frame(self, step: Step, message: Message) -> bytes:
        port = 67 if step.relay else 68
        alone = bool(step.relay) or step.kind in UNICAST
        return encode_datagram(
            Datagram(
                src_mac=message.chaddr or b"\2relay",
                dst_mac=self._server_mac if alone else BROADCAST_MAC,
                src=step.relay or message.ciaddr,
                dst=self._server if alone else BROADCAST,
                sport=port,
                dport=67,
                payload=encode(message),
            )
        )

    def _reply(self, xid: int, patience_s: float) -> Message | None:
        """The reply to a message, if one has come or comes in time; others are left behind."""
        end = monotonic() + patience_s
        while True:
            ready, _, _ = select([self._raw], [], [], max(0.0, end - monotonic()))
            if not ready:
                return None
            try:
                datagram = decode_datagram(self._raw.recv(65536), verify=False)
                reply = decode(datagram.payload) if datagram.dport in (67, 68) else None
            except WireError:
                continue  # ARP, IPv6
            if reply is not None and reply.op == 2 and reply.xid == xid:
                return reply


@pytest.fixture(scope="module")
def played() -> Iterator[dict[str, Future[None]]]:
    """Every scenario, played; what became of it."""
    with Lab() as lab:
        town = Town(lab)
        with ThreadPoolExecutor(AT_ONCE) as players:
            played = {scenario.name: players.submit(town.links[scenario.name].play, scenario) for scenario in ALL}
        yield played
        town.close()


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.name)
def test_scenario(scenario: Scenario, played: dict[str, Future[None]]) -> None:
    played[scenario.name].result()
