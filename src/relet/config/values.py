"""The kinds of value in a configuration file: from what TOML holds to what the server computes with.

Each function takes one value of any TOML type and raises a ValueError 'what is wrong; what to write instead'. None knows
where its value stands or what stands beside it.
"""

import re
from typing import NamedTuple

from relet.wire.address import BROADCAST, ip_text, mask, parse_hex, parse_ip, parse_prefix
from relet.wire.codes import INFINITE

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:[0-9]{1,10}[smhdw])+")
_HEX_PAIRS = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2})+")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_WAIT = re.compile(r"([0-9]{1,5})(ms|s)")
_SIZE = re.compile(r"([0-9]{1,7})([KMG])iB")
_SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_CLASS_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OPTION_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_ADVICE = "write '8h', '30m', '90s', '1d' or a number of seconds"

MAC_OCTETS = 6
IDENTIFIER_OCTETS = 255
HOSTNAME_LENGTH = 253
LOOPBACK, LAST_UNICAST = 127, 223
"""First octets (RFC 1122 s3.2.1.3, RFC 5771 s3)."""
INTERFACE_LENGTH = 15
"""IFNAMSIZ less the NUL."""
SNAME_OCTETS, FILE_OCTETS = 63, 127
"""What fits into these fields of a message, the NUL behind it aside (RFC 2131 s2)."""
LONGEST_WAIT_S = 10.0
"""A client gives up on its DHCPDISCOVER after about as long (RFC 2131 s4.1)."""

MOST_BACKLOG = 10_000_000
"""Requests: some 7 GB."""
LEAST_BUFFER, MOST_BUFFER = 64 << 10, 1 << 30
"""Octets: below, not one batch would have room; above, the kernel would cut it without a word."""


class Span(NamedTuple):
    """Addresses first..last. whole: written as a prefix, so that what cannot be granted is left out without a word."""

    first: int
    last: int
    whole: bool = False

    def __str__(self) -> str:
        return ip_text(self.first) if self.first == self.last else f"{ip_text(self.first)}-{ip_text(self.last)}"


def text(configured: object) -> str:
    """A text that is not empty."""
    if not isinstance(configured, str):
        raise ValueError(f"{configured!r} is not a text; write it in quotation marks")
    if not configured or not configured.isprintable():
        raise ValueError(f"{configured!r} is empty or has control characters")
    return configured


def text_or_nothing(configured: object) -> str:
    """A text, or '' for none."""
    return "" if configured == "" else text(configured)


def interface(configured: object) -> str:
    """Name of a network interface."""
    name = text(configured)
    if len(name) > INTERFACE_LENGTH or "/" in name or " " in name:
        raise ValueError(f"{name!r} is not the name of an interface such as eth0")
    return name


def address(configured: object) -> int:
    """The IPv4 address of a host: none of 0.0.0.0/8, the loopback's, group addresses and what is above them."""
    return _of_a_host(parse_ip(text(configured)))


def _of_a_host(found: int) -> int:
    if not 1 <= found >> 24 <= LAST_UNICAST or found >> 24 == LOOPBACK:
        raise ValueError(f"'{ip_text(found)}' is not the address of a host; write one such as 192.168.1.10")
    return found


def prefix(configured: object) -> tuple[int, int]:
    """(network address, width) of a link: all of it addresses that hosts can have."""
    return _of_hosts(text(configured))


def _of_hosts(written: str) -> tuple[int, int]:
    network, width = parse_prefix(written)
    first, last = network >> 24, (network | ~mask(width) & BROADCAST) >> 24
    if not 1 <= first <= last <= LAST_UNICAST or first <= LOOPBACK <= last:
        raise ValueError(f"'{written}' has addresses that no host has; write one such as 192.168.1.0/24")
    return network, width


def span(configured: object) -> Span:
    """'A-B', 'A/n' or one address."""
    written = text(configured)
    if "/" in written:
        network, width = _of_hosts(written)
        return Span(network, network | ~mask(width) & BROADCAST, whole=True)
    first_text, dash, last_text = written.partition("-")
    first = _of_a_host(parse_ip(first_text.strip()))
    last = _of_a_host(parse_ip(last_text.strip())) if dash else first
    if last < first:
        raise ValueError(f"{written!r} ends before it begins; write '{Span(last, first)}'")
    return Span(first, last)


