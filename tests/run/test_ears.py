"""Interfaces and addresses that come and go under a running server."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from relet.config.load import parse
from relet.model.effects import SERVER_PORT, Send
from relet.run.ears import Ears
from relet.run.loop import Loop
from relet.wire.address import BROADCAST_MAC, ip_text
from relet.wire.frame import ETHERTYPE_IP
from relet.wire.message import decode, encode
from support.lab import PATIENCE_S, Lab, Process
from support.links import offered
from support.serving import office
from support.table import discover, ip, kind_of

pytestmark = pytest.mark.namespaces


def event(client: Process, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(client.line(f'"event":"{name}"'))
    return told


def test_an_interface_is_served_each_time_that_it_comes(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        config = tmp_path_factory.mktemp("ears") / "relet.toml"
        config.write_text(office())
        process = lab.relet(server, "serve", "--config", config)
        process.line("waiting", "s0", "there is no such interface")
        for _ in range(10):
            lab.cable(server, "s0", host, "c0")
            process.line("waiting", "s0", "no IPv4 address")
            lab.address(server, "s0", "192.168.1.1/24")
            process.line("listening", "192.168.1.1:67")
            assert offered(lab, host) == ("OFFER", ip(1))
            lab.ip(server, "link", "del", "s0")
            process.line("interface lost", "s0")
            process.line("not listening any more", "192.168.1.1:67")


def test_replies_to_one_relay_pass_the_kernel_as_one_where_that_is_wanted(tmp_path: Path) -> None:
    settings = parse(office(), "relet.toml", tmp_path)
    sends = [Send(b"%d" % n, ip(254), SERVER_PORT, ip(1)) for n in range(8)]
    headers = 14 + 20 + 8
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", host, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        lab.address(host, "c0", "192.168.1.254/24")
        with lab.inside(host):
            relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_IP))
        loop = Loop(lambda: None, lambda: None)
        with lab.inside(server), relay, frames, closing(loop), closing(Ears(loop, print, lambda: None)) as ears:
            for each in (relay, frames):
                each.settimeout(PATIENCE_S)
            relay.bind(("192.168.1.254", SERVER_PORT))
            frames.bind(("c0", ETHERTYPE_IP))
            for merge, expected in ((False, [headers + 1] * 8), (True, [headers + 8]), (False, [headers + 1] * 8)):
                ears.want(replace(settings, merge_replies=merge))
                assert ears.send(sends) == 0
                assert [relay.recv(100) for _ in range(8)] == [send.payload for send in sends]
                assert [len(frames.recv(100)) for _ in expected] == expected
            elsewhere = [replace(sends[0], source=ip(9)), replace(sends[0], interface="c0", mac=BROADCAST_MAC)]
            assert ears.send([*sends, *elsewhere]) == 2
            assert [relay.recv(100) for _ in range(8)] == [send.payload for send in sends]


def test_the_server_identifier_follows_the_address(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", host, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        config = tmp_path_factory.mktemp("ears") / "relet.toml"
        config.write_text(office())
        process = lab.relet(server, "serve", "--config", config)
        process.line("listening", "192.168.1.1:67")
        lab.address(server, "s0", "192.168.1.2/25")  # another prefix: the kernel keeps it when the first one goes
        process.line("listening", "192.168.1.2:67")
        assert offered(lab, host) == ("OFFER", ip(1))
        lab.ip(server, "address", "del", "192.168.1.1/24", "dev", "s0")
        process.line("address changed", "192.168.1.2")
        process.line("not listening any more", "192.168.1.1:67")
        assert offered(lab, host) == ("OFFER", ip(2))


def test_an_address_of_no_subnet_is_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", host, "c0")
        lab.address(server, "s0", "172.16.5.1/24")
        config = tmp_path_factory.mktemp("ears") / "relet.toml"
        config.write_text(office())
        process = lab.relet(server, "serve", "--config", config)
        process.line("address out of place", "s0", "172.16.5.1", "it lies in no subnet of network office")
        lab.address(server, "s0", "192.168.1.1/24")
        process.line("address changed", "192.168.1.1")
        assert offered(lab, host) == ("OFFER", ip(1))


def test_an_address_to_listen_on_may_come_later(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "s0", host, "c0")
        lab.address(server, "s0", "192.168.1.1/24")
        lab.address(host, "c0", "192.168.1.254/24")
        lab.ip(host, "route", "add", "192.0.2.1", "via", "192.168.1.1")
        config = tmp_path_factory.mktemp("ears") / "relet.toml"
        config.write_text(office().replace("[server]", '[server]\nlisten = ["192.0.2.1"]'))
        process = lab.relet(server, "serve", "--config", config)
        process.line("waiting", "192.0.2.1:67", "this machine does not have it")
        with lab.inside(host):
            relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with relay:
            relay.settimeout(PATIENCE_S)
            relay.bind(("192.168.1.254", SERVER_PORT))
            for again in (False, True):
                lab.address(server, "lo", "192.0.2.1/32")
                if not again:  # its socket outlives the address
                    process.line("listening", "192.0.2.1:67")
                relay.sendto(encode(replace(discover(), giaddr=ip(254))), ("192.0.2.1", SERVER_PORT))
                octets, (sender, _) = relay.recvfrom(4096)
                reply = decode(octets)
                assert (kind_of(reply), ip_text(reply.ip(54) or 0), sender) == ("OFFER", "192.0.2.1", "192.0.2.1")
                lab.ip(server, "address", "del", "192.0.2.1/32", "dev", "lo")


def test_a_client_keeps_its_address_while_the_servers_interface_flaps(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The interface is named as one of a VLAN, which it is for the server: a device with a dot in its name."""
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, "eth0.10", host, "c0")
        lab.address(server, "eth0.10", "192.168.1.1/24")
        folder = tmp_path_factory.mktemp("ears")
        config = folder / "relet.toml"
        config.write_text(office("eth0.10").replace('"1h"', '"60s"\nrenew-at = 0.05'))
        process = lab.relet(server, "serve", "--verbose", "--config", config)
        process.line("listening", "192.168.1.1:67")
        client = lab.relet(host, "client", "c0", "--lease-file", folder / "c0.lease", "--json", "--conflict", "off")
        held = event(client, "bound")["address"]
        for _ in range(3):
            lab.ip(server, "link", "set", "eth0.10", "down")
            event(client, "unbound")
            lab.ip(server, "link", "set", "eth0.10", "up")
            assert event(client, "bound")["address"] == held
            process.line("INIT-REBOOT", "confirmed", str(held))
        # without its address the server is deaf; the client renews once it has come back
        lab.ip(server, "address", "del", "192.168.1.1/24", "dev", "eth0.10")
        process.line("interface lost", "eth0.10")
        lab.address(server, "eth0.10", "192.168.1.1/24")
        process.line("listening", "192.168.1.1:67")
        process.line("RENEWING", "renewed", str(held))
