"""ISC dhclient's lease file, dhclient.leases(5): blocks of statements, the newest lease last, written to while it runs."""

import re
from collections.abc import Iterator
from datetime import datetime

from relet.client.identity import DUID_OCTETS, by_duid, by_hardware
from relet.run.foreign.found import Found, echoed, granted
from relet.wire import options
from relet.wire.address import parse_ip
from relet.wire.codes import INFINITE

MAX_LEASES = 256
"""Leases read of one file; dhclient writes the file anew before there are many."""

RENAMED = {"rfc3442-classless-static-routes": options.CLASSLESS_ROUTES.code}
"""Options for which dhclient itself has no name: what distributions' configuration calls them. Their octets are listed."""

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"?|#[^\n]*|([{};])|([^\s{};,"#]+)', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{1,3}|.)", re.DOTALL)

Token = str | bytes
"""A word, or the octets of a text in quotes."""

Statement = tuple[Token, ...]


def read(octets: bytes, interface: str, mac: bytes, configured: bytes | None) -> list[Found]:
    """The leases of an interface, oldest first, whether they run still or not.

    mac: of the interface, for its IAID. configured: what dhclient was told to send, if the server did not repeat it.
    """
    duid: bytes | None = None
    found: list[Found] = []
    for is_lease, statements in _blocks(octets.decode("latin-1")):
        if not is_lease:
            duid = _default_duid(statements) or duid
        elif ("interface", interface.encode()) in statements and (lease := _lease(statements)):
            found = [*found, lease][-MAX_LEASES:]
    # With -i dhclient sends RFC 4361's identifier, its IAID the end of the hardware address, and writes its DUID down.
    own = configured or (by_duid(mac[-4:], duid) if duid else None)
    return [Found(each.binding, each.client_id or own) for each in found]


def identity(configuration: bytes, mac: bytes) -> bytes | None:
    """The client identifier that dhclient.conf(5) has it send on every interface, None for none. The last counts."""
    client_id = None
    for is_lease, statements in _blocks(configuration.decode("latin-1")):
        match statements:
            case [("send", "dhcp-client-identifier", *said)] if not is_lease and said:
                client_id = _identifier(said[-1], mac)
    return client_id


def _identifier(value: Token, mac: bytes) -> bytes | None:
    """Of 'hardware', of octets, or of a text; None for an expression that only dhclient can evaluate."""
    if value == "hardware":
        return by_hardware(mac)
    try:
        octets = _octets(value)
    except ValueError:
        return None
    return octets if 2 <= len(octets) <= 255 else None


def _blocks(text: str) -> Iterator[tuple[bool, list[Statement]]]:
    """Each block that is whole: is it a lease, and its statements; those outside of all blocks come one by one."""
    depth, is_lease = 0, False
    words: list[Token] = []
    statements: list[Statement] = []
    for match in _TOKEN.finditer(text):
        quoted, mark, word = match.groups()
        match mark:
            case "{":
                if depth == 0:
                    is_lease, statements = words == ["lease"], []
                depth, words = depth + 1, []
            case "}":
                depth, words = max(0, depth - 1), []
                if depth == 0 and is_lease:
                    yield True, statements
            case ";":
                if depth == 0:
                    yield False, [tuple(words)]
                elif depth == 1:
                    statements.append(tuple(words))
                words = []
            case _ if word is not None:
                words.append(word)
            case _ if quoted is not None:
                words.append(_ESCAPE.sub(_unescaped, quoted).encode("latin-1"))


def _unescaped(match: re.Match[str]) -> str:
    """A backslash and up to three octal digits, or whatever it makes plain."""
    code = match[1]
    return chr(int(code, 8) & 0xFF) if code[0] in "01234567" else code


def _default_duid(statements: list[Statement]) -> bytes | None:
    match statements:
        case [("default-duid", bytes() as duid)] if len(duid) in DUID_OCTETS:
            return duid
        case _:
            return None


def _lease(statements: list[Statement]) -> Found | None:
    """None for what has run into something that it does not have or cannot be."""
    address, expires = 0, None
    carried: dict[int, bytes] = {}
    try:
        for statement in statements:
            match statement:
                case ("fixed-address", str() as text):
                    address = parse_ip(text)
                case ("expire", *when):
                    expires = _moment(when)
                case ("option", str() as name, *values):
                    carried |= _option(name, values)
        if expires is None:
            return None
        lease_time = int.from_bytes(carried.get(options.LEASE_TIME.code, b""))
        if expires == float("inf"):
            carried[options.LEASE_TIME.code] = INFINITE.to_bytes(4)
            lease_time, expires = 0, 0.0
        return Found(granted(address, expires - lease_time, carried), echoed(carried))
    except ValueError:
        return None


def _moment(when: list[Token]) -> float:
    """Seconds since 1970 of 'never', 'epoch 1767225600' or '4 2026/01/01 00:00:00' (UTC). Raises ValueError."""
    match when:
        case ["never"]:
            return float("inf")
        case ["epoch", str() as seconds]:
            return float(int(seconds[:12]))
        case [_, str() as date, str() as time]:
            return datetime.strptime(f"{date} {time} +0000", "%Y/%m/%d %H:%M:%S %z").timestamp()
        case _:
            raise ValueError(f"{when} is no time")


def _option(name: str, values: list[Token]) -> dict[int, bytes]:
    """Code and octets of an option; nothing of one that is not known or not understood."""
    code = RENAMED.get(name)
    try:
        if code is not None:
            return {code: bytes(int(value) for value in values)}
        row = options.by_name(name.replace("unknown-", "option-", 1))
        if row is None or not values:
            return {}
        if row.code == options.CLIENT_IDENTIFIER.code or (isinstance(values[0], str) and ":" in values[0]):
            return {row.code: _octets(values[0])}
        plain = [_plain(value) for value in values]
        try:
            return {row.code: row.parse(plain[0] if len(plain) == 1 else plain)}
        except ValueError:
            return {row.code: _octets(values[0])}
    except ValueError:
        return {}


def _plain(value: Token) -> object:
    """As it would stand in a configuration file."""
    if isinstance(value, bytes):
        return value.decode()
    return int(value) if value.isdecimal() and len(value) < 12 else value


def _octets(value: Token) -> bytes:
    """Those in quotes, or of 'ff:0:1a'. Raises ValueError."""
    return value if isinstance(value, bytes) else bytes(int(part, 16) for part in value.split(":"))
