"""The decision tables: for each kind of request, the first row that fits decides.

A row says what is known, what is answered, and for which reason; what follows for the lease is worked out in verdict.py.
The tables are the program: docs/decisions.md is generated from them. Only when the store fails are their verdicts cut down
(settle.py). RFC 2131 s3.2 and s4.3 stand behind each.

A NAK needs a certain reason. A server without certain knowledge keeps silent, because another one may know better.
"""

from typing import TypeAlias, assert_never

from relet.model import reasons as why
from relet.server.classify import Kind
from relet.server.rows import (
    ACK,
    ACTIVE,
    INIT_REBOOT,
    NAK,
    NO_NETWORK,
    NOT_SERVED,
    OFFER,
    RATES,
    REBINDING,
    RENEWING,
    SILENT,
    TAKEN,
    UNASSIGNED,
    UNKNOWN,
    Row,
    active,
    always,
)
from relet.server.situation import Situation
from relet.wire.address import BROADCAST

Ruling: TypeAlias = tuple[Row, int]
"""The row that decided, and the address that it is about (0 for none)."""

_OWN = (Situation.reserved_address, Situation.current_address, Situation.address_on_offer)
_FREE = (Situation.last_address, Situation.requested_address, Situation.new_address)


def _any_address(s: Situation) -> int:
    """The address that the rows of DISCOVER come to (RFC 2131 s4.3.1), 0 for none."""
    own = next((address for choice in _OWN if (address := choice(s))), 0)
    return own if own or s.circuit_full() else next((address for choice in _FREE if (address := choice(s))), 0)


def _ipv6_only(s: Situation) -> int:
    address = (_any_address(s) or s.first_address()) if s.asks_for_ipv6_only() else 0
    return address if address and s.ipv6_only(address) else 0


DISCOVER = (
    Row(
        "1", "the client asks for the IPv6-only option, which is configured where it would get an address", OFFER,
        why.IPV6_ONLY, _ipv6_only,
    ),
    Row(
        "1", "`rapid-commit = true`, the client wants one, and an address can be had as in the rows below", ACK,
        why.RAPID_COMMIT, lambda s: _any_address(s) if s.rapid() else 0,
    ),
    Row(
        "2",
        "an address is reserved for the client and free for it",
        OFFER,
        why.OFFERED_RESERVED,
        Situation.reserved_address,
    ),
    Row(
        "3",
        "the client holds an unexpired lease that is still offered",
        OFFER,
        why.OFFERED_CURRENT,
        Situation.current_address,
    ),
    Row("4", "an address is on offer to it already", OFFER, why.OFFERED_AGAIN, Situation.address_on_offer),
    Row("5", "its circuit has all that it may", SILENT, why.CIRCUIT_FULL, Situation.circuit_full),
    Row(
        "5", "its last lease is over; the address is free and offered", OFFER, why.OFFERED_LAST, Situation.last_address
    ),
    Row(
        "6",
        "it asks for an address that is free and offered",
        OFFER,
        why.OFFERED_REQUESTED,
        Situation.requested_address,
    ),
    Row("7", "any other address of the pools is free", OFFER, why.OFFERED_NEW, Situation.new_address),
    Row(
        "7", "none is free, the client could make itself one, and `auto-configure = false`", OFFER,
        why.NOT_AUTO_CONFIGURED, lambda s: s.network.auto_configure is False and s.can_auto_configure(),
    ),
    Row(
        "8",
        "the network has no pool",
        SILENT,
        why.NO_POOL,
        lambda s: not any(subnet.pools for subnet in s.network.subnets),
    ),
    Row("9", "the search for a free address ended at its bound", SILENT, why.SEARCH_ENDED, Situation.search_ended),
    Row("9", "no address is free", SILENT, why.POOL_FULL, always),
)  # fmt: skip

SELECTING = (
    Row("2", "the server identifier is not ours", SILENT, why.OTHER_SERVER, lambda s: not s.addressed_to_us()),
    Row("3", "the address lies in none of the network's subnets", NAK, why.WRONG_NETWORK, lambda s: s.subnet is None),
    *TAKEN,
    Row(
        "5", "the client holds an unexpired lease on it already (a repeated request)", ACK, why.CONFIRMED,
        lambda s: s.active and s.offered(s.address),
    ),
    Row(
        "6", "we offered it to this client", ACK, why.GRANTED,
        lambda s: s.on_offer_to_client() and s.grantable(s.address),
    ),
    Row(
        "7", "its circuit has all that it may (unless the address is reserved)", SILENT, why.CIRCUIT_FULL,
        Situation.circuit_too_full,
    ),
    Row(
        "7", "our offer has lapsed, but the address is still free and offered", ACK, why.GRANTED_LATE,
        lambda s: s.grantable(s.address),
    ),
    Row("8", "anything else", NAK, why.NOT_AVAILABLE, always),
)  # fmt: skip

