"""What the decision tables are made of: a row, and the rows that several tables share, those of reallocation above all.

A NAK needs a certain reason. A server without certain knowledge keeps silent, because another one may know better.
"""

from collections.abc import Callable
from typing import NamedTuple

from relet.model import reasons as why
from relet.model.reasons import Answer, Reason
from relet.server.classify import Kind
from relet.server.situation import Situation


class Row(NamedTuple):
    """number: as in the documentation. known: the condition in words. when: the condition; it gives the address that the
    verdict is about, or True for the requested one; 0 and False do not fit."""

    number: str
    known: str
    answer: Answer
    reason: Reason
    when: Callable[[Situation], int]


def always(_: Situation) -> bool:
    return True


def active(s: Situation) -> bool:
    return s.active


def _secs_reached(s: Situation) -> bool:
    after = s.network.unknown_reboot_after
    return after is not None and s.request.message.secs >= after


ACK, NAK, OFFER, SILENT = Answer.ACK, Answer.NAK, Answer.OFFER, Answer.SILENT

ACTIVE, UNASSIGNED, UNKNOWN = Answer.ACTIVE, Answer.UNASSIGNED, Answer.UNKNOWN

NO_NETWORK = Row("1", "no network is configured for this link", SILENT, why.NO_NETWORK, always)
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
TAKEN = (
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


def kept_out(answer: Answer, known: str = "", when: Callable[[Situation], bool] = always) -> tuple[Row, ...]:
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
        " refused, or the network does not admit it", NAK, why.NO_LONGER_ADMITTED, active,
    ),
    # another server may serve it: it is not told to stop using what we did not grant
    *kept_out(SILENT, ", and we know of nobody else who has the address", lambda s: not s.taken()),
)  # fmt: skip
NOT_SERVED: dict[Kind, tuple[Row, ...]] = {
    Kind.INIT_REBOOT: _EXTENDING,
    Kind.RENEWING: _EXTENDING,
    Kind.REBINDING: _EXTENDING,
    Kind.DISCOVER: kept_out(SILENT),
    Kind.SELECTING: kept_out(NAK, ", and it chose this server", Situation.addressed_to_us),
    Kind.INFORM: kept_out(SILENT),
    Kind.BOOTP: kept_out(SILENT),
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
        *TAKEN,
        Row(
            "5", "a lease of this client on this address, unexpired, still offered here", ACK, confirmed,
            lambda s: s.active and s.offered(s.address),
        ),
        Row(
            "6", "the same, but the address is no longer in a pool or the client no longer admitted", NAK,
            why.NO_LONGER_OFFERED, active,
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
        Row("9", "no record of this client", SILENT, why.NO_RECORD, always),
    )  # fmt: skip


INIT_REBOOT = _reallocation(
    why.CONFIRMED,
    impatient=(
        Row("9", "no record, `secs` has reached `unknown-reboot-after`", NAK, why.UNKNOWN_AFTER, _secs_reached),
    ),
)
RENEWING = _reallocation(why.RENEWED, foreign=(), moving=_MOVING)
REBINDING = _reallocation(why.REBOUND, moving=_MOVING)
