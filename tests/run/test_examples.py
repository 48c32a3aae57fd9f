"""Each configuration in examples/ is served, and a client of it gets what the file says."""

import shutil
import socket
from pathlib import Path

import pytest
from msgspec.structs import replace

from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send
from relet.net.packet import dhcp_frames
from relet.wire.address import BROADCAST, BROADCAST_MAC, ip_text, parse_ip
from relet.wire.message import Message, decode, encode
from support.lab import PATIENCE_S, Lab, Process, gather
from support.table import discover, kind_of

pytestmark = pytest.mark.namespaces
EXAMPLES = Path(__file__).parents[2] / "examples"
PXE = {60: b"PXEClient:Arch:00007:UNDI:003000", 93: b"\x00\x07"}


def serving(lab: Lab, namespace: str, example: str) -> Process:
    """The server, on a copy of the examples."""
    folder = lab.folder / "examples"
    shutil.copytree(EXAMPLES, folder)
    return lab.relet(namespace, "serve", "--config", folder / example, "--log-format", "human")


@pytest.mark.parametrize(
    ("example", "interface", "address", "options", "pool"),
    [
        ("home.toml", "eth0", "192.168.1.1/24", {}, "192.168.1."),
        ("office.toml", "eth0.20", "10.1.20.2/23", {}, "10.1.20."),
        ("office.toml", "eth0.20", "10.1.20.2/23", {60: b"AcmePhone 7"}, "10.1.2"),
        ("pxe.toml", "eth1", "10.3.0.2/24", PXE, "10.3.0."),
    ],
)
def test_a_client_on_the_link(example: str, interface: str, address: str, options: dict[int, bytes], pool: str) -> None:
    with Lab() as lab:
        server, host = lab.namespace("server"), lab.namespace("host")
        lab.cable(server, interface, host, "c0")
        lab.address(server, interface, address)
        process = serving(lab, server, example)
        process.line("listening", f"{address.partition('/')[0]}:67")
        with lab.inside(host):
            client = dhcp_frames("c0", CLIENT_PORT)
        asked = replace(discover(), chaddr=client.frames.mac)
        asked = replace(asked, options={**asked.options, **options})
        assert client.send([Send(encode(asked), BROADCAST, SERVER_PORT, 0, "c0", BROADCAST_MAC)]) == 1
        reply = decode(gather(client.receive, 1)[0].payload)
        client.close()
        assert kind_of(reply) == "OFFER"
        assert ip_text(reply.yiaddr).startswith(pool)
        if options is PXE:
            assert (ip_text(reply.siaddr), reply.file.rstrip(b"\0")) == ("10.3.0.5", b"ipxe.efi")


@pytest.mark.parametrize(
    ("example", "listen", "relay", "pool"),
    [
        ("isp.toml", "203.0.113.2", "198.51.100.1", "192.0.2."),
        ("campus/relet.toml", "172.16.0.2", "172.16.1.2", "10.100."),
    ],
)
def test_a_client_behind_a_relay(example: str, listen: str, relay: str, pool: str) -> None:
    with Lab() as lab:
        server = lab.namespace("server")
        for address in (listen, relay):
            lab.address(server, "lo", f"{address}/32")
        process = serving(lab, server, example)
        process.line("listening", f"{listen}:67")
        reply = relayed(lab, server, replace(discover(), giaddr=parse_ip(relay), hops=1), listen)
        assert kind_of(reply) == "OFFER"
        assert ip_text(reply.yiaddr).startswith(pool)


def relayed(lab: Lab, namespace: str, request: Message, server: str) -> Message:
    """What a relay in the namespace is answered."""
    with lab.inside(namespace):
        relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with relay:
        relay.settimeout(PATIENCE_S)
        relay.bind((ip_text(request.giaddr), SERVER_PORT))
        relay.sendto(encode(request), (server, SERVER_PORT))
        return decode(relay.recv(2048))
