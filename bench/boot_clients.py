"""The clients whose boots are compared, as their users start them, the networks in which they wake up, and the server.

Each client has its distribution's own settings and scripts; what differs from the defaults is in its name.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from room import INTERFACE

from relet.wire.address import ip_text, mask, parse_ip

RELET = (str(Path(sys.executable).with_name("relet")), "client", INTERFACE)


class Network(NamedTuple):
    """A network: its gateway, which is its server's host too. more: how its dnsmasq differs from others."""

    gateway: int
    width: int
    gateway_mac: str
    more: tuple[str, ...] = ()

    def contains(self, address: int) -> bool:
        """Is the address one of this network's?"""
        return (address ^ self.gateway) & mask(self.width) == 0

    def server(self) -> tuple[str, ...]:
        """dnsmasq as a server that adds no delay of its own. {folder}: where it keeps its leases."""
        first = self.gateway & mask(self.width)
        return (
            "/usr/sbin/dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--no-ping", "--user=root",
            "--interface=s0", "--bind-interfaces", "--log-facility=-", "--pid-file={folder}/pid",
            "--dhcp-leasefile={folder}/leases", "--dhcp-lease-max=10000",
            f"--dhcp-range={ip_text(first + 0x100)},{ip_text(first + 0xFEFF)},{ip_text(mask(self.width))},43200",
            f"--dhcp-option=6,{ip_text(self.gateway)}", "--domain=example.org", *self.more,
        )  # fmt: skip


HOME, ELSEWHERE = "home", "elsewhere"
NETWORKS: Mapping[str, Network] = {
    HOME: Network(parse_ip("10.77.0.1"), 16, "02:00:00:00:77:01"),
    ELSEWHERE: Network(parse_ip("10.78.0.1"), 16, "02:00:00:00:78:01", ("--dhcp-authoritative",)),
}


class Client(NamedTuple):
    """A client and its settings.

    program: whose leases it remembers. checks: how it finds out whether somebody else uses the address, '' for not at all.
    asks: it is told the address that it had, as it remembers none, and asks for it by DHCPDISCOVER.
    """

    program: str
    argv: tuple[str, ...]
    checks: str = ""
    asks: bool = False

    def command(self, had: str) -> tuple[str, ...]:
        """How it is started. had: the address that it had, '' for none."""
        return (*self.argv, "-r", had) if self.asks and had else self.argv


_DHCLIENT = ("/usr/sbin/dhclient", "-4", "-d", INTERFACE)
_DHCPCD = ("/usr/sbin/dhcpcd", "-4", "-B", INTERFACE)
_UDHCPC = ("/usr/sbin/udhcpc", "-f", "-i", INTERFACE)
_RFC = "RFC 5227, before use"
_QUICK = "beside the request and in the first moments of use"

CLIENTS: Mapping[str, Client] = {
    "relet": Client("relet", RELET, f"{_RFC}; of a remembered address: {_QUICK}"),
    "relet --conflict quick": Client("relet", (*RELET, "--conflict", "quick"), _QUICK),
    "relet --conflict off": Client("relet", (*RELET, "--conflict", "off")),
    "dhclient": Client("dhclient", _DHCLIENT),
    "dhcpcd": Client("dhcpcd", _DHCPCD, _RFC),
    "dhcpcd --noarp": Client("dhcpcd", (*_DHCPCD[:-1], "--noarp", INTERFACE)),
    "udhcpc": Client("udhcpc", _UDHCPC, asks=True),
    "udhcpc -a": Client("udhcpc", (*_UDHCPC, "-a"), "one ARP request, two seconds", asks=True),
}
FASTEST: Mapping[str, str] = {
    "relet": "relet --conflict off",
    "dhclient": "dhclient",
    "dhcpcd": "dhcpcd --noarp",
    "udhcpc": "udhcpc",
}
"""Which way of each program is used to give it a lease to remember."""
PROGRAMS = {"relet": "ip", "dhclient": "dhclient", "dhcpcd": "dhcpcd", "udhcpc": "udhcpc"}
"""What the machine must have for each."""