DECLINE = (
    Row("2", "the server identifier is not ours", SILENT, why.OTHER_SERVER, lambda s: not s.addressed_to_us()),
    Row(
        "3",
        "the client holds a lease on it, and has put as many other addresses into quarantine as one client may",
        SILENT,
        why.DECLINE_EXCESS,
        lambda s: s.active and s.declined_much(),
    ),
    Row("3", "the client holds a lease on the address", SILENT, why.QUARANTINED, active),
    Row("4", "anything else", SILENT, why.DECLINE_IGNORED, always),
)
RELEASE = (
    Row("2", "the server identifier is not ours", SILENT, why.OTHER_SERVER, lambda s: not s.addressed_to_us()),
    Row("3", "the client holds a lease on the address", SILENT, why.RELEASED, active),
    Row("4", "anything else", SILENT, why.RELEASE_IGNORED, always),
)
INFORM = (
    Row(
        "2",
        "the request does not name the client's address",
        SILENT,
        why.NO_ADDRESS,
        lambda s: s.address in (0, BROADCAST),
    ),
    Row(
        "3",
        "its address is that of no host of the network",
        SILENT,
        why.INFORM_ELSEWHERE,
        lambda s: s.subnet is None or not s.subnet.has_host(s.address),
    ),
    Row("4", "anything else", ACK, why.INFORMED, always),
)
BOOTP = (
    Row("2", '`bootp = "refuse"`', SILENT, why.BOOTP_REFUSED, lambda s: s.network.bootp == "refuse"),
    Row("3", "an address is reserved for the client and free for it", ACK, why.RESERVED, Situation.reserved_address),
    Row(
        "4", "the request names the client's address, that of a host of the network", ACK, why.BOOTP_INFORMED,
        lambda s: s.subnet is not None and s.subnet.has_host(s.address),
    ),
    Row("5", '`bootp = "reserved"`', SILENT, why.BOOTP_UNRESERVED, lambda s: s.network.bootp == "reserved"),
    Row(
        "6", "the client holds an unexpired lease that is still offered", ACK, why.CONFIRMED, Situation.current_address
    ),
    Row("7", "its circuit has all that it may", SILENT, why.CIRCUIT_FULL, Situation.circuit_full),
    Row("7", "its last lease is over; the address is free and offered", ACK, why.REGRANTED, Situation.last_address),
    Row("8", "any other address of the pools is free", ACK, why.BOOTP_GRANTED, Situation.new_address),
    Row("9", "the search for a free address ended at its bound", SILENT, why.SEARCH_ENDED, Situation.search_ended),
    Row("9", "no address is free", SILENT, why.POOL_FULL, always),
)  # fmt: skip


LEASEQUERY = (
    Row("1", "the address, or the newest one of the client, is leased", ACTIVE, why.LEASE_ACTIVE, Situation.leased),
    Row(
        "2", "an address was asked about that is in a pool, reserved or on record, and nobody has it", UNASSIGNED,
        why.LEASE_UNASSIGNED, lambda s: s.request.message.ciaddr != 0 and s.managed(),
    ),
    Row("3", "anything else", UNKNOWN, why.LEASE_UNKNOWN, always),
)  # fmt: skip


def first_rows(kind: Kind) -> tuple[Row, ...]:
    """What stands before the table of a kind of request: whether there is a network for the client, and its rates. The
    place of a relay that asks about leases says nothing (RFC 4388 s6.3)."""
    return () if kind is Kind.LEASEQUERY else (NO_NETWORK, *RATES)


def table(kind: Kind) -> tuple[Row, ...]:
    """The rows of a kind of request, row 1 (no network) left out."""
    return NOT_SERVED.get(kind, ()) + _served(kind)


def _served(kind: Kind) -> tuple[Row, ...]:
    """The rows that clients are measured by who are admitted."""
    match kind:
        case Kind.INIT_REBOOT:
            return INIT_REBOOT
        case Kind.RENEWING:
            return RENEWING
        case Kind.DISCOVER:
            return DISCOVER
        case Kind.SELECTING:
            return SELECTING
        case Kind.REBINDING:
            return REBINDING
        case Kind.DECLINE:
            return DECLINE
        case Kind.RELEASE:
            return RELEASE
        case Kind.INFORM:
            return INFORM
        case Kind.LEASEQUERY:
            return LEASEQUERY
        case Kind.BOOTP:
            return BOOTP
        case _:
            assert_never(kind)


SERVED = {kind: _served(kind) for kind in Kind}
TABLES = {kind: table(kind) for kind in Kind}
_SERVED = {kind: [(row.when, row) for row in rows] for kind, rows in SERVED.items()}
_ALL = {kind: [(row.when, row) for row in rows] for kind, rows in TABLES.items()}


def decide(situation: Situation) -> Ruling:
    """The first row that fits. The last row of every table fits always."""
    if situation.metered:
        for row in RATES:
            if row.when(situation):
                return row, situation.address
    tests = _SERVED if situation.admitted else _ALL
    for when, row in tests[situation.request.kind]:
        if fits := when(situation):
            return row, situation.address if fits is True else fits
    raise AssertionError(f"the table of {situation.request.kind.value} has no last row")