def duration(configured: object) -> int:
    """Seconds: '8h', '1d12h', or a number of seconds."""
    if isinstance(configured, str) and _DURATION.fullmatch(configured):
        seconds = sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"\d+[smhdw]", configured))
    elif type(configured) is int:
        seconds = configured
    else:
        raise ValueError(f"{configured!r} is not a duration; {_ADVICE}")
    if not 0 <= seconds < INFINITE:
        raise ValueError(f"{configured!r} is not between 0 and {INFINITE - 1} seconds; {_ADVICE}")
    return seconds


def period(configured: object) -> int:
    """A duration that is not nothing."""
    seconds = duration(configured)
    if seconds == 0:
        raise ValueError(f"{configured!r} is no time at all; {_ADVICE}")
    return seconds


def lease_duration(configured: object) -> int:
    """A period, or 'infinite' (RFC 2131 s3.3)."""
    if configured == "infinite":
        return INFINITE
    try:
        return period(configured)
    except ValueError as error:
        raise ValueError(f"{error}, or 'infinite'") from None


def share(configured: object) -> float:
    """A number above 0 and below 1."""
    if type(configured) is not float or not 0 < configured < 1:
        raise ValueError(f"{configured!r} is not a share of the lease time; write a number between 0 and 1 such as 0.5")
    return configured


def threshold(configured: object) -> float:
    """A number above 0 and up to 1: with 0, no lease would ever be extended."""
    if type(configured) not in (int, float) or not 0 < configured <= 1:  # type: ignore[operator]
        raise ValueError(f"{configured!r} is not a share of the lease time; write a number up to 1 such as 0.75")
    return float(configured)  # type: ignore[arg-type]


def wait(configured: object) -> float:
    """A short time in seconds: '500ms', '2s', or a number of seconds."""
    if isinstance(configured, str) and (written := _WAIT.fullmatch(configured)):
        seconds = int(written[1]) / (1000 if written[2] == "ms" else 1)
    elif type(configured) in (int, float):
        seconds = float(configured)  # type: ignore[arg-type]
    else:
        raise ValueError(f"{configured!r} is not a short time; write '500ms', '1s' or a number of seconds")
    if not 0 < seconds <= LONGEST_WAIT_S:
        raise ValueError(f"{configured!r} is not between 0 and {LONGEST_WAIT_S:g} seconds; write '500ms'")
    return seconds


def count(configured: object) -> int:
    """A number of things, at least one."""
    if type(configured) is not int or configured < 1:
        raise ValueError(f"{configured!r} is not a number from 1 on; leave it out for no limit")
    return configured


def backlog(configured: object) -> int:
    """How many requests may wait in memory."""
    if type(configured) is not int or not 1 <= configured <= MOST_BACKLOG:
        raise ValueError(f"{configured!r} is not a number from 1 to {MOST_BACKLOG}; write one such as 200000")
    return configured


def rate(configured: object) -> float:
    """So many a second, more than none."""
    if type(configured) not in (int, float) or not 0 < configured < float("inf"):  # type: ignore[operator]
        raise ValueError(f"{configured!r} is not a number above 0; leave it out for no limit")
    return float(configured)  # type: ignore[arg-type]


def buffer_size(configured: object) -> int:
    """The size of a socket's buffer, in octets."""
    written = _SIZE.fullmatch(configured) if isinstance(configured, str) else None
    if not written:
        raise ValueError(f"{configured!r} is not a size; write '64MiB'")
    octets = int(written[1]) * _SIZES[written[2]]
    if not LEAST_BUFFER <= octets <= MOST_BUFFER:
        raise ValueError(f"{configured!r} is not between '64KiB' and '1GiB'; write '64MiB'")
    return octets


def server_name(configured: object) -> bytes:
    """What a message has in sname, '' for nothing."""
    return _field(configured, SNAME_OCTETS, "option 'tftp-server-name'")


def boot_file(configured: object) -> bytes:
    """What a message has in file, '' for nothing."""
    return _field(configured, FILE_OCTETS, "option 'boot-file-name'")


def _field(configured: object, room: int, instead: str) -> bytes:
    octets = text_or_nothing(configured).encode()
    if len(octets) > room:
        raise ValueError(f"{configured!r} has {len(octets)} octets, its field takes {room}; set the {instead}")
    return octets


