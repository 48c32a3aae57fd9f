"""What a client remembers, on real links: each network and each identity finds its own address again."""

import json
from collections.abc import Iterator

import pytest

from support.lab import Lab
from support.serving import Serve, office

pytestmark = pytest.mark.namespaces

KNOWN = {"network", "reboot"}
"""The router answered for the network that is remembered, or the server for the address; who is first."""

HOME, CAFE = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab() as made:
        yield made


def boot(lab: Lab, host: str, *more: str) -> dict[str, object]:
    """Start a client that ends when it has an address, and say what it was bound to."""
    for address in lab.addresses(host, "c0"):
        lab.ip(host, "address", "del", address, "dev", "c0")
    client = lab.relet(
        host, "client", "c0", "--conflict", "off", "--once", "--json", "--lease-file", lab.folder / "c0.lease", *more
    )
    told: dict[str, object] = json.loads(client.line('"event":"bound"'))
    outcome, rest = client.wait(), client.popen.stdout
    assert outcome == 0, (outcome, client.lines, rest and rest.read())
    return told


def carry(lab: Lab, host: str, switch: str, mac: str) -> None:
    """Plug the host in at a network, with the hardware address that it has there."""
    if "c0" in lab.ip(host, "-o", "link", "show"):
        lab.ip(host, "link", "del", "c0")
    lab.plug(switch, host, "c0")
    lab.ip(host, "link", "set", "c0", "address", mac)


def test_who_has_a_hardware_address_for_each_network_comes_back_to_each_as_who_it_was(lab: Lab) -> None:
    """Both networks have the same addresses, and the host gets the same one on both."""
    host, switches = lab.namespace("host"), {}
    for name in ("home", "cafe"):
        server = lab.namespace(name)
        switches[name] = lab.switch(f"switch-{name}", (server, "s0"))
        lab.address(server, "s0", "192.168.1.1/24")
        Serve(lab, server, office(), name)
    bound = []
    for name, mac in (("home", HOME), ("cafe", CAFE), ("home", HOME), ("cafe", CAFE)):
        carry(lab, host, switches[name], mac)
        bound.append(boot(lab, host))
    assert [told["cause"] for told in bound[:2]] == ["bound", "bound"]
    assert {told["cause"] for told in bound[2:]} <= KNOWN
    assert len({told["address"] for told in bound}) == 1


def test_one_identity_keeps_a_lease_of_each_network(lab: Lab) -> None:
    """A laptop that comes home with the hardware address that it had elsewhere."""
    host, switches = lab.namespace("host"), {}
    for name, third in (("home", 1), ("cafe", 2)):
        server = lab.namespace(name)
        switches[name] = lab.switch(f"switch-{name}", (server, "s0"))
        lab.address(server, "s0", f"192.168.{third}.1/24")
        Serve(
            lab,
            server,
            office(pool=f"192.168.{third}.100-192.168.{third}.119").replace("168.1.", f"168.{third}."),
            name,
        )
    bound = []
    for name in ("home", "cafe", "home"):
        carry(lab, host, switches[name], HOME)
        bound.append(boot(lab, host))
    assert [told["address"] for told in bound] == ["192.168.1.100", "192.168.2.100", "192.168.1.100"]
    assert bound[2]["cause"] in KNOWN
