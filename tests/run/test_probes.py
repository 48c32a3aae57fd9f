"""A host that uses an address without a lease is found by ARP and by ping, on the link and behind a router."""

import socket
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from relet.model.effects import CLIENT_PORT, SERVER_PORT, Send
from relet.net.packet import dhcp_frames
from relet.net.ping import Pinger
from relet.wire.address import BROADCAST, BROADCAST_MAC, ip_text, parse_ip
from relet.wire.message import BROADCAST_FLAG, Message, encode
from support.lab import Lab, until
from support.serving import Serve, office
from support.table import MAC, OTHER_MAC, SERVER, discover, ip, reboot, selecting

pytestmark = pytest.mark.namespaces

WAY_OUT = parse_ip("192.168.1.254")
SQUATTED, NEXT = ip(100), ip(101)


class Street:
    """A server, and a host that has the first address of the pool without having asked for it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.server, self.host = lab.namespace("server"), lab.namespace("host")
        lab.cable(self.server, "s0", self.host, "c0")
        lab.address(self.server, "s0", "192.168.1.1/24")
        lab.address(self.host, "c0", "192.168.1.254/24")
        lab.address(self.host, "c0", f"{ip_text(SQUATTED)}/24")
        with lab.inside(self.host):
            self.client = dhcp_frames("c0", CLIENT_PORT)
            self.relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.relay.bind((ip_text(WAY_OUT), SERVER_PORT))

    def close(self) -> None:
        self.client.close()
        self.relay.close()

    def serve(self, probe: str, wait: str = "1s") -> Serve:
        """A server that probes so."""
        text = office().replace('lease-time = "1h"', f'lease-time = "1h"\nprobe = "{probe}"\nprobe-wait = "{wait}"')
        return Serve(self.lab, self.server, text)

    def say(self, message: Message) -> None:
        """A request on the link."""
        payload = encode(replace(message, flags=BROADCAST_FLAG))
        assert self.client.send([Send(payload, BROADCAST, SERVER_PORT, 0, "c0", BROADCAST_MAC)]) == 1

    def relayed(self, message: Message) -> None:
        """A request through a relay."""
        self.relay.sendto(encode(replace(message, giaddr=WAY_OUT)), (ip_text(SERVER), SERVER_PORT))


@pytest.fixture
def street() -> Iterator[Street]:
    with Lab() as lab:
        street = Street(lab)
        yield street
        street.close()


@pytest.mark.parametrize(("probe", "way"), [("arp", "say"), ("ping", "say"), ("both", "say"), ("ping", "relayed")])
def test_a_squatter_is_found_and_the_client_gets_another_address(street: Street, probe: str, way: str) -> None:
    server = street.serve(probe)
    getattr(street, way)(discover())
    found = server.process.line("found-in-use")
    assert f"address={ip_text(SQUATTED)}" in found
    assert f"address={ip_text(NEXT)}" in server.process.line("OFFER")
    getattr(street, way)(selecting(NEXT))
    assert f"address={ip_text(NEXT)}" in server.process.line("ACK")
    why = street.lab.relet(street.host, "why", MAC.hex(":"), "--control", server.control)
    why.line(f"DISCOVER for {ip_text(SQUATTED)} -> SILENT", "(found-in-use")
    assert why.wait() == 0
    if probe == "arp":
        leases = street.lab.relet(street.host, "leases", "--all", "--json", "--config", server.config)
        leases.line(f'"hardware": "{street.client.frames.mac.hex(":")}"')


def test_others_are_served_while_a_probe_is_out(street: Street) -> None:
    server = street.serve("arp", "2s")
    street.say(discover(NEXT, OTHER_MAC))
    server.process.line("OFFER", ip_text(NEXT))
    street.say(selecting(NEXT, mac=OTHER_MAC))
    server.process.line("ACK", ip_text(NEXT))
    street.say(discover(ip(110)))
    street.say(reboot(NEXT, OTHER_MAC))
    told = [server.process.line("reason="), server.process.line("reason=")]
    assert ["reason=confirmed" in told[0], "reason=offered-requested" in told[1]] == [True, True], told


def test_pings_that_nobody_sent_are_not_believed(street: Street) -> None:
    with street.lab.inside(street.server):
        ours, theirs = Pinger(), Pinger()
    heard: list[int] = []
    strange: list[int] = []
    assert theirs.ping(SQUATTED)
    assert ours.ping(SQUATTED)

    def listen() -> bool:
        heard.extend(ours.receive())
        strange.extend(theirs.receive())
        return bool(heard and strange)

    until(listen)
    assert (heard, strange) == ([SQUATTED], [SQUATTED])  # each its own answer, and only that
    ours.close()
    theirs.close()