def endpoint(configured: object) -> tuple[int, int] | None:
    """(address, port) of '127.0.0.1:9547', None for ''."""
    written = text_or_nothing(configured)
    if not written:
        return None
    host, _, port = written.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 1 << 16:
        raise ValueError(f"{written!r} is no address with a port; write '127.0.0.1:9547'")
    return parse_ip(host), int(port)


def pattern(configured: object) -> str:
    """A host name with {address} in it."""
    written = text(configured)
    if "{address}" not in written:
        raise ValueError(
            f"{written!r} would give all clients one name; write it with {{address}}, as 'dhcp-{{address}}'"
        )
    hostname(written.replace("{address}", "192-168-100-100"))
    return written


def class_name(configured: object) -> str:
    """What a class is called."""
    name = text(configured)
    if not _CLASS_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a class; write letters, digits and hyphens, such as 'phones'")
    return name


def option_code(configured: object) -> int:
    """The code of an option; 0 and 255 are pad and end."""
    if type(configured) is not int or not 0 < configured < 255:
        raise ValueError(f"{configured!r} is not the code of an option; write a number from 1 to 254")
    return configured


def option_type(configured: object) -> str | dict[str, object]:
    """What kind of value an option has: a word, or a table of words."""
    return configured if isinstance(configured, dict) else text(configured)


def space(configured: object) -> int | str:
    """Where an option is an option: a word, or an enterprise number."""
    if type(configured) is int and 0 < configured < 1 << 32:
        return configured
    if not isinstance(configured, str):
        raise ValueError(f"{configured!r} is no space of options; write 'vendor' or an enterprise number")
    return text(configured)


def route(configured: object) -> tuple[int, int, int]:
    """(destination, width, router) of { to = .., via = .. }; router 0 for a destination on the link itself (RFC 3442)."""
    if not isinstance(configured, dict) or not {"to"} <= configured.keys() <= {"to", "via"}:
        raise ValueError(f'{configured!r} is not a route; write {{ to = "10.0.0.0/8", via = "192.168.1.254" }}')
    return *parse_prefix(text(configured["to"])), address(configured["via"]) if "via" in configured else 0


def option_name(configured: object) -> str:
    """What an option is called: kebab-case, and not as those by number."""
    name = text(configured)
    if not _OPTION_NAME.fullmatch(name) or name.startswith("option-"):
        raise ValueError(f"{name!r} is not the name of an option; write it such as 'acme-server'")
    return name


def mac(configured: object) -> bytes:
    """The six octets of an Ethernet address."""
    octets = parse_hex(text(configured))
    if len(octets) != MAC_OCTETS:
        raise ValueError(f"{configured!r} has {len(octets)} octets; write six, such as '52:54:00:12:34:56'")
    if octets[0] & 1 or not any(octets):
        raise ValueError(f"{configured!r} is the address of no single host; write one such as '52:54:00:12:34:56'")
    return octets


def identifier(configured: object) -> bytes:
    """Octets of a client identifier, circuit or remote id.

    '01:52:54:00' (pairs) and '0x015254' are hexadecimal, anything else is the text itself; 'text:' before it makes a text
    of what looks like hexadecimal.
    """
    written = text(configured)
    if written.startswith("0x"):
        octets = parse_hex(written[2:])
    elif _HEX_PAIRS.fullmatch(written):
        octets = parse_hex(written)
    else:
        octets = written.removeprefix("text:").encode()
    if not 0 < len(octets) <= IDENTIFIER_OCTETS:
        raise ValueError(
            f"{written!r} has {len(octets)} octets; write 1 to {IDENTIFIER_OCTETS}, as '0x01ab' or as text"
        )
    return octets


def hostname(configured: object) -> str:
    """A host name (RFC 1123 s2.1), with or without its domain."""
    name = text(configured)
    if len(name) > HOSTNAME_LENGTH or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError(f"{name!r} is not a host name; write letters, digits and hyphens, such as 'printer-2'")
    return name


def tables(configured: object) -> tuple[dict[str, object], ...]:
    """An array of tables, not yet looked into."""
    if isinstance(configured, list) and all(isinstance(each, dict) for each in configured):
        return tuple(configured)
    raise ValueError("is not an array of tables; write its heading with two brackets, as in [[network]]")


def table(configured: object) -> dict[str, object]:
    """A table, not yet looked into."""
    if isinstance(configured, dict):
        return configured
    raise ValueError(f"{configured!r} is not a table; write {{ name = value }}")
