"""What a client is called: whose word it is, what DNS permits of it, and how the client hears of it (options 12 and 81).

No DNS updates are made yet, and the answer to option 81 says so (RFC 4702 s2.1, flag N).
"""

import re

from relet.errors import WireError
from relet.model.network import Network, Reservation
from relet.wire.address import ip_text
from relet.wire.message import Message
from relet.wire.names import E_FLAG, MOST_LABEL, MOST_NAME, text_labels
from relet.wire.options import FQDN, HOST_NAME

MAX_NAME = MOST_NAME - 2
"""Octets of a name in text: on the wire it has a length before it and the root behind."""

_FQDN, _HOST_NAME = FQDN.code, HOST_NAME.code
_S_FLAG, _O_FLAG, _N_FLAG = 1, 2, 8
_RCODE = 255
"""Both RCODE fields, which nobody reads any more (RFC 4702 s2.2)."""
_NOT_PERMITTED = re.compile(r"[^A-Za-z0-9-]+")
_PERMITTED = re.compile(rb"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""One label that needs no change, as nearly all are."""
_SENT = frozenset(("client", "generate"))


def client_name(network: Network, reservation: Reservation | None, message: Message, address: int) -> str:
    """What a client is called, '' if nothing: as its reservation has it, as it says, or as it is made from its address (0
    for none), by the network's policy."""
    if reservation is not None and reservation.hostname:
        return reservation.hostname
    policy = network.hostnames
    options = message.options
    if (_HOST_NAME in options or _FQDN in options) and policy in _SENT and (said := _said(message)):
        return said
    if policy == "generate" and address:
        return network.hostname_pattern.replace("{address}", ip_text(address).replace(".", "-"))
    return ""


def fqdn_answer(name: str, message: Message, domain: bytes) -> bytes | None:
    """Option 81 for a client that sent it: its complete name, in the encoding that it used (RFC 4702 s4). None for one
    whose option is malformed, or that has no name. domain: option 15, b'' for none."""
    read = _read(message.options[_FQDN])
    if read is None or not name:
        return None
    flags, labels, whole = read
    # Whoever gave the name, it is whole if it has a dot in it, or if the client says so of its own.
    whole = "." in name or (whole and name == permitted(labels))
    if not whole and (suffix := permitted(domain.split(b"."))) and len(name) + 1 + len(suffix) <= MAX_NAME:
        name, whole = f"{name}.{suffix}", True
    if flags & E_FLAG:
        name += "." if whole else ""
    answer = flags & E_FLAG | _N_FLAG | (_O_FLAG if flags & _S_FLAG else 0)
    return FQDN.encode((answer, _RCODE, _RCODE, name))


def permitted(labels: list[bytes]) -> str:
    """What is left of a name by RFC 1123 s2.1: letters, digits, and hyphens within; '' if nothing is."""
    if len(labels) == 1 and _PERMITTED.fullmatch(labels[0]):
        return labels[0].decode()
    kept: list[str] = []
    for label in labels:
        text = _NOT_PERMITTED.sub("-", label.decode("latin-1")).strip("-")[:MOST_LABEL].rstrip("-")
        if text:
            kept.append(text)
    while len(name := ".".join(kept)) > MAX_NAME:
        kept.pop()
    return name


def _said(message: Message) -> str:
    """The name that a client gives itself; with option 81, option 12 does not count (RFC 4702 s4)."""
    octets = message.options.get(_FQDN)
    if octets is not None and (read := _read(octets)) is not None:
        return permitted(read[1])
    return permitted(message.options.get(_HOST_NAME, b"").split(b"\0")[0].split(b"."))


def _read(octets: bytes) -> tuple[int, list[bytes], bool] | None:
    """(flags, labels, is the name whole?) of an option 81; None if it is malformed. In ASCII, a name with a dot is whole."""
    try:
        flags, _, _, name = FQDN.decode(octets)
        labels, rooted = text_labels(name) if flags & E_FLAG and name else (name.encode().split(b"."), "." in name)
    except (WireError, ValueError):
        return None
    return flags, labels, rooted
