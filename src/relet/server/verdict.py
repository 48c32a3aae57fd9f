"""What follows from a ruling: the time granted, and the changes that must be safe before anybody hears of it."""

from functools import lru_cache
from math import floor

import msgspec

from relet.model import reasons as why
from relet.model.clock import Now
from relet.model.lease import FOREVER, Change, Lease, LeaseState, beside
from relet.model.network import Network, Reservation
from relet.model.reasons import Answer, Reason
from relet.server.classify import Kind, Request
from relet.server.decide import Ruling
from relet.server.names import client_name
from relet.server.parameters import Terms
from relet.server.rows import Row
from relet.server.situation import Situation
from relet.wire.codes import INFINITE
from relet.wire.message import Message
from relet.wire.options import LEASE_TIME

_LEASE_TIME = LEASE_TIME.code
_ACK, _OFFER, _SILENT = Answer.ACK, Answer.OFFER, Answer.SILENT
_BOOTP, _SELECTING = Kind.BOOTP, Kind.SELECTING
_BOUND = LeaseState.BOUND

MAX_MOMENTS = 1024
"""Times kept so that leases of the same second share them: a million leases have a million of each."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """A decided request. seconds: the lease time promised, 0 where none is. changes: to be committed before the answer
    may be given. terms: what the client gets with it, None where it gets nothing. identifier: the address that stands for
    the server (RFC 5107), 0 for its own. made: the whole reply, where it is none to a client (RFC 4388)."""

    request: Request
    answer: Answer
    reason: Reason
    address: int = 0
    seconds: int = 0
    changes: tuple[Change, ...] = ()
    network: Network | None = None
    terms: Terms | None = None
    reservation: Reservation | None = None
    identifier: int = 0
    made: Message | None = None


def verdict(s: Situation, ruling: Ruling) -> Verdict:
    """The verdict that a ruling means for this situation."""
    row, address = ruling
    if row.answer is _ACK:
        if row.reason is why.MOVING and s.lease is not None:
            return _bare(s, row, address, s.moving_seconds(), _moved(s, s.lease))
        if row.reason is why.INFORMED or row.reason is why.BOOTP_INFORMED:
            return _bare(s, row, address, 0, ())
        return _grant(s.at(address), row, address)
    if row.answer is _OFFER:
        if row.reason is why.IPV6_ONLY or row.reason is why.NOT_AUTO_CONFIGURED:
            return _without_address(s, row, address)
        terms = s.terms(address)
        left = _time_left(s.at(address)) if row.reason is why.OFFERED_CURRENT else 0
        return _bare(s, row, address, left or lease_seconds(s, terms), (), terms)
    if row.reason is why.QUARANTINED:
        return _bare(s, row, address, 0, _ended(s, LeaseState.DECLINED, s.network.decline_time, row.reason))
    if row.reason is why.RELEASED or row.reason is why.DECLINE_EXCESS:
        return _bare(s, row, address, 0, _ended(s, LeaseState.RELEASED, 0, row.reason))
    return _bare(s, row, address, 0, ())


def _without_address(s: Situation, row: Row, place: int) -> Verdict:
    """An offer of nothing (RFC 8925 s3.3, RFC 2563 s2.3), with the terms of where the client would have its address."""
    terms = s.terms(place)
    return msgspec.structs.replace(_bare(s, row, place, lease_seconds(s, terms), (), terms), address=0)


def lease_seconds(s: Situation, terms: Terms) -> int:
    """The lease time for this client: what it asks for (option 51) within the bounds of its terms, else the default. BOOTP
    knows none, so the address is the client's for ever (RFC 1534 s3)."""
    if s.request.kind is _BOOTP:
        return INFINITE
    message = s.request.message
    return terms.seconds(message.uint(_LEASE_TIME)) if _LEASE_TIME in message.options else terms.lease_time


def _time_left(s: Situation) -> int:
    """What is left of the client's unexpired lease if that is what it gets (RFC 2131 s4.3.1: who starts anew and asks for no
    time does not extend its lease), else 0."""
    if not s.network.offer_time_left or s.lease is None or s.request.message.uint(_LEASE_TIME):
        return 0
    return remaining_seconds(s.lease, s.now) if s.active else 0


