"""The decision tables: for each kind of request, the first row that fits decides.

A row says what is known, what is answered, and for which reason; what follows for the lease is worked out in verdict.py.
The tables are the program: docs/decisions.md is generated from them. Only when the store fails are their verdicts cut down
(settle.py). RFC 2131 s3.2 and s4.3 stand behind each.

A NAK needs a certain reason. A server without certain knowledge keeps silent, because another one may know better.
"""

from collections.abc import Callable
from typing import NamedTuple, assert_never

from relet.model import reasons as why
from relet.model.reasons import Answer, Reason
from relet.server.classify import Kind
from relet.server.situation import Situation
from relet.wire.address import BROADCAST


class Row(NamedTuple):
    """number: as in the documentation. known: the condition in words. when: the condition; it gives the address that the
    verdict is about, or True for the requested one; 0 and False do not fit."""

    number: str
    known: str
    answer: Answer
    reason: Reason
    when: Callable[[Situation], int]


class Ruling(NamedTuple):
    """The row that decided, and the address that it is about (0 for none)."""

    row: Row
    address: int


def _always(_: Situation) -> bool:
    return True


def _active(s: Situation) -> bool:
    return s.active


def _secs_reached(s: Situation) -> bool:
    after = s.network.unknown_reboot_after
    return after is not None and s.request.message.secs >= after


ACK, NAK, OFFER, SILENT = Answer.ACK, Answer.NAK, Answer.OFFER, Answer.SILENT

ACTIVE, UNASSIGNED, UNKNOWN = Answer.ACTIVE, Answer.UNASSIGNED, Answer.UNKNOWN

NO_NETWORK = Row("1", "no network is configured for this link", SILENT, why.NO_NETWORK, _always)
"""Row 1 of every table for clients; the only one that is decided without a situation."""

RATES = (
    Row(
        "1", "the client holds no lease, and such clients ask more often from its circuit than `circuit-rate`", SILENT,
        why.CIRCUIT_RATE, Situation.circuit_exceeds,
    ),
    Row(
        "1", "the client asks more often than `client-rate`, and not about an unexpired lease of its own", SILENT,
        why.CLIENT_RATE, Situation.client_exceeds,
    ),
)  # fmt: skip
"""Rows of every table for clients where a network has a rate. Each request is counted as it passes them."""

_FOREIGN = (
    Row(
        "2", "the address lies in none of the network's subnets", NAK, why.WRONG_NETWORK,
        lambda s: s.subnet is None and s.network.foreign_address == "nak",
    ),
    Row("2", "the same, with `foreign-address = \"silent\"`", SILENT, why.FOREIGN_IGNORED, lambda s: s.subnet is None),
)  # fmt: skip
_TAKEN = (
    Row(
        "4",
        "it is reserved for another client",
        NAK,
        why.RESERVED_FOR_OTHER,
        lambda s: s.kept and s.reserved_for_other(s.address),
    ),
    Row("4", "it is bound to another client", NAK, why.BOUND_TO_OTHER, Situation.bound_to_other),
    Row("4", "the operator ended a lease on it before its time", NAK, why.ENDED, Situation.ended),
    Row("4", "it was declined and is in quarantine", NAK, why.DECLINED, lambda s: s.declined),
)


def _kept_out(answer: Answer, known: str = "", when: Callable[[Situation], bool] = _always) -> tuple[Row, ...]:
    """Rows for a client that is not admitted, one for each of the two reasons: known and when come to it."""
    return (
        Row(
            "2", f"a class of the client is refused{known}", answer, why.CLASS_REFUSED,
            lambda s: s.refused() and when(s),
        ),
        Row("2", f"the network does not admit the client's classes{known}", answer, why.NOT_ADMITTED, when),
    )  # fmt: skip


_EXTENDING = (
    Row(
        "2", "the client holds an unexpired lease of ours on the address, and it is not served any more: its class is"
        " refused, or the network does not admit it", NAK, why.NO_LONGER_ADMITTED, _active,
    ),
    # another server may serve it: it is not told to stop using what we did not grant
    *_kept_out(SILENT, ", and we know of nobody else who has the address", lambda s: not s.taken()),
)  # fmt: skip
NOT_SERVED: dict[Kind, tuple[Row, ...]] = {
    Kind.INIT_REBOOT: _EXTENDING,
    Kind.RENEWING: _EXTENDING,
    Kind.REBINDING: _EXTENDING,
    Kind.DISCOVER: _kept_out(SILENT),
    Kind.SELECTING: _kept_out(NAK, ", and it chose this server", Situation.addressed_to_us),
    Kind.INFORM: _kept_out(SILENT),
    Kind.BOOTP: _kept_out(SILENT),
}
"""Rows before all others, for clients that are not admitted."""

_MOVING = (
    Row(
        "3", "its own unexpired lease is superseded (another address is reserved for it, or this one is no longer offered to"
        " it), and `moving-time` is not used up", ACK, why.MOVING, lambda s: s.superseded() and s.moving_seconds() > 0,
    ),
)  # fmt: skip
"""Many clients ignore a NAK to a renewal by unicast. A short lease brings them back soon, and at its end to INIT."""


