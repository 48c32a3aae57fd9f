"""Fixtures for pytest, and what they are made of, for tests of DHCP clients, servers and what relies on them.

    def test_a_host_gets_an_address(dhcp_server, dhcp_client):
        dhcp_server(pool="192.168.1.100-192.168.1.199")
        client = dhcp_client()
        client.wait_for("bound")
        assert str(client.lease.address) == "192.168.1.100"

docs/library.md tells it all. `plugin` is what pytest loads in every run, so nothing is loaded here before it is looked at.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relet.lab.ether import Frame, Host
    from relet.testing.client import DhcpClient
    from relet.testing.configuration import ServerPlan
    from relet.testing.link import DhcpLink
    from relet.testing.machines import RealClient, RealHost, RealServer
    from relet.testing.real import RealLink
    from relet.testing.server import DhcpServer
    from relet.testing.station import Station

__all__ = [
    "DhcpClient",
    "DhcpLink",
    "DhcpServer",
    "Frame",
    "Host",
    "RealClient",
    "RealHost",
    "RealLink",
    "RealServer",
    "ServerPlan",
    "Station",
]

_PLACES = {
    "DhcpClient": "relet.testing.client",
    "DhcpLink": "relet.testing.link",
    "DhcpServer": "relet.testing.server",
    "Frame": "relet.lab.ether",
    "Host": "relet.lab.ether",
    "RealClient": "relet.testing.machines",
    "RealHost": "relet.testing.machines",
    "RealLink": "relet.testing.real",
    "RealServer": "relet.testing.machines",
    "ServerPlan": "relet.testing.configuration",
    "Station": "relet.testing.station",
}


def __getattr__(name: str) -> Any:
    """What is looked at is loaded then."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