def remaining_seconds(lease: Lease, now: Now) -> int:
    """What is left of a lease, rounded down; INFINITE for ever."""
    return INFINITE if lease.expires == FOREVER else max(0, floor(lease.expires - now.wall))


def _bare(
    s: Situation, row: Row, address: int, seconds: int, changes: tuple[Change, ...], terms: Terms | None = None
) -> Verdict:
    """terms: where they are known already; who gets an address or parameters always has some."""
    answer = row.answer
    if terms is None and (answer is _ACK or answer is _OFFER):
        terms = s.terms(address)
    identifier = 0 if answer is _SILENT else s.server_identifier_override()
    return Verdict(
        s.request, answer, row.reason, address, seconds, changes, s.network, terms, s.reservation, identifier
    )


def _grant(s: Situation, row: Row, address: int) -> Verdict:
    before, active = s.lease, s.active
    terms = s.terms(address)
    seconds = lease_seconds(s, terms)
    threshold = s.network.cache_threshold
    if threshold is not None and active and before is not None:
        left = remaining_seconds(before, s.now)
        # a BOOTP client takes any reply for one that holds for ever; nobody is promised more than the terms grant now
        settled = before.reason != why.MOVING.id and (seconds != INFINITE or left == INFINITE) and left <= seconds + 1
        if settled and left > threshold * (before.expires - before.starts):
            return _bare(s, row, address, left, (), terms)
    request = s.request
    if request.kind is _SELECTING and (time_left := _time_left(s)):
        return _bare(s, row, address, time_left, (), terms)
    message = request.message
    starts = _second(s.now.wall)
    until = FOREVER if seconds == INFINITE else _until(starts, seconds)
    if active and before is not None and before.expires > until:
        until = before.expires  # the ACK may get lost, so the end that was promised earlier stays
    client = request.client
    if before is not None:  # the index goes by these objects: with new ones, a renewed lease costs twice as much
        address = before.address
        client = before.client if before.client == client else client
    after = Lease(
        address,
        client,
        s.network.name,
        _BOUND,
        starts,
        until,
        beside(client, request.hardware),
        client_name(s.network, s.reservation, message, address),
        s.relay_information(),
        row.reason.id,
        s.mine and before is not None and before.kept,
    )
    if before is not None and _same(before, after):
        return _bare(s, row, address, seconds, (), terms)
    return _bare(s, row, address, seconds, (Change(before, after),), terms)


@lru_cache(MAX_MOMENTS)
def _second(wall: float) -> int:
    return int(wall)


@lru_cache(MAX_MOMENTS)
def _until(starts: int, seconds: int) -> int:
    """One second more than promised: the wall clock is cut to seconds."""
    return starts + seconds + 1


def _same(before: Lease, after: Lease) -> bool:
    """Is the promise on record already? So it is when a request comes twice within a second."""
    return (
        before.expires == after.expires
        and before.reason != why.MOVING.id
        and before.state is after.state
        and before.client == after.client
        and before.hostname == after.hostname
        and before.relay == after.relay
    )


def _moved(s: Situation, before: Lease) -> tuple[Change, ...]:
    """The first renewal of a superseded lease is written down; `starts` says since when the client has to move. The ACK may
    get lost, so the end that was promised earlier stays, and the address with it."""
    if before.reason == why.MOVING.id:
        return ()
    starts = int(s.now.wall)
    until = max(before.expires, starts + s.network.moving_time + 1)
    after = msgspec.structs.replace(before, starts=starts, expires=until, reason=why.MOVING.id)
    return (Change(before, after),)


def _ended(s: Situation, state: LeaseState, seconds: int, reason: Reason) -> tuple[Change, ...]:
    if s.lease is None:
        return ()
    return (Change(s.lease, _end(s.lease, state, int(s.now.wall) + seconds, reason)),)


def _end(lease: Lease, state: LeaseState, expires: int, reason: Reason) -> Lease:
    return Lease(
        lease.address,
        lease.client,
        lease.network,
        state,
        lease.starts,
        expires,
        lease.beside,
        lease.hostname,
        lease.relay,
        reason.id,
        lease.kept,
    )
