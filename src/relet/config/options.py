"""Tables of options: from names and values as configured to codes and octets as sent."""

from collections.abc import Mapping

from relet.config.lines import Path
from relet.config.report import Report, suggestion
from relet.wire.address import BROADCAST, mask
from relet.wire.options import (
    BROADCAST_ADDRESS,
    CLIENT_IDENTIFIER,
    OPTIONS,
    RAPID_COMMIT,
    RELAY_AGENT_INFORMATION,
    ROUTERS,
    SUBNET_MASK,
    by_name,
)

OWN = frozenset({0, 255, *range(50, 60), CLIENT_IDENTIFIER.code, RAPID_COMMIT.code, RELAY_AGENT_INFORMATION.code})
"""Codes that belong to the exchange itself (RFC 2131 s4.3.1, table 3): the server sets them, nobody configures them."""

_SETTINGS = {"dhcp-lease-time": "lease-time", "dhcp-renewal-time": "renew-at", "dhcp-rebinding-time": "rebind-at"}
"""What to set instead of an option that people would like to configure."""

POINT_TO_POINT_WIDTH = 31
"""Prefixes of this width and more have neither network nor broadcast address (RFC 3021)."""


def read_options(table: Mapping[str, object], path: Path, where: str, report: Report) -> dict[int, bytes]:
    """Code -> octets of those that are good; the others are reported."""
    options: dict[int, bytes] = {}
    for name, configured in table.items():
        here = (*path, "options", name)
        option = by_name(name)
        if name in ("option-0", "option-255", "pad", "end") or (option is not None and option.code in OWN):
            instead = f"set '{_SETTINGS[name]}' of the network" if name in _SETTINGS else "leave it out"
            report.add(here, where, f"option '{name}' is set by the server itself", instead)
        elif option is None:
            names = (each.name for each in OPTIONS.values() if each.code not in OWN)
            report.add(here, where, f"unknown option '{name}'", suggestion(name, names, "or write 'option-NUMBER'"))
        elif option.code in options:
            report.add(here, where, f"option '{name}' is there twice, by name and by number", "leave one out")
        else:
            try:
                options[option.code] = option.parse(configured)
            except ValueError as error:
                report.refused(here, where, f"option {name}", error)
    return options


def of_prefix(prefix: int, width: int) -> dict[int, bytes]:
    """What follows from the prefix: the subnet mask, which comes first (RFC 2132 s3.3), and the broadcast address."""
    options = {SUBNET_MASK.code: mask(width).to_bytes(4, "big")}
    if width < POINT_TO_POINT_WIDTH:
        options[BROADCAST_ADDRESS.code] = (prefix | ~mask(width) & BROADCAST).to_bytes(4, "big")
    return options


def routers_of(options: Mapping[int, bytes]) -> tuple[int, ...]:
    """Addresses of the gateways that clients are told of."""
    octets = options.get(ROUTERS.code, b"")
    return tuple(int.from_bytes(octets[at : at + 4], "big") for at in range(0, len(octets), 4))
