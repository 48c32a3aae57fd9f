"""The leases of one interface in the files of other clients, whichever client's a file is."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from relet.client.identity import DUID_OCTETS
from relet.model.effects import Note
from relet.net.link import LinkInfo
from relet.run import smallfile
from relet.run.foreign import dhclient, dhcpcd, networkd
from relet.run.foreign.found import Found
from relet.wire.address import parse_hex
from relet.wire.message import COOKIE

MAX_OCTETS = 1 << 20
"""Of a lease file; a longer one is not read."""

DHCPCD_CONF = "/etc/dhcpcd.conf"
DHCLIENT_CONF = ("/etc/dhcp/dhclient.conf", "/etc/dhclient.conf")


class Source(msgspec.Struct, frozen=True):
    """A lease file of another client, and what was in it; oldest lease first."""

    path: Path
    found: tuple[Found, ...]


def search(paths: Iterable[Path], link: LinkInfo, root: Path = Path("/")) -> tuple[list[Source], list[Note]]:
    """What there is in these files. Of those of no use the operator is told."""
    sources, notes = [], []
    for path in paths:
        try:
            sources.append(read(path, link, root))
        except OSError as error:
            notes.append(Note("not-imported", f"{path} cannot be read: {error.strerror}"))
        except ValueError as error:
            notes.append(Note("not-imported", f"{path}: {error}"))
    return sources, notes


def read(path: Path, link: LinkInfo, root: Path = Path("/")) -> Source:
    """The leases of one file. Raises OSError, ValueError."""
    octets = smallfile.read(path, MAX_OCTETS, follow=True)
    found: list[Found] = []
    if octets[236:240] == COOKIE:
        found = [dhcpcd.read(octets, smallfile.written_at(path), link.mac, _dhcpcd_identity(path.parent, link, root))]
    elif b"lease {" in octets or b"default-duid" in octets:
        found = dhclient.read(octets, link.name, link.mac, _dhclient_identity(link, root))
    elif b"ADDRESS=" in octets:
        found = [networkd.read(octets, smallfile.written_at(path))]
    elif octets.strip():  # a package may have laid an empty one
        raise ValueError("it is no lease file of dhclient, dhcpcd or systemd-networkd")
    return Source(path, tuple(found))


def _dhcpcd_identity(folder: Path, link: LinkInfo, root: Path) -> bytes | None:
    """What dhcpcd sends, as far as its files tell."""
    try:
        configuration = smallfile.read(root / DHCPCD_CONF.lstrip("/"), MAX_OCTETS, follow=True)
    except (OSError, ValueError):
        return None
    return dhcpcd.identity(configuration, _duid(folder / "duid"), link.mac)


def _dhclient_identity(link: LinkInfo, root: Path) -> bytes | None:
    """What dhclient sends by the first of its configuration files that there is."""
    for name in DHCLIENT_CONF:
        with suppress(OSError, ValueError):
            return dhclient.identity(smallfile.read(root / name.lstrip("/"), MAX_OCTETS, follow=True), link.mac)
    return None


def _duid(path: Path) -> bytes | None:
    try:
        duid = parse_hex(smallfile.read(path, MAX_OCTETS, follow=True).decode("ascii").strip())
    except (OSError, ValueError):
        return None
    return duid if len(duid) in DUID_OCTETS else None
