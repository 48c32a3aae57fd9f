"""Where other DHCP clients of this host keep their leases. Who has none never loads what reads them."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from relet.net.link import LinkInfo
from relet.run import smallfile

MAX_FILES = 64
"""Looked at for one interface; a host that moves about may have one for each network."""

UUID = "????????-????-????-????-????????????"
"""How NetworkManager names a connection."""

DHCPCD = ("/var/lib/dhcpcd", "/var/lib/dhcpcd5", "/var/db/dhcpcd")
"""Folders of dhcpcd; Debian and old versions have others than its makers."""


def places(link: LinkInfo, root: Path) -> list[Path]:
    """The files that are there and bear an interface's name, or may have its leases."""
    return list(islice(_places(link, root), MAX_FILES))


def _places(link: LinkInfo, root: Path) -> Iterator[Path]:
    name = "".join(f"[{char}]" if char in "*?[" else char for char in link.name)
    for folder, pattern in (
        ("/var/lib/dhcp", "dhclient.leases"),
        ("/var/lib/dhcp", f"dhclient.{name}.leases"),
        ("/var/lib/dhclient", "dhclient.leases"),
        ("/var/lib/dhclient", f"dhclient*{name}.lease*"),
        ("/var/lib/NetworkManager", f"dhclient-{UUID}-{name}.lease"),
        ("/var/lib/NetworkManager", f"internal-{UUID}-{name}.lease"),
        *((each, f"{name}.lease") for each in DHCPCD),
        *((each, f"{name}-*.lease") for each in DHCPCD),
        ("/run/systemd/netif/leases", str(link.index)),
    ):
        yield from smallfile.like(root / folder.lstrip("/"), pattern, MAX_FILES)
