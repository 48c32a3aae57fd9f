"""What a reply tells a client besides its lease: the options and boot fields that its terms call for.

RFC 2131 s4.3.1: what it asks for, in its order, as far as it is configured; then what is sent in any case.
"""

from itertools import takewhile

import msgspec

from relet.model.network import Reservation
from relet.server.host_defaults import HOST_DEFAULTS
from relet.server.parameters import Terms
from relet.wire.layout import OVERLOAD
from relet.wire.message import encode_options
from relet.wire.options import (
    BOOT_FILE_NAME,
    CLASSLESS_ROUTES,
    CLIENT_IDENTIFIER,
    FQDN,
    HOST_NAME,
    LEASE_TIME,
    MAX_MESSAGE_SIZE,
    MESSAGE_TYPE,
    MS_CLASSLESS_ROUTES,
    PARAMETER_REQUEST_LIST,
    RAPID_COMMIT,
    REBINDING_TIME,
    RELAY_AGENT_INFORMATION,
    RENEWAL_TIME,
    REQUESTED_ADDRESS,
    ROUTERS,
    SERVER_IDENTIFIER,
    STATIC_ROUTES,
    SUBNET_MASK,
    TFTP_SERVER_NAME,
    V6_ONLY_PREFERRED,
)

MAX_SERVER_NAME, MAX_BOOT_FILE = 63, 127
"""Octets in sname and file, which end in a NUL (RFC 2131 s2, table 1)."""

_OWN = frozenset(
    (
        REQUESTED_ADDRESS.code,
        LEASE_TIME.code,
        OVERLOAD,
        MESSAGE_TYPE.code,
        SERVER_IDENTIFIER.code,
        PARAMETER_REQUEST_LIST.code,
        MAX_MESSAGE_SIZE.code,
        RENEWAL_TIME.code,
        REBINDING_TIME.code,
        CLIENT_IDENTIFIER.code,
        RAPID_COMMIT.code,
        FQDN.code,
        RELAY_AGENT_INFORMATION.code,
    )
)
"""Options that follow from the message, or that no reply carries (RFC 2131 s4.3.1 table 3); never from configuration."""
_DHCP_ALONE = frozenset((*range(50, 62), TFTP_SERVER_NAME.code, BOOT_FILE_NAME.code))
"""Options that BOOTP clients do not know (RFC 2132 s9), or have a field for."""
_MASK, _ROUTERS, _STATIC, _ROUTES, _MS_ROUTES, _V6_ONLY, _HOST_NAME, _TFTP_NAME, _BOOT_FILE = (
    SUBNET_MASK.code,
    ROUTERS.code,
    STATIC_ROUTES.code,
    CLASSLESS_ROUTES.code,
    MS_CLASSLESS_ROUTES.code,
    V6_ONLY_PREFERRED.code,
    HOST_NAME.code,
    TFTP_SERVER_NAME.code,
    BOOT_FILE_NAME.code,
)


class Contents(msgspec.Struct, frozen=True):
    """A prepared part of replies. options: in order; body: their octets. names: sname and file as they stand in the
    message, b'' if both are empty. name_at: where in the body the host name goes, which each client has of its own; -1 if it
    is not wanted, or configured. There is an empty option 12 in `options` for it."""

    options: dict[int, bytes] = {}
    body: bytes = b""
    siaddr: int = 0
    sname: bytes = b""
    file: bytes = b""
    names: bytes = b""
    name_at: int = -1

    def called(self, name: str) -> "Contents":
        """The same with a client's name in its place, '' for none."""
        if name:
            options, body = self.options | {_HOST_NAME: name.encode()}, self.named(name)
        else:
            options, body = {code: value for code, value in self.options.items() if code != _HOST_NAME}, self.body
        return msgspec.structs.replace(self, options=options, body=body, name_at=-1)

    def named(self, name: str) -> bytes:
        """The body with a client's name in it."""
        octets, at = name.encode(), self.name_at
        return b"".join((self.body[:at], bytes((_HOST_NAME, len(octets))), octets, self.body[at:]))


def contents(terms: Terms | None, wanted: bytes | None) -> Contents:
    """What terms give to a client with this parameter request list (None: it sent none)."""
    if terms is None:
        return Contents()
    known = {code: octets for code, octets in terms.options.items() if code not in _OWN}
    if terms.host_defaults and wanted is not None:
        known = {**HOST_DEFAULTS, **known}  # only those asked for are taken out of it
    named = _HOST_NAME not in known
    known.setdefault(_HOST_NAME, b"")
    # Firmware reads the fields or the options, so either is filled from the other.
    server_name = terms.server_name or known.get(_TFTP_NAME, b"").rstrip(b"\0")
    boot_file = terms.boot_file or known.get(_BOOT_FILE, b"").rstrip(b"\0")
    sname = server_name if len(server_name) <= MAX_SERVER_NAME else b""
    file = boot_file if len(boot_file) <= MAX_BOOT_FILE else b""
    force = list(terms.force)
    for code, name, field in ((_TFTP_NAME, server_name, sname), (_BOOT_FILE, boot_file, file)):
        if name:
            known.setdefault(code, name)
            if not field:
                force.append(code)  # too long for its field
    options = _ordered(known, wanted, force)
    names = b"".join((sname.ljust(64, b"\0"), file)) if sname or file else b""
    at = -1
    if named and _HOST_NAME in options:
        before = takewhile(lambda code: code != _HOST_NAME, options)
        at = len(encode_options({code: options[code] for code in before}))
    body = encode_options({code: octets for code, octets in options.items() if at < 0 or code != _HOST_NAME})
    return Contents(options, body, terms.next_server, sname, file, names, at)


def bootp_contents(terms: Terms | None, reservation: Reservation | None, room: int) -> Contents:
    """What terms and reservation give to a BOOTP client with so many octets in its vendor area (RFC 1534 s2). Options whole
    or not at all, those with the lower codes first: mask, routers and name servers are among them."""
    told = contents(terms, None)
    if told.name_at >= 0:
        told = told.called(reservation.hostname if reservation is not None else "")
    options: dict[int, bytes] = {}
    body = b""
    for code in sorted(told.options):
        if code in _DHCP_ALONE:
            continue
        more = body + encode_options({code: told.options[code]})
        if len(more) < room:  # one for the end option
            options[code], body = told.options[code], more
    return msgspec.structs.replace(told, options=options, body=body)


def _ordered(known: dict[int, bytes], wanted: bytes | None, force: list[int]) -> dict[int, bytes]:
    """What is known of the wanted options in the order asked for (RFC 2132 s9.8), then the forced ones. All of them if the
    client gave no list. The subnet mask always, and first (RFC 2132 s3.3)."""
    if wanted is None:
        # RFC 8925 s3.3: the IPv6-only option to nobody who did not ask for it
        asked = bytes(code for code in known if code != _V6_ONLY)
    else:
        asked = wanted
        if _ROUTES in known:
            known = {_MS_ROUTES: known[_ROUTES], **known}
    order = [_MASK, *asked, *sorted(code for code in force if code != _V6_ONLY)]
    if _ROUTES in known and _ROUTES in order:
        # RFC 3442: it takes the place of the other two, so where room is short, they are what is left out
        first = min(order.index(code) for code in (_ROUTES, _ROUTERS, _STATIC) if code in order)
        order.insert(first, _ROUTES)
    return {code: known[code] for code in order if code in known}
