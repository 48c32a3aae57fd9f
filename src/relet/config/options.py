"""Tables of options: from names and values as configured to codes and octets as sent."""

from collections.abc import Mapping

from relet.config.lines import Path
from relet.config.reading import Reading
from relet.config.report import suggestion
from relet.wire.address import BROADCAST, mask
from relet.wire.option import Option
from relet.wire.options import (
    BROADCAST_ADDRESS,
    CLIENT_IDENTIFIER,
    DEFAULT_IP_TTL,
    DEFAULT_TCP_TTL,
    INTERFACE_MTU,
    MAX_DGRAM_REASSEMBLY,
    RAPID_COMMIT,
    RELAY_AGENT_INFORMATION,
    ROUTERS,
    SUBNET_MASK,
    V6_ONLY_PREFERRED,
)

OWN = frozenset({0, 255, *range(50, 60), CLIENT_IDENTIFIER.code, RAPID_COMMIT.code, RELAY_AGENT_INFORMATION.code})
"""Codes that belong to the exchange itself (RFC 2131 s4.3.1, table 3): the server sets them, nobody configures them."""

_SETTINGS = {"dhcp-lease-time": "lease-time", "dhcp-renewal-time": "renew-at", "dhcp-rebinding-time": "rebind-at"}
"""What to set instead of an option that people would like to configure."""

MOST_OCTETS = 1232
"""What the options field has in an Ethernet frame: 1500 less 20 (IP), 8 (UDP) and 240 (the fields and the magic cookie)."""
_LEAST = {
    V6_ONLY_PREFERRED.code: (300, "RFC 8925 s3.4"),
    INTERFACE_MTU.code: (68, "RFC 2132 s5.1"),
    MAX_DGRAM_REASSEMBLY.code: (576, "RFC 2132 s4.4"),
    DEFAULT_IP_TTL.code: (1, "RFC 2132 s4.5"),
    DEFAULT_TCP_TTL.code: (1, "RFC 2132 s7.1"),
}
"""Smallest values, and who says so."""

POINT_TO_POINT_WIDTH = 31
"""Prefixes of this width and more have neither network nor broadcast address (RFC 3021)."""


def read_options(
    table: Mapping[str, object],
    path: Path,
    where: str,
    reading: Reading,
    setting: str = "options",
    *,
    sent: bool = True,
) -> dict[int, bytes]:
    """Code -> octets of those that are good; the others are reported.

    setting: what the table is called. sent: are they sent to clients, so that those of the exchange are not allowed?
    """
    options: dict[int, bytes] = {}
    for name, configured in table.items():
        here = (*path, setting, name)
        row = read_option_name(name, here, where, reading, sent=sent)
        if row is None:
            continue
        if row.code in options:
            reading.report.add(here, where, f"option '{name}' is there twice, by name and by number", "leave one out")
            continue
        try:
            options[row.code] = row.parse(configured)
            if sent:
                _check_value(row, options[row.code])
        except ValueError as error:
            empty = " has 0 octets" in str(error) and "; " not in str(error)
            told = ValueError(f"{error}; write a value, or leave the option out") if empty else error
            reading.report.refused(here, where, f"option {name}", told)
    size = sum(2 + len(octets) + 2 * (len(octets) // 256) for octets in options.values())
    if size > MOST_OCTETS:
        what = f"the options need {size} octets, and a message in one frame has room for {MOST_OCTETS}"
        reading.report.add((*path, setting), where, what, "write less, or set less here")
    return options


def _check_value(row: Option, octets: bytes) -> None:
    """Bounds that an RFC sets to a value of the right kind. Raises ValueError as a parser does."""
    least = _LEAST.get(row.code)
    if least is not None and int.from_bytes(octets, "big") < least[0]:
        raise ValueError(
            f"{int.from_bytes(octets, 'big')} is less than {least[0]} ({least[1]}); write {least[0]} or more"
        )


def read_option_name(name: str, path: Path, where: str, reading: Reading, *, sent: bool = True) -> Option | None:
    """The row of an option that may be configured; None, and a problem, for any other."""
    known = reading.catalogue.by_name(name)
    if name in ("option-0", "option-255", "pad", "end") or (known is not None and sent and known.code in OWN):
        instead = f"set '{_SETTINGS[name]}' of the network" if name in _SETTINGS else "leave it out"
        reading.report.add(path, where, f"option '{name}' is set by the server itself", instead)
        return None
    if known is None:
        names = (each.name for each in reading.catalogue.rows() if not sent or each.code not in OWN)
        instead = suggestion(name, names, "write 'option-NUMBER', or make it by an [[option]] table")
        reading.report.add(path, where, f"unknown option '{name}'", instead)
        return None
    return known


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
