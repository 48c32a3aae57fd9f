"""How to test a client, a server, and what relies on them, with relet's fixtures. Run it with `pytest`.

pip install 'relet[testing]'
pytest examples/testing
"""

import pytest
from toy_client import ToyClient
from toy_server import ToyServer

from relet.testing import DhcpLink, Frame, RealLink, ServerPlan


def test_a_client_of_ones_own_gets_an_address(dhcp_link: DhcpLink) -> None:
    server = dhcp_link.server(pool="192.168.1.100-192.168.1.199", options={"routers": ["192.168.1.1"]})
    host = dhcp_link.station()
    client = ToyClient(host.mac)
    host.answer = client.hear
    host.send(client.start())
    dhcp_link.wait_until(lambda: client.address != "")
    assert client.address == "192.168.1.100"
    assert server.held == {"192.168.1.100": f"mac {host.mac.hex(':')}"}
    assert server.answers == [("DISCOVER", "OFFER", "offered-new"), ("SELECTING", "ACK", "granted")]


def test_it_is_lost_if_the_offer_is(dhcp_link: DhcpLink) -> None:
    dhcp_link.server()
    dhcp_link.drop("DHCPOFFER", times=1)
    host = dhcp_link.station()
    client = ToyClient(host.mac)
    host.answer = client.hear
    host.send(client.start())
    dhcp_link.run(3600)
    assert client.address == ""  # a client should ask again (RFC 2131 s4.1); this one does not
    assert len(dhcp_link.messages("DHCPDISCOVER")) == 1


def test_a_server_of_ones_own_serves_a_real_client(dhcp_link: DhcpLink) -> None:
    dhcp_link.station(ToyServer("192.168.1.1", "192.168.1.50").hear, port=67, address="192.168.1.1")
    client = dhcp_link.client()
    lease = client.wait_for("bound")
    assert lease is not None
    assert str(lease.interface) == "192.168.1.50/24"
    assert client.states[-4:] == ["selecting", "requesting", "probing", "bound"]


def test_it_gives_one_address_to_two_clients(dhcp_link: DhcpLink) -> None:
    dhcp_link.station(ToyServer("192.168.1.1", "192.168.1.50").hear, port=67, address="192.168.1.1")
    first = dhcp_link.client()
    first.wait_for("bound")
    second = dhcp_link.client()
    second.wait_for("backoff")  # it found out by ARP, and declined
    assert ("client-2", "DHCPDECLINE") in dhcp_link.sent


def test_a_host_wakes_up_on_another_network(dhcp_link: DhcpLink) -> None:
    dhcp_link.server(pool="192.168.1.100-192.168.1.199")
    dhcp_link.server(ServerPlan(address="10.9.0.1", pools=["10.9.0.50-10.9.0.99"]), network="elsewhere")
    client = dhcp_link.client()
    client.wait_for("bound")
    client.unplug()
    dhcp_link.run(600)
    client.plug("elsewhere")
    lease = client.wait_for("bound")
    assert lease is not None
    assert str(lease.address) == "10.9.0.50"
    assert ("server-2", "DHCPNAK") in dhcp_link.sent


@pytest.mark.dhcp_seed(7)
def test_a_bad_cable(dhcp_link: DhcpLink) -> None:
    dhcp_link.server()
    dhcp_link.lose(0.3)

    @dhcp_link.on_frame
    def late(frame: Frame) -> list[Frame]:
        return [frame, frame] if frame.source == "server-1" else [frame]

    clients = [dhcp_link.client() for _ in range(5)]
    dhcp_link.wait_until(lambda: all(client.lease for client in clients), seconds=600)
    assert len({client.lease.address for client in clients if client.lease}) == 5


@pytest.mark.dhcp_real
def test_a_program_on_a_real_link(dhcp_link: RealLink) -> None:
    server = dhcp_link.server(pool="192.168.1.100-192.168.1.199", leases={"192.168.1.100": "52:54:00:12:34:56"})
    client = dhcp_link.client(command=["udhcpc", "-f", "-i", "eth0", "-s", "/bin/true"])
    dhcp_link.wait_until(lambda: len(server.held) == 2)
    assert server.held["192.168.1.101"].endswith(client.mac)