def _reallocation(
    confirmed: Reason,
    foreign: tuple[Row, ...] = _FOREIGN,
    moving: tuple[Row, ...] = (),
    impatient: tuple[Row, ...] = (),
) -> tuple[Row, ...]:
    """The table of DHCPREQUESTs by clients that believe to have a lease. They differ in the name of the good end. The
    network of a renewal by unicast is that of its address, so none is foreign. One that renews a superseded lease is led
    away gently. A rebooting client has a last row more: one that extends a lease has it from a server that may only be
    away."""
    return (
        *foreign,
        *moving,
        Row(
            "3", "another address is reserved for the client, and that one is free for it", NAK, why.RESERVED_ELSEWHERE,
            Situation.reserved_elsewhere,
        ),
        *_TAKEN,
        Row(
            "5", "a lease of this client on this address, unexpired, still offered here", ACK, confirmed,
            lambda s: s.active and s.offered(s.address),
        ),
        Row(
            "6", "the same, but the address is no longer in a pool or the client no longer admitted", NAK,
            why.NO_LONGER_OFFERED, _active,
        ),
        Row(
            "7", "the address is free and offered, but its circuit has all that it may (unless it is reserved)", SILENT,
            why.CIRCUIT_FULL, Situation.circuit_too_full,
        ),
        Row(
            "7", "the client's own last lease on it expired or was released; the address is free and offered", ACK,
            why.REGRANTED, lambda s: s.mine and s.grantable(s.address),
        ),
        Row(
            "7", "the address is reserved for this client and free", ACK, why.RESERVED,
            lambda s: s.reserved_address() == s.address,
        ),
        Row(
            "8", "the address is ours and free, and the client has an unexpired lease on another one of the network", NAK,
            why.OTHER_ADDRESS, lambda s: s.grantable(s.address) and s.holds_another(),
        ),
        Row(
            "9", "no record, the address is ours and free, `unknown-reboot = \"adopt\"`", ACK, why.ADOPTED,
            lambda s: s.network.unknown_reboot == "adopt" and s.grantable(s.address),
        ),
        Row(
            "9", "no record, `unknown-reboot = \"nak\"`", NAK, why.UNKNOWN_REFUSED,
            lambda s: s.network.unknown_reboot == "nak",
        ),
        *impatient,
        Row("9", "no record, and the address is not ours to give", SILENT, why.NOT_OURS, lambda s: not s.offered(s.address)),
        Row("9", "no record of this client", SILENT, why.NO_RECORD, _always),
    )  # fmt: skip


INIT_REBOOT = _reallocation(
    why.CONFIRMED,
    impatient=(
        Row("9", "no record, `secs` has reached `unknown-reboot-after`", NAK, why.UNKNOWN_AFTER, _secs_reached),
    ),
)
RENEWING = _reallocation(why.RENEWED, foreign=(), moving=_MOVING)
REBINDING = _reallocation(why.REBOUND, moving=_MOVING)

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
    Row("9", "no address is free", SILENT, why.POOL_FULL, _always),
)  # fmt: skip

SELECTING = (
    Row("2", "the server identifier is not ours", SILENT, why.OTHER_SERVER, lambda s: not s.addressed_to_us()),
    Row("3", "the address lies in none of the network's subnets", NAK, why.WRONG_NETWORK, lambda s: s.subnet is None),
    *_TAKEN,
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
    Row("8", "anything else", NAK, why.NOT_AVAILABLE, _always),
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
    Row("3", "the client holds a lease on the address", SILENT, why.QUARANTINED, _active),
    Row("4", "anything else", SILENT, why.DECLINE_IGNORED, _always),
)
RELEASE = (
    Row("2", "the server identifier is not ours", SILENT, why.OTHER_SERVER, lambda s: not s.addressed_to_us()),
    Row("3", "the client holds a lease on the address", SILENT, why.RELEASED, _active),
    Row("4", "anything else", SILENT, why.RELEASE_IGNORED, _always),
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
    Row("4", "anything else", ACK, why.INFORMED, _always),
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
    Row("9", "no address is free", SILENT, why.POOL_FULL, _always),
)  # fmt: skip


LEASEQUERY = (
    Row("1", "the address, or the newest one of the client, is leased", ACTIVE, why.LEASE_ACTIVE, Situation.leased),
    Row(
        "2", "an address was asked about that is in a pool, reserved or on record, and nobody has it", UNASSIGNED,
        why.LEASE_UNASSIGNED, lambda s: s.request.message.ciaddr != 0 and s.managed(),
    ),
    Row("3", "anything else", UNKNOWN, why.LEASE_UNKNOWN, _always),
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


def decide(situation: Situation) -> Ruling:
    """The first row that fits. The last row of every table fits always."""
    if situation.metered:
        for row in RATES:
            if row.when(situation):
                return Ruling(row, situation.address)
    tables = SERVED if situation.admitted else TABLES
    for row in tables[situation.request.kind]:
        if fits := row.when(situation):
            return Ruling(row, situation.address if fits is True else fits)
    raise AssertionError(f"the table of {situation.request.kind.value} has no last row")
