"""What an operator may do to a lease by hand, each of it checked: the change that it means, or why it cannot be done.

A client cannot be told that its lease has changed: it uses its address until the end that it was promised. So a lease is
ended early for its client alone, and the address is kept from everybody else until then, unless the operator knows better.
"""

from enum import StrEnum

import msgspec

from relet.model.clock import Now
from relet.model.ident import ClientKey, key_text
from relet.model.lease import FOREVER, Change, Lease, LeaseState, View, beside
from relet.model.network import Reservation
from relet.server.identify import Site
from relet.server.moving import named_by
from relet.wire.address import ip_text
from relet.wire.codes import INFINITE

BY_HAND = "by-hand"
"""`Lease.reason` of what an operator did; ended leases have 'ended'."""


class Do(StrEnum):
    """What can be ordered."""

    ADD = "add"
    CHANGE = "change"
    END = "end"
    RESERVE = "reserve"
    UNRESERVE = "unreserve"
    LIFT = "lift"


class Order(msgspec.Struct, frozen=True):
    """An operator's order about one address.

    client, hardware: for ADD and RESERVE. seconds: of the lease from now on, None for the network's lease time or no change.
    hostname: None for no change. at_once: END gives the address free although its client may still use it.
    """

    do: Do
    address: int
    client: ClientKey = ClientKey(b"")
    hardware: bytes = b""
    seconds: int | None = None
    hostname: str | None = None
    at_once: bool = False


def ordered(order: Order, site: Site | None, view: View, own: frozenset[int], who: str, now: Now) -> Change:
    """The change that an order means. site: where the address lies. own: the server's addresses. who: ordered it.

    Raises ValueError that says why it cannot be done.
    """
    if site is None:
        raise ValueError(f"{ip_text(order.address)} lies in none of the networks")
    before = view.lease(order.address)
    match order.do:
        case Do.ADD:
            after = _added(order, site, before, own, now)
        case Do.RESERVE:
            after = _reserved(order, site, before, view, own, now)
        case Do.CHANGE:
            after = _changed(order, _held(order, before, now), now)
        case Do.END:
            after = _ended(order, _held(order, before, now), now)
        case Do.UNRESERVE:
            if before is None or not before.kept:
                raise ValueError(f"{ip_text(order.address)} is not reserved by hand")
            after = msgspec.structs.replace(before, kept=False, reason=BY_HAND)
        case Do.LIFT:
            if before is None or not before.quarantined(now.wall):
                raise ValueError(f"{ip_text(order.address)} is not in quarantine")
            after = _released(before, now)
    return Change(before, after, who)


def _added(order: Order, site: Site, before: Lease | None, own: frozenset[int], now: Now) -> Lease:
    row = _admitted(order, site, before, own, now)
    if before is not None and before.holds(now.wall):
        raise ValueError(f"the client holds {ip_text(order.address)} already; use change")
    seconds = site.terms(site.spots.at(order.address), (), row).lease_time if order.seconds is None else order.seconds
    starts = int(now.wall)
    kept = before is not None and before.kept
    return _lease(order, site, LeaseState.BOUND, starts, _until(starts, seconds), kept)


def _reserved(order: Order, site: Site, before: Lease | None, view: View, own: frozenset[int], now: Now) -> Lease:
    _admitted(order, site, before, own, now)
    for other in view.leases(order.client):
        if other.kept and site.network.subnet_of(other.address) is not None:
            raise ValueError(f"{ip_text(other.address)} is reserved for this client already; use unreserve first")
    if before is not None and before.client == order.client:
        return msgspec.structs.replace(before, kept=True, reason=BY_HAND)
    wall = int(now.wall)
    return _lease(order, site, LeaseState.RELEASED, wall, wall, kept=True)


def _lease(order: Order, site: Site, state: LeaseState, starts: int, expires: int, kept: bool = False) -> Lease:
    """A lease for the client that the order names."""
    return Lease(
        order.address, order.client, site.network.name, state, starts, expires,
        beside(order.client, order.hardware), order.hostname or "", reason=BY_HAND, kept=kept,
    )  # fmt: skip


def _changed(order: Order, held: Lease, now: Now) -> Lease:
    if order.seconds is None and order.hostname is None:
        raise ValueError("say what to change: how long from now, or the host name")
    until = held.expires
    if order.seconds is not None:
        until = _until(int(now.wall), order.seconds)
        if until < held.expires:
            raise ValueError(
                "the client was promised more than that and cannot be told; a lease can only be made longer"
            )
    hostname = held.hostname if order.hostname is None else order.hostname
    return msgspec.structs.replace(held, expires=until, hostname=hostname, reason=BY_HAND)


def _ended(order: Order, held: Lease, now: Now) -> Lease:
    if order.at_once:
        return _released(held, now)
    if held.expires == FOREVER:
        raise ValueError("the lease has no end, so its address would be kept from everybody for ever; end it at once")
    return msgspec.structs.replace(held, state=LeaseState.ENDED, reason="ended")


def _released(lease: Lease, now: Now) -> Lease:
    return msgspec.structs.replace(lease, state=LeaseState.RELEASED, expires=int(now.wall), reason=BY_HAND)


def _until(starts: int, seconds: int) -> int:
    # one second more than asked for, as for every grant: the wall clock is cut to seconds
    return FOREVER if seconds == INFINITE else starts + seconds + 1


def _held(order: Order, before: Lease | None, now: Now) -> Lease:
    if before is None or not before.holds(now.wall):
        raise ValueError(f"nobody holds {ip_text(order.address)}")
    return before


def _admitted(order: Order, site: Site, before: Lease | None, own: frozenset[int], now: Now) -> Reservation | None:
    """Could this client have the address? Its reservation in the configuration, if it has one."""
    text = ip_text(order.address)
    subnet = site.network.subnet_of(order.address)
    if not order.client:
        raise ValueError("say which client")
    if subnet is None or not subnet.has_host(order.address):
        raise ValueError(f"{text} can be no host's address")
    if order.address in own:
        raise ValueError(f"{text} is an address of this server")
    row = named_by(_lease(order, site, LeaseState.BOUND, 0, 0), site)
    rows = site.reserved.get(order.address, ())
    if rows and not any(each is row for each in rows):
        raise ValueError(f"{text} is reserved for another client in the configuration")
    if before is not None and before.quarantined(now.wall):
        raise ValueError(f"{text} is in quarantine; use lift first")
    if before is not None and before.client != order.client and (before.holds(now.wall) or before.kept):
        raise ValueError(f"{text} is {'reserved for' if before.kept else 'held by'} {key_text(before.client)}")
    return row
