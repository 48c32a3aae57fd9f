"""Lease files of systemd-networkd, and of NetworkManager where it keeps its own in the same way: NAME=VALUE lines.

They are called private to their programs, so whatever is not understood is left out. The file's own time is taken for the
lease's beginning; it says no other.
"""

from collections.abc import Callable

from relet.run.foreign.found import Found, granted
from relet.wire import options
from relet.wire.address import parse_hex


def read(octets: bytes, written_at: float) -> Found:
    """The lease. Raises ValueError for what is none."""
    fields = {
        name.strip(): value.strip()
        for name, equals, value in (line.partition("=") for line in octets.decode("utf-8", "replace").splitlines())
        if equals and not name.lstrip().startswith("#")
    }
    if "ADDRESS" not in fields:
        raise ValueError("it has no ADDRESS")
    carried: dict[int, bytes] = {}
    for name, option, plain in _FIELDS:
        if fields.get(name):
            try:
                carried[option.code] = option.parse(plain(fields[name]))
            except ValueError:
                continue
    address = int.from_bytes(options.REQUESTED_ADDRESS.parse(fields["ADDRESS"]))
    client_id = parse_hex(fields.get("CLIENTID", ""))
    return Found(granted(address, written_at, carried), client_id if 2 <= len(client_id) <= 255 else None)


def _number(text: str) -> object:
    return int(text) if text.isdecimal() and len(text) < 12 else text


def _routes(text: str) -> object:
    return [route.replace(",", " via ", 1) for route in text.split()]


_FIELDS: tuple[tuple[str, options.Option, Callable[[str], object]], ...] = (
    ("NETMASK", options.SUBNET_MASK, str),
    ("ROUTER", options.ROUTERS, str.split),
    ("SERVER_ADDRESS", options.SERVER_IDENTIFIER, str),
    ("BROADCAST", options.BROADCAST_ADDRESS, str),
    ("MTU", options.INTERFACE_MTU, _number),
    ("T1", options.RENEWAL_TIME, _number),
    ("T2", options.REBINDING_TIME, _number),
    ("LIFETIME", options.LEASE_TIME, _number),
    ("DNS", options.DOMAIN_NAME_SERVERS, str.split),
    ("NTP", options.NTP_SERVERS, str.split),
    ("DOMAINNAME", options.DOMAIN_NAME, str),
    ("DOMAIN_SEARCH_LIST", options.DOMAIN_SEARCH, str.split),
    ("HOSTNAME", options.HOST_NAME, str),
    ("ROUTES", options.CLASSLESS_ROUTES, _routes),
)
